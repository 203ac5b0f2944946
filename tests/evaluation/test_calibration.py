"""How far confidence can be believed: temperature, calibration error, and when to doubt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.evaluation.calibration import (
    BINS,
    KEPT,
    Calibration,
    calibrate,
    doubt_threshold,
    expected_calibration_error,
    temperature,
)
from mnist_core.evaluation.metrics import logits_of, probabilities, softmax
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from tests.small_data import cycling_labels, digits, global_generators_untouched, random_images


def honest(n=20_000, spread=2.0, seed=0):
    """Return logits and labels drawn with exactly the probabilities that these logits state."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, spread, (n, 10)).astype(np.float32)
    sums = softmax(logits).astype(float).cumsum(axis=1)
    labels = (rng.random((n, 1)) * sums[:, -1:] > sums).sum(axis=1)
    return logits, labels.astype(np.int64)


def sure_of(*answers):
    """Return probabilities that give each class this much and the rest to the others: (N, 10)."""
    p = np.empty((len(answers), 10), dtype=np.float32)
    for row, (said, confidence) in zip(p, answers, strict=True):
        row[:] = (1 - confidence) / 9
        row[said] = confidence
    return p


# --- temperature


def test_honest_logits_are_left_as_they_are():
    assert temperature(*honest()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("factor", [0.2, 0.5, 2.0, 3.7, 10.0])
def test_the_factor_that_spoilt_honest_logits_is_found(factor):
    logits, labels = honest()
    spoilt = np.float32(factor) * logits
    assert temperature(spoilt, labels) == pytest.approx(factor, rel=0.02)
    assert temperature(spoilt, labels) == pytest.approx(factor * temperature(logits, labels), 1e-3)


def test_no_temperature_nearby_makes_the_labels_likelier():
    logits, labels = honest(500, seed=3)
    logits *= 2.5

    def loss(t):
        p = softmax(logits.astype(np.float64), t)
        return -np.log(p[np.arange(len(labels)), labels]).mean()

    best = temperature(logits, labels)
    for other in (0.9 * best, 0.98 * best, 1.02 * best, 1.1 * best):
        assert loss(best) < loss(other)


def test_a_model_that_is_always_right_may_be_as_sure_as_the_bounds_allow():
    labels = cycling_labels(50)
    right = np.float32(0.2) * np.eye(10, dtype=np.float32)[labels]
    assert temperature(right, labels) == pytest.approx(0.05, rel=0.01)


def test_a_model_that_is_always_wrong_had_better_be_as_unsure_as_the_bounds_allow():
    labels = cycling_labels(50)
    wrong = 5 * np.eye(10, dtype=np.float32)[(labels + 1) % 10]
    assert temperature(wrong, labels) == pytest.approx(20, rel=0.01)


def test_a_hopeless_answer_does_not_break_the_search():
    logits, labels = honest(200)
    logits[0] = 0
    logits[0, (labels[0] + 1) % 10] = 1e4  # a probability of 0 for what is right
    with np.errstate(all="raise"):
        assert 0.05 <= temperature(logits, labels) <= 20


# --- expected calibration error


def test_the_error_of_one_bin_is_confidence_less_accuracy():
    p = sure_of((1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9))
    error = expected_calibration_error(p, np.array([1, 2, 3, 0]))
    assert error == pytest.approx(0.9 - 0.75, abs=1e-6)


def test_too_little_confidence_counts_as_much_as_too_much():
    p = sure_of((1, 0.7), (2, 0.7))
    assert expected_calibration_error(p, np.array([1, 2])) == pytest.approx(0.3, abs=1e-6)
    assert expected_calibration_error(p, np.array([0, 0])) == pytest.approx(0.7, abs=1e-6)


def test_bins_are_weighted_by_their_answers():
    p = sure_of((1, 0.9), (1, 0.9), (1, 0.9), (5, 0.5))
    labels = np.array([1, 1, 0, 5])  # 0.9 against 2/3 in one bin, 0.5 against 1 in the other
    expected = 3 / 4 * (0.9 - 2 / 3) + 1 / 4 * (1 - 0.5)
    assert expected_calibration_error(p, labels) == pytest.approx(expected, abs=1e-6)


def test_within_a_bin_errors_make_up_for_each_other_and_between_bins_they_do_not():
    assert BINS == 15
    inside = sure_of((1, 0.61), (2, 0.65))  # both from 9/15 to 10/15
    apart = sure_of((1, 0.61), (2, 0.69))
    labels = np.array([1, 0])
    assert expected_calibration_error(inside, labels) == pytest.approx(0.63 - 0.5, abs=1e-6)
    assert expected_calibration_error(apart, labels) == pytest.approx((0.39 + 0.69) / 2, abs=1e-6)


def test_full_confidence_has_a_bin_too():
    p = np.eye(10, dtype=np.float32)[[3, 4]]
    assert expected_calibration_error(p, np.array([3, 4])) == 0
    assert expected_calibration_error(p, np.array([3, 5])) == 0.5
    assert expected_calibration_error(p, np.array([5, 3])) == 1


def test_honest_answers_have_hardly_any_error_and_the_right_temperature_restores_them():
    logits, labels = honest()
    spoilt = 3 * logits
    assert expected_calibration_error(softmax(logits), labels) < 0.01
    assert expected_calibration_error(softmax(spoilt), labels) > 0.1
    restored = softmax(spoilt, temperature(spoilt, labels))
    assert expected_calibration_error(restored, labels) < 0.01


# --- the threshold of doubt


def confidences(*values):
    return np.array(values, dtype=np.float32)


def test_the_threshold_lies_just_above_the_strangers_if_that_costs_nothing():
    threshold = doubt_threshold(confidences(0.9, 0.95, 0.99), confidences(0.5, 0.6))
    assert threshold == pytest.approx(0.61)


def test_three_in_a_hundred_digits_may_be_given_up_for_the_strangers_and_four_may_not():
    others = confidences(*[0.5] * 10)
    three = confidences(*[0.2] * 3, *[0.9] * 97)
    four = confidences(*[0.2] * 4, *[0.9] * 96)
    assert doubt_threshold(three, others) == pytest.approx(0.51)
    assert doubt_threshold(four, others) == pytest.approx(0.1)  # nothing would be won by 0.2


def test_digits_are_not_given_up_for_fewer_strangers():
    digits_, others = confidences(*[0.3] * 2, *[0.9] * 98), confidences(*[0.2] * 99, 0.5)
    assert doubt_threshold(digits_, others) == pytest.approx(0.21)  # 0.51: 2 digits for 1 stranger


def test_strangers_as_sure_as_digits_cannot_be_told_apart():
    sure = np.full(20, 0.995, dtype=np.float32)
    assert doubt_threshold(sure, sure) == pytest.approx(0.1)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0.125, 1, width=32), min_size=1, max_size=80),
    st.lists(st.floats(0.125, 1, width=32), min_size=1, max_size=40),
)
def test_never_more_than_three_in_a_hundred_digits_are_doubted(sure, others):
    threshold = doubt_threshold(confidences(*sure), confidences(*others))
    assert 0.1 <= threshold <= 0.99
    assert (confidences(*sure) < threshold).mean() <= 1 - KEPT + 1e-12


# --- all of it


def test_a_model_is_calibrated_on_what_it_says():
    model, data = bundled.load_pretrained("mlp"), digits()
    images, labels, others = data.test_images, data.test_labels, random_images(40)
    with global_generators_untouched():
        fitted = calibrate(model, images, labels, others)

    assert fitted.temperature == temperature(logits_of(model, images), labels)
    confidence = probabilities(model, images, fitted.temperature).max(axis=1)
    strange = probabilities(model, others, fitted.temperature).max(axis=1)
    assert fitted.threshold == doubt_threshold(confidence, strange)
    assert fitted.digits_doubted == (confidence < fitted.threshold).mean() <= 0.03
    assert fitted.others_doubted == (strange < fitted.threshold).mean()
    assert all(type(value) is float for value in (fitted.digits_doubted, fitted.others_doubted))


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_calibration_changes_no_answer_and_makes_the_right_ones_likelier(name):
    model, data = bundled.load_pretrained(name), digits()
    fitted = calibrate(model, data.test_images, data.test_labels, random_images(20))
    plain = probabilities(model, data.test_images)
    p = probabilities(model, data.test_images, fitted.temperature)
    np.testing.assert_array_equal(p.argmax(axis=1), plain.argmax(axis=1))
    right = (np.arange(len(p)), data.test_labels)
    assert -np.log(p[right]).mean() <= -np.log(plain[right]).mean() + 1e-6


def test_a_model_that_has_diverged_is_calibrated_too():
    model = architectures.build("linear", 0)
    with torch.no_grad():
        model.l1.weight.fill_(float("nan"))
    fitted = calibrate(model, random_images(30), cycling_labels(30), random_images(10, 1))
    assert 0.05 <= fitted.temperature <= 20
    assert 0.1 <= fitted.threshold <= 0.99


def test_without_a_measurement_the_model_is_taken_at_its_word():
    assert Calibration() == Calibration(1.0, 0.5, 0.0, 0.0)
