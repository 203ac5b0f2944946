"""Calibration: the temperature of a model, and the confidence below which it is not sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize
from torch import nn

from mnist_core.evaluation.metrics import logits_of, softmax

__all__ = [
    "Calibration",
    "calibrate",
    "doubt_threshold",
    "expected_calibration_error",
    "temperature",
]

BINS = 15  # as in Guo et al.
LEAST_ACCEPTED = 0.97  # share of the digits that the threshold has to accept


@dataclass(frozen=True, slots=True)
class Calibration:
    """A model's calibration.

    Attributes
    ----------
    temperature : float
        The divisor of the logits before the softmax; above 1 if the model is too confident.
    threshold : float
        The confidence, 0 to 1, below which the prediction is "I am not sure".
    digits_doubted, others_doubted : float
        The shares, 0 to 1, of digits and of drawings of other things below the threshold.
    """

    temperature: float = 1.0
    threshold: float = 0.5
    digits_doubted: float = 0.0
    others_doubted: float = 0.0


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that makes the labels most likely.

    Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (2017),
    section 4.2. It changes the confidence of the predictions, not the predictions.

    Parameters
    ----------
    logits : (N, 10) float32
        Of images outside the model's training data.
    labels : (N,) int64

    Returns
    -------
    float, 0.05 to 20.
    """

    def loss(log_t: float) -> float:
        p = softmax(logits, float(np.exp(log_t)))[np.arange(len(labels)), labels]
        return float(-np.log(p.clip(1e-45)).mean())

    found = optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def expected_calibration_error(p: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean difference between confidence and accuracy, 0 to 1.

    The predictions are sorted into 15 bins by their confidence. The result is the mean over the
    bins of |mean confidence - accuracy|, weighted by the predictions in each. Source: Naeini,
    Cooper and Hauskrecht (2015), as in Guo et al. (2017), equation 3.

    Parameters
    ----------
    p : (N, 10) float32
    labels : (N,) int64
    """
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs((confidence[bins == b] - right[bins == b]).sum()) for b in range(BINS)]
    return float(sum(gaps) / len(labels))


def doubt_threshold(digits: np.ndarray, others: np.ndarray) -> float:
    """Return the confidence that best separates digits from other drawings.

    It maximises (share of digits above) + (share of others below), with at most 3 % of the digits
    below. Source: Youden's index (1950).

    Parameters
    ----------
    digits, others : (N,), (M,) float32
        The confidence of the predictions for digits and for other drawings, 0 to 1.
    """
    grid = np.linspace(0.1, 0.99, 90)
    accepted = (digits[:, None] >= grid).mean(axis=0)
    doubted = (others[:, None] < grid).mean(axis=0)
    return float(grid[np.argmax(np.where(accepted >= LEAST_ACCEPTED, accepted + doubted, -1.0))])


def calibrate(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, others: np.ndarray
) -> Calibration:
    """Fit the temperature and the threshold of a model.

    Parameters
    ----------
    images : (N, 28, 28) uint8
        Digits outside the model's training data, with their (N,) int64 labels.
    others : (M, 28, 28) uint8
        Drawings of other things.
    """
    logits = logits_of(model, images)
    t = temperature(logits, labels)
    digits = softmax(logits, t).max(axis=1)
    not_digits = softmax(logits_of(model, others), t).max(axis=1)
    threshold = doubt_threshold(digits, not_digits)
    doubted = [float((confidence < threshold).mean()) for confidence in (digits, not_digits)]
    return Calibration(t, threshold, *doubted)
