"""The milestones in the history of neural networks, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LANES", "Milestone", "load_milestones", "nearest_year", "span"]

LANES = {  # name in the file: title on the page
    "ideas": "Ideas",
    "learning": "Learning",
    "machines": "Machines and data",
    "results": "Results",
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """An event in the history of neural networks, and its source.

    Attributes
    ----------
    lane : str
        One of `LANES`.
    landmark : bool
        Whether the chart prefers its name where there is no room for all.
    """

    year: int
    title: str
    who: str
    lane: str
    sentence: str
    source: str
    url: str
    landmark: bool = False

    @property
    def lane_title(self) -> str:
        return LANES[self.lane]


def load_milestones(path: Path) -> list[Milestone]:
    """Read the milestones from a TOML file, in order of year.

    Raises
    ------
    ValueError
        If a milestone lacks a part or has an unknown one, or its lane is not one of `LANES`.
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


def span(milestones: Sequence[Milestone]) -> tuple[int, int]:
    """Return the years of the axis: from the decade of the first milestone to the last one."""
    years = [m.year for m in milestones]
    return min(years) // 10 * 10, max(years)


def nearest_year(milestones: Sequence[Milestone], year: int) -> int:
    """Return the year with a milestone that is nearest to a year, the earlier one of two."""
    return min((m.year for m in milestones), key=lambda known: (abs(known - year), known))
