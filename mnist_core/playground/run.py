"""One visitor's playground run: a small network that trains a few steps at a time."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from mnist_core.nn.optimisers import SGD
from mnist_core.playground import network
from mnist_core.playground.points import make_points
from mnist_core.playground.prepared_points import PreparedPoints
from mnist_core.playground.results import LossCurves, LossHistory, PlaygroundSnapshot
from mnist_core.playground.setups import LIVE, Setup

__all__ = ["PlaygroundRun"]

MAX_WEIGHT = 1000.0  # that a visitor may type in
SOUND_LOSS = 100.0  # an epoch that starts with a larger loss is no state to go back to


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """The state at the start of an epoch, from which training can continue."""

    weights: list[Tensor]
    random_state: Tensor
    step: int
    epoch: int


class PlaygroundRun:
    """A network, its points and its training so far. Equal setups give equal runs, bit for bit.

    Attributes
    ----------
    setup : Setup
    points : Points
    step_count, epoch_count : int
        Training batches so far, and complete passes over the training points.
    edited : bool
        Whether a weight was set by hand since the last `rewind`.
    diverged : str or None
        A sentence if the loss is not a finite number. `undo` restores the last sound epoch.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._grid_features: dict[int, Tensor] = {}
        self._take_points()
        self.rewind()

    def rewind(self) -> None:
        """Restart with the same initial weights, bit for bit, and the same batches."""
        self._generator = torch.Generator().manual_seed(self.setup.seed)
        self._model = network.build(self.setup, self._generator)
        self._layers = network.linear_layers(self._model)
        self._optimiser = SGD(self._model.parameters(), self.setup.learning_rate)
        self._weights = [p.detach() for p in self._model.parameters()]
        self.step_count = self.epoch_count = self._position = 0
        self.edited = False
        self.diverged: str | None = None
        self._goal_reached: str | None = None
        self._losses = LossHistory()
        score = self._data.score(self._model)
        self._losses.add(0, score.train_loss, score.test_loss)
        self._set_checkpoint(self._generator.get_state())

    @property
    def stopped(self) -> str | None:
        """The reason why `train_for` takes no step, as a sentence; None if it does."""
        if not self._data.n:
            return "There are no points to learn from yet: click into the plane, or paste some."
        return self._goal_reached

    @property
    def curves(self) -> LossCurves:
        """The losses by epoch."""
        return self._losses.curves()

    def step(self, n_batches: int = 1) -> int:
        """Train on the next batches; return the number of steps taken before any divergence.

        The setup's ``stop_below`` does not apply here.
        """
        before = self.step_count
        while self._data.n and not self.diverged and self.step_count < before + n_batches:
            self._step()
        return self.step_count - before

    def epoch(self) -> int:
        """Train to the end of the current epoch; return the number of steps."""
        left = self._data.n - self._position
        return self.step(-(-left // self.setup.batch_size))

    def train_for(self, seconds: float, until_epoch: int | None = None) -> int:
        """Train until the time is up, an epoch is complete, ``stop_below`` holds, or it diverges.

        Parameters
        ----------
        seconds : float
        until_epoch : int, optional
            Stop when this number of epochs is complete.

        Returns
        -------
        int
            The number of steps taken.
        """
        end, before = time.perf_counter() + seconds, self.step_count
        while not (self.stopped or self.diverged) and time.perf_counter() < end:
            if until_epoch is not None and self.epoch_count >= until_epoch:
                break
            self._step()
        return self.step_count - before

    def run_to(self, epoch: int) -> int:
        """Train without a time limit until this number of epochs is complete; return the steps."""
        return self.train_for(math.inf, until_epoch=epoch)

    def undo(self) -> None:
        """Restore a diverged run to the start of its last epoch with a sound loss.

        Raises
        ------
        ValueError
            If the run has not diverged.
        """
        if not self.diverged:
            raise ValueError("Expected a run whose loss diverged, got a sound one.")
        checkpoint = self._checkpoint
        for weight, value in zip(self._weights, checkpoint.weights, strict=True):
            weight.copy_(value)
        self._generator.set_state(checkpoint.random_state)
        self.step_count, self.epoch_count = checkpoint.step, checkpoint.epoch
        self._position = 0
        self.diverged = None
        self._losses.drop_after(checkpoint.epoch)

    def edit(self, layer: int, unit: int, source: int | str, value: float) -> None:
        """Set one weight or bias.

        Parameters
        ----------
        layer : int
            0 for the first layer with weights; the last one computes the output.
        unit : int
            The neuron in that layer.
        source : int or "bias"
            The neuron of the previous column (for layer 0: the feature) that the weight multiplies.
        value : float
            -1000 to 1000.

        Raises
        ------
        ValueError
            If there is no such weight, or the value is out of range.
        """
        if not (isinstance(value, int | float) and abs(value) <= MAX_WEIGHT):
            raise ValueError(f"A weight must be a number from -1,000 to 1,000, got {value!r}.")
        tensor, index = network.parameter_at(self._model, layer, unit, source)
        tensor[index] = value
        self.edited, self._goal_reached = True, None

    def adopt(self, setup: Setup) -> bool:
        """Continue with another setup; return False and change nothing if that needs a new run."""
        changed = self.setup.differences(setup)
        if not changed.keys() <= LIVE or setup.n_classes != self.setup.n_classes:
            return False
        self.setup = setup
        self._optimiser.learning_rate = setup.learning_rate
        if changed.keys() & {"noise", "train_share", "points"}:
            self._take_points()
        if changed.keys() - {"discrete", "show_test", "hide", "task"}:
            self._goal_reached = None
        return True

    def snapshot(self, resolution: int) -> PlaygroundSnapshot:
        """Return the current state of the run.

        Parameters
        ----------
        resolution : int
            R, pixels along each side of the plane, 1 to 200.
        """
        if not 1 <= resolution <= 200:
            raise ValueError(f"The resolution must be from 1 to 200 pixels, got {resolution}.")
        if resolution not in self._grid_features:
            features = network.features_of(network.grid(resolution), self.setup.features)
            self._grid_features = {resolution: features}  # one resolution only: bounded memory
        features = self._grid_features[resolution]
        maps = network.neuron_maps(self._model, self.setup, features)
        return PlaygroundSnapshot(
            maps=tuple(_array(m) for m in maps),
            weights=tuple(_array(layer.weight.detach().clone()) for layer in self._layers),
            biases=tuple(_array(layer.bias.detach().clone()) for layer in self._layers),
            **asdict(self._data.score(self._model)),
            epoch=self.epoch_count,
            step=self.step_count,
        )

    def _take_points(self) -> None:
        self.points = make_points(self.setup)
        self._data = PreparedPoints(self.points, self.setup)
        self._position = 0

    def _step(self) -> None:
        if self._position == 0:
            self._begin_epoch()
        batch = slice(self._position, self._position + self.setup.batch_size)
        loss = self._data.loss(self._model(self._x[batch]), self._y[batch])
        if self.setup.regularisation != "none":
            loss = loss + network.penalty(self._model, self.setup)
        value = loss.item()
        if not math.isfinite(value):
            self._stop_diverged(value)
            return
        if self._position == 0 and value < SOUND_LOSS:
            self._set_checkpoint(self._epoch_state)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self.step_count += 1
        self._position += self.setup.batch_size
        if self._position >= self._data.n:
            self._end_epoch()

    def _begin_epoch(self) -> None:
        self._epoch_state = self._generator.get_state()
        self._x, self._y = self._data.shuffled(self._generator)

    def _end_epoch(self) -> None:
        self._position = 0
        self.epoch_count += 1
        stop_below = self.setup.stop_below
        if stop_below is None and not self._losses.needs(self.epoch_count):
            return
        score = self._data.score(self._model)
        if not math.isfinite(score.train_loss):
            self._stop_diverged(score.train_loss)
            return
        self._losses.add(self.epoch_count, score.train_loss, score.test_loss)
        self._goal_reached = None
        if stop_below is not None and score.train_loss < stop_below:
            self._goal_reached = (
                f"The training loss is below {stop_below:g} after epoch {self.epoch_count:,}."
            )

    def _set_checkpoint(self, random_state: Tensor) -> None:
        weights = [weight.clone() for weight in self._weights]
        self._checkpoint = _Checkpoint(weights, random_state, self.step_count, self.epoch_count)

    def _stop_diverged(self, loss: float) -> None:
        became = "infinite" if math.isinf(loss) else "not a number (NaN)"
        self.diverged = (
            f"At step {self.step_count + 1:,} the loss became {became}: the weights have grown "
            "beyond what a 32-bit number holds. Undo, and take a smaller learning rate."
        )


def _array(tensor: Tensor) -> np.ndarray:
    array = tensor.numpy()
    array.flags.writeable = False
    return array
