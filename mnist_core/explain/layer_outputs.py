"""The output of every layer of a network for one image.

All functions take a model of `mnist_core.nn.architectures` in ``eval`` mode and do not change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.data.inputs import to_input

__all__ = [
    "DivergedModelError",
    "LayerOutput",
    "finite",
    "kind_of",
    "layer_outputs",
    "pre_activations",
    "strongest_place",
]


class DivergedModelError(ValueError):
    """The model's outputs are not finite: there is nothing to explain."""

    def __init__(self) -> None:
        super().__init__(
            "This model's outputs are no longer numbers: it diverged while it was trained. "
            "Choose another model."
        )


def finite(values: Tensor) -> Tensor:
    """Return the values, or raise `DivergedModelError` if one of them is not finite."""
    if not torch.isfinite(values).all():
        raise DivergedModelError
    return values


@dataclass(frozen=True, slots=True)
class LayerOutput:
    """The output of one layer for one image.

    Attributes
    ----------
    name : str
        The layer's name in the model.
    kind : str
        The layer's class and sizes, such as "Conv2d 5×5, stride 2".
    maps : (C, H, W) or (N,) float32
        A stack of feature maps, or a vector.
    kernels : (C, C_in, k, k) float32 or None
        The kernels of a convolution, one for each map; None for any other layer.
    """

    name: str
    kind: str
    maps: np.ndarray
    kernels: np.ndarray | None = None

    @property
    def dimensions(self) -> str:
        """The shape of the output, such as "16 × 14 × 14"."""
        return " × ".join(f"{n:,}" for n in self.maps.shape)


def layer_outputs(model: nn.Sequential, image: np.ndarray) -> tuple[LayerOutput, ...]:
    """Run an image of (28, 28) uint8 through a model and return the output of every layer.

    Raises
    ------
    ValueError
        If the image has another shape or type.
    DivergedModelError
    """
    outputs = []
    with torch.inference_mode():
        x = to_input(image[None])
        for name, layer in model.named_children():
            x = layer(x)  # (1, C, H, W) or (1, N)
            kernels = layer.weight.numpy().copy() if isinstance(layer, nn.Conv2d) else None
            outputs.append(LayerOutput(name, kind_of(layer), x[0].numpy().copy(), kernels))
        finite(x)
    return tuple(outputs)


def pre_activations(layers: Sequence[LayerOutput]) -> dict[str, np.ndarray]:
    """Return the input of each ReLU, by the name of the layer before it: (N,) float32 each."""
    return {
        before.name: before.maps.ravel()
        for before, layer in pairwise(layers)
        if layer.kind == "ReLU"
    }


def strongest_place(maps: np.ndarray, unit: int) -> tuple[int, ...]:
    """Return where a feature map is farthest from 0: (row, column); () for a vector.

    Parameters
    ----------
    maps : (C, H, W) or (N,) float32
    unit : int
    """
    place = np.unravel_index(np.abs(maps[unit]).argmax(), maps[unit].shape)
    return tuple(int(i) for i in place)


def kind_of(layer: nn.Module) -> str:
    """Return a layer's class and the sizes that matter, such as "Conv2d 5×5, stride 2"."""
    name = type(layer).__name__
    if isinstance(layer, nn.Conv2d):
        return f"{name} {_window(layer.kernel_size)}{_stride(layer.stride, 1)}"
    if isinstance(layer, nn.MaxPool2d):
        return f"{name} {_window(layer.kernel_size)}{_stride(layer.stride, layer.kernel_size)}"
    if isinstance(layer, nn.Linear):
        return f"{name} {layer.in_features:,} to {layer.out_features:,}"
    return name


def _window(size: int | tuple[int, ...]) -> str:
    height, width = size if isinstance(size, tuple) else (size, size)
    return f"{height}×{width}"


def _stride(stride: int | tuple[int, ...], usual: int | tuple[int, ...]) -> str:
    """Return ", stride 2", or "" for the usual stride."""
    if _window(stride) == _window(usual):
        return ""
    return f", stride {stride[0] if isinstance(stride, tuple) else stride}"
