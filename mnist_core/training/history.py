"""What is kept of a run: losses, times, check-ups, snapshots, and the same in words."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from torch import Tensor

from mnist_core.common import formatting

__all__ = ["Checkup", "History", "Progress", "Snapshot", "progress_of", "running_mean"]

WINDOW = 100  # steps; the lesson's chart averages the loss over the last 100
FEWEST_STEPS = 20  # before the speed means anything


@dataclass(frozen=True, slots=True)
class Checkup:
    """How the network does after an epoch.

    Attributes
    ----------
    step : int
    test_accuracy, test_loss : float
        On the whole test set; accuracy from 0 to 1, the loss is the mean cross-entropy.
    train_accuracy, train_loss : float
        On the first 2,000 training images.
    dead_units : float
        Share of hidden units that give 0 for all of these images, 0 to 1; 0 without hidden units.
    largest_class : float
        Share of the test images given to the class that is named most, 0 to 1.
    """

    step: int
    test_accuracy: float
    test_loss: float
    train_accuracy: float
    train_loss: float
    dead_units: float
    largest_class: float

    def __post_init__(self) -> None:
        for field_ in fields(self):
            value = getattr(self, field_.name)
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise ValueError(f"expected a number for “{field_.name}”, got {value!r:.40}.")


@dataclass(slots=True)
class History:
    """What happened so far. Only the thread that trains writes; pages read up to ``step``.

    Attributes
    ----------
    losses : (total_steps,) float32
        The loss of each batch before its step; valid up to ``step``.
    seconds : (total_steps,) float32
        Seconds of training after each step; valid up to ``step``.
    learning_rates : list of (step, rate)
        The chosen rate, and each change: from ``step`` on it is ``rate``.
    step : int
        Steps taken.
    training_s : float
        Seconds spent on steps and check-ups, pauses and waiting left out.
    checkups : list of Checkup
        One after each epoch.
    """

    losses: np.ndarray
    seconds: np.ndarray
    learning_rates: list[tuple[int, float]]
    step: int = 0
    training_s: float = 0.0
    checkups: list[Checkup] = field(default_factory=list)

    @property
    def steps_per_s(self) -> float:
        return self.step / self.training_s if self.training_s else 0.0

    @property
    def accuracies(self) -> list[tuple[int, float]]:
        """(step, accuracy on the test set, 0 to 1) after each epoch."""
        return [(c.step, c.test_accuracy) for c in self.checkups]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished copy of a network's weights, and the step at which it was taken."""

    step: int
    weights: dict[str, Tensor]


def running_mean(values: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Return the mean of each value and up to ``window - 1`` before it: (N,) -> (N,) float64."""
    total = np.cumsum(values, dtype=np.float64)
    total[window:] -= total[:-window].copy()
    return total / np.minimum(np.arange(1, len(values) + 1), window)


@dataclass(frozen=True, slots=True)
class Progress:
    """A run's numbers in words, a dash where there is none yet."""

    loss: str
    accuracy: str
    speed: str
    spent: str
    left: str


def progress_of(history: History, total_steps: int) -> Progress:
    """Put a run's numbers into words."""
    step, rate = history.step, history.steps_per_s
    recent = history.losses[max(0, step - WINDOW) : step]
    known = rate and step >= FEWEST_STEPS  # the first steps are slow and say nothing of the rest
    return Progress(
        loss=formatting.loss(float(recent.mean())) if step else "–",
        accuracy=f"{history.checkups[-1].test_accuracy:.4f}" if history.checkups else "–",
        speed=f"{rate:,.0f}" if known else "–",
        spent=formatting.duration(history.training_s),
        left=formatting.duration((total_steps - step) / rate) if known else "–",
    )
