"""A training run: its settings, its network and its history."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.data.datasets import Dataset
from mnist_core.evaluation import metrics
from mnist_core.nn import architectures
from mnist_core.nn.numpy_network import NumpyEngine
from mnist_core.nn.optimisers import OPTIMISERS
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training import engine
from mnist_core.training.configs import TrainingConfig, check_learning_rate
from mnist_core.training.history import EpochMetrics, History, Snapshot

__all__ = ["TRAIN_IMAGES", "TrainingFailedError", "TrainingRun", "snapshot_steps"]

TRAIN_IMAGES = 2_000  # the first ones: how many measure the accuracy on the training set
DIVERGED_LOSS = 1e6  # a run with such a loss does not recover
MOST_SNAPSHOTS, MOST_SNAPSHOT_BYTES = 40, 20_000_000  # of a run, together


class TrainingFailedError(Exception):
    """A run cannot continue; the message says at which step, and what to try."""


def snapshot_steps(total_steps: int, weight_bytes: int) -> np.ndarray:
    """Return the steps at which a snapshot is taken: 0, 1, ... total, evenly spaced in logarithms.

    The first steps change the weights most, so most snapshots are taken there. There are at most
    40, and fewer if their weights would take more than 20 MB together.
    """
    most = max(2, min(MOST_SNAPSHOTS, MOST_SNAPSHOT_BYTES // max(1, weight_bytes)))
    steps = np.geomspace(total_steps, 1, most - 1).round().astype(np.int64)
    return np.unique(np.concatenate([[0], steps]))


class TrainingRun:
    """A network in training. Not thread-safe: one thread trains it.

    Others may read ``history`` and ``snapshot`` at any time: a step is counted only after its loss
    is written, and a snapshot is replaced, never changed.

    Parameters
    ----------
    threads : int
        Number of CPU threads. The last bits of a sum depend on it, so a resumed run needs the same
        number. The caller of `advance` sets them. One is fastest for small batches, also when other
        programs use the processor: with two, each step waits for the slower one.

    Attributes
    ----------
    snapshot : Snapshot
        The weights that were published last.
    unsaved_snapshots : list of Snapshot
        Those taken at `snapshot_steps` and not saved yet; see ``workspace.checkpoints``.
    """

    def __init__(self, config: TrainingConfig, dataset: Dataset, threads: int = 1) -> None:
        self.config, self.dataset, self.threads = config, dataset, threads
        self.total_steps = config.total_steps(len(dataset.train_images))
        self.steps_per_epoch = self.total_steps // config.epochs
        self.history = History(
            np.zeros(self.total_steps, dtype=np.float32),
            np.zeros(self.total_steps, dtype=np.float32),
            [(0, config.learning_rate)],
        )
        self.engine = _engine_for(config)
        self.snapshot = self._take_snapshot()
        weight_bytes = sum(t.nbytes for t in self.snapshot.weights.values())
        self.snapshot_steps = snapshot_steps(self.total_steps, weight_bytes)
        self.unsaved_snapshots = [self.snapshot]
        self._steps: Iterator[Any] | None = None

    @property
    def finished(self) -> bool:
        return self.history.step == self.total_steps

    @property
    def model(self) -> nn.Sequential:
        """A copy of the model with its present weights."""
        return architectures.with_weights(self.config.architecture, self._take_snapshot().weights)

    def advance(self, max_steps: int, max_s: float = math.inf) -> None:
        """Take at most ``max_steps`` steps in about ``max_s`` seconds; stop at an epoch's end.

        Raises
        ------
        TrainingFailedError
            If the loss is NaN, or so large that the run cannot recover.
        """
        started = time.perf_counter()
        before = self.history.training_s
        try:
            self._take_steps(max_steps, started, started + max_s)
        finally:
            self.history.training_s = before + time.perf_counter() - started

    def _take_steps(self, max_steps: int, started: float, until: float) -> None:
        history, first = self.history, self.history.step
        steps = self._steps = self._steps or self._begin()
        losses: list[Any] = []
        for _ in range(min(max_steps, self._next_stop() - first)):
            losses.append(next(steps))
            if time.perf_counter() > until:
                break
        if not losses:
            return
        values, last = self.engine.numbers(losses), first + len(losses)
        now = history.training_s + time.perf_counter() - started
        history.losses[first:last] = values
        times = np.linspace(history.training_s, now, len(values) + 1)[1:]
        history.seconds[first:last] = times
        bad = np.flatnonzero(~(values < DIVERGED_LOSS))
        history.step = first + int(bad[0]) + 1 if bad.size else last
        if bad.size:
            raise TrainingFailedError(self._explain_divergence(float(values[bad[0]])))
        if history.step in self.snapshot_steps:
            self.unsaved_snapshots.append(self._take_snapshot())
        if history.step % self.steps_per_epoch == 0:
            history.epoch_metrics.append(self._measure())

    def _next_stop(self) -> int:
        """Return the next step that ends an epoch or needs a snapshot."""
        step, per_epoch = self.history.step, self.steps_per_epoch
        epoch_end = min((step // per_epoch + 1) * per_epoch, self.total_steps)
        later = self.snapshot_steps[self.snapshot_steps > step]
        return min(epoch_end, int(later[0])) if len(later) else epoch_end

    def rest(self) -> None:
        """Release the prefetched images; `advance` gathers them again."""
        self._steps = None

    def _begin(self) -> Iterator[Any]:
        return engine.training_steps(
            self.engine,
            self.dataset.train_images,
            self.dataset.train_labels,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            learning_rate=self.learning_rate_at,
            augment=self.config.augment,
            first_step=self.history.step,
        )

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step: the last chosen one times the schedule's share."""
        return self.history.learning_rates[-1][1] * self.schedule_share(step)

    def schedule_share(self, step: int) -> float:
        """Return the schedule's share of the chosen learning rate at a step, 0 to 1."""
        return SCHEDULES[self.config.schedule](step, self.total_steps)

    def set_learning_rate(self, rate: float) -> None:
        """Use another learning rate from the next step on; with a schedule, it is the highest one.

        Raises
        ------
        ValueError
            If it is not a number above 0.
        """
        check_learning_rate(rate)
        rates, step = self.history.learning_rates, self.history.step
        changed = [(s, r) for s, r in rates if s < step]
        if not changed or changed[-1][1] != rate:
            changed.append((step, rate))
        self.history.learning_rates = changed  # a new list: other threads may read the old one

    def publish_weights(self) -> None:
        """Replace ``snapshot`` by a copy of the present weights."""
        self.snapshot = self._take_snapshot()

    def _take_snapshot(self) -> Snapshot:
        weights = {
            name: torch.as_tensor(w).detach().clone(memory_format=torch.contiguous_format)
            for name, w in self.engine.weights().items()
        }
        return Snapshot(self.history.step, weights)

    def weights(self) -> dict[str, Any]:
        """Return the present weights as named tensors or arrays, not copied."""
        return self.engine.weights()

    def optimiser_state(self) -> dict[str, Any]:
        """Return the state of the optimiser as named tensors, not copied."""
        return self.engine.optimiser_state()

    def restore(
        self, history: History, weights: Mapping[str, Tensor], state: Mapping[str, Tensor]
    ) -> None:
        """Restore a saved run of the same configuration; it continues bit for bit.

        Raises
        ------
        ValueError
            If the weights or the optimiser's state do not fit the network.
        """
        floats = {n: torch.as_tensor(w).float() for n, w in weights.items()}
        self.engine.restore(floats, dict(state))
        self.history, self._steps = history, None
        self.publish_weights()
        self.unsaved_snapshots = []

    def _measure(self) -> EpochMetrics:
        test = self.dataset.test_images, self.dataset.test_labels
        train = self.dataset.train_images[:TRAIN_IMAGES], self.dataset.train_labels[:TRAIN_IMAGES]
        model = self.model
        on_test, on_train = metrics.score(model, *test), metrics.score(model, *train)
        dead_units = metrics.dead_units(model, train[0])
        return EpochMetrics(
            self.history.step,
            on_test.accuracy,
            on_test.loss,
            on_train.accuracy,
            on_train.loss,
            dead_units,
            on_test.largest_class,
        )

    def _explain_divergence(self, loss: float) -> str:
        became = "is no longer a number" if math.isnan(loss) else f"grew to {loss:.3g}"
        return (
            f"The loss {became} at step {self.history.step} of {self.total_steps}: the steps are "
            f"so large that each one overshoots. Try a smaller learning rate than "
            f"{self.history.learning_rates[-1][1]:g}, for example 0.01."
        )


def _engine_for(config: TrainingConfig) -> engine.Engine:
    model = architectures.build(config.architecture, config.seed)
    if config.engine == "numpy":
        return NumpyEngine(model)
    return engine.AutogradEngine(
        model, OPTIMISERS[config.optimiser](model.parameters(), config.learning_rate)
    )
