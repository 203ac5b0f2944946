"""A setup as the query of a URL (the part after the question mark), and back again.

The query is untrusted text. Any query gives a valid setup, and a sentence for each part that was
changed or ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from mnist_core.common.formatting import word_of_address
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
    subject,
    written,
)

__all__ = ["PARAMETERS", "from_query", "to_query"]

DEFAULT = Setup()
PARAMETERS = tuple(field.name for field in fields(Setup))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_MAX_DIGITS = 40  # characters; a longer number is not parsed


def to_query(setup: Setup) -> dict[str, str]:
    """Return {parameter: text} for every field that differs from the default setup."""
    return {name: _as_text(name, value) for name, value in DEFAULT.differences(setup).items()}


def _as_text(name: str, value: Any) -> str:
    if name == "points":
        return pack_points(value)
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)  # float(str(x)) == x


def from_query(query: Mapping[str, str]) -> tuple[Setup, list[str]]:
    """Parsed a setup from the query of a URL.

    Parameters
    ----------
    query : mapping of str to str
        Parameters as in `to_query`; a missing one has its default.

    Returns
    -------
    Setup
    list of str
        A sentence for each part that was ignored or changed. It quotes only plain words of the
        query, so no Markdown or HTML gets through.
    """
    values: dict[str, Any] = {}
    notes: list[str] = []
    for name, text in query.items():
        if name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            notes.append(
                "The address has a part that means nothing to the playground, "
                f"{word_of_address(name)}; it was left out. Known parts: {known}."
            )
            continue
        try:
            values[name], changed = _parser(name)(name, text)
        except ValueError as error:
            notes.append(f"{error} The address says {word_of_address(text)}, which was left out.")
            continue
        notes += changed
    return Setup(**values), notes


Parsed = tuple[Any, list[str]]  # the value, and sentences about changes


def _parser(name: str) -> Callable[[str, str], Parsed]:
    if name in NAMED:
        return _parse_named
    if name in RANGES:
        return _parse_number
    return {
        "features": _parse_names,
        "hide": _parse_names,
        "layers": _parse_layers,
        "task": _parse_task,
        "points": _parse_points,
    }.get(name, _parse_switch)


def _parse_named(name: str, text: str) -> Parsed:
    if text not in NAMED[name]:
        raise ValueError(f"{subject(name)} must be one of {', '.join(NAMED[name])}.")
    return text, []


def _parse_number(name: str, text: str) -> Parsed:
    low, high = RANGES[name]
    if name == "stop_below" and text == "none":
        return None, []
    number = _number(text)
    if number is None:
        raise ValueError(
            f"{subject(name)} must be a number from {written(low)} to {written(high)}."
        )
    value = min(max(number, low), high)
    value = round(value) if type(getattr(DEFAULT, name)) is int else float(value)
    if value == number:
        return value, []
    return value, [
        f"{subject(name)} must be {_kind(name)} from {written(low)} to {written(high)}; "
        f"{word_of_address(text)} in the address was changed to {written(value)}."
    ]


def _kind(name: str) -> str:
    return "a whole number" if type(getattr(DEFAULT, name)) is int else "a number"


def _number(text: str) -> float | int | None:
    """Return the text as a number (int if whole), or None if it is no number."""
    if len(text) > _MAX_DIGITS or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return int(value) if math.isfinite(value) and value == int(value) else value


def _parse_switch(name: str, text: str) -> Parsed:
    if text not in ("yes", "no"):
        raise ValueError(f"{subject(name)} must be yes or no.")
    return text == "yes", []


def _parse_names(name: str, text: str) -> Parsed:
    known = tuple(FEATURES) if name == "features" else CONTROLS
    asked = [] if text == "none" else text.split(",")
    names = tuple(n for n in known if n in asked)
    if name == "features" and not names:
        raise ValueError(f"{subject(name)} must be one or more of {', '.join(known)}.")
    unknown = [n for n in asked if n not in known]
    if not unknown:
        return names, []
    return names, [
        f"{subject(name)} may be {', '.join(known)}; {word_of_address(unknown[0])} in the address "
        "was left out."
    ]


def _parse_layers(name: str, text: str) -> Parsed:
    rule = (
        f"{subject(name)} must be none, or the neurons of at most {MAX_LAYERS} hidden layers, each "
        f"1 to {MAX_NEURONS}, as in 4,2."
    )
    asked = [] if text == "none" else [_number(part) for part in text[:200].split(",")]
    if any(type(n) is not int for n in asked):
        raise ValueError(rule)
    layers = tuple(min(max(int(n or 0), 1), MAX_NEURONS) for n in asked[:MAX_LAYERS])
    if list(layers) == asked:
        return layers, []
    return layers, [f"{rule} The address asked for others; it became {_as_text(name, layers)}."]


def _parse_task(name: str, text: str) -> Parsed:
    task = clean_task(text)
    if task == text:
        return task, []
    return task, [f"{subject(name)} may be one line of {MAX_TASK} characters; it was cut to that."]


def _parse_points(_: str, text: str) -> Parsed:
    return unpack_points(text), []
