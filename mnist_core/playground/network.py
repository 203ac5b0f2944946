"""The playground's network: features, hidden layers, an output, and what each neuron sees."""

from __future__ import annotations

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
    "decided",
    "features_of",
    "grid",
    "linear_layers",
    "loss_function",
    "neuron_maps",
    "parameter_at",
    "penalty",
    "shown_output",
    "target",
    "wrong",
]

FEATURE_FUNCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "x1": lambda x1, x2: x1,  # noqa: ARG005
    "x2": lambda x1, x2: x2,  # noqa: ARG005
    "x1sq": lambda x1, x2: x1**2,  # noqa: ARG005
    "x2sq": lambda x1, x2: x2**2,  # noqa: ARG005
    "x1x2": lambda x1, x2: x1 * x2,
    "sinx1": lambda x1, x2: x1.sin(),  # noqa: ARG005
    "sinx2": lambda x1, x2: x2.sin(),  # noqa: ARG005
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
    """Compute what the network looks at: (N, 2) -> (N, F), a column a feature, not scaled."""
    return torch.stack([FEATURE_FUNCTIONS[name](x[:, 0], x[:, 1]) for name in names], dim=1)


def build(setup: Setup, generator: torch.Generator) -> nn.Sequential:
    """Build a set-up's network with the weights that the generator gives.

    Returns
    -------
    nn.Sequential
        (N, F) features -> (N, 1), or (N, C) for C > 2 classes: logits for the cross-entropy, the
        quantity itself where one is predicted; for the squared error of classes the last layer is
        tanh (-1 to 1) for two classes and softmax for more.
    """
    sizes = [len(setup.features), *setup.layers]
    with torch.device("meta"):  # draws no number
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
    """Return the layers that have weights, in order."""
    return [layer for layer in model if isinstance(layer, nn.Linear)]


def parameter_at(
    model: nn.Sequential, layer: int, unit: int, source: int | str
) -> tuple[Tensor, tuple[int, ...]]:
    """Find one weight or bias: return the tensor, to be written to, and the place in it.

    Parameters
    ----------
    layer, unit : int
        Which of `linear_layers`, and which neuron in it.
    source : int or "bias"
        The neuron of the column before.

    Raises
    ------
    ValueError
        If there is none.
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
    """Return the loss of a batch: (what the network puts out, `target`) -> scalar, a mean."""
    if setup.effective_loss == "squared":
        return F.mse_loss
    return F.binary_cross_entropy_with_logits if setup.n_outputs == 1 else F.cross_entropy


def target(y: Tensor, setup: Setup) -> Tensor:
    """Return the right answers as `loss_function` takes them: classes or quantities (N,) -> target.

    (N, 1) float32 for one output: the quantity, or for two classes 0 and 1 (cross-entropy) or -1
    and 1 (squared error). For more classes (N,) int64 for the cross-entropy; (N, C) float32, 1 for
    the right class and 0 for the others, for the squared error.
    """
    squared = setup.effective_loss == "squared"
    if setup.n_outputs > 1:
        return F.one_hot(y, setup.n_outputs).float() if squared else y
    y = y.float()[:, None]
    return 2 * y - 1 if squared and setup.n_classes else y


def penalty(model: nn.Sequential, setup: Setup) -> Tensor:
    """Return what regularisation adds to the loss: rate times sum |w| (L1), or half sum w² (L2).

    Over all weights, not the biases.
    """
    if setup.regularisation == "none":
        return torch.zeros(())
    weights = torch.cat([layer.weight.flatten() for layer in linear_layers(model)])
    total = weights.abs().sum() if setup.regularisation == "L1" else weights.square().sum() / 2
    return setup.regularisation_rate * total


def wrong(out: Tensor, y: Tensor) -> Tensor:
    """Tell which points are on the wrong side: outputs (N, C or 1), classes (N,) -> (N,) bool."""
    decided = out.argmax(dim=1) if out.shape[1] > 1 else (out[:, 0] > 0).long()
    return decided != y


def grid(resolution: int) -> Tensor:
    """Return the centres of R x R pixels that cover the plane: (R * R, 2), from the upper left."""
    centres = (2 * torch.arange(resolution) + 1) / resolution - 1  # -1 to 1
    x2, x1 = torch.meshgrid(-RADIUS * centres, RADIUS * centres, indexing="ij")
    return torch.stack([x1.flatten(), x2.flatten()], dim=1)


def neuron_maps(
    model: nn.Sequential, setup: Setup, resolution: int, features: Tensor | None = None
) -> list[Tensor]:
    """Compute what every neuron puts out over the plane, in one forward pass.

    Parameters
    ----------
    resolution : int
        R, pixels along each side.
    features : (R * R, F) float32, optional
        Those of `grid`, if they are at hand.

    Returns
    -------
    list of (n, R, R) float32
        One for each column of the picture: the features, each hidden layer after its activation,
        the output as `shown_output` has it. Row 0 is the top (x2 near 6), column 0 the left.
    """
    with torch.inference_mode():
        out = features_of(grid(resolution), setup.features) if features is None else features
        columns = [out]
        for layer in model:
            out = layer(out)
            if not isinstance(layer, nn.Linear):
                columns.append(out)
        n_hidden = len(setup.layers)
        columns = [*columns[: n_hidden + 1], shown_output(out, setup)]
        return [column.T.contiguous().view(-1, resolution, resolution) for column in columns]


def shown_output(out: Tensor, setup: Setup) -> Tensor:
    """Turn the network's output into what the picture shows.

    Two classes: p(class 1) - p(class 0), -1 to 1 (for logits z that is tanh(z / 2)); more classes:
    probabilities; a quantity as it is.
    """
    if setup.effective_loss == "squared":
        return out
    return torch.tanh(out / 2) if setup.n_outputs == 1 else cast(Tensor, out.softmax(dim=1))


def decided(output: Tensor, setup: Setup) -> Tensor:
    """Leave the decision alone of what `shown_output` has: (K, R, R) of -1 and 1, or of 0 and 1."""
    if setup.n_outputs == 1:
        return torch.where(output > 0, 1.0, -1.0)
    return (output == output.max(dim=0, keepdim=True).values).float()
