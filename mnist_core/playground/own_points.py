"""The visitor's own points: parsed from pasted text, and packed for a URL.

A coordinate is a multiple of 0.01 from -6 to 6 (1,201 values, 11 bits) and a class is 0 to 3
(2 bits). A point takes 24 bits, which are four characters of base64.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "MAX_CLASSES",
    "MAX_POINTS",
    "RADIUS",
    "OwnPoint",
    "OwnPoints",
    "check_points",
    "own_point",
    "pack_points",
    "parse_points",
    "unpack_points",
]

RADIUS = 6.0  # the plane is the square from -6 to 6
MAX_POINTS, MAX_CLASSES = 500, 4
OwnPoint = tuple[float, float, int]  # x1, x2, class
_STEPS = 100  # per unit of the plane
_HALF = round(RADIUS * _STEPS)
_FILL = 5.0  # points outside the plane are scaled to -5 to 5


@dataclass(frozen=True, slots=True)
class OwnPoints:
    """Points parsed from pasted text.

    Attributes
    ----------
    points : tuple of (x1, x2, class)
        Coordinates from -6 to 6, multiples of 0.01.
    note : str
        A sentence if the points were scaled to fit the plane; else empty.
    """

    points: tuple[OwnPoint, ...]
    note: str = ""


def own_point(x1: float, x2: float, label: int) -> OwnPoint:
    """Return a point with its coordinates clamped to the plane and rounded to 0.01."""
    if not (math.isfinite(x1) and math.isfinite(x2)):
        raise ValueError(f"A point's coordinates must be finite numbers, got {x1} and {x2}.")
    return _rounded(x1), _rounded(x2), label


def _rounded(value: float) -> float:
    steps = round(max(-RADIUS, min(RADIUS, value)) * _STEPS)
    return steps / _STEPS


def check_points(points: object) -> None:
    """Raise ValueError unless these are at most 500 valid points, see `OwnPoints`."""
    if not isinstance(points, tuple) or len(points) > MAX_POINTS:
        raise ValueError(f"The points must be a tuple of at most {MAX_POINTS} points.")
    for point in points:
        if not (isinstance(point, tuple) and len(point) == 3):
            raise ValueError("A point must be (x1, x2, class).")
        x1, x2, label = point
        if not (_on_the_plane(x1) and _on_the_plane(x2)):
            raise ValueError("A point's coordinates must be from -6 to 6, in whole hundredths.")
        if type(label) is not int or not 0 <= label < MAX_CLASSES:
            raise ValueError(f"A point's class must be a whole number from 0 to {MAX_CLASSES - 1}.")


def _on_the_plane(value: object) -> bool:
    return isinstance(value, float) and abs(value) <= RADIUS and _rounded(value) == value


def pack_points(points: Sequence[OwnPoint]) -> str:
    """Return points as letters, digits, ``-`` and ``_``: four characters a point."""
    packed = bytearray()
    for x1, x2, label in points:
        column, row = (round(value * _STEPS) + _HALF for value in (x1, x2))
        packed += (column << 13 | row << 2 | label).to_bytes(3, "big")
    return base64.urlsafe_b64encode(bytes(packed)).decode()


def unpack_points(text: str) -> tuple[OwnPoint, ...]:
    """Return the points that `pack_points` packed.

    Raises
    ------
    ValueError
        If `pack_points` cannot have returned this text.
    """
    problem = "The packed points must be four letters or digits for each point, as Copy link gives."
    if len(text) > 4 * MAX_POINTS:
        raise ValueError(f"There may be at most {MAX_POINTS} points, got more.")
    try:
        packed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError(problem) from error
    if len(packed) % 3:
        raise ValueError(problem)
    codes = [int.from_bytes(packed[i : i + 3], "big") for i in range(0, len(packed), 3)]
    cells = [(code >> 13, code >> 2 & 0x7FF, code & 3) for code in codes]
    if any(max(column, row) > 2 * _HALF for column, row, _ in cells):
        raise ValueError(problem)
    return tuple(((c - _HALF) / _STEPS, (r - _HALF) / _STEPS, label) for c, r, label in cells)


def parse_points(text: str) -> OwnPoints:
    """Parse lines of ``x1, x2, class``, copied from a spreadsheet or a CSV file.

    Columns are separated by tabs, semicolons, commas or spaces. With tabs or semicolons, a comma is
    a decimal point. A first line without numbers is a heading; empty lines are skipped. If a point
    lies outside the plane, each axis is scaled to the range from -5 to 5.

    Raises
    ------
    ValueError
        If a line cannot be parsed, there are more than 500 points, or not 2 to 4 classes. The
        message is one sentence, with the line number.
    """
    points: list[OwnPoint] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not line.strip() or (not points and _is_heading(line)):
            continue
        if len(points) == MAX_POINTS:
            raise ValueError(f"Line {number}: at most {MAX_POINTS} points fit, leave some out.")
        points.append(_parse_line(line, number))
    classes = {label for *_, label in points}
    if len(classes) < 2:
        got = "1 class" if points else "no points"
        raise ValueError(f"Expected points of 2 to 4 classes, got {got}: add lines x1, x2, class.")
    if all(max(abs(x1), abs(x2)) <= RADIUS for x1, x2, _ in points):
        return OwnPoints(tuple(own_point(*point) for point in points))
    note = "Some points lay outside the plane, so each axis was scaled to the range from -5 to 5."
    return OwnPoints(_scaled(points), note)


def _cells(line: str) -> list[str]:
    for separator in "\t;":
        if separator in line:
            return [cell.strip().replace(",", ".") for cell in line.split(separator)]
    return [cell.strip() for cell in line.split("," if "," in line else None)]


def _is_heading(line: str) -> bool:
    return not any(_number(cell) is not None for cell in _cells(line))


def _parse_line(line: str, number: int) -> OwnPoint:
    cells = _cells(line)
    if len(cells) != 3:
        raise ValueError(f"Line {number}: expected x1, x2 and a class, got {len(cells)} columns.")
    x1, x2, label = (_number(cell) for cell in cells)
    if x1 is None or x2 is None:
        raise ValueError(f"Line {number}: expected numbers for x1 and x2, such as 1.5, -2.")
    if label is None or label not in range(MAX_CLASSES):
        raise ValueError(f"Line {number}: expected a class of 0, 1, 2 or 3, got another value.")
    return x1, x2, int(label)


def _number(cell: str) -> float | None:
    """Return the cell as a number within the range of float32, or None."""
    try:
        value = float(cell.strip("\"'"))
    except ValueError:
        return None
    return value if abs(value) < 1e30 else None


def _scaled(points: Sequence[OwnPoint]) -> tuple[OwnPoint, ...]:
    x1, x2, labels = zip(*points, strict=True)
    return tuple(map(own_point, _spread(x1), _spread(x2), labels))


def _spread(values: Iterable[float]) -> list[float]:
    """Scale values linearly to the range from -5 to 5; equal values become 0."""
    values = list(values)
    low, high = min(values), max(values)
    if low == high:
        return [0.0] * len(values)
    return [(2 * (v - low) / (high - low) - 1) * _FILL for v in values]
