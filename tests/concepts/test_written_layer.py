from __future__ import annotations

import numpy as np
import pytest

from mnist_core.concepts.written_layer import number_of, sum_in_numbers, sum_in_symbols


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), (" 0.5 ", 0.5), ("-.25", -0.25), ("−2.", -2), ("+100", 100), ("-100", -100)],
)
def test_a_decimal_number_is_read(text, value):
    assert number_of(text, "x₁") == value


@pytest.mark.parametrize(
    "text", ["abc", "1,5", "1e9", "101", "-100.5", "nan", "inf", "1 2", "٣", "0x1", "--1", "."]
)
def test_anything_else_is_refused_in_words(text):
    with pytest.raises(ValueError, match="w₂ needs a number from −100 to 100") as refused:
        number_of(text, "w₂")
    assert f"it got `{text}`." in str(refused.value)
    assert ("decimal point as a dot" in str(refused.value)) is ("," in text)


def test_an_empty_field_and_a_backtick_are_refused():
    with pytest.raises(ValueError, match="it got nothing"):
        number_of(" ", "x₁")
    with pytest.raises(ValueError, match="it got `a`"):
        number_of("`a`", "x₁")


def test_the_sum_is_written_in_symbols_and_in_numbers():
    assert sum_in_symbols(3, 1, True, 0) == "y₁ = w₁·x₁ + w₂·x₂ + w₃·x₃ + b₁"
    assert sum_in_symbols(2, 2, False, 1) == "y₂ = w₂₁·x₁ + w₂₂·x₂"
    w, x = np.array([0.5, -2], np.float32), np.array([1, 3], np.float32)
    assert sum_in_numbers(w, 0.1, x, -5.4) == "0.5·1 + (−2)·3 + 0.1 = **−5.4**"
    assert sum_in_numbers(w, None, -x, 5.5) == "0.5·(−1) + (−2)·(−3) = **5.5**"
