"""Numbers, times and received values in words. Every page and figure writes them the same way."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "counted",
    "duration",
    "loss",
    "name_of",
    "plain",
    "quoted",
    "short",
    "signed",
    "terms",
    "word_of_address",
]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_WORD = re.compile(r"[\w.+-]{1,24}", re.ASCII)


def plain(value: float, decimals: int) -> str:
    """Write a number with a real minus; zero has no sign: 0.12, −0.12, 0.00."""
    return _unsigned_zero(f"{value:.{decimals}f}")


def short(value: float) -> str:
    """Write a number with at most five digits and a real minus: 0.5, −12.345."""
    return _unsigned_zero(f"{value:.5g}")


def name_of(letter: str, *indices: int) -> str:
    """Name an entry of an array, counted from 1: ``name_of("w", 0, 2)`` is w₁₃."""
    return letter + "".join(str(i + 1) for i in indices).translate(_SUBSCRIPTS)


def signed(value: float, decimals: int) -> str:
    """Write a number with its sign and a real minus; zero has no sign: +0.12, −0.12, 0.00."""
    return _unsigned_zero(f"{value:+.{decimals}f}")


def terms(values: Iterable[float], decimals: int) -> str:
    """Write the terms of a sum: 0.50 − 0.25 + 1.00."""
    first, *rest = values
    written = [f"{'−' if value < 0 else '+'} {abs(value):.{decimals}f}" for value in rest]
    return " ".join([plain(first, decimals), *written])


def loss(value: float) -> str:
    """Write a loss to four decimals, or to three digits from 1,000 on: 2.3026, 2.61e+09."""
    return f"{value:.4f}" if value < 1_000 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it: 2.07 s, 54 s, 12 min, 3.1 h."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"


def counted(n: int, word: str) -> str:
    """Write a count with its noun: 1 step, 2,000 steps."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def quoted(value: object, most: int = 40) -> str:
    """Return a value as Python writes it, for an error message; cut after `most` characters."""
    text = repr(value)
    return text if len(text) <= most else text[:most] + "…"


def word_of_address(text: str) -> str:
    """Return a word of the page's address as Markdown code; other text is not repeated."""
    return f"`{text}`" if _WORD.fullmatch(text) else "(not a plain word)"


def _unsigned_zero(text: str) -> str:
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")
