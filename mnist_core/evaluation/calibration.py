"""How far a model's confidence can be believed, and when it had better say "I am not sure"."""

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
KEPT = 0.97  # of the digits at least are never doubted, whatever that lets through


@dataclass(frozen=True, slots=True)
class Calibration:
    """How to read a model's confidence.

    Attributes
    ----------
    temperature : float
        What to divide the logits by before the softmax; above 1: the model was too sure.
    threshold : float
        Confidence, 0 to 1, below which the answer is "I am not sure".
    digits_doubted, others_doubted : float
        Share of the digits, and of the drawings that are no digit, which fall below it, 0 to 1.
    """

    temperature: float = 1.0
    threshold: float = 0.5
    digits_doubted: float = 0.0
    others_doubted: float = 0.0


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that makes the labels most likely.

    Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (2017),
    section 4.2. It changes no answer, only how sure the model is of it.

    Parameters
    ----------
    logits : (N, 10) float32
        Of images that the model was not trained on.
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
    """Return by how much confidence and accuracy differ, 0 to 1.

    The answers are sorted into 15 bins by their confidence; in each the mean confidence is compared
    with the share of right answers, and the differences are averaged, weighted by the answers in
    each. Source: Naeini, Cooper and Hauskrecht (2015), as in Guo et al. (2017), equation 3.

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
    """Return the confidence that best tells digits from what is none.

    That is where (share of digits above) + (share of others below) is largest, but never so high
    that more than 3 % of the digits fall below. Source: Youden's index (1950).

    Parameters
    ----------
    digits, others : (N,), (M,) float32
        The confidence of the answers to digits and to other drawings, 0 to 1.
    """
    grid = np.linspace(0.1, 0.99, 90)
    kept = (digits[:, None] >= grid).mean(axis=0)
    doubted = (others[:, None] < grid).mean(axis=0)
    return float(grid[np.argmax(np.where(kept >= KEPT, kept + doubted, -1.0))])


def calibrate(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, others: np.ndarray
) -> Calibration:
    """Fit temperature and threshold of a model.

    Parameters
    ----------
    images : (N, 28, 28) uint8
        Digits that the model was not trained on, with their (N,) int64 labels.
    others : (M, 28, 28) uint8
        Drawings that are no digit.
    """
    logits = logits_of(model, images)
    t = temperature(logits, labels)
    digits = softmax(logits, t).max(axis=1)
    strangers = softmax(logits_of(model, others), t).max(axis=1)
    threshold = doubt_threshold(digits, strangers)
    doubted = [float((confidence < threshold).mean()) for confidence in (digits, strangers)]
    return Calibration(t, threshold, *doubted)
