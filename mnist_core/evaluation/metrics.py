"""Predictions of a model for many images: accuracy, loss, confusion and the worst mistakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mnist_core.data.inputs import to_input

__all__ = [
    "Evaluation",
    "Score",
    "accuracy",
    "dead_units",
    "evaluate",
    "logits_of",
    "probabilities",
    "score",
    "softmax",
    "surest",
]

_BATCH = 1_000


def logits_of(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """Run images through a model: (N, 28, 28) uint8 -> (N, 10) float32.

    If a model that diverged gives no finite logits for an image, all ten become 0.
    """
    parts = [np.empty((0, 10), dtype=np.float32)]
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            logits = model(to_input(images[start : start + _BATCH]))
            finite = logits.isfinite().all(dim=1, keepdim=True)
            parts.append(torch.where(finite, logits, 0.0).numpy())
    return np.concatenate(parts)


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Turn logits into probabilities: exp(logit / temperature), divided by their sum.

    Parameters
    ----------
    logits : (N, 10) float32
    temperature : float
        Above 1 lowers the confidence, see `mnist_core.evaluation.calibration`.

    Returns
    -------
    (N, 10) float32; rows are non-negative and add up to 1.
    """
    scaled = torch.from_numpy(logits) / temperature
    return torch.softmax(scaled, dim=1).numpy()


def probabilities(model: nn.Module, images: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Run images through a model and return softmax(logits / temperature).

    Parameters
    ----------
    images : (N, 28, 28) uint8

    Returns
    -------
    (N, 10) float32; rows are non-negative and add up to 1. A model that diverged gives each class
    0.1.
    """
    return softmax(logits_of(model, images), temperature)


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of correct predictions, 0 to 1."""
    return float((probabilities(model, images).argmax(axis=1) == labels).mean())


@dataclass(frozen=True, slots=True)
class Score:
    """Three metrics of a model on some images.

    Attributes
    ----------
    accuracy : float
        Share of correct predictions, 0 to 1.
    loss : float
        Mean cross-entropy; a probability of 0 counts as 1e-45, the smallest float32.
    largest_class : float
        Share of the images with the most frequent prediction, 0 to 1.
    """

    accuracy: float
    loss: float
    largest_class: float


def score(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> Score:
    """Measure a model on (N, 28, 28) uint8 images with (N,) int64 labels, N at least 1."""
    p = probabilities(model, images)
    predicted = p.argmax(axis=1)
    right = p[np.arange(len(labels)), labels]
    loss = -np.log(right.clip(1e-45)).mean()  # the smallest float32, because log(0) is infinite
    counts = np.bincount(predicted, minlength=10)
    return Score(
        float((predicted == labels).mean()), float(loss), float(counts.max() / len(labels))
    )


def dead_units(model: nn.Sequential, images: np.ndarray) -> float:
    """Return the share of hidden units that are 0 for all of the images, 0 to 1.

    A unit is an output of a ReLU: a number of a vector or a channel of a map. It gets no gradient
    from these images, so it cannot learn. Without ReLUs the share is 0.
    """
    seen: list[torch.Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            x, alive = to_input(images[start : start + _BATCH]), []
            for layer in model:
                x = layer(x)
                if isinstance(layer, nn.ReLU):
                    alive.append((x > 0).flatten(2).any(2).any(0) if x.ndim > 2 else (x > 0).any(0))
            if not alive:
                return 0.0
            seen.append(torch.cat(alive))
    return float((~torch.stack(seen).any(0)).float().mean())


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's predictions for a whole split.

    Attributes
    ----------
    labels, predicted : (N,) int64
    confidence : (N,) float32
        The probability of the predicted class.
    confusion : (10, 10) int64
        Row: true class. Column: predicted class.
    """

    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    confusion: np.ndarray

    @property
    def correct(self) -> int:
        return int(np.trace(self.confusion))

    @property
    def total(self) -> int:
        return len(self.labels)

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0 to 1."""
        return self.correct / self.total


def evaluate(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> Evaluation:
    """Predict images and compare the predictions with the labels.

    Raises
    ------
    ValueError
        If there are no images, or another number of labels.
    """
    if not len(images) or len(images) != len(labels):
        raise ValueError(
            f"expected at least one image and as many labels, got {len(images)} images and "
            f"{len(labels)} labels."
        )
    p = probabilities(model, images)
    predicted = p.argmax(axis=1)
    confusion = np.zeros((10, 10), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return Evaluation(labels, predicted, p.max(axis=1), confusion)


def surest(
    evaluation: Evaluation, true: int | None = None, predicted: int | None = None
) -> np.ndarray:
    """Return the indices of some predictions, the most confident first: (M,) int64.

    Parameters
    ----------
    true, predicted : int or None
        The true and the predicted class. If one of them is None, any class is meant, and only
        wrong predictions are returned.
    """
    wanted = np.ones(evaluation.total, dtype=bool)
    if true is not None:
        wanted &= evaluation.labels == true
    if predicted is not None:
        wanted &= evaluation.predicted == predicted
    if true is None or predicted is None:
        wanted &= evaluation.predicted != evaluation.labels
    indices = np.flatnonzero(wanted)
    return indices[np.argsort(-evaluation.confidence[indices], kind="stable")]
