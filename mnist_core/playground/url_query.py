"""A set-up as the part of an address after the question mark, and back again.

What comes with an address is a stranger's text: whatever it is, a valid set-up comes out, and a
sentence for each part that was not taken as it came.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from mnist_core.playground.own_points import pack_points, unpack_points
from mnist_core.playground.setups import (
    CONTROLS,
    FEATURES,
    MAX_LAYERS,
    MAX_NEURONS,
    MAX_TASK,
    NAMED,
    RANGES,
    Setup,
    clean_task,
    plain,
    words,
)

__all__ = ["PARAMETERS", "from_query", "to_query"]

DEFAULT = Setup()
PARAMETERS = tuple(field.name for field in fields(Setup))
_PLAIN = re.compile(r"[\w.+-]{1,24}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_LONGEST = 40  # characters of a number that is read


def to_query(setup: Setup) -> dict[str, str]:
    """Return {parameter: text} of what differs from the default set-up."""
    return {name: _written(name, value) for name, value in DEFAULT.differences(setup).items()}


def _written(name: str, value: Any) -> str:
    if name == "points":
        return pack_points(value)
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)  # str of a float reads back as the same float


def from_query(query: Mapping[str, str]) -> tuple[Setup, list[str]]:
    """Read a set-up from an address, whatever it holds.

    Parameters
    ----------
    query : mapping of str to str
        Parameters as `to_query` names them; those that are missing have their default.

    Returns
    -------
    Setup
    list of str
        A sentence for each part that was left out or changed to fit; of the address itself only
        plain words are quoted.
    """
    values: dict[str, Any] = {}
    notes: list[str] = []
    for name, text in query.items():
        if name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            notes.append(
                f"The address has a part that means nothing to the playground, {_quoted(name)}; it "
                f"was left out. Known are: {known}."
            )
            continue
        try:
            values[name], changed = _reader(name)(name, text)
        except ValueError as error:
            notes.append(f"{error} The address says {_quoted(text)}, which was left out.")
            continue
        notes += changed
    return Setup(**values), notes


Read = tuple[Any, list[str]]  # the value, and sentences about what was changed to fit


def _reader(name: str) -> Callable[[str, str], Read]:
    if name in NAMED:
        return _read_named
    if name in RANGES:
        return _read_number
    return {
        "features": _read_names,
        "hide": _read_names,
        "layers": _read_layers,
        "task": _read_task,
        "points": _read_points,
    }.get(name, _read_switch)


def _read_named(name: str, text: str) -> Read:
    if text not in NAMED[name]:
        raise ValueError(f"{words(name)} must be one of {', '.join(NAMED[name])}.")
    return text, []


def _read_number(name: str, text: str) -> Read:
    low, high = RANGES[name]
    if name == "stop_below" and text == "none":
        return None, []
    number = _number(text)
    if number is None:
        raise ValueError(f"{words(name)} must be a number from {plain(low)} to {plain(high)}.")
    value = min(max(number, low), high)
    value = round(value) if type(getattr(DEFAULT, name)) is int else float(value)
    if value == number:
        return value, []
    return value, [
        f"{words(name)} must be {_kind(name)} from {plain(low)} to {plain(high)}; {_quoted(text)} "
        f"in the address was changed to {plain(value)}."
    ]


def _kind(name: str) -> str:
    return "a whole number" if type(getattr(DEFAULT, name)) is int else "a number"


def _number(text: str) -> float | int | None:
    """Return text as a number that is not NaN, a whole one exactly; None if it is none."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return int(value) if math.isfinite(value) and value == int(value) else value


def _read_switch(name: str, text: str) -> Read:
    if text not in ("yes", "no"):
        raise ValueError(f"{words(name)} must be yes or no.")
    return text == "yes", []


def _read_names(name: str, text: str) -> Read:
    known = tuple(FEATURES) if name == "features" else CONTROLS
    asked = [] if text == "none" else text.split(",")
    names = tuple(n for n in known if n in asked)
    if name == "features" and not names:
        raise ValueError(f"{words(name)} must be one or more of {', '.join(known)}.")
    unknown = [n for n in asked if n not in known]
    if not unknown:
        return names, []
    return names, [
        f"{words(name)} may be {', '.join(known)}; {_quoted(unknown[0])} in the address was left "
        "out."
    ]


def _read_layers(name: str, text: str) -> Read:
    rule = (
        f"{words(name)} must be none, or the neurons of at most {MAX_LAYERS} hidden layers, each "
        f"1 to {MAX_NEURONS}, as in 4,2."
    )
    asked = [] if text == "none" else [_number(part) for part in text[:200].split(",")]
    if any(type(n) is not int for n in asked):
        raise ValueError(rule)
    layers = tuple(min(max(int(n or 0), 1), MAX_NEURONS) for n in asked[:MAX_LAYERS])
    if list(layers) == asked:
        return layers, []
    return layers, [f"{rule} The address asked for others; it became {_written(name, layers)}."]


def _read_task(name: str, text: str) -> Read:
    task = clean_task(text)
    if task == text:
        return task, []
    return task, [f"{words(name)} may be one line of {MAX_TASK} characters; it was cut to that."]


def _read_points(name: str, text: str) -> Read:  # noqa: ARG001
    return unpack_points(text), []


def _quoted(text: str) -> str:
    """Quote what came with the address, if it is a plain word; never as Markdown."""
    return f"`{text}`" if _PLAIN.fullmatch(text) else "(not a plain word)"
