"""From the network down to one number: the inputs, weights and sum of a single unit.

A zoom goes network, layer, unit, arithmetic; `Path` says how deep it is. Units and places are
counted from 0, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.data.inputs import to_input
from mnist_core.explain.attribution import Activation, ExplanationError, kind_of

__all__ = [
    "Arithmetic",
    "Path",
    "WrittenSum",
    "arithmetic",
    "held",
    "pre_activations",
    "strongest_place",
]

Path = tuple  # (), (layer,), (layer, unit) or (layer, unit, place); one level up is path[:-1]
EVERY_PRODUCT = 160  # up to so many products are printed one by one, and rounded one by one
LARGEST = 8  # parts of a sum that are named; what the others add is one more


@dataclass(frozen=True, slots=True)
class WrittenSum:
    """A sum as it can be printed: the values, each with a name, add up to the total exactly."""

    terms: tuple[tuple[str, float], ...]
    total: float


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How one number inside a network comes about.

    Attributes
    ----------
    layer, kind : str
        The layer's name in the model, and what it is, such as "Conv2d 5×5, stride 2".
    unit : int
        Which output of the layer: a place in the vector, or a feature map.
    place : (row, column) or None
        Where on the feature map; None in a vector.
    source : str
        What the layer reads: the layer before it, or "image".
    operation : {"sum", "maximum", "relu", "copy"}
    corner : tuple of int
        Where in the source the inputs begin: (map, row, column) or (place in the vector,). Rows and
        columns are below 0 in the padding.
    inputs : (C, H, W) or (N,) float32
        All that the number depends on. What was a stack of maps before a Flatten is one here too.
    weights : as inputs, or None
        None where the layer has no weights.
    bias : float
    value : float
        What PyTorch gives, in float32.
    after : float or None
        What the ReLU that follows makes of it; None if none follows.
    """

    layer: str
    kind: str
    unit: int
    place: tuple[int, int] | None
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
        """Weight x input, exact in float64; the inputs themselves where there are no weights."""
        inputs = self.inputs.astype(np.float64)
        return inputs if self.weights is None else inputs * self.weights

    def printed_products(self, decimals: int = 5) -> np.ndarray:
        """Return the products as they can be printed: each a whole number of ``10**-decimals``."""
        return np.rint(self.products * 10**decimals) / 10**decimals

    def written(self, decimals: int = 5) -> WrittenSum:
        """Return the sum in at most eleven terms that add up to the value, digit by digit.

        Terms are parts of the picture, or the units that matter most and the rest together; then
        the bias and, if it is not 0, what rounding has lost. Few products, and those of a window,
        are printed one by one, so a part is then the sum of its printed products.

        Raises
        ------
        ValueError
            If the number is no weighted sum.
        """
        if self.weights is None:
            raise ValueError(f"expected a layer with weights, got {self.kind}: it adds nothing up.")
        unit = 10**decimals
        scaled = self.products * unit
        if self.place is not None or scaled.size <= EVERY_PRODUCT:
            scaled = np.rint(scaled)
        whole = [(name, round(value)) for name, value in _parts(scaled)]
        whole.append(("bias", round(self.bias * unit)))
        total = round(self.value * unit)
        rest = total - sum(n for _, n in whole)
        whole += [("rounding", rest)] * (rest != 0)
        return WrittenSum(tuple((name, n / unit) for name, n in whole), total / unit)


def _parts(products: np.ndarray) -> list[tuple[str, float]]:
    """Split a sum into named parts: rows of a window, for and against, maps, or units."""
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


def arithmetic(
    model: nn.Sequential,
    image: np.ndarray,
    layer: str,
    unit: int,
    place: tuple[int, int] | None = None,
) -> Arithmetic:
    """Open one number that a network computes for an image.

    Parameters
    ----------
    model : nn.Sequential
        Of `mnist_core.nn.architectures`. It is left as it is.
    image : (28, 28) uint8, 0 to 255
    layer : str
        Its name in the model.
    unit : int
        Which output of the layer: a place in the vector, or a feature map.
    place : (row, column) or None
        Where on the feature map; None for a layer that gives a vector.

    Raises
    ------
    ValueError
        If there is no such layer, unit or place, or the image is of another kind.
    ExplanationError
        If the model has diverged, so that its numbers are none.
    """
    names = [name for name, _ in model.named_children()]
    if layer not in names:
        raise ValueError(f"expected a layer out of {', '.join(names)}, got {layer!r}.")
    at = names.index(layer)
    x, y, pictured = _run(model, image, at)
    index = _index(y, unit, place)
    value = _finite(float(y[index]))
    opened = _open(model[at], x, index, pictured)
    kind, source = kind_of(model[at]), names[at - 1] if at else "image"
    bent = at + 1 < len(names) and isinstance(model[at + 1], nn.ReLU)
    after = max(0.0, value) if bent else None
    return Arithmetic(layer, kind, unit, place, source, *opened, value, after)


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise ExplanationError(
            "This model's numbers are no longer numbers: it diverged while it was trained. "
            "Choose another model."
        )
    return value


def _run(model: nn.Sequential, image: np.ndarray, at: int) -> tuple[Tensor, Tensor, torch.Size]:
    """Return what a layer reads and gives, and the shape in which to picture what it reads."""
    with torch.inference_mode():
        before = x = to_input(image[None])
        for layer in list(model)[:at]:
            before, x = x, layer(x)
        flattened = at > 0 and isinstance(model[at - 1], nn.Flatten)
        return x[0], model[at](x)[0], (before if flattened else x).shape[1:]


def _index(y: Tensor, unit: int, place: tuple[int, int] | None) -> tuple[int, ...]:
    index = (unit,) if place is None else (unit, *place)
    if len(index) != y.ndim:
        wanted = "a (row, column) on the feature map" if y.ndim == 3 else "no place in a vector"
        raise ValueError(f"expected {wanted}, got {place}.")
    if not all(0 <= i < n for i, n in zip(index, y.shape, strict=True)):
        raise ValueError(f"expected a number within {tuple(y.shape)}, got {index}: count from 0.")
    return index


Opened = tuple[str, tuple[int, ...], np.ndarray, np.ndarray | None, float]


def _open(layer: nn.Module, x: Tensor, index: tuple[int, ...], pictured: torch.Size) -> Opened:
    """Return the operation, where its inputs begin, the inputs, the weights and the bias."""
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
    """Return where a window begins, and what it shows of (C, H, W); outside there are zeros."""
    size, stride, padding = (
        np.broadcast_to(n, 2).tolist() for n in (layer.kernel_size, layer.stride, layer.padding)
    )
    top, left = (n * s - p for n, s, p in zip(place, stride, padding, strict=True))
    margins = (padding[1], padding[1], padding[0], padding[0])
    padded = nn.functional.pad(x, margins)
    rows = slice(top + padding[0], top + padding[0] + size[0])
    columns = slice(left + padding[1], left + padding[1] + size[1])
    return (top, left), padded[:, rows, columns].numpy().copy()


def pre_activations(layers: Sequence[Activation]) -> dict[str, np.ndarray]:
    """Return what each ReLU reads, by the name of the layer before it: (N,) float32 each."""
    return {
        before.name: before.maps.ravel()
        for before, layer in pairwise(layers)
        if layer.kind == "ReLU"
    }


def strongest_place(maps: np.ndarray, unit: int) -> tuple[int, int] | None:
    """Return where a feature map is farthest from 0: (row, column); None for a vector.

    Parameters
    ----------
    maps : (C, H, W) or (N,) float32
    unit : int
    """
    if maps.ndim == 1:
        return None
    row, column = np.unravel_index(np.abs(maps[unit]).argmax(), maps[unit].shape)
    return int(row), int(column)


def held(path: Path, layers: Sequence[Activation]) -> Path:
    """Cut a path off where the network has no such layer, unit or place."""
    maps = {layer.name: layer.maps for layer in layers}.get(path[0] if path else "")
    if maps is None:
        return ()
    if len(path) == 1 or not 0 <= path[1] < len(maps):
        return path[:1]
    if len(path) == 2:
        return path
    size = maps.shape[1:]
    place = path[2] or ()
    fits = len(place) == len(size) and all(0 <= i < n for i, n in zip(place, size, strict=True))
    return path[:3] if fits else path[:2]
