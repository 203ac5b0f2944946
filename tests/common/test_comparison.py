import numpy as np
import pytest
import torch

from mnist_core.common.comparison import TOLERANCE, Check, compare


def test_the_largest_difference_and_value_are_exact():
    assert compare([1.0, -4.0, 2.0], [1.0, -3.5, 2.25]) == Check(0.5, 3.5)


def test_equal_arrays_match_with_no_difference():
    check = compare(np.arange(4.0), torch.arange(4.0))
    assert check == Check(0.0, 3.0)
    assert check.matches
    assert str(check) == "match (equal to the last digit)"


@pytest.mark.parametrize(
    ("difference", "largest", "matches"),
    [
        (TOLERANCE, 0.0, True),
        (1.01 * TOLERANCE, 0.0, False),
        (1.01 * TOLERANCE, 1.0, False),
        (5 * TOLERANCE, 10.0, True),
        (11 * TOLERANCE, 10.0, False),
    ],
)
def test_the_tolerance_grows_with_the_largest_value_but_not_below_one(difference, largest, matches):
    assert Check(difference, largest).matches is matches


def test_a_mismatch_shows_the_largest_difference():
    assert str(compare(1.5, 1.0)) == "no match: largest difference 0.5"


@pytest.mark.parametrize("pair", [(np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan), (np.inf, 1.0)])
def test_numbers_that_are_not_finite_never_match(pair):
    assert not compare(*pair).matches


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"got \(3,\) and \(1, 3\)"):
        compare(np.zeros(3), np.zeros((1, 3)))


def test_two_empty_arrays_match():
    assert compare([], np.empty(0)) == Check(0.0, 0.0)


def test_a_small_difference_is_written_out():
    assert str(Check(1.49e-8, 1.0)) == "match (largest difference 0.000000015)"
    assert str(Check(0.25, 1.0)) == "no match: largest difference 0.25"
