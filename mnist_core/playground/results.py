"""What a playground run returns: its score, its state at one step, and its losses by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["MAX_CURVE_POINTS", "LossCurves", "LossHistory", "PlaygroundScore", "PlaygroundSnapshot"]

MAX_CURVE_POINTS = 500


@dataclass(frozen=True, slots=True)
class PlaygroundScore:
    """Losses and errors of a network. NaN without points; errors are NaN for regression.

    Attributes
    ----------
    train_loss, test_loss : float
        The mean over all points, without the regularisation penalty.
    train_error, test_error : float
        The share of misclassified points, 0 to 1.
    """

    train_loss: float
    test_loss: float
    train_error: float
    test_error: float


@dataclass(frozen=True, slots=True)
class PlaygroundSnapshot:
    """The state of a run at one step. Arrays are float32 and read-only; a diverged run has NaN.

    Attributes
    ----------
    maps : tuple of (n, R, R)
        The output of each neuron over the plane, one array per column of the picture: the
        features, each hidden layer, the output. Row 0 is the top (x2 near 6), column 0 the left
        (x1 near -6). See `mnist_core.playground.network.shown_output` for the last one.
    weights : tuple of (n_out, n_in)
    biases : tuple of (n_out,)
    train_loss, test_loss, train_error, test_error : float
        See `PlaygroundScore`.
    epoch, step : int
        Complete passes over the training points, and training batches so far.
    """

    maps: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    train_loss: float
    test_loss: float
    train_error: float
    test_error: float
    epoch: int
    step: int


@dataclass(frozen=True, slots=True)
class LossCurves:
    """The losses after at most 500 evenly spaced epochs.

    Attributes
    ----------
    epoch : (K,) int64
    train_loss, test_loss : (K,) float64
        The test loss is NaN without test points.
    """

    epoch: np.ndarray
    train_loss: np.ndarray
    test_loss: np.ndarray


@dataclass(slots=True)
class LossHistory:
    """Collects the losses of a run. With 500 points, it drops every other one and doubles the gap.

    Attributes
    ----------
    every : int
        The gap between two points, in epochs.
    rows : list of (epoch, training loss, test loss)
    """

    every: int = 1
    rows: list[tuple[int, float, float]] = field(default_factory=list)

    def needs(self, epoch: int) -> bool:
        """Return whether `add` stores the losses of this epoch."""
        return epoch % self.every == 0

    def add(self, epoch: int, train_loss: float, test_loss: float) -> None:
        """Store the losses after an epoch, if the epoch is a multiple of the gap."""
        if len(self.rows) == MAX_CURVE_POINTS:
            self.every *= 2
            self.rows = [row for row in self.rows if self.needs(row[0])]
        if self.needs(epoch):
            self.rows.append((epoch, train_loss, test_loss))

    def drop_after(self, epoch: int) -> None:
        """Remove the losses of all later epochs."""
        self.rows = [row for row in self.rows if row[0] <= epoch]

    def curves(self) -> LossCurves:
        """Return the stored losses as arrays."""
        table = np.array(self.rows, dtype=np.float64).reshape(-1, 3)
        return LossCurves(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])
