"""The history of a run: losses, times, epoch metrics, snapshots, and a summary in words.

No torch here: run records are read before torch is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.common import formatting

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EpochMetrics", "History", "Progress", "Snapshot", "progress_of", "running_mean"]

WINDOW = 100  # steps; the lesson's chart averages the loss over the last 100
FEWEST_STEPS = 20  # before the speed is shown


@dataclass(frozen=True, slots=True)
class EpochMetrics:
    """Metrics of a network after an epoch.

    Attributes
    ----------
    step : int
    test_accuracy, test_loss : float
        On the whole test set; the accuracy is from 0 to 1, the loss the mean cross-entropy.
    train_accuracy, train_loss : float
        On the first 2,000 training images.
    dead_units : float
        Share of hidden units that are 0 for all of these images, 0 to 1; 0 without hidden units.
    largest_class : float
        Share of the test images predicted as the most frequent class, 0 to 1.
    """

    step: int
    test_accuracy: float
    test_loss: float
    train_accuracy: float
    train_loss: float
    dead_units: float
    largest_class: float


@dataclass(slots=True)
class History:
    """What a run has recorded. Only the thread that trains writes; pages read up to ``step``.

    Attributes
    ----------
    losses : (total_steps,) float32
        The loss of each batch before its step, valid up to ``step``.
    seconds : (total_steps,) float32
        Seconds of training after each step, valid up to ``step``.
    learning_rates : list of (step, rate)
        The learning rate from step 0 on, and each change of it.
    step : int
        Steps taken.
    training_s : float
        Seconds spent on steps and epoch metrics, without pauses and waiting.
    epoch_metrics : list of EpochMetrics
        One for each completed epoch.
    """

    losses: np.ndarray
    seconds: np.ndarray
    learning_rates: list[tuple[int, float]]
    step: int = 0
    training_s: float = 0.0
    epoch_metrics: list[EpochMetrics] = field(default_factory=list)

    @property
    def steps_per_s(self) -> float:
        return self.step / self.training_s if self.training_s else 0.0

    @property
    def accuracies(self) -> list[tuple[int, float]]:
        """(step, accuracy on the test set, 0 to 1) after each epoch."""
        return [(m.step, m.test_accuracy) for m in self.epoch_metrics]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a network's weights, and the step at which it was taken."""

    step: int
    weights: dict[str, Tensor]


def running_mean(values: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Return the mean of each value and the ``window - 1`` before it: (N,) -> (N,) float64."""
    total = np.cumsum(values, dtype=np.float64)
    total[window:] -= total[:-window].copy()
    return total / np.minimum(np.arange(1, len(values) + 1), window)


@dataclass(frozen=True, slots=True)
class Progress:
    """A summary of a run in words, with a dash for what is not known yet."""

    loss: str
    accuracy: str
    speed: str
    spent: str
    left: str


def progress_of(history: History, total_steps: int) -> Progress:
    """Summarise a run in words."""
    step, rate = history.step, history.steps_per_s
    recent = history.losses[max(0, step - WINDOW) : step]
    known = rate and step >= FEWEST_STEPS  # the first steps are slower than the rest
    return Progress(
        loss=formatting.loss(float(recent.mean())) if step else "–",
        accuracy=f"{history.accuracies[-1][1]:.4f}" if history.epoch_metrics else "–",
        speed=f"{rate:,.0f}" if known else "–",
        spent=formatting.duration(history.training_s),
        left=formatting.duration((total_steps - step) / rate) if known else "–",
    )
