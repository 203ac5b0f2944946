"""All tensors of one training step, recorded: values, gradients, and weights before and after."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.nn import numpy_network
from mnist_core.nn.optimisers import SGD

__all__ = ["StepTensors", "trace_step_in_numpy", "trace_step_in_torch"]


@dataclass(frozen=True, slots=True)
class StepTensors:
    """The tensors of a step as PyTorch or NumPy computes it; all arrays float32.

    Attributes
    ----------
    values : list of ndarray
        The images, then the output of each layer.
    p : (B, 10)
        The probabilities.
    loss, loss_after : float
        The loss of the same images before and after the step.
    gradients : list of ndarray
        dL / d value for each of the values.
    before, weight_gradients, after : dict of str to ndarray
        By PyTorch's names of the weights, such as ``l1.weight``.
    """

    values: list[np.ndarray]
    p: np.ndarray
    loss: float
    gradients: list[np.ndarray]
    before: dict[str, np.ndarray]
    weight_gradients: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    loss_after: float


def trace_step_in_torch(
    model: nn.Sequential, x: Tensor, labels: Tensor, learning_rate: float
) -> StepTensors:
    """Take a step of SGD with autograd, on a copy of the model, and record every tensor.

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
            value.retain_grad()  # by default PyTorch stores only the gradients of the weights
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
        raise ValueError("expected a gradient for every tensor: one layer passes none on.")
    return tensor.detach().numpy().copy()


def trace_step_in_numpy(
    model: nn.Sequential, x: np.ndarray, labels: np.ndarray, learning_rate: float
) -> StepTensors:
    """Take the same step in NumPy, with every gradient written out by hand."""
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
        f"{name}.{key}": gradient.copy()
        for name, layer in network.layers.items()
        for key, gradient in layer.gradients.items()
    }
    p = np.exp(numpy_network.log_softmax(values[-1]))
    for layer in layers:
        layer.update(learning_rate)
    loss_after, _ = numpy_network.cross_entropy(network.forward(x), labels)
    return StepTensors(
        values, p, loss, gradients, before, weight_gradients, network.weights(), loss_after
    )
