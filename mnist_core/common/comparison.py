"""Whether two computations of the same numbers differ by no more than rounding explains."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["Check", "compare", "judge", "worst"]

WRITTEN_OUT = 1e-9  # a smaller number is written with an exponent


@dataclass(frozen=True, slots=True)
class Check:
    """How much two computations differ, and how much of that rounding explains.

    Attributes
    ----------
    largest_difference : float
        The largest difference between the two. If some entries differ by more than rounding
        explains: the worst of those, by how many times it is too large.
    explained : float
        The largest difference that rounding explains at the same place.
    """

    largest_difference: float
    explained: float

    @property
    def matches(self) -> bool:
        """Whether rounding explains the difference."""
        return math.isfinite(self.largest_difference) and self.largest_difference <= self.explained

    def __str__(self) -> str:
        if self.largest_difference == 0:
            return "match (equal to the last digit)"
        difference, explained = _written(self.largest_difference), _written(self.explained)
        if self.matches:
            return f"match (largest difference {difference}, rounding explains up to {explained})"
        return f"no match: off by {difference}, rounding explains only {explained}"


def _written(number: float) -> str:
    if 0 < number < WRITTEN_OUT:
        return f"{number:.1e}"
    return np.format_float_positional(number, precision=2, fractional=False, trim="-")


def compare(a: object, b: object, explained: object = 0.0) -> Check:
    """Compare two arrays (or tensors, or numbers) of the same shape, entry by entry.

    Parameters
    ----------
    a, b : array_like of one shape
    explained : array_like of this shape, or float
        How large a difference rounding explains, for each entry.

    Raises
    ------
    ValueError
        If the shapes differ; broadcasting them could hide a mistake.
    """
    left, right = _arrays_of_one_shape(a, b)
    difference = _distance(left, right)
    limit = np.broadcast_to(np.asarray(explained), left.shape)
    if np.all(difference <= limit):
        return _check(difference, limit, difference)
    return _check(difference, limit, _excess(difference, limit))


def judge(a: object, b: object, exact: object, bound: object) -> Check:
    """Compare two arrays with the exact values: both must be within the bound, entry by entry.

    Two results that are right differ by at most twice the bound.

    Parameters
    ----------
    a, b, exact, bound : array_like of one shape
        ``bound`` is how far rounding can move a right result from ``exact``.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    left, right, centre, limit = _arrays_of_one_shape(a, b, exact, bound)
    error, other = _distance(left, centre), _distance(right, centre)
    np.maximum(error, other, out=error)
    if not np.all(error <= limit):
        return _check(error, limit, _excess(error, limit))
    difference = _distance(left, right, out=other)  # new memory costs more than the arithmetic
    check = _check(difference, limit, difference)
    return Check(check.largest_difference, 2 * check.explained)


def worst(checks: Iterable[Check]) -> Check:
    """Return the check that does not match, if there is one, else the largest difference."""
    return max(checks, key=lambda check: (not check.matches, check.largest_difference))


def _arrays_of_one_shape(*given: object) -> list[np.ndarray]:
    arrays = [np.asarray(one) for one in given]
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) > 1:
        raise ValueError(f"expected arrays of one shape, got {' and '.join(map(str, shapes))}.")
    return arrays


def _distance(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # inf - inf is nan, which never matches
        difference = np.asarray(np.subtract(a, b, dtype=np.float64, out=out))
    return np.abs(difference, out=difference)


def _excess(difference: np.ndarray, explained: np.ndarray) -> np.ndarray:
    """Return how many times each difference is larger than explained; nan where it is nan."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference <= explained, 0.0, difference / explained)


def _check(difference: np.ndarray, explained: np.ndarray, place: np.ndarray) -> Check:
    """Return the check of the entry where ``place`` is largest (or nan)."""
    if not place.size:
        return Check(0.0, 0.0)
    at = int(place.argmax())
    return Check(float(difference.flat[at]), float(explained.flat[at]))
