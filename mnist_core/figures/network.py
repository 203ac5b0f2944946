"""A network as a row of cards for one image, and a layer as tiles: what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_core.common.formatting import plain
from mnist_core.explain.layer_outputs import LayerOutput
from mnist_core.figures.pictures import enlarged
from mnist_core.figures.style import CLASS_COLOURS, signed_colour, signed_rgb
from mnist_core.figures.tensors import vector_cells

__all__ = ["Card", "Tile", "network_cards", "unit_tiles"]

_SIDE, _SHIFT, _SHEETS = 56, 9, 4  # pixels, pixels, feature maps in a stack


@dataclass(frozen=True, slots=True)
class Card:
    """The input, a layer or the prediction of a network.

    Attributes
    ----------
    name, kind, shape : str
        For example "conv1", "Conv2d 5×5, stride 2" and "16 × 14 × 14".
    picture : (H, W) or (H, W, 4) uint8, or None
    bars : tuple of (name, share from 0 to 1, CSS colour)
        The ten probabilities, on the last card only.
    opens : bool
        Whether the card is a layer, which can be opened.
    """

    name: str
    kind: str
    shape: str
    picture: np.ndarray | None
    bars: tuple[tuple[str, float, str], ...] = ()
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Tile:
    """One unit of a layer: a feature map as a picture, or a number on a colour (CSS)."""

    name: str
    value: str
    picture: np.ndarray | None = None
    colour: str = ""


def network_cards(
    image: np.ndarray, layers: Sequence[LayerOutput], p: np.ndarray, names: Sequence[str]
) -> tuple[Card, ...]:
    """Return a card for the input, for each layer and for the prediction.

    Parameters
    ----------
    image : (28, 28) uint8
    layers : sequence of LayerOutput
    p : (10,) float, 0 to 1
        The softmax of the last layer's output.
    names : sequence of 10 str
    """
    bars = tuple((n, float(share), c) for n, share, c in zip(names, p, CLASS_COLOURS, strict=True))
    return (
        Card("image", "input", "1 × 28 × 28", enlarged(image, 2 * 28), opens=False),
        *(Card(one.name, one.kind, one.dimensions, _picture(one.maps)) for one in layers),
        Card("prediction", "softmax", "10", None, bars, opens=False),
    )


def _picture(maps: np.ndarray) -> np.ndarray:
    """Draw feature maps as a stack, the first in front, or a vector: (H, W, 4) uint8."""
    largest = float(np.abs(maps).max(initial=0))
    if maps.ndim == 1:
        columns = 2 if len(maps) <= 16 else round(len(maps) ** 0.5)
        return enlarged(vector_cells(maps, columns), 28 if columns == 2 else _SIDE)
    sheets = [enlarged(signed_rgb(one, largest), _SIDE) for one in maps[:_SHEETS]]
    side, back = len(sheets[0]), _SHIFT * (len(sheets) - 1)
    stack = np.zeros((side + back, side + back, 4), dtype=np.uint8)
    for number, sheet in reversed(list(enumerate(sheets))):
        top, left = back - number * _SHIFT, number * _SHIFT
        framed = np.pad(sheet, ((0, 0), (0, 0), (0, 1)), constant_values=255)
        framed[[0, -1]] = framed[:, [0, -1]] = (139, 146, 156, 255)
        stack[top : top + side, left : left + side] = framed
    return stack


def unit_tiles(maps: np.ndarray, names: Sequence[str] | None = None) -> tuple[Tile, ...]:
    """Return a tile for each unit: its feature map or its number, coloured on one scale.

    Parameters
    ----------
    maps : (C, H, W) or (N,) float32
    names : sequence of str, or None for the numbers from 0
    """
    largest = float(np.abs(maps).max(initial=0))
    called = list(names) if names else [str(i) for i in range(len(maps))]
    if maps.ndim == 3:
        return tuple(
            Tile(name, f"up to {one.max():.2f}", signed_rgb(one, largest))
            for name, one in zip(called, maps, strict=True)
        )
    return tuple(
        Tile(name, plain(value, 2), colour=signed_colour(float(value), largest))
        for name, value in zip(called, maps, strict=True)
    )
