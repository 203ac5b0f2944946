"""Sums that are printed term by term: what is printed adds up digit by digit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mnist_core.common import formatting

__all__ = ["DECIMALS", "WrittenSum"]

DECIMALS = 5


@dataclass(frozen=True, slots=True)
class WrittenSum:
    """A sum of named terms, each a whole number of 0.00001; they add up to the total exactly."""

    terms: tuple[tuple[str, float], ...]
    total: float

    @classmethod
    def of(cls, terms: Iterable[tuple[str, float]], total: float) -> WrittenSum:
        """Round terms and total; where the rounded terms miss the total, add a term "rounding"."""
        unit = 10**DECIMALS
        whole = [(name, round(value * unit)) for name, value in terms]
        rest = round(total * unit) - sum(n for _, n in whole)
        whole += [("rounding", rest)] * (rest != 0)
        return cls(tuple((name, n / unit) for name, n in whole), round(total * unit) / unit)

    @property
    def names(self) -> str:
        """The names of the terms: "map 0, map 1, bias"."""
        return ", ".join(name for name, _ in self.terms)

    def __str__(self) -> str:
        added = formatting.terms((value for _, value in self.terms), DECIMALS)
        return f"{added} = {formatting.plain(self.total, DECIMALS)}"
