"""The comparison of two computations of the same thing, such as PyTorch's and NumPy's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Check", "compare"]

TOLERANCE = 1e-5  # float32 carries 7 digits; sums of a few hundred products lose one or two


@dataclass(frozen=True, slots=True)
class Check:
    """How much two computations differ.

    Attributes
    ----------
    largest_difference : float
        max |a - b| over all entries.
    largest_value : float
        max |b|, the scale of the difference.
    """

    largest_difference: float
    largest_value: float

    @property
    def matches(self) -> bool:
        """Whether the difference is at most 1e-5, or 1e-5 of a largest value above 1."""
        return self.largest_difference <= TOLERANCE * max(1.0, self.largest_value)

    def __str__(self) -> str:
        if self.largest_difference == 0:
            return "match (equal to the last digit)"
        if self.matches:
            difference = np.format_float_positional(  # without an exponent: 0.000000015
                self.largest_difference, precision=2, fractional=False, trim="-"
            )
            return f"match (largest difference {difference})"
        return f"no match: largest difference {self.largest_difference:.3g}"


def compare(a: object, b: object) -> Check:
    """Compare two arrays (or tensors, or numbers) of the same shape, entry by entry.

    Raises
    ------
    ValueError
        If the shapes differ; broadcasting them could hide a mistake.
    """
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"expected two arrays of one shape, got {left.shape} and {right.shape}.")
    if not left.size:
        return Check(0.0, 0.0)
    return Check(float(np.abs(left - right).max()), float(np.abs(right).max()))
