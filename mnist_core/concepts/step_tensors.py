"""All tensors of one training step, by PyTorch and by NumPy, and how far rounding can move each.

NumPy computes each layer by itself: it gets PyTorch's input of the layer and PyTorch's dL/dy. So a
near-tie in max-pooling or a number close to 0 before a ReLU is the same for both, and a difference
is the rounding of one layer, not what all layers before made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.common.comparison import Check, judge, worst
from mnist_core.concepts.rounding import cross_entropy_bounds, gamma, sum_bound
from mnist_core.data.inputs import to_input
from mnist_core.nn import numpy_network
from mnist_core.nn.numpy_network import Network
from mnist_core.nn.optimisers import SGD
from mnist_core.training.engine import cross_entropy, training_step

__all__ = [
    "ComparedStep",
    "StepTensors",
    "compared_step",
    "step_in_torch",
    "trace_step_in_numpy",
    "trace_step_in_torch",
]


@dataclass(frozen=True, slots=True)
class StepTensors:
    """The tensors of a step.

    Attributes
    ----------
    values : list of ndarray
        The images, then the output of each layer.
    p : (B, 10)
        The probabilities.
    loss : ()
        The loss before the step.
    gradients : list of ndarray
        dL / d value for each of the values.
    before, weight_gradients, after : dict of str to ndarray
        By PyTorch's names of the weights, such as ``l1.weight``.
    """

    values: list[np.ndarray]
    p: np.ndarray
    loss: np.ndarray
    gradients: list[np.ndarray]
    before: dict[str, np.ndarray]
    weight_gradients: dict[str, np.ndarray]
    after: dict[str, np.ndarray]

    def tensor(self, field: str, key: str | int | None = None) -> np.ndarray:
        """Return one tensor: ``tensor("values", 2)``, ``tensor("after", "l1.weight")``."""
        found = getattr(self, field)
        return np.asarray(found if key is None else found[key])

    def all(self) -> list[np.ndarray]:
        """List the tensors that the step computes, always in the same order."""
        weights = (*self.weight_gradients.values(), *self.after.values())
        return [*self.values[1:], self.p, self.loss, *self.gradients, *weights]


def step_in_torch(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, lr: float
) -> tuple[float, float]:
    """Take a step of SGD; return the loss before and after it. The model is changed."""
    x, y = to_input(images), torch.tensor(labels)
    optimiser = SGD(model.parameters(), learning_rate=lr)
    loss_before = training_step(model, optimiser, x, y).item()
    loss_after = cross_entropy(model(x), y).item()
    return loss_before, loss_after


def trace_step_in_torch(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, lr: float
) -> tuple[StepTensors, float]:
    """Take a step and record its float32 tensors; return them and the loss after it."""
    before = {name: _array(p) for name, p in model.named_parameters()}
    with torch.enable_grad(), recorded(model) as values:
        loss, loss_after = step_in_torch(model, images, labels, lr)
    del values[len(model) + 1 :]  # the second forward pass, for the loss after the step
    tensors = StepTensors(
        [_array(value) for value in values],
        _array(torch.softmax(values[-1], dim=1)),
        np.array(loss),
        [_array(value.grad) for value in values],
        before,
        {name: _array(p.grad) for name, p in model.named_parameters()},
        {name: _array(p) for name, p in model.named_parameters()},
    )
    return tensors, loss_after


@contextmanager
def recorded(model: nn.Sequential) -> Iterator[list[Tensor]]:
    """Record the input of the model and the output of each layer, with their gradients."""
    values: list[Tensor] = []

    def note_input(_: nn.Module, inputs: tuple[Tensor]) -> None:
        values.append(inputs[0].requires_grad_())

    def note_output(_: nn.Module, __: tuple[Tensor], output: Tensor) -> None:
        output.retain_grad()  # by default PyTorch stores only the gradients of the weights
        values.append(output)

    hooks = [model.register_forward_pre_hook(note_input)]
    hooks += [layer.register_forward_hook(note_output) for layer in model]
    try:
        yield values
    finally:
        for hook in hooks:
            hook.remove()


def _array(tensor: Tensor | None) -> np.ndarray:
    if tensor is None:
        raise ValueError("expected a gradient for every tensor: one layer passes none on.")
    return tensor.detach().numpy().copy()


def trace_step_in_numpy(
    network: Network, given: StepTensors, labels: np.ndarray, lr: float
) -> StepTensors:
    """Compute the same step layer by layer, from the inputs that PyTorch gave each layer.

    Parameters
    ----------
    network : Network
        With the weights before the step; it is changed.
    given : StepTensors
        The step as PyTorch took it.
    """
    layers = network.layers.values()
    y = [layer.forward(x) for layer, x in zip(layers, given.values[:-1], strict=True)]
    logits = given.values[-1]
    p = np.exp(numpy_network.log_softmax(logits))
    loss, dlogits = numpy_network.cross_entropy(logits, labels)
    dx = [layer.backward(dy) for layer, dy in zip(layers, given.gradients[1:], strict=True)]
    weight_gradients = {
        f"{name}.{key}": gradient.copy()
        for name, layer in network.layers.items()
        for key, gradient in layer.gradients.items()
    }
    for layer in layers:
        layer.update(lr)
    return StepTensors(
        [given.values[0], *y],
        p,
        np.array(loss),
        [*dx, dlogits],
        given.before,
        weight_gradients,
        network.weights(),
    )


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """A step by PyTorch and by NumPy, the exact one, and how far rounding can move each tensor.

    Attributes
    ----------
    in_torch, in_numpy, exact, bounds : StepTensors
        ``exact`` is computed in float64, from the same float32 inputs.
    loss_after : float
        PyTorch's loss of the same images after the step.
    """

    in_torch: StepTensors
    in_numpy: StepTensors
    exact: StepTensors
    bounds: StepTensors
    loss_after: float

    def check(self, field: str, key: str | int | None = None) -> Check:
        """Compare one tensor, named as for `StepTensors.tensor`."""
        steps = (self.in_torch, self.in_numpy, self.exact, self.bounds)
        return judge(*(step.tensor(field, key) for step in steps))

    def check_all(self) -> Check:
        """Compare every tensor of the step; return the check of the worst."""
        steps = (self.in_torch, self.in_numpy, self.exact, self.bounds)
        return worst(judge(*four) for four in zip(*(step.all() for step in steps), strict=True))


def compared_step(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, lr: float
) -> ComparedStep:
    """Take a step of SGD in PyTorch and in NumPy. The model is changed.

    Parameters
    ----------
    images : (B, 28, 28) uint8, 0 to 255
    labels : (B,) int64, 0 to 9
    """
    by_hand, absolute = Network.copy_of(model), Network.copy_of(model)
    exact = Network.copy_of(model, np.float64)
    given, loss_after = trace_step_in_torch(model, images, labels, lr)
    widened = replace(
        given,
        values=[value.astype(np.float64) for value in given.values],
        gradients=[gradient.astype(np.float64) for gradient in given.gradients],
    )
    return ComparedStep(
        given,
        trace_step_in_numpy(by_hand, given, labels, lr),
        trace_step_in_numpy(exact, widened, labels, lr),
        _bounds(absolute, given, labels, lr),
        loss_after,
    )


def _bounds(network: Network, given: StepTensors, labels: np.ndarray, lr: float) -> StepTensors:
    """Return how far rounding can move each tensor; the network is changed.

    The same step with the absolute values of all weights, inputs and dL/dy gives the sums of the
    absolute products, which `sum_bound` needs. With the rate -lr, so does the update: abs(w) + lr
    abs(g). It has a rounding of lr, of lr g and of the subtraction; a fourth covers that g, too, is
    rounded. The error of g itself is multiplied by lr.
    """
    for weight in network.weights().values():
        np.abs(weight, out=weight)
    sizes = replace(
        given,
        values=[np.abs(value) for value in given.values],
        gradients=[np.abs(gradient) for gradient in given.gradients],
    )
    absolute = trace_step_in_numpy(network, sizes, labels, -lr)
    counts = {name: _products(layer, len(labels)) for name, layer in network.layers.items()}
    layers = list(enumerate(counts.values()))
    of_loss = cross_entropy_bounds(given.values[-1], labels)
    of_gradients = {
        name: sum_bound(size, counts[name.rsplit(".", 1)[0]][1])
        for name, size in absolute.weight_gradients.items()
    }
    return StepTensors(
        [
            np.zeros_like(given.values[0]),
            *(sum_bound(absolute.values[i + 1], n[0]) for i, n in layers),
        ],
        of_loss.p,
        np.array(of_loss.loss),
        [*(sum_bound(absolute.gradients[i], n[2]) for i, n in layers), of_loss.gradient],
        {name: np.zeros_like(weight) for name, weight in given.before.items()},
        of_gradients,
        {
            name: lr * of_gradients[name] + gamma(4) * size + np.finfo(np.float32).tiny
            for name, size in absolute.after.items()
        },
    )


def _products(layer: numpy_network.Layer, batch: int) -> tuple[int, int, int]:
    """Return how many products an entry of y, of dL/dW and of dL/dx adds up, at most.

    The bias counts as one. ReLU, Flatten and MaxPool2d only copy numbers: 0.
    """
    match layer:
        case numpy_network.Linear():
            n_out, n_in = layer.weights["weight"].shape
            return n_in + 1, batch, n_out
        case numpy_network.Conv2d():
            n_out, *inputs = layer.weights["weight"].shape
            places = int(np.prod(layer.windows.shape[2:4]))
            side = inputs[-1]
            return int(np.prod(inputs)) + 1, batch * places, n_out * side * side
    return 0, 0, 0
