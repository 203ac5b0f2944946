"""A training run: its settings, its network, and everything that has happened to it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from mnist_core import engine, evaluation, models
from mnist_core.datasets import NAMES, TITLES, Dataset

__all__ = [
    "LESSON",
    "History",
    "Snapshot",
    "TrainingConfig",
    "TrainingFailedError",
    "TrainingRun",
    "running_mean",
]

MAX_STEPS = 1_000_000  # bounds a run's memory (4 MB of losses) and its time
DIVERGED_LOSS = 1e6  # the right class gets a probability below exp(-1e6): nothing comes back
FEWEST_STEPS = 20  # before the speed means anything
WINDOW = 100  # steps; the lesson's chart averages the loss over the last 100


class TrainingFailedError(Exception):
    """A run cannot go on; the message says at which step, and what to try."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides how a run goes. Equal configurations give equal runs.

    Raises
    ------
    ValueError
        If a value is out of range; the message says what was expected and what came.
    """

    dataset: str = "mnist"
    architecture: str = "linear"
    optimiser: str = "SGD"
    learning_rate: float = 0.01
    batch_size: int = 32
    epochs: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for label, value, known in (
            ("data set", self.dataset, NAMES),
            ("model", self.architecture, models.ARCHITECTURES),
            ("optimiser", self.optimiser, engine.OPTIMISERS),
        ):
            if value not in known:
                raise ValueError(f"The {label} must be one of {', '.join(known)}, got {value!r}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(
                f"The learning rate must be a number above 0, got {self.learning_rate:g}: with 0 "
                "nothing is learnt, below 0 the loss is driven up. Try 0.01."
            )
        for label, count in (("batch size", self.batch_size), ("number of epochs", self.epochs)):
            if count < 1:
                raise ValueError(f"The {label} must be at least 1, got {count}.")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"The seed must be from 0 to 2,147,483,647, got {self.seed:,}.")

    def __str__(self) -> str:
        title = models.ARCHITECTURES[self.architecture].title
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return (
            f"{title} on {TITLES[self.dataset]} · {self.optimiser}, learning rate "
            f"{self.learning_rate:g} · batches of {self.batch_size:,} · {epochs} · seed {self.seed}"
        )

    def total_steps(self, n_images: int) -> int:
        """Return how many steps the run takes on so many images.

        Raises
        ------
        ValueError
            If the batch does not fit the data or the run would be too long.
        """
        if self.batch_size > n_images:
            raise ValueError(
                f"The batch size must be at most the {n_images:,} training images, got "
                f"{self.batch_size:,}. Try 32."
            )
        total = -(-n_images // self.batch_size) * self.epochs
        if total > MAX_STEPS:
            raise ValueError(
                f"This run would take {total:,} steps; at most {MAX_STEPS:,} are allowed. "
                "Take fewer epochs or larger batches."
            )
        return total


LESSON = TrainingConfig()


@dataclass(slots=True)
class History:
    """What happened so far. Only the thread that trains writes; pages read up to ``step``.

    Attributes
    ----------
    losses : (total_steps,) float32
        The loss of each batch before its step; valid up to ``step``.
    step : int
        Steps taken.
    training_s : float
        Seconds spent on steps and accuracies, pauses and waiting left out.
    accuracies : list of (step, accuracy)
        Accuracy on the test set, 0 to 1, after each epoch.
    """

    losses: np.ndarray
    step: int = 0
    training_s: float = 0.0
    accuracies: list[tuple[int, float]] = field(default_factory=list)

    @property
    def steps_per_s(self) -> float:
        return self.step / self.training_s if self.training_s else 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished copy of a network's weights, and the step at which it was taken."""

    step: int
    weights: dict[str, Tensor]


class TrainingRun:
    """A network on its way through its epochs. Not thread-safe: one thread drives it.

    Others may read ``history`` and ``snapshot`` at any time: a step is counted only after its loss
    is written, and a snapshot is replaced, never changed.
    """

    def __init__(self, config: TrainingConfig, dataset: Dataset) -> None:
        self.config, self.dataset = config, dataset
        self.total_steps = config.total_steps(len(dataset.train_images))
        self.steps_per_epoch = self.total_steps // config.epochs
        self.history = History(np.zeros(self.total_steps, dtype=np.float32))
        self.model = models.build(config.architecture, config.seed)
        self.snapshot = self._take_snapshot()
        self._optimiser = engine.OPTIMISERS[config.optimiser](
            list(self.model.parameters()), config.learning_rate
        )
        self._steps: Iterator[Tensor] | None = None

    @property
    def finished(self) -> bool:
        return self.history.step == self.total_steps

    def advance(self, max_steps: int, max_s: float = math.inf) -> None:
        """Take up to so many steps for up to so many seconds; stop at the end of an epoch.

        Raises
        ------
        TrainingFailedError
            If the loss is no longer a number, or far too large to come back from.
        """
        started = time.perf_counter()
        try:
            self._take_steps(max_steps, started + max_s)
        finally:
            self.history.training_s += time.perf_counter() - started

    def _take_steps(self, max_steps: int, until: float) -> None:
        history, per_epoch = self.history, self.steps_per_epoch
        to_epoch_end = per_epoch - history.step % per_epoch
        steps = self._steps = self._steps or self._begin()
        losses: list[Tensor] = []
        for _ in range(min(max_steps, to_epoch_end, self.total_steps - history.step)):
            losses.append(next(steps))
            if time.perf_counter() > until:
                break
        if not losses:
            return
        values = torch.stack(losses).numpy()
        history.losses[history.step : history.step + len(values)] = values
        bad = np.flatnonzero(~(values < DIVERGED_LOSS))
        history.step += int(bad[0]) + 1 if bad.size else len(values)
        if bad.size:
            raise TrainingFailedError(self._explain_divergence(float(values[bad[0]])))
        if history.step % per_epoch == 0:
            self._end_epoch()

    def rest(self) -> None:
        """Let go of the images that were gathered ahead (13 MB); `advance` gathers them again."""
        self._steps = None

    def _begin(self) -> Iterator[Tensor]:
        return engine.training_steps(
            self.model,
            self._optimiser,
            self.dataset.train_images,
            self.dataset.train_labels,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            first_step=self.history.step,
        )

    def publish_weights(self) -> None:
        """Replace ``snapshot`` by a copy of the network's weights as they are now."""
        self.snapshot = self._take_snapshot()

    def _take_snapshot(self) -> Snapshot:
        weights = {name: t.detach().clone() for name, t in self.model.state_dict().items()}
        return Snapshot(self.history.step, weights)

    def _end_epoch(self) -> None:
        test = self.dataset.test_images, self.dataset.test_labels
        self.history.accuracies.append((self.history.step, evaluation.accuracy(self.model, *test)))

    def _explain_divergence(self, loss: float) -> str:
        became = "is no longer a number" if math.isnan(loss) else f"grew to {loss:.3g}"
        return (
            f"The loss {became} at step {self.history.step} of {self.total_steps}: the steps are "
            f"so large that each one overshoots. Try a smaller learning rate than "
            f"{self.config.learning_rate:g}, for example 0.01."
        )


def running_mean(values: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Return the mean of each value and up to ``window - 1`` before it: (N,) -> (N,) float64."""
    total = np.cumsum(values, dtype=np.float64)
    total[window:] -= total[:-window].copy()
    return total / np.minimum(np.arange(1, len(values) + 1), window)


def default_epochs(n_images: int) -> int:
    """Return how many epochs suit a data set: the lesson's 5 on MNIST, more on smaller ones.

    The 1,437 bundled digits need about 60 to come to a comparable accuracy (91 %).
    """
    lesson_images, most = 60_000, 60
    as_many_steps = round(LESSON.epochs * lesson_images / max(n_images, 1))
    return max(LESSON.epochs, min(most, as_many_steps))


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
        loss=_number(float(recent.mean())) if step else "–",
        accuracy=f"{history.accuracies[-1][1]:.4f}" if history.accuracies else "–",
        speed=f"{rate:,.0f}" if known else "–",
        spent=_duration(history.training_s),
        left=_duration((total_steps - step) / rate) if known else "–",
    )


def _number(value: float) -> str:
    return f"{value:.4f}" if value < 1_000 else f"{value:.3g}"


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"
