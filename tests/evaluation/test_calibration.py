"""Temperature, calibration error and the threshold of doubt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.evaluation.calibration import (
    BINS,
    LEAST_ACCEPTED,
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
    """Return logits, and labels drawn with exactly the probabilities of the logits."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, spread, (n, 10)).astype(np.float32)
    sums = softmax(logits).astype(float).cumsum(axis=1)
    labels = (rng.random((n, 1)) * sums[:, -1:] > sums).sum(axis=1)
    return logits, labels.astype(np.int64)


def sure_of(*answers):
    """Return probabilities (N, 10): the given ones, and equal shares of the rest."""
    p = np.empty((len(answers), 10), dtype=np.float32)
    for row, (said, confidence) in zip(p, answers, strict=True):
        row[:] = (1 - confidence) / 9
        row[said] = confidence
    return p


# --- temperature


def test_calibrated_logits_have_a_temperature_of_1():
    assert temperature(*honest()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("factor", [0.2, 0.5, 2.0, 3.7, 10.0])
def test_the_factor_of_scaled_logits_is_found(factor):
    logits, labels = honest()
    spoilt = np.float32(factor) * logits
    assert temperature(spoilt, labels) == pytest.approx(factor, rel=0.02)
    assert temperature(spoilt, labels) == pytest.approx(factor * temperature(logits, labels), 1e-3)


def test_the_temperature_is_the_most_likely_one():
    logits, labels = honest(500, seed=3)
    logits *= 2.5

    def loss(t):
        p = softmax(logits.astype(np.float64), t)
        return -np.log(p[np.arange(len(labels)), labels]).mean()

    best = temperature(logits, labels)
    for other in (0.9 * best, 0.98 * best, 1.02 * best, 1.1 * best):
        assert loss(best) < loss(other)


def test_a_model_that_is_always_right_gets_the_least_temperature():
    labels = cycling_labels(50)
    right = np.float32(0.2) * np.eye(10, dtype=np.float32)[labels]
    assert temperature(right, labels) == pytest.approx(0.05, rel=0.01)


def test_a_model_that_is_always_wrong_gets_the_largest_temperature():
    labels = cycling_labels(50)
    wrong = 5 * np.eye(10, dtype=np.float32)[(labels + 1) % 10]
    assert temperature(wrong, labels) == pytest.approx(20, rel=0.01)


def test_a_probability_of_0_does_not_break_the_search():
    logits, labels = honest(200)
    logits[0] = 0
    logits[0, (labels[0] + 1) % 10] = 1e4  # a probability of 0 for the label
    with np.errstate(all="raise"):
        assert 0.05 <= temperature(logits, labels) <= 20


# --- expected calibration error


def test_the_error_of_one_bin_is_confidence_minus_accuracy():
    p = sure_of((1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9))
    error = expected_calibration_error(p, np.array([1, 2, 3, 0]))
    assert error == pytest.approx(0.9 - 0.75, abs=1e-6)


def test_low_confidence_counts_as_much_as_high_confidence():
    p = sure_of((1, 0.7), (2, 0.7))
    assert expected_calibration_error(p, np.array([1, 2])) == pytest.approx(0.3, abs=1e-6)
    assert expected_calibration_error(p, np.array([0, 0])) == pytest.approx(0.7, abs=1e-6)


def test_bins_are_weighted_by_their_predictions():
    p = sure_of((1, 0.9), (1, 0.9), (1, 0.9), (5, 0.5))
    labels = np.array([1, 1, 0, 5])  # 0.9 against 2/3 in one bin, 0.5 against 1 in the other
    expected = 3 / 4 * (0.9 - 2 / 3) + 1 / 4 * (1 - 0.5)
    assert expected_calibration_error(p, labels) == pytest.approx(expected, abs=1e-6)


def test_errors_cancel_within_a_bin_and_not_between_bins():
    assert BINS == 15
    inside = sure_of((1, 0.61), (2, 0.65))  # both from 9/15 to 10/15
    apart = sure_of((1, 0.61), (2, 0.69))
    labels = np.array([1, 0])
    assert expected_calibration_error(inside, labels) == pytest.approx(0.63 - 0.5, abs=1e-6)
    assert expected_calibration_error(apart, labels) == pytest.approx((0.39 + 0.69) / 2, abs=1e-6)


def test_a_confidence_of_1_is_in_the_last_bin():
    p = np.eye(10, dtype=np.float32)[[3, 4]]
    assert expected_calibration_error(p, np.array([3, 4])) == 0
    assert expected_calibration_error(p, np.array([3, 5])) == 0.5
    assert expected_calibration_error(p, np.array([5, 3])) == 1


def test_the_temperature_restores_calibrated_predictions():
    logits, labels = honest()
    spoilt = 3 * logits
    assert expected_calibration_error(softmax(logits), labels) < 0.01
    assert expected_calibration_error(softmax(spoilt), labels) > 0.1
    restored = softmax(spoilt, temperature(spoilt, labels))
    assert expected_calibration_error(restored, labels) < 0.01


# --- the threshold of doubt


def confidences(*values):
    return np.array(values, dtype=np.float32)


def test_the_threshold_is_just_above_the_others_if_no_digit_is_doubted():
    threshold = doubt_threshold(confidences(0.9, 0.95, 0.99), confidences(0.5, 0.6))
    assert threshold == pytest.approx(0.61)


def test_at_most_three_in_a_hundred_digits_are_doubted():
    others = confidences(*[0.5] * 10)
    three = confidences(*[0.2] * 3, *[0.9] * 97)
    four = confidences(*[0.2] * 4, *[0.9] * 96)
    assert doubt_threshold(three, others) == pytest.approx(0.51)
    assert doubt_threshold(four, others) == pytest.approx(0.1)  # 0.2 is no better


def test_digits_are_not_doubted_for_a_smaller_share_of_others():
    digits_, others = confidences(*[0.3] * 2, *[0.9] * 98), confidences(*[0.2] * 99, 0.5)
    assert doubt_threshold(digits_, others) == pytest.approx(0.21)  # 0.51: 2 digits for 1 other


def test_others_as_confident_as_digits_cannot_be_separated():
    sure = np.full(20, 0.995, dtype=np.float32)
    assert doubt_threshold(sure, sure) == pytest.approx(0.1)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0.125, 1, width=32), min_size=1, max_size=80),
    st.lists(st.floats(0.125, 1, width=32), min_size=1, max_size=40),
)
def test_the_threshold_doubts_at_most_three_in_a_hundred_digits(sure, others):
    threshold = doubt_threshold(confidences(*sure), confidences(*others))
    assert 0.1 <= threshold <= 0.99
    assert (confidences(*sure) < threshold).mean() <= 1 - LEAST_ACCEPTED + 1e-12


# --- all of it


def test_a_model_is_calibrated_on_its_predictions():
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
def test_calibration_changes_no_prediction_and_makes_the_labels_likelier(name):
    model, data = bundled.load_pretrained(name), digits()
    fitted = calibrate(model, data.test_images, data.test_labels, random_images(20))
    plain = probabilities(model, data.test_images)
    p = probabilities(model, data.test_images, fitted.temperature)
    np.testing.assert_array_equal(p.argmax(axis=1), plain.argmax(axis=1))
    right = (np.arange(len(p)), data.test_labels)
    assert -np.log(p[right]).mean() <= -np.log(plain[right]).mean() + 1e-6


def test_a_model_that_diverged_can_be_calibrated():
    model = architectures.build("linear", 0)
    with torch.no_grad():
        model.l1.weight.fill_(float("nan"))
    fitted = calibrate(model, random_images(30), cycling_labels(30), random_images(10, 1))
    assert 0.05 <= fitted.temperature <= 20
    assert 0.1 <= fitted.threshold <= 0.99


def test_the_default_calibration_changes_nothing():
    assert Calibration() == Calibration(1.0, 0.5, 0.0, 0.0)
