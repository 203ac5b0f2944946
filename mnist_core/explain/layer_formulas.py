"""The forward and backward formula of each kind of layer: in LaTeX and in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from mnist_core.nn import numpy_network

__all__ = ["LOSS", "LOSS_BACKWARD", "UPDATE", "Formulas", "formulas_of"]

LOSS = r"p_c = \frac{e^{z_c}}{\sum_k e^{z_k}}, \qquad L = \text{mean of } {-\log p_{\text{label}}}"
LOSS_BACKWARD = (
    r"\frac{\partial L}{\partial z_c} = \frac{1}{B}"
    r"\left(p_c - \begin{cases}1 & c = \text{label}\\0 & \text{else}\end{cases}\right)"
)
UPDATE = (
    r"W \leftarrow W - \eta\,\frac{\partial L}{\partial W}, \qquad "
    r"b \leftarrow b - \eta\,\frac{\partial L}{\partial b}"
)
_DX, _DY = r"\frac{\partial L}{\partial x}", r"\frac{\partial L}{\partial y}"
_DW, _DB = r"\frac{\partial L}{\partial W}", r"\frac{\partial L}{\partial b}"


@dataclass(frozen=True, slots=True)
class Formulas:
    """The formulas of a layer: ``forward`` and ``backward`` are LaTeX, the others functions."""

    forward: str
    backward: str
    forward_in_numpy: tuple[Callable[..., Any], ...]
    backward_in_numpy: tuple[Callable[..., Any], ...]


def formulas_of(layer: nn.Module) -> Formulas:
    """Return the formulas of a layer, with its stride and padding filled in.

    Raises
    ------
    ValueError
        If no network of the lesson has such a layer.
    """
    by: type[numpy_network.Layer]
    match layer:
        case nn.Flatten():
            by = numpy_network.Flatten
            forward = r"y = \text{the numbers of } x \text{ in one row}"
            backward = rf"{_DX} = {_DY} \text{{ in the shape of }} x"
        case nn.ReLU():
            by, forward = numpy_network.ReLU, r"y = \max(0, x)"
            backward = rf"{_DX} = {_DY} \text{{ where }} x > 0, \text{{ else }} 0"
        case nn.Linear():
            by, forward = numpy_network.Linear, r"y = x W^\top + b"
            backward = (
                rf"{_DW} = \Big({_DY}\Big)^{{\!\top}} x, \quad "
                rf"{_DB} = \sum_{{\text{{images}}}} {_DY}, \quad {_DX} = {_DY}\, W"
            )
        case nn.Conv2d():
            by = numpy_network.Conv2d
            forward, backward = _convolution(layer)
        case nn.MaxPool2d():
            by = numpy_network.MaxPool2d
            k = int(np.max(layer.kernel_size))
            forward = rf"y_{{m,r,c}} = \max_{{i,j < {k}}} x_{{m,\,{k}r+i,\,{k}c+j}}"
            backward = rf"{_DX} = {_DY} \text{{ at the largest of each window, else }} 0"
        case _:
            raise ValueError(f"expected a layer of the lesson, got {layer}.")
    back = (by.find_gradients, by.backward) if isinstance(layer, nn.Linear | nn.Conv2d) else None
    return Formulas(forward, backward, (by.forward,), back or (by.backward,))


def _convolution(layer: nn.Conv2d) -> tuple[str, str]:
    stride, padding = layer.stride[0], int(np.max(layer.padding))
    times = "" if stride == 1 else str(stride)
    off = f"-{padding}" if padding else ""
    at = rf"x_{{m,\,{times}r+i{off},\,{times}c+j{off}}}"
    forward = rf"y_{{o,r,c}} = b_o + \sum_{{m,i,j}} W_{{o,m,i,j}}\; {at}"
    dy = r"\frac{\partial L}{\partial y_{o,r,c}}"
    backward = (
        rf"\frac{{\partial L}}{{\partial W_{{o,m,i,j}}}} = \sum_{{r,c}} {dy}\; {at}, \quad "
        rf"\frac{{\partial L}}{{\partial b_o}} = \sum_{{r,c}} {dy}, \quad "
        rf"\frac{{\partial L}}{{\partial {at}}} \mathrel{{+}}= \sum_o {dy}\; W_{{o,m,i,j}}"
    )
    return forward, backward
