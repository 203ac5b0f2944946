"""All tensors of one training step: the values on the way up, the gradients on the way down."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.nn import numpy_network
from mnist_core.nn.optimisers import SGD

__all__ = ["StepTensors", "step_in_numpy", "step_in_torch", "update_in_numpy"]


@dataclass(frozen=True, slots=True)
class StepTensors:
    """A step as one of the two took it; all arrays float32.

    Attributes
    ----------
    values : list of ndarray
        The images, then what each layer gives: one more than there are layers.
    p : (B, 10)
        The probabilities.
    loss, loss_after : float
        Before the step, and of the same images after it.
    gradients : list of ndarray
        dL / d value for each of the values.
    before, weight_gradients, after : dict of str to ndarray
        By PyTorch's names, such as ``l1.weight``.
    """

    values: list[np.ndarray]
    p: np.ndarray
    loss: float
    gradients: list[np.ndarray]
    before: dict[str, np.ndarray]
    weight_gradients: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    loss_after: float


def step_in_torch(
    model: nn.Sequential, x: Tensor, labels: Tensor, learning_rate: float
) -> StepTensors:
    """Take the step with autograd, on a copy of the model.

    Parameters
    ----------
    x : (B, 1, 28, 28) float32, 0 to 1
    labels : (B,) int64, 0 to 9
    """
    model = copy.deepcopy(model).requires_grad_()
    optimiser = SGD(model.parameters(), learning_rate)
    with torch.enable_grad():
        values = [x.detach().requires_grad_()]
        for layer in model:
            values.append(layer(values[-1]))
        for value in values:
            value.retain_grad()  # PyTorch keeps the gradients of the weights alone, unless asked
        loss = nn.CrossEntropyLoss()(values[-1], labels)
        loss.backward()
    before = {name: _array(p) for name, p in model.named_parameters()}
    weight_gradients = {name: _array(p.grad) for name, p in model.named_parameters()}
    optimiser.step()
    with torch.inference_mode():
        loss_after = nn.CrossEntropyLoss()(model(x), labels)
    return StepTensors(
        [_array(value) for value in values],
        _array(torch.softmax(values[-1], dim=1)),
        loss.item(),
        [_array(value.grad) for value in values],
        before,
        weight_gradients,
        {name: _array(p) for name, p in model.named_parameters()},
        loss_after.item(),
    )


def _array(tensor: Tensor | None) -> np.ndarray:
    if tensor is None:
        raise ValueError("expected a gradient for every tensor: some layer lets none through.")
    return tensor.detach().numpy().copy()


def step_in_numpy(
    model: nn.Sequential, x: np.ndarray, labels: np.ndarray, learning_rate: float
) -> StepTensors:
    """Take the same step with every gradient written out by hand; arguments as arrays."""
    network = numpy_network.Network.copy_of(model)
    layers = list(network.layers.values())
    values = [x]
    for layer in layers:
        values.append(layer.forward(values[-1]))
    loss, dlogits = numpy_network.cross_entropy(values[-1], labels)
    gradients = [dlogits]
    for layer in reversed(layers):
        gradients.insert(0, layer.backward(gradients[0]))
    before = {name: weight.copy() for name, weight in network.weights().items()}
    weight_gradients = {
        f"{name}.{key}": gradient
        for name, layer in network.layers.items()
        for key, gradient in layer.gradients.items()
    }
    p = np.exp(numpy_network.log_softmax(values[-1]))
    for layer in layers:
        update_in_numpy(layer, learning_rate)
    loss_after, _ = numpy_network.cross_entropy(network.forward(x), labels)
    return StepTensors(
        values, p, loss, gradients, before, weight_gradients, network.weights(), loss_after
    )


def update_in_numpy(layer: numpy_network.Layer, learning_rate: float) -> None:
    """Move a layer's weights against their gradients."""
    for name, gradient in layer.gradients.items():
        layer.weights[name] -= learning_rate * gradient
