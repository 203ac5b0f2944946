import numpy as np
import pytest
import torch

from mnist_core.common.comparison import Check, compare, judge, worst


def test_the_largest_difference_is_exact():
    assert compare([1.0, -4.0, 2.0], [1.0, -3.5, 2.25], 1.0) == Check(0.5, 1.0)


def test_equal_arrays_match_with_no_difference():
    check = compare(np.arange(4.0), torch.arange(4.0))
    assert check == Check(0.0, 0.0)
    assert check.matches
    assert str(check) == "match (equal to the last digit)"


def test_without_an_explanation_every_difference_is_wrong():
    check = compare(1.5, 1.0)
    assert not check.matches
    assert str(check) == "no match: off by 0.5, rounding explains only 0"


@pytest.mark.parametrize(("explained", "matches"), [(0.24, False), (0.25, True), (0.26, True)])
def test_a_difference_matches_up_to_what_is_explained(explained, matches):
    assert compare([1.0, 2.25], [1.0, 2.0], explained).matches is matches


def test_a_match_shows_the_largest_difference_and_a_mismatch_the_least_explained():
    a, b = [0.0, 0.0, 0.0], [3.0, 0.2, 0.1]
    assert compare(a, b, [4.0, 1.0, 1.0]) == Check(3.0, 4.0)
    assert compare(a, b, [4.0, 0.1, 0.02]) == Check(0.1, 0.02)


def test_every_entry_has_its_own_explanation():
    assert compare([0.0, 0.0], [1.0, 1e-6], [1.0, 1e-6]).matches
    assert not compare([0.0, 0.0], [1e-6, 1.0], [1.0, 1e-6]).matches


def test_two_results_within_the_bound_of_the_exact_one_match_at_twice_the_bound():
    check = judge([1.75, 5.0], [2.25, 5.0], [2.0, 5.0], [0.25, 0.25])
    assert check == Check(0.5, 0.5)
    assert check.matches


@pytest.mark.parametrize(("a", "b"), [(2.0, 2.5), (2.5, 2.0), (2.5, 2.5)])
def test_one_wrong_result_is_enough_even_if_both_are_equal(a, b):
    check = judge(a, b, 2.0, 0.25)
    assert check == Check(0.5, 0.25)
    assert not check.matches


def test_float32_numbers_are_compared_in_float64():
    a, b = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    assert judge(a, b, 1 + 1e-8, 2e-8) == Check(float(b) - (1 + 1e-8), 2e-8)
    assert compare(a, b, 1e-6) == Check(2.0**-23, 1e-6)


@pytest.mark.parametrize("pair", [(np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan), (np.inf, 1.0)])
@pytest.mark.parametrize("explained", [1.0, np.inf])
def test_numbers_that_are_not_finite_never_match(pair, explained):
    with np.errstate(all="raise"):
        assert not compare(*pair, explained).matches
        assert not judge(*pair, 1.0, explained).matches
        assert not compare(np.inf, np.inf, explained).matches


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"got \(3,\) and \(1, 3\)"):
        compare(np.zeros(3), np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"got \(3,\) and \(3,\) and \(3,\) and \(\)"):
        judge(np.zeros(3), np.zeros(3), np.zeros(3), 0.5)


def test_two_empty_arrays_match():
    assert compare([], np.empty(0)) == judge([], [], [], []) == Check(0.0, 0.0)


def test_the_worst_check_is_one_that_does_not_match_or_the_largest_difference():
    small, large, wrong = Check(0.1, 0.2), Check(5.0, 6.0), Check(0.3, 0.2)
    assert worst([small, large]) == large
    assert worst([small, wrong, large]) == wrong


def test_small_numbers_are_written_out_and_tiny_ones_with_an_exponent():
    check = Check(1.49e-8, 8.5e-6)
    assert str(check) == (
        "match (largest difference 0.000000015, rounding explains up to 0.0000085)"
    )
    assert "up to 7.1e-15" in str(Check(2.2e-16, 7.1e-15))
    assert str(Check(0.0659, 8.5e-6)) == (
        "no match: off by 0.066, rounding explains only 0.0000085"
    )
