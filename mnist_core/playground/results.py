"""What the playground shows of a run at one moment, and how its losses went."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["MOST_ON_CURVE", "Curves", "Losses", "View"]

MOST_ON_CURVE = 500


@dataclass(frozen=True, slots=True)
class View:
    """A run at one moment. Arrays are float32 and read-only; see `PlaygroundRun.diverged` for NaN.

    Attributes
    ----------
    maps : tuple of (n, R, R)
        What each neuron puts out over the plane, for each column of the picture: the features, each
        hidden layer, the output. Row 0 is the top (x2 near 6), column 0 the left (x1 near -6).
    output : (1, R, R) or (C, R, R)
        The last of them: for two classes p(class 1) - p(class 0), -1 to 1; for more, probabilities;
        a quantity as it is. If the set-up is ``discrete``, the decision alone: -1 or 1, or 1 for
        the class with the largest probability and 0 for the others.
    weights : tuple of (n_out, n_in)
    biases : tuple of (n_out,)
    train_loss, test_loss, train_error, test_error : float
        As `mnist_core.playground.prepared_points.Score` has them.
    epoch, step : int
        Complete passes over the training points, and batches learnt from.
    n_classes : int
        0 where a quantity is predicted.
    """

    maps: tuple[np.ndarray, ...]
    output: np.ndarray
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    train_loss: float
    test_loss: float
    train_error: float
    test_error: float
    epoch: int
    step: int
    n_classes: int


@dataclass(frozen=True, slots=True)
class Curves:
    """The losses after some epochs, evenly spaced, at most 500.

    Attributes
    ----------
    epoch : (K,) int64
    train_loss, test_loss : (K,) float64
        The test loss is NaN where there are no test points.
    """

    epoch: np.ndarray
    train_loss: np.ndarray
    test_loss: np.ndarray


@dataclass(slots=True)
class Losses:
    """Collects `Curves`: when there are 500 points, every other one is dropped, and so on."""

    every: int = 1
    rows: list[tuple[int, float, float]] = field(default_factory=list)

    def wants(self, epoch: int) -> bool:
        """Whether this epoch is one to be added."""
        return epoch % self.every == 0

    def add(self, epoch: int, train_loss: float, test_loss: float) -> None:
        """Take down the losses after an epoch."""
        if len(self.rows) == MOST_ON_CURVE:
            self.every *= 2
            self.rows = [row for row in self.rows if self.wants(row[0])]
        if self.wants(epoch):
            self.rows.append((epoch, train_loss, test_loss))

    def cut_after(self, epoch: int) -> None:
        """Forget what came after an epoch."""
        self.rows = [row for row in self.rows if row[0] <= epoch]

    def curves(self) -> Curves:
        """Return what has been taken down."""
        table = np.array(self.rows, dtype=np.float64).reshape(-1, 3)
        return Curves(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])
