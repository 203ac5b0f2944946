"""The playground's network: its features, layers and loss, and each neuron's map of the plane."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnist_core.nn.architectures import initialise
from mnist_core.playground.own_points import RADIUS
from mnist_core.playground.setups import Setup

__all__ = [
    "ACTIVATION_LAYERS",
    "FEATURE_FUNCTIONS",
    "build",
    "features_of",
    "grid",
    "linear_layers",
    "loss_function",
    "misclassified",
    "neuron_maps",
    "parameter_at",
    "penalty",
    "shown_output",
    "target",
]

FEATURE_FUNCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "x1": lambda x1, _: x1,
    "x2": lambda _, x2: x2,
    "x1sq": lambda x1, _: x1**2,
    "x2sq": lambda _, x2: x2**2,
    "x1x2": lambda x1, x2: x1 * x2,
    "sinx1": lambda x1, _: x1.sin(),
    "sinx2": lambda _, x2: x2.sin(),
}
ACTIVATION_LAYERS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
Loss = Callable[[Tensor, Tensor], Tensor]


def features_of(x: Tensor, names: tuple[str, ...]) -> Tensor:
    """Compute the network's input: points (N, 2) -> (N, F), one column per feature, unscaled."""
    return torch.stack([FEATURE_FUNCTIONS[name](x[:, 0], x[:, 1]) for name in names], dim=1)


def build(setup: Setup, generator: torch.Generator) -> nn.Sequential:
    """Build the network of a setup, with initial weights drawn from the generator.

    Returns
    -------
    nn.Sequential
        (N, F) features -> (N, 1), or (N, C) for C > 2 classes. It returns logits for the
        cross-entropy and the predicted value for regression. For classes with the squared error,
        the last layer is tanh (two classes) or softmax (more).
    """
    sizes = [len(setup.features), *setup.layers]
    with torch.device("meta"):  # draws no random numbers
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), ACTIVATION_LAYERS[setup.activation]()]
        layers.append(nn.Linear(sizes[-1], setup.n_outputs))
    if setup.n_classes and setup.effective_loss == "squared":
        layers.append(nn.Tanh() if setup.n_outputs == 1 else nn.Softmax(dim=1))
    model = nn.Sequential(*layers).to_empty(device="cpu")
    initialise(model, generator)
    return model


def linear_layers(model: nn.Sequential) -> list[nn.Linear]:
    """Return the layers with weights, in order."""
    return [layer for layer in model if isinstance(layer, nn.Linear)]


def parameter_at(
    model: nn.Sequential, layer: int, unit: int, source: int | str
) -> tuple[Tensor, tuple[int, ...]]:
    """Find one weight or bias: return the (writable) tensor and the index in it.

    Parameters
    ----------
    layer, unit : int
        The index in `linear_layers`, and the neuron of that layer.
    source : int or "bias"
        The neuron of the previous column.

    Raises
    ------
    ValueError
        If there is no such weight.
    """
    layers = linear_layers(model)
    index = (unit,) if source == "bias" else (unit, source)
    if type(layer) is int and 0 <= layer < len(layers):
        tensor = (layers[layer].bias if source == "bias" else layers[layer].weight).detach()
        if all(type(i) is int and 0 <= i < n for i, n in zip(index, tensor.shape, strict=True)):
            return tensor, index  # type: ignore[return-value]
    shapes = ", ".join(f"{one.out_features} by {one.in_features}" for one in layers)
    raise ValueError(
        f"There is no weight from {source!r} to neuron {unit!r} of layer {layer!r}: the layers "
        f"have {shapes} (neurons by sources), counted from 0."
    )


def loss_function(setup: Setup) -> Loss:
    """Return the loss of a batch: (network output, `target`) -> scalar, the mean."""
    if setup.effective_loss == "squared":
        return F.mse_loss
    return F.binary_cross_entropy_with_logits if setup.n_outputs == 1 else F.cross_entropy


def target(y: Tensor, setup: Setup) -> Tensor:
    """Turn labels into the target of `loss_function`: classes or values (N,) -> target.

    One output: (N, 1) float32, the value, or for two classes 0 and 1 (cross-entropy) or -1 and 1
    (squared error). More classes: (N,) int64 for the cross-entropy, (N, C) float32 one-hot for the
    squared error.
    """
    squared = setup.effective_loss == "squared"
    if setup.n_outputs > 1:
        return F.one_hot(y, setup.n_outputs).float() if squared else y
    y = y.float()[:, None]
    return 2 * y - 1 if squared and setup.n_classes else y


def penalty(model: nn.Sequential, setup: Setup) -> Tensor:
    """Return the regularisation penalty: rate times the sum of |w| (L1) or of w² / 2 (L2).

    The sum is over all weights, without the biases.
    """
    if setup.regularisation == "none":
        return torch.zeros(())
    weights = torch.cat([layer.weight.flatten() for layer in linear_layers(model)])
    total = weights.abs().sum() if setup.regularisation == "L1" else weights.square().sum() / 2
    return setup.regularisation_rate * total


def misclassified(out: Tensor, y: Tensor) -> Tensor:
    """Compare predicted and true classes: outputs (N, C or 1), classes (N,) -> (N,) bool."""
    predicted = out.argmax(dim=1) if out.shape[1] > 1 else (out[:, 0] > 0).long()
    return predicted != y


def grid(resolution: int) -> Tensor:
    """Return the centres of R x R pixels that cover the plane: (R * R, 2), from the top left."""
    centres = (2 * torch.arange(resolution) + 1) / resolution - 1  # -1 to 1
    x2, x1 = torch.meshgrid(-RADIUS * centres, RADIUS * centres, indexing="ij")
    return torch.stack([x1.flatten(), x2.flatten()], dim=1)


def neuron_maps(model: nn.Sequential, setup: Setup, features: Tensor) -> list[Tensor]:
    """Compute the output of every neuron over the plane, in one forward pass.

    Parameters
    ----------
    features : (R * R, F) float32
        `features_of` the points of `grid`, with R pixels along each side.

    Returns
    -------
    list of (n, R, R) float32
        One array per column of the picture: the features, each hidden layer after its activation,
        and `shown_output`. Row 0 is the top (x2 near 6), column 0 the left (x1 near -6).
    """
    side = math.isqrt(len(features))
    with torch.inference_mode():
        out = features
        columns = [out]
        for layer in model:
            out = layer(out)
            if not isinstance(layer, nn.Linear):
                columns.append(out)
        columns = [*columns[: len(setup.layers) + 1], shown_output(out, setup)]
        return [column.T.contiguous().view(-1, side, side) for column in columns]


def shown_output(out: Tensor, setup: Setup) -> Tensor:
    """Turn the network's output into the values that the picture shows.

    Two classes: p(class 1) - p(class 0), -1 to 1, which for a logit z is tanh(z / 2). More classes:
    the probabilities. Regression: the predicted value.
    """
    if setup.effective_loss == "squared":
        return out
    return torch.tanh(out / 2) if setup.n_outputs == 1 else cast(Tensor, out.softmax(dim=1))
