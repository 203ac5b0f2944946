"""A linear layer in writing: a number read from what was typed, and a sum with its numbers."""

from __future__ import annotations

import re

import numpy as np

from mnist_core.common.formatting import name_of, short

__all__ = ["LARGEST", "number_of", "sum_in_numbers", "sum_in_symbols"]

LARGEST = 100  # a typed number is from -100 to 100
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)  # no exponent, no comma


def number_of(text: str, name: str) -> float:
    """Return the number that was typed for a weight, a bias or an input.

    Raises
    ------
    ValueError
        If the text is not a decimal number from -100 to 100. The sentence is Markdown.
    """
    written = text.strip().replace("−", "-")
    if _NUMBER.fullmatch(written) and abs(float(written)) <= LARGEST:
        return float(written)
    got = text.replace("`", "").strip()
    hint = " Write the decimal point as a dot." if "," in text else ""
    raise ValueError(
        f"{name} needs a number from −{LARGEST} to {LARGEST}, such as 0.5 or −1.25; "
        f"it got {f'`{got}`' if got else 'nothing'}.{hint}"
    )


def sum_in_symbols(n_in: int, n_out: int, bias: bool, output: int) -> str:
    """Write the sum of one output in symbols: y₁ = w₁·x₁ + w₂·x₂ + b₁.

    The weights have two indices, output and input, where there are several outputs.
    """
    row = (output,) if n_out > 1 else ()
    terms = [f"{name_of('w', *row, i)}·{name_of('x', i)}" for i in range(n_in)]
    return f"{name_of('y', output)} = {' + '.join([*terms, *[name_of('b', output)] * bias])}"


def sum_in_numbers(w: np.ndarray, b: float | None, x: np.ndarray, y: float) -> str:
    """Write the sum of one output in numbers: 0.5·1 + (−2)·3 + 0.1 = −5.4.

    Parameters
    ----------
    w, x : (n_in,) float32
        One row of W, and the input.
    b : float or None
    y : float
        The result.
    """
    terms = [f"{_term(weight)}·{_term(value)}" for weight, value in zip(w, x, strict=True)]
    biases = [] if b is None else [_term(b)]
    return f"{' + '.join(terms + biases)} = **{short(y)}**"


def _term(value: float) -> str:
    return f"({short(value)})" if value < 0 else short(value)
