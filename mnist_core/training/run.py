"""A training run: its settings, its network, and everything that has happened to it."""

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
from mnist_core.training.history import Checkup, History, Snapshot

__all__ = ["TrainingFailedError", "TrainingRun", "moment_steps"]

DIVERGED_LOSS = 1e6  # the right class gets a probability below exp(-1e6): nothing comes back
MOMENTS, MOMENTS_BYTES = 40, 20_000_000  # how many snapshots a run keeps, and how large in all


class TrainingFailedError(Exception):
    """A run cannot go on; the message says at which step, and what to try."""


def moment_steps(total_steps: int, weight_bytes: int) -> np.ndarray:
    """Return the steps at which a snapshot is kept: 0, 1, ... total, close first, then far apart.

    The first steps change most; evenly spaced logarithms give them their share. At most 40, fewer
    if the weights are so large that they would take more than 20 MB together.
    """
    most = max(2, min(MOMENTS, MOMENTS_BYTES // max(1, weight_bytes)))
    steps = np.geomspace(total_steps, 1, most - 1).round().astype(np.int64)
    return np.unique(np.concatenate([[0], steps]))


class TrainingRun:
    """A network on its way through its epochs. Not thread-safe: one thread drives it.

    Others may read ``history`` and ``snapshot`` at any time: a step is counted only after its loss
    is written, and a snapshot is replaced, never changed.

    Parameters
    ----------
    threads : int
        How many CPU threads it is meant for. The last bits of a sum depend on it, so a run that is
        taken up again needs the same number. Whoever drives the run sets them. One is fastest for
        small batches, and does not suffer when other programs want the processor: with two, each
        step waits for the slower one.
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
        self._engine = _engine_for(config)
        self.snapshot = self._take_snapshot()
        weight_bytes = sum(t.nbytes for t in self.snapshot.weights.values())
        self.moment_steps = moment_steps(self.total_steps, weight_bytes)
        self.moments = [
            self.snapshot
        ]  # those not yet put away, see `mnist_core.workspace.checkpoints`
        self._steps: Iterator[Any] | None = None

    @property
    def finished(self) -> bool:
        return self.history.step == self.total_steps

    @property
    def model(self) -> nn.Sequential:
        """A model that predicts with the weights as they are now."""
        return architectures.with_weights(self.config.architecture, self._take_snapshot().weights)

    def advance(self, max_steps: int, max_s: float = math.inf) -> None:
        """Take up to so many steps for up to so many seconds; stop at the end of an epoch.

        Raises
        ------
        TrainingFailedError
            If the loss is no longer a number, or far too large to come back from.
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
        values, last = self._engine.numbers(losses), first + len(losses)
        now = history.training_s + time.perf_counter() - started
        history.losses[first:last] = values
        times = np.linspace(history.training_s, now, len(values) + 1)[1:]
        history.seconds[first:last] = times
        bad = np.flatnonzero(~(values < DIVERGED_LOSS))
        history.step = first + int(bad[0]) + 1 if bad.size else last
        if bad.size:
            raise TrainingFailedError(self._explain_divergence(float(values[bad[0]])))
        if history.step in self.moment_steps:
            self.moments.append(self._take_snapshot())
        if history.step % self.steps_per_epoch == 0:
            history.checkups.append(self._check_up())

    def _next_stop(self) -> int:
        """Return the next step at which there is something to do: an epoch's end or a snapshot."""
        step, per_epoch = self.history.step, self.steps_per_epoch
        epoch_end = min((step // per_epoch + 1) * per_epoch, self.total_steps)
        later = self.moment_steps[self.moment_steps > step]
        return min(epoch_end, int(later[0])) if len(later) else epoch_end

    def rest(self) -> None:
        """Let go of the images that were gathered ahead; `advance` gathers them again."""
        self._steps = None

    def _begin(self) -> Iterator[Any]:
        return engine.training_steps(
            self._engine,
            self.dataset.train_images,
            self.dataset.train_labels,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            learning_rate=self.learning_rate_at,
            augment=self.config.augment,
            first_step=self.history.step,
        )

    def learning_rate_at(self, step: int) -> float:
        """Return the rate of a step that is now to be taken: the last chosen one, scheduled."""
        return self.history.learning_rates[-1][1] * self.schedule_share(step)

    def schedule_share(self, step: int) -> float:
        """Return the share of the chosen learning rate at a step, 0 to 1."""
        return SCHEDULES[self.config.schedule](step, self.total_steps)

    def set_learning_rate(self, rate: float) -> None:
        """Go on with another learning rate (with a schedule: another highest one).

        Raises
        ------
        ValueError
            If it is not a number above 0.
        """
        check_learning_rate(rate)
        rates, step = self.history.learning_rates, self.history.step
        kept = [(s, r) for s, r in rates if s < step]
        if not kept or kept[-1][1] != rate:
            kept.append((step, rate))
        self.history.learning_rates = kept  # replaced, not changed: others may be reading

    def publish_weights(self) -> None:
        """Replace ``snapshot`` by a copy of the network's weights as they are now."""
        self.snapshot = self._take_snapshot()

    def _take_snapshot(self) -> Snapshot:
        weights = {
            name: torch.as_tensor(w).detach().clone(memory_format=torch.contiguous_format)
            for name, w in self._engine.weights().items()
        }
        return Snapshot(self.history.step, weights)

    def weights(self) -> dict[str, Any]:
        """Return the weights as they are now, as named tensors or arrays, not copied."""
        return self._engine.weights()

    def memory(self) -> dict[str, Any]:
        """Return what the optimiser remembers, as named tensors, not copied."""
        return self._engine.memory()

    def restore(
        self, history: History, weights: Mapping[str, Tensor], memory: Mapping[str, Tensor]
    ) -> None:
        """Stand where a saved run of the same configuration stood, to go on as if nothing had been.

        Raises
        ------
        ValueError
            If weights or memory do not fit the network.
        """
        self._engine.restore(
            {n: torch.as_tensor(w).float() for n, w in weights.items()}, dict(memory)
        )
        self.history, self._steps = history, None
        self.publish_weights()
        self.moments = []

    def _check_up(self) -> Checkup:
        test = self.dataset.test_images, self.dataset.test_labels
        train = self.dataset.train_images[:2_000], self.dataset.train_labels[:2_000]
        model = self.model
        on_test, on_train = metrics.score(model, *test), metrics.score(model, *train)
        dead_units = metrics.dead_units(model, train[0])
        return Checkup(
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
