"""The milestones of neural networks, read from the lesson's own file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LANES", "Milestone", "load_milestones"]

LANES = {  # name in the file: name on the page, colour
    "ideas": ("Ideas", "#2f74d0"),
    "learning": ("Learning", "#59a14f"),
    "machines": ("Machines and data", "#b07aa1"),
    "results": ("Results", "#e0701a"),
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """One dated step of the history, with its source."""

    year: int
    title: str
    who: str
    lane: str
    sentence: str
    source: str
    url: str


def load_milestones(path: Path) -> list[Milestone]:
    """Read the milestones from a TOML file, in order of time.

    Raises
    ------
    ValueError
        If a milestone lacks a part, or its lane is not one of `LANES`.
    """
    with path.open("rb") as file:
        rows = tomllib.load(file)["milestone"]
    try:
        milestones = [Milestone(**row) for row in rows]
    except TypeError as error:
        raise ValueError(f"{path.name}: a milestone has the wrong parts: {error}") from error
    for milestone in milestones:
        if milestone.lane not in LANES:
            raise ValueError(f"{path.name}: expected a lane of {', '.join(LANES)}: {milestone}")
    return sorted(milestones, key=lambda m: m.year)
