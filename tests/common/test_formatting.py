"""Numbers, times and received values in words."""

import math

import pytest

from mnist_core.common import formatting


@pytest.mark.parametrize(
    ("value", "decimals", "plain", "signed"),
    [
        (0.125, 2, "0.12", "+0.12"),
        (-0.126, 2, "−0.13", "−0.13"),
        (1234.5, 0, "1234", "+1234"),
        (0, 2, "0.00", "0.00"),
        (-0.0, 2, "0.00", "0.00"),
        (0.004, 2, "0.00", "0.00"),
        (-0.004, 2, "0.00", "0.00"),
        (-0.4, 0, "0", "0"),
        (-math.inf, 2, "−inf", "−inf"),
    ],
)
def test_numbers_have_a_real_minus_and_zero_has_no_sign(value, decimals, plain, signed):
    assert formatting.plain(value, decimals) == plain
    assert formatting.signed(value, decimals) == signed


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.5], "0.50"),
        ([0.5, -0.25, 1], "0.50 − 0.25 + 1.00"),
        ([-0.5, 0, -2], "−0.50 + 0.00 − 2.00"),
    ],
)
def test_the_terms_of_a_sum(values, words):
    assert formatting.terms(values, 2) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2.302585, "2.3026"),
        (999, "999.0000"),
        (1_000, "1e+03"),
        (2.61e9, "2.61e+09"),
        (math.nan, "nan"),
    ],
)
def test_a_loss(value, words):
    assert formatting.loss(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1.234, "1.23 s"),
        (12.3, "12 s"),
        (59.6, "60 s"),
        (119, "119 s"),
        (120, "2 min"),
        (300, "5 min"),
        (7_200, "2.0 h"),
        (90_000, "25.0 h"),
    ],
)
def test_a_duration(seconds, words):
    assert formatting.duration(seconds) == words


@pytest.mark.parametrize(("n", "words"), [(0, "0 steps"), (1, "1 step"), (2_000, "2,000 steps")])
def test_a_count_with_its_noun(n, words):
    assert formatting.counted(n, "step") == words


def test_a_value_in_an_error_message_is_cut():
    assert formatting.quoted("a" * 38) == repr("a" * 38)
    assert formatting.quoted("a" * 39) == "'" + "a" * 39 + "…"
    assert formatting.quoted([1, 2, 3], most=4) == "[1, …"


@pytest.mark.parametrize("text", ["mlp", "1e-05", "+3.5", "a_b", "x" * 24])
def test_a_word_of_the_address_is_repeated(text):
    assert formatting.word_of_address(text) == f"`{text}`"


@pytest.mark.parametrize("text", ["", "a`b", "a b", "[a](b)", "<b>", "é", "x" * 25, "a\n"])
def test_other_text_of_the_address_is_not_repeated(text):
    assert formatting.word_of_address(text) == "(not a plain word)"
