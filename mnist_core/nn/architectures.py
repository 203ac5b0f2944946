"""The networks of the lesson, built from a seed or from given weights."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Parameter",
    "build",
    "count_parameters",
    "initialise",
    "parameters_of",
    "tensor_shapes",
    "with_weights",
]


def linear() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),  # (B, 1, 28, 28) -> (B, 784)
            l1=nn.Linear(784, 10),  # (B, 784) -> (B, 10), the logits
        )
    )


def mlp() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),  # (B, 1, 28, 28) -> (B, 784)
            l1=nn.Linear(784, 128),  # (B, 784) -> (B, 128)
            relu=nn.ReLU(),
            l2=nn.Linear(128, 10),  # (B, 128) -> (B, 10), the logits
        )
    )


def cnn() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, kernel_size=5, stride=2, padding=2),  # -> (B, 16, 14, 14)
            relu1=nn.ReLU(),
            pool=nn.MaxPool2d(2),  # -> (B, 16, 7, 7)
            conv2=nn.Conv2d(16, 64, kernel_size=3, padding=1),  # -> (B, 64, 7, 7)
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # -> (B, 3136)
            l1=nn.Linear(3136, 32),  # -> (B, 32)
            relu3=nn.ReLU(),
            l2=nn.Linear(32, 10),  # -> (B, 10), the logits
        )
    )


def deep() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, kernel_size=5, stride=2, padding=2),  # -> (B, 16, 14, 14)
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 32, kernel_size=3, padding=1),  # -> (B, 32, 14, 14)
            relu2=nn.ReLU(),
            pool=nn.MaxPool2d(2),  # -> (B, 32, 7, 7)
            conv3=nn.Conv2d(32, 64, kernel_size=3, padding=1),  # -> (B, 64, 7, 7)
            relu3=nn.ReLU(),
            flatten=nn.Flatten(),  # -> (B, 3136)
            l1=nn.Linear(3136, 64),  # -> (B, 64)
            relu4=nn.ReLU(),
            l2=nn.Linear(64, 10),  # -> (B, 10), the logits
        )
    )


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network's name, what the page calls it, and the function that makes its layers."""

    name: str
    title: str
    summary: str
    layers: Callable[[], nn.Sequential]


ARCHITECTURES = {
    row.name: row
    for row in (
        Architecture("linear", "Linear", "one linear layer, 784 to 10", linear),
        Architecture("mlp", "MLP", "a hidden layer of 128 units with ReLU", mlp),
        Architecture("cnn", "Small CNN", "two convolutions, then two linear layers", cnn),
        Architecture("deep", "Deeper CNN", "a third convolution, twice the arithmetic", deep),
    )
}


@cache
def tensor_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Return {name in ``state_dict``: shape} of an architecture's weights; do not change it."""
    return {p.name: p.shape for p in parameters_of(_skeleton(name))}


def build(name: str, seed: int) -> nn.Sequential:
    """Build an architecture with random weights, the same for the same seed.

    The weights are those that ``torch.manual_seed(seed)`` and the plain constructor give, but they
    come from a separate generator: all visitors share torch's global one.

    Parameters
    ----------
    name : str
        A key of `ARCHITECTURES`.
    seed : int

    Returns
    -------
    nn.Sequential
        Takes (B, 1, 28, 28) float32 in [0, 1], gives (B, 10) float32 logits.

    Raises
    ------
    ValueError
        If no architecture has that name.
    """
    model = _skeleton(name).to_empty(device="cpu")
    initialise(model, torch.Generator().manual_seed(seed))
    return _in_channels_last(model)  # only now: the order of the memory decides who gets which draw


def _skeleton(name: str) -> nn.Sequential:
    """Make the layers without memory and random numbers, on torch's "meta" device."""
    if name not in ARCHITECTURES:
        raise ValueError(f"expected one of {', '.join(ARCHITECTURES)}, got {name!r}.")
    with torch.device("meta"):
        return ARCHITECTURES[name].layers()


def _in_channels_last(model: nn.Sequential) -> nn.Sequential:
    """Store the kernels of convolutions in the order that PyTorch computes fastest, by a fifth."""
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def initialise(model: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights and biases as PyTorch does: uniform in +-1 / sqrt(fan_in).

    Source: ``nn.Linear.reset_parameters`` and ``nn.Conv2d.reset_parameters`` (Kaiming-uniform with
    a = sqrt(5), which gives this bound).
    """
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                bound = 1 / math.sqrt(module.weight[0].numel())  # fan_in
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.uniform_(-bound, bound, generator=generator)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A trainable tensor of a model: its name in ``state_dict``, its shape and size."""

    name: str
    shape: tuple[int, ...]
    count: int


def parameters_of(model: nn.Module) -> list[Parameter]:
    """List a model's trainable tensors in order."""
    return [Parameter(n, tuple(p.shape), p.numel()) for n, p in model.named_parameters()]


def count_parameters(model: nn.Module) -> int:
    """Count a model's trainable numbers."""
    return sum(p.count for p in parameters_of(model))


def with_weights(name: str, weights: dict[str, Tensor]) -> nn.Sequential:
    """Build an architecture with given weights, ready to predict.

    Raises
    ------
    ValueError
        If the tensors' names or shapes do not fit the architecture.
    """
    model = _skeleton(name)
    try:
        model.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise ValueError(f"these weights do not fit the {name!r} architecture: {error}") from error
    return _in_channels_last(model).requires_grad_(False).eval()
