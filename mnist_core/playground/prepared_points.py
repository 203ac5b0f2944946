"""The points as tensors: features and targets, computed once, so that a step only slices them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.playground.network import features_of, loss_function, misclassified, target
from mnist_core.playground.points import Points
from mnist_core.playground.results import PlaygroundScore
from mnist_core.playground.setups import Setup

__all__ = ["PreparedPoints"]


class PreparedPoints:
    """The points of a run as tensors.

    Attributes
    ----------
    n : int
        The number of training points.
    x : (n, F) float32
        Their features.
    y : (n, ...)
        Their targets, see `mnist_core.playground.network.target`.
    loss : callable
        See `mnist_core.playground.network.loss_function`.
    """

    def __init__(self, points: Points, setup: Setup) -> None:
        x = torch.tensor(np.concatenate([points.train_x, points.test_x]))
        self._labels = torch.tensor(np.concatenate([points.train_y, points.test_y]))
        self._all_x = features_of(x, setup.features)  # training points first
        self._targets = target(self._labels, setup)
        self._has_classes = bool(setup.n_classes)
        self.n = len(points.train_x)
        self.x, self.y = self._all_x[: self.n], self._targets[: self.n]
        self.loss = loss_function(setup)

    def shuffled(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return x and y in the same random order."""
        order = torch.randperm(self.n, generator=generator)
        return self.x[order], self.y[order]

    def score(self, model: nn.Sequential) -> PlaygroundScore:
        """Return the losses and errors of a network on all points."""
        with torch.inference_mode():
            out = model(self._all_x)
            train, test = slice(0, self.n), slice(self.n, None)
            losses = [float(self.loss(out[part], self._targets[part])) for part in (train, test)]
            errors = [math.nan, math.nan]
            if self._has_classes:
                wrong = misclassified(out, self._labels).float()
                errors = [float(wrong[part].mean()) for part in (train, test)]
        return PlaygroundScore(*losses, *errors)
