"""Two engines side by side from the same start: PyTorch's autograd, and NumPy by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mnist_core.data.datasets import Dataset
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.history import History, Snapshot
from mnist_core.training.run import TrainingRun

__all__ = ["Race"]


class Race:
    """Two runs that share a thread in turns of equal time, so that the faster one is ahead.

    Attributes
    ----------
    lanes : dict of str to TrainingRun
        "autograd" and "numpy": the same settings, weights and order of images.
    history, snapshot
        Those of the lane that is behind.
    """

    threads = 1

    def __init__(self, lanes: dict[str, TrainingRun]) -> None:
        self.lanes = lanes

    @classmethod
    def of(cls, config: TrainingConfig, dataset: Dataset) -> Race:
        """Create a race with both engines at step 0.

        Raises
        ------
        ValueError
            If the NumPy engine cannot take these settings.
        """
        return cls(
            {
                engine: TrainingRun(replace(config, engine=engine), dataset)
                for engine in ("autograd", "numpy")
            }
        )

    @property
    def _behind(self) -> TrainingRun:
        return min(self.lanes.values(), key=lambda run: run.history.step)

    @property
    def config(self) -> TrainingConfig:
        return self.lanes["autograd"].config

    @property
    def dataset(self) -> Dataset:
        return self.lanes["autograd"].dataset

    @property
    def total_steps(self) -> int:
        return self.lanes["autograd"].total_steps

    @property
    def history(self) -> History:
        return self._behind.history

    @property
    def snapshot(self) -> Snapshot:
        return self._behind.snapshot

    @property
    def finished(self) -> bool:
        return all(run.finished for run in self.lanes.values())

    def advance(self, max_steps: int, max_s: float = math.inf) -> None:
        """Train each lane for half of the time.

        Raises
        ------
        TrainingFailedError
            If one of them cannot continue.
        """
        for run in self.lanes.values():
            if not run.finished:
                run.advance(max_steps, max_s / 2)

    def rest(self) -> None:
        for run in self.lanes.values():
            run.rest()

    def publish_weights(self) -> None:
        for run in self.lanes.values():
            run.publish_weights()

    def set_learning_rate(self, rate: float) -> None:
        for run in self.lanes.values():
            run.set_learning_rate(rate)

    def differences(self) -> np.ndarray:
        """Return |loss in PyTorch - loss in NumPy| of the steps both have taken: (n,) float32."""
        one, other = (run.history for run in self.lanes.values())
        n = min(one.step, other.step)
        return np.abs(one.losses[:n] - other.losses[:n])
