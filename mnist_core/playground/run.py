"""One visitor's run of the playground: a small network that trains a little at a time."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mnist_core.nn.optimisers import SGD
from mnist_core.playground import network
from mnist_core.playground.points import make_points
from mnist_core.playground.prepared_points import Prepared
from mnist_core.playground.setups import LIVE, Setup
from mnist_core.playground.results import Curves, Losses, View

__all__ = ["LARGEST_WEIGHT", "PlaygroundRun"]

LARGEST_WEIGHT = 1000.0  # that may be typed in
_LOST = 100.0  # a loss above this has nothing to do with the points any more


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """The start of an epoch: enough to go on from there."""

    weights: list[Tensor]
    random_state: Tensor
    step: int
    epoch: int


class PlaygroundRun:
    """A network, its points, and how far it has come. Equal set-ups give equal runs, bit for bit.

    Attributes
    ----------
    setup : Setup
    points : Points
    step_count, epoch_count : int
        Batches learnt from, and complete passes over the training points.
    edited : bool
        Whether a weight was set by hand since the beginning.
    diverged : str or None
        A sentence, once the loss is no longer a finite number; `undo` helps.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._grids: dict[int, Tensor] = {}
        self._take_points()
        self.rewind()

    def rewind(self) -> None:
        """Go back to the beginning: the same initial weights, bit for bit, and the same batches."""
        self._generator = torch.Generator().manual_seed(self.setup.seed)
        self._model = network.build(self.setup, self._generator)
        self._layers = network.linear_layers(self._model)
        self._optimiser = SGD(self._model.parameters(), self.setup.learning_rate)
        self._weights = [p.detach() for p in self._model.parameters()]
        self.step_count = self.epoch_count = self._position = 0
        self.edited = False
        self.diverged: str | None = None
        self._below: str | None = None
        self._losses = Losses()
        score = self._data.score(self._model)
        self._losses.add(0, score.train_loss, score.test_loss)
        self._keep(self._generator.get_state())

    @property
    def stopped(self) -> str | None:
        """Why `train_for` does not go on, in a sentence; None if it does."""
        if not self._data.n:
            return "There are no points to learn from yet: click into the plane, or paste some."
        return self._below

    @property
    def curves(self) -> Curves:
        """The losses so far, by epoch."""
        return self._losses.curves()

    def step(self, n_batches: int = 1) -> int:
        """Learn from the next batches; return how many there were before the loss left the numbers.

        The condition to stop does not keep it: whoever asks for a step gets it.
        """
        before = self.step_count
        while self._data.n and not self.diverged and self.step_count < before + n_batches:
            self._step()
        return self.step_count - before

    def epoch(self) -> int:
        """Learn to the end of the epoch that has begun; return the number of steps."""
        left = self._data.n - self._position
        return self.step(-(-left // self.setup.batch_size))

    def train_for(
        self, seconds: float, until_epoch: int | None = None, limit: int | None = None
    ) -> int:
        """Train until one of these is reached, or the condition to stop, or the loss diverges.

        Parameters
        ----------
        seconds : float
        until_epoch : int, optional
            Stop when so many epochs are complete since the beginning.
        limit : int, optional
            Take so many steps at most.

        Returns
        -------
        int
            The number of steps taken.
        """
        end, before = time.perf_counter() + seconds, self.step_count
        while not (self.stopped or self.diverged) and time.perf_counter() < end:
            if until_epoch is not None and self.epoch_count >= until_epoch:
                break
            if limit is not None and self.step_count - before >= limit:
                break
            self._step()
        return self.step_count - before

    def run_to(self, epoch: int) -> int:
        """Train until so many epochs are complete, without a limit of time; return the steps."""
        return self.train_for(math.inf, until_epoch=epoch)

    def undo(self) -> None:
        """After the loss diverged: go back to the last epoch that began with sound weights.

        Raises
        ------
        ValueError
            If it has not diverged.
        """
        if not self.diverged:
            raise ValueError("Expected a run whose loss diverged, got a sound one.")
        kept = self._kept
        for weight, value in zip(self._weights, kept.weights, strict=True):
            weight.copy_(value)
        self._generator.set_state(kept.random_state)
        self.step_count, self.epoch_count, self._position = kept.step, kept.epoch, 0
        self.diverged = None
        self._losses.cut_after(kept.epoch)

    def edit(self, layer: int, unit: int, source: int | str, value: float) -> None:
        """Set one weight or bias.

        Parameters
        ----------
        layer : int
            0 for the first layer with weights; the last is the output's.
        unit : int
            The neuron in that layer.
        source : int or "bias"
            The neuron of the column before (for layer 0: the feature) whose weight is meant.
        value : float
            -1000 to 1000.

        Raises
        ------
        ValueError
            If there is no such weight, or the value is out of range.
        """
        if not (isinstance(value, int | float) and abs(value) <= LARGEST_WEIGHT):
            raise ValueError(f"A weight must be a number from -1,000 to 1,000, got {value!r}.")
        tensor, index = network.parameter_at(self._model, layer, unit, source)
        tensor[index] = value
        self.edited, self._below = True, None

    def change(self, **changes: Any) -> None:
        """Change part of the set-up and go on with the weights as they are.

        Parameters
        ----------
        **changes
            Fields of `Setup` that are in `LIVE`.

        Raises
        ------
        ValueError
            If a field is unknown, needs a new run, or its value is out of range.
        """
        fixed = set(changes) - LIVE
        if fixed:
            raise ValueError(
                f"Expected one of {', '.join(sorted(LIVE))} to change in a run, got "
                f"{sorted(fixed)[0]}: that takes a new run."
            )
        if not self.take(replace(self.setup, **changes)):
            raise ValueError("Other points have other classes, which takes a new run.")

    def take(self, setup: Setup) -> bool:
        """Go on under another set-up; return False, and change nothing, if it takes a new run."""
        changed = self.setup.differences(setup)
        if not changed.keys() <= LIVE or setup.n_classes != self.setup.n_classes:
            return False
        self.setup = setup
        self._optimiser.learning_rate = setup.learning_rate
        if changed.keys() & {"noise", "train_share", "points"}:
            self._take_points()
        if changed.keys() - {"discrete", "show_test", "hide", "task"}:
            self._below = None
        return True

    def snapshot(self, resolution: int = 50) -> View:
        """Return what there is to see now.

        Parameters
        ----------
        resolution : int
            R, pixels along each side of the plane, 1 to 200.
        """
        if not 1 <= resolution <= 200:
            raise ValueError(f"The resolution must be from 1 to 200 pixels, got {resolution}.")
        if resolution not in self._grids:
            on_grid = network.features_of(network.grid(resolution), self.setup.features)
            self._grids = {resolution: on_grid}  # one at a time: memory stays bounded
        maps = network.neuron_maps(self._model, self.setup, resolution, self._grids[resolution])
        output = network.decided(maps[-1], self.setup) if self.setup.discrete else maps[-1]
        return View(
            maps=tuple(_array(m) for m in maps),
            output=_array(output),
            weights=tuple(_array(layer.weight.detach().clone()) for layer in self._layers),
            biases=tuple(_array(layer.bias.detach().clone()) for layer in self._layers),
            **asdict(self._data.score(self._model)),
            epoch=self.epoch_count,
            step=self.step_count,
            n_classes=self.setup.n_classes,
        )

    def _take_points(self) -> None:
        self.points = make_points(self.setup)
        self._data = Prepared(self.points, self.setup)
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
            self._give_up(value)
            return
        if self._position == 0 and value < _LOST:
            self._keep(self._epoch_state)
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
        if stop_below is None and not self._losses.wants(self.epoch_count):
            return
        score = self._data.score(self._model)
        if not math.isfinite(score.train_loss):
            self._give_up(score.train_loss)
            return
        self._losses.add(self.epoch_count, score.train_loss, score.test_loss)
        self._below = None
        if stop_below is not None and score.train_loss < stop_below:
            self._below = (
                f"The training loss is below {stop_below:g} after epoch {self.epoch_count:,}."
            )

    def _keep(self, random_state: Tensor) -> None:
        weights = [weight.clone() for weight in self._weights]
        self._kept = _Checkpoint(weights, random_state, self.step_count, self.epoch_count)

    def _give_up(self, loss: float) -> None:
        became = "infinite" if math.isinf(loss) else "not a number (NaN)"
        self.diverged = (
            f"At step {self.step_count + 1:,} the loss became {became}: the weights have grown "
            "beyond what a 32-bit number holds. Undo, and take a smaller learning rate."
        )


def _array(tensor: Tensor) -> np.ndarray:
    array = tensor.numpy()
    array.flags.writeable = False
    return array
