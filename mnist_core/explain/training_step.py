"""One step of SGD in stages: forward, loss, backward and update, in PyTorch and in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from mnist_core.common.comparison import Check, compare
from mnist_core.data.inputs import to_input
from mnist_core.explain.layer_formulas import LOSS, LOSS_BACKWARD, UPDATE, formulas_of
from mnist_core.explain.layer_outputs import DivergedModelError, kind_of
from mnist_core.explain.step_tensors import (
    StepTensors,
    trace_step_in_numpy,
    trace_step_in_torch,
)
from mnist_core.nn import numpy_network

__all__ = ["STEPS", "Pair", "StepStage", "Walk", "walk"]

STEPS = ("Forward", "Loss", "Backward", "Update")
MOST_IMAGES = 32


@dataclass(frozen=True, slots=True)
class Pair:
    """One tensor of the step, computed by PyTorch and by NumPy.

    Attributes
    ----------
    name : str
        For example "weight W" or "gradient dL/dW".
    in_torch, in_numpy : ndarray of one shape, float32
    """

    name: str
    in_torch: np.ndarray
    in_numpy: np.ndarray

    @property
    def check(self) -> Check:
        return compare(self.in_torch, self.in_numpy)


@dataclass(frozen=True, slots=True)
class StepStage:
    """One layer in one of the four steps.

    Attributes
    ----------
    step : str
        One of `STEPS`.
    layer : str
        Its name in the model; "loss" for the loss.
    kind : str
        The layer's class and sizes, such as "Linear 784 to 10".
    formula : str
        LaTeX.
    line : str
        The line of PyTorch; ``x`` is the input of the layer.
    in_numpy : tuple of callable
        The functions that compute the same in NumPy; the page shows their source.
    pairs : tuple of Pair
        The inputs and the results. The first dimension of data is the image of the batch.
    pictured : tuple of int
        The shape in which one unit's weights are drawn; () in a layer without weights.
    """

    step: str
    layer: str
    kind: str
    formula: str
    line: str
    in_numpy: tuple[Callable[..., Any], ...]
    pairs: tuple[Pair, ...]
    pictured: tuple[int, ...] = ()

    @property
    def check(self) -> Check:
        """The check of the tensor that differs most."""
        return _largest([pair.check for pair in self.pairs])


@dataclass(frozen=True, slots=True)
class Walk:
    """A whole step: its stages in order, and the loss before and after it."""

    stages: tuple[StepStage, ...]
    loss_before: float
    loss_after: float

    def of(self, step: str) -> tuple[StepStage, ...]:
        """Return the stages of one of `STEPS`, in order."""
        return tuple(stage for stage in self.stages if stage.step == step)

    @property
    def check(self) -> Check:
        """The check of the tensor that differs most."""
        return _largest([stage.check for stage in self.stages])


def _largest(checks: list[Check]) -> Check:
    """Return the check with the largest difference, relative to its own tensor's values."""
    return max(checks, key=lambda check: check.largest_difference / max(1.0, check.largest_value))


def walk(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, learning_rate: float = 0.01
) -> Walk:
    """Take one step of SGD on a copy of a model, in PyTorch and in NumPy.

    Parameters
    ----------
    model : nn.Sequential
        Of `mnist_core.nn.architectures`. It is not changed.
    images : (B, 28, 28) uint8, 0 to 255, with B from 1 to 32
    labels : (B,) int64, 0 to 9
    learning_rate : float

    Raises
    ------
    ValueError
        If the images and labels are not a small batch, or a layer is not written out in NumPy.
    DivergedModelError
    """
    if not 1 <= len(images) <= MOST_IMAGES or labels.shape != (len(images),):
        raise ValueError(
            f"expected 1 to {MOST_IMAGES} images and a label for each, got {len(images)} images "
            f"and labels of shape {labels.shape}."
        )
    x, y = to_input(images), torch.tensor(labels)
    in_torch = trace_step_in_torch(model, x, y, learning_rate)
    in_numpy = trace_step_in_numpy(model, x.numpy(), labels, learning_rate)
    if not np.isfinite(in_torch.loss):
        raise DivergedModelError
    stages = [*_forward(model, in_torch, in_numpy), _loss(in_torch, in_numpy)]
    stages += [*_backward(model, in_torch, in_numpy)]
    stages += [*_update(model, in_torch, in_numpy, learning_rate)]
    return Walk(tuple(stages), in_torch.loss, in_torch.loss_after)


def _forward(model: nn.Sequential, one: StepTensors, other: StepTensors) -> list[StepStage]:
    stages = []
    for i, (name, layer) in enumerate(model.named_children()):
        both = formulas_of(layer)
        pairs = (
            Pair("input x", one.values[i], other.values[i]),
            *_weights(name, "{} {}", one.before, other.before),
            Pair("output y", one.values[i + 1], other.values[i + 1]),
        )
        line, code = f"y = model.{name}(x)", both.forward_in_numpy
        stages.append(StepStage("Forward", name, kind_of(layer), both.forward, line, code, pairs))
    return stages


def _loss(one: StepTensors, other: StepTensors) -> StepStage:
    pairs = (
        Pair("logits z", one.values[-1], other.values[-1]),
        Pair("probabilities p", one.p, other.p),
        Pair("loss L", np.array(one.loss), np.array(other.loss)),
    )
    line = "loss = nn.CrossEntropyLoss()(z, labels)"
    code = (numpy_network.log_softmax, numpy_network.cross_entropy)
    return StepStage("Loss", "loss", "CrossEntropyLoss", LOSS, line, code, pairs)


def _backward(model: nn.Sequential, one: StepTensors, other: StepTensors) -> list[StepStage]:
    stages = [
        StepStage(
            "Backward",
            "loss",
            "CrossEntropyLoss",
            LOSS_BACKWARD,
            "loss.backward()",
            (numpy_network.cross_entropy,),
            (Pair("gradient dL/dz", one.gradients[-1], other.gradients[-1]),),
        )
    ]
    for i, (name, layer) in reversed(list(enumerate(model.named_children()))):
        both = formulas_of(layer)
        weights = _weights(name, "gradient dL/d{1}", one.weight_gradients, other.weight_gradients)
        pairs = (
            Pair("gradient dL/dy", one.gradients[i + 1], other.gradients[i + 1]),
            *weights,
            Pair("gradient dL/dx", one.gradients[i], other.gradients[i]),
        )
        line, code = f"loss.backward()  # the same call reaches {name}", both.backward_in_numpy
        if weights:
            line = f"loss.backward()  # sets model.{name}.weight.grad and model.{name}.bias.grad"
        stages.append(StepStage("Backward", name, kind_of(layer), both.backward, line, code, pairs))
    return stages


def _update(
    model: nn.Sequential, one: StepTensors, other: StepTensors, learning_rate: float
) -> list[StepStage]:
    stages = []
    for i, (name, layer) in enumerate(model.named_children()):
        pairs = (
            *_weights(name, "{} {}, before", one.before, other.before),
            *_weights(name, "gradient dL/d{1}", one.weight_gradients, other.weight_gradients),
            *_weights(name, "{} {}, after", one.after, other.after),
        )
        if not pairs:
            continue
        line = (
            f"optimiser.step()  # model.{name}.weight -= {learning_rate:g} * "
            f"model.{name}.weight.grad"
        )
        code = (numpy_network.Layer.update,)
        pictured = one.before[f"{name}.weight"].shape[1:]
        if i and isinstance(model[i - 1], nn.Flatten):
            pictured = one.values[i - 1].shape[1:]
        stages.append(
            StepStage("Update", name, kind_of(layer), UPDATE, line, code, pairs, pictured)
        )
    return stages


def _weights(
    layer: str, name: str, one: dict[str, np.ndarray], other: dict[str, np.ndarray]
) -> list[Pair]:
    """Pair a layer's weights and biases, if it has any; the name is a format such as "{} {}"."""
    return [
        Pair(name.format(key, letter), one[f"{layer}.{key}"], other[f"{layer}.{key}"])
        for key, letter in (("weight", "W"), ("bias", "b"))
        if f"{layer}.{key}" in one
    ]
