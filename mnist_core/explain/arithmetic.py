"""The arithmetic of one number inside a network: its inputs, weights, products and bias.

Units and places are counted from 0, as in PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.data.inputs import to_input
from mnist_core.explain.layer_outputs import finite, kind_of
from mnist_core.explain.sums import DECIMALS, WrittenSum

__all__ = ["EVERY_PRODUCT", "Arithmetic", "open_number"]

EVERY_PRODUCT = 160  # up to this many products are printed, and rounded, one by one
LARGEST = 8  # terms of a sum that have a name; one more term adds up the others


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """One number inside a network, with everything it is computed from.

    Attributes
    ----------
    layer, kind : str
        The layer's name in the model, and its class and sizes, such as "Conv2d 5×5, stride 2".
    unit : int
        The index in the layer's output: of a feature map, or in the vector.
    place : (row, column) or ()
        The place on the feature map; () in a vector.
    source : str
        The layer before this one, or "image".
    operation : {"sum", "maximum", "relu", "copy"}
    corner : tuple of int
        The index in the source at which the inputs begin: (map, row, column) or (unit,). Rows and
        columns are negative in the padding.
    inputs : (C, H, W) or (N,) float32
        The numbers that this one depends on. After a Flatten they have the shape from before it.
    weights : (C, H, W) or (N,) float32, or None
        One for each input; None if the layer has no weights.
    bias : float
    value : float
        The result of PyTorch, in float32.
    after : float or None
        The value after the ReLU that follows; None if none follows.
    """

    layer: str
    kind: str
    unit: int
    place: tuple[int, ...]
    source: str
    operation: str
    corner: tuple[int, ...]
    inputs: np.ndarray
    weights: np.ndarray | None
    bias: float
    value: float
    after: float | None

    @property
    def products(self) -> np.ndarray:
        """Weight x input, exact in float64; the inputs if there are no weights."""
        inputs = self.inputs.astype(np.float64)
        return inputs if self.weights is None else inputs * self.weights

    @property
    def printed_products(self) -> np.ndarray:
        """The products as they are printed: rounded to `DECIMALS`."""
        return np.rint(self.products * 10**DECIMALS) / 10**DECIMALS

    def written(self) -> WrittenSum:
        """Return the value as a sum of at most eleven terms.

        The terms are parts of the image, or the units with the largest products and the rest as one
        term; then the bias. The products of a window, and up to 160 products of a vector, are
        printed one by one, so each term is the sum of its printed products.

        Raises
        ------
        ValueError
            If the layer has no weights, so that the value is no sum.
        """
        if self.weights is None:
            raise ValueError(f"expected a layer with weights, got {self.kind}: it has no sum.")
        one_by_one = self.place or self.inputs.size <= EVERY_PRODUCT
        products = self.printed_products if one_by_one else self.products
        return WrittenSum.of([*_parts(products), ("bias", self.bias)], self.value)


def _parts(products: np.ndarray) -> list[tuple[str, float]]:
    """Add products up into named terms: rows of a window, for and against, maps, or units."""
    if products.shape[0] == 1 and products.ndim == 3:
        if products.size <= EVERY_PRODUCT:
            return [(f"row {i}", float(row.sum())) for i, row in enumerate(products[0])]
        signs = ("pixels for", products > 0), ("pixels against", products < 0)
        return [(name, float(products[where].sum())) for name, where in signs]
    sums = products.reshape(len(products), -1).sum(axis=1)
    what = "map" if products.ndim == 3 else "unit"
    if len(sums) <= LARGEST + 1:
        named, others = np.arange(len(sums)), None
    else:
        order = np.argsort(-np.abs(sums), kind="stable")
        named, others = np.sort(order[:LARGEST]), order[LARGEST:]
    parts = [(f"{what} {i}", float(sums[i])) for i in named]
    if others is not None:
        parts.append((f"the other {len(others):,} {what}s", float(sums[others].sum())))
    return parts


def open_number(
    model: nn.Sequential, image: np.ndarray, layer: str, unit: int, place: tuple[int, ...] = ()
) -> Arithmetic:
    """Return the arithmetic of one number that a network computes for an image.

    Parameters
    ----------
    model : nn.Sequential
        Of `mnist_core.nn.architectures`. It is not changed.
    image : (28, 28) uint8, 0 to 255
    layer : str
        The layer's name in the model.
    unit : int
        The index in the layer's output: of a feature map, or in the vector.
    place : (row, column) or ()
        The place on the feature map; () for a vector.

    Raises
    ------
    ValueError
        If the model has no such layer, unit or place, or the image is not valid.
    DivergedModelError
    """
    names = [name for name, _ in model.named_children()]
    if layer not in names:
        raise ValueError(f"expected a layer out of {', '.join(names)}, got {layer!r}.")
    at = names.index(layer)
    x, y, pictured = _run(model, image, at)
    index = _index(y, unit, place)
    value = float(finite(y[index]))
    opened = _open(model[at], x, index, pictured)
    kind, source = kind_of(model[at]), names[at - 1] if at else "image"
    relu_follows = at + 1 < len(names) and isinstance(model[at + 1], nn.ReLU)
    after = max(0.0, value) if relu_follows else None
    return Arithmetic(layer, kind, unit, place, source, *opened, value, after)


def _run(model: nn.Sequential, image: np.ndarray, at: int) -> tuple[Tensor, Tensor, torch.Size]:
    """Return a layer's input and output, and the shape its input had before a Flatten."""
    with torch.inference_mode():
        before = x = to_input(image[None])
        for layer in list(model)[:at]:
            before, x = x, layer(x)
        flattened = at > 0 and isinstance(model[at - 1], nn.Flatten)
        return x[0], model[at](x)[0], (before if flattened else x).shape[1:]


def _index(y: Tensor, unit: int, place: tuple[int, ...]) -> tuple[int, ...]:
    index = (unit, *place)
    if len(index) != y.ndim:
        wanted = "a (row, column) on the feature map" if y.ndim == 3 else "no place in a vector"
        raise ValueError(f"expected {wanted}, got {place}.")
    if not all(0 <= i < n for i, n in zip(index, y.shape, strict=True)):
        raise ValueError(f"expected a number within {tuple(y.shape)}, got {index}: count from 0.")
    return index


Opened = tuple[str, tuple[int, ...], np.ndarray, np.ndarray | None, float]


def _open(layer: nn.Module, x: Tensor, index: tuple[int, ...], pictured: torch.Size) -> Opened:
    """Return an `Arithmetic`'s operation, corner, inputs, weights and bias."""
    unit = index[0]
    match layer:
        case nn.Linear() | nn.Conv2d():
            bias = 0.0 if layer.bias is None else layer.bias[unit].item()
            weights = layer.weight[unit].detach().numpy().copy()
            if isinstance(layer, nn.Linear):
                shape = tuple(pictured)
                inputs = x.reshape(shape).numpy().copy()
                return "sum", (0,) * len(shape), inputs, weights.reshape(shape), bias
            corner, inputs = _window(layer, x, index[1:])
            return "sum", (0, *corner), inputs, weights, bias
        case nn.MaxPool2d():
            corner, inputs = _window(layer, x[unit : unit + 1], index[1:])
            return "maximum", (unit, *corner), inputs, None, 0.0
        case nn.ReLU():
            return "relu", index, x[index].numpy().reshape(1).copy(), None, 0.0
        case nn.Flatten():
            origin = tuple(int(i) for i in np.unravel_index(unit, x.shape))
            return "copy", origin, x[origin].numpy().reshape(1).copy(), None, 0.0
    raise ValueError(f"expected a layer that can be opened, got {kind_of(layer)}.")


def _window(
    layer: nn.Conv2d | nn.MaxPool2d, x: Tensor, place: tuple[int, ...]
) -> tuple[tuple[int, int], np.ndarray]:
    """Return the corner of a window and its part of x, (C, H, W), with zeros in the padding."""
    size, stride, padding = (
        np.broadcast_to(n, 2).tolist() for n in (layer.kernel_size, layer.stride, layer.padding)
    )
    top, left = (n * s - p for n, s, p in zip(place, stride, padding, strict=True))
    margins = (padding[1], padding[1], padding[0], padding[0])
    padded = nn.functional.pad(x, margins)
    rows = slice(top + padding[0], top + padding[0] + size[0])
    columns = slice(left + padding[1], left + padding[1] + size[1])
    return (top, left), padded[:, rows, columns].numpy().copy()
