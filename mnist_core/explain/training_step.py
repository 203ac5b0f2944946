"""One step of SGD in stages: forward, loss, backward and update, in PyTorch and in NumPy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from mnist_core.common.comparison import Check, worst
from mnist_core.concepts.step_tensors import ComparedStep, compared_step
from mnist_core.explain.layer_formulas import LOSS, LOSS_BACKWARD, UPDATE, formulas_of
from mnist_core.explain.layer_outputs import DivergedModelError, kind_of
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
        An input of the layer is the same array in both.
    check : Check
    """

    name: str
    in_torch: np.ndarray
    in_numpy: np.ndarray
    check: Check


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
        """The worst check of its tensors."""
        return worst(pair.check for pair in self.pairs)


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
        """The worst check of all tensors."""
        return worst(stage.check for stage in self.stages)


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
    own = copy.deepcopy(model).requires_grad_()
    with np.errstate(all="ignore"):  # of a model that diverged
        step = compared_step(own, images, labels, learning_rate)
    if not all(np.isfinite(tensor).all() for tensor in step.in_torch.all()):
        raise DivergedModelError
    stages = [*_forward(model, step), _loss(step)]
    stages += [*_backward(model, step), *_update(model, step, learning_rate)]
    return Walk(tuple(stages), float(step.in_torch.loss), step.loss_after)


def _forward(model: nn.Sequential, step: ComparedStep) -> list[StepStage]:
    stages = []
    for i, (name, layer) in enumerate(model.named_children()):
        both = formulas_of(layer)
        pairs = (
            _given("input x", step, "values", i),
            *_weights(name, "{} {}", step, "before"),
            _pair("output y", step, "values", i + 1),
        )
        line, code = f"y = model.{name}(x)", both.forward_in_numpy
        stages.append(StepStage("Forward", name, kind_of(layer), both.forward, line, code, pairs))
    return stages


def _loss(step: ComparedStep) -> StepStage:
    pairs = (
        _given("logits z", step, "values", -1),
        _pair("probabilities p", step, "p"),
        _pair("loss L", step, "loss"),
    )
    line = "loss = nn.CrossEntropyLoss()(z, labels)"
    code = (numpy_network.log_softmax, numpy_network.cross_entropy)
    return StepStage("Loss", "loss", "CrossEntropyLoss", LOSS, line, code, pairs)


def _backward(model: nn.Sequential, step: ComparedStep) -> list[StepStage]:
    stages = [
        StepStage(
            "Backward",
            "loss",
            "CrossEntropyLoss",
            LOSS_BACKWARD,
            "loss.backward()",
            (numpy_network.cross_entropy,),
            (_pair("gradient dL/dz", step, "gradients", -1),),
        )
    ]
    for i, (name, layer) in reversed(list(enumerate(model.named_children()))):
        both = formulas_of(layer)
        weights = _weights(name, "gradient dL/d{1}", step, "weight_gradients")
        pairs = (
            _given("gradient dL/dy", step, "gradients", i + 1),
            *weights,
            _pair("gradient dL/dx", step, "gradients", i),
        )
        line, code = f"loss.backward()  # the same call reaches {name}", both.backward_in_numpy
        if weights:
            line = f"loss.backward()  # sets model.{name}.weight.grad and model.{name}.bias.grad"
        stages.append(StepStage("Backward", name, kind_of(layer), both.backward, line, code, pairs))
    return stages


def _update(model: nn.Sequential, step: ComparedStep, learning_rate: float) -> list[StepStage]:
    stages = []
    for i, (name, layer) in enumerate(model.named_children()):
        pairs = (
            *_weights(name, "{} {}, before", step, "before"),
            *_weights(name, "gradient dL/d{1}", step, "weight_gradients"),
            *_weights(name, "{} {}, after", step, "after"),
        )
        if not pairs:
            continue
        line = (
            f"optimiser.step()  # model.{name}.weight -= {learning_rate:g} * "
            f"model.{name}.weight.grad"
        )
        code = (numpy_network.Layer.update,)
        pictured = step.in_torch.before[f"{name}.weight"].shape[1:]
        if i and isinstance(model[i - 1], nn.Flatten):
            pictured = step.in_torch.values[i - 1].shape[1:]
        stages.append(
            StepStage("Update", name, kind_of(layer), UPDATE, line, code, pairs, pictured)
        )
    return stages


def _pair(name: str, step: ComparedStep, field: str, key: str | int | None = None) -> Pair:
    in_torch, in_numpy = step.in_torch.tensor(field, key), step.in_numpy.tensor(field, key)
    return Pair(name, in_torch, in_numpy, step.check(field, key))


def _given(name: str, step: ComparedStep, field: str, key: int) -> Pair:
    """Pair an input of a layer with itself: NumPy gets PyTorch's."""
    tensor = step.in_torch.tensor(field, key)
    return Pair(name, tensor, tensor, Check(0.0, 0.0))


def _weights(layer: str, name: str, step: ComparedStep, field: str) -> list[Pair]:
    """Pair a layer's weights and biases, if it has any; the name is a format such as "{} {}"."""
    return [
        _pair(name.format(key, letter), step, field, f"{layer}.{key}")
        for key, letter in (("weight", "W"), ("bias", "b"))
        if f"{layer}.{key}" in step.in_torch.before
    ]
