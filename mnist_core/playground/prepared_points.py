"""The points as a network takes them, computed once, so that a step need only cut its batch out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.playground.network import features_of, loss_function, target, wrong
from mnist_core.playground.points import Points
from mnist_core.playground.setups import Setup

__all__ = ["Prepared", "Score"]


@dataclass(frozen=True, slots=True)
class Score:
    """How well a network does; NaN where there are no points, for errors also without classes.

    Attributes
    ----------
    train_loss, test_loss : float
        The mean over all points, without what regularisation adds.
    train_error, test_error : float
        The share of points on the wrong side, 0 to 1.
    """

    train_loss: float
    test_loss: float
    train_error: float
    test_error: float


class Prepared:
    """Points as tensors.

    Attributes
    ----------
    n : int
        How many points there are to learn from.
    x : (n, F) float32
    y : (n, ...)
        As `mnist_core.playground.network.target` has it.
    loss : callable
        As `mnist_core.playground.network.loss_function` has it.
    """

    def __init__(self, points: Points, setup: Setup) -> None:
        x = torch.tensor(np.concatenate([points.train_x, points.test_x]))
        self._labels = torch.tensor(np.concatenate([points.train_y, points.test_y]))
        self._all_x = features_of(x, setup.features)  # those to learn from first
        self._targets = target(self._labels, setup)
        self._classes = bool(setup.n_classes)
        self.n = len(points.train_x)
        self.x, self.y = self._all_x[: self.n], self._targets[: self.n]
        self.loss = loss_function(setup)

    def shuffled(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return x and y in a random order, the same for both."""
        order = torch.randperm(self.n, generator=generator)
        return self.x[order], self.y[order]

    def score(self, model: nn.Sequential) -> Score:
        """Run the network on all points and compare."""
        with torch.inference_mode():
            out = model(self._all_x)
            train, test = slice(0, self.n), slice(self.n, None)
            losses = [float(self.loss(out[part], self._targets[part])) for part in (train, test)]
            errors = [math.nan, math.nan]
            if self._classes:
                wrongly = wrong(out, self._labels).float()
                errors = [float(wrongly[part].mean()) for part in (train, test)]
        return Score(losses[0], losses[1], errors[0], errors[1])
