"""Tensors as pictures and bars: signed maps, stacks of feature maps, vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from mnist_core.figures.pictures import enlarged
from mnist_core.figures.style import LABEL, NEGATIVE, NEUTRAL, POSITIVE, framed, signed_rgb

__all__ = [
    "MOST_BARS",
    "attribution_picture",
    "feature_sheet",
    "map_picture",
    "stack_picture",
    "vector_cells",
    "vector_figure",
    "vector_strip",
]

MOST_BARS = 160  # a longer vector is drawn as a strip
_INK = 100  # of 255: a pixel at least this dark is inside the outline
_OUTLINE = (86, 94, 106)
_TILE, _GAP, _NUMBER = 64, 8, 18  # pixels
_CELL = 10  # pixels


def map_picture(values: np.ndarray, side: int = 280, largest: float | None = None) -> np.ndarray:
    """Colour a map of signed numbers: blue above zero, orange below, white at zero.

    Parameters
    ----------
    values : (H, W) float
    side : int
        The least length of the shorter side of the picture, in pixels.
    largest : float or None
        The value that has the full colour; None for the largest absolute value of the map.

    Returns
    -------
    (H, W, 3) uint8, RGB.
    """
    return enlarged(signed_rgb(values, _largest(values) if largest is None else largest), side)


def attribution_picture(
    attribution: np.ndarray, image: np.ndarray, side: int = 280, largest: float | None = None
) -> np.ndarray:
    """Draw an attribution, blue for the class and orange against it, with the digit outlined.

    Parameters
    ----------
    attribution : (28, 28) float
    image : (28, 28) uint8
    side, largest
        As for `map_picture`.

    Returns
    -------
    (H, W, 3) uint8, RGB.
    """
    picture = map_picture(attribution, side, largest)
    ink = enlarged(image >= _INK, side)
    width = max(1, len(picture) // 200)
    picture[ink & ~ndimage.binary_erosion(ink, iterations=width)] = _OUTLINE
    return picture


def feature_sheet(
    maps: np.ndarray, columns: int = 8, tile: int = _TILE, largest: float | None = None
) -> np.ndarray:
    """Draw feature maps, or the channels of a kernel, side by side, each with its number.

    Parameters
    ----------
    maps : (C, H, W) float
    columns : int
        Maps in a row.
    tile : int
        The least side of a tile, in pixels.
    largest : float or None
        The value that has the full colour; None for the largest absolute value of all maps.

    Returns
    -------
    (H, W, 4) uint8, RGBA; transparent between the tiles.
    """
    largest = _largest(maps) if largest is None else largest
    tiles = [map_picture(values, tile, largest) for values in maps]
    height, width = tiles[0].shape[:2]
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    across, down = width + _GAP, height + _NUMBER + _GAP
    sheet = Image.new("RGBA", (columns * across - _GAP, rows * down - _GAP))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for number, picture in enumerate(tiles):
        x, y = number % columns * across, number // columns * down
        draw.text((x + width / 2, y + _NUMBER / 2), str(number), LABEL, font, anchor="mm")
        sheet.paste(Image.fromarray(picture), (x, y + _NUMBER))
    return np.asarray(sheet)


def stack_picture(maps: np.ndarray, side: int, tile: int, columns: int = 8) -> np.ndarray:
    """Draw a stack of maps, (C, H, W), as a `feature_sheet`; a single map as a `map_picture`."""
    if len(maps) == 1:
        return map_picture(maps[0], side)
    return feature_sheet(maps, columns, tile)


def vector_strip(vector: np.ndarray, columns: int = 56) -> np.ndarray:
    """Draw a long vector as coloured cells of 10 pixels, row by row.

    Parameters
    ----------
    vector : (N,) float
    columns : int
        Cells in a row.

    Returns
    -------
    (H, W, 4) uint8, RGBA; transparent after the last cell.
    """
    return vector_cells(vector, columns).repeat(_CELL, axis=0).repeat(_CELL, axis=1)


def vector_cells(vector: np.ndarray, columns: int) -> np.ndarray:
    """Colour a vector as cells, row by row, one pixel each.

    Parameters
    ----------
    vector : (N,) float
    columns : int
        Cells in a row.

    Returns
    -------
    (rows, columns, 4) uint8, RGBA; transparent after the last cell.
    """
    rows = -(-len(vector) // columns)
    cells = np.zeros((rows * columns, 4), dtype=np.uint8)
    cells[: len(vector), :3] = signed_rgb(vector[None], _largest(vector))[0]
    cells[: len(vector), 3] = 255
    return cells.reshape(rows, columns, 4)


def vector_figure(
    vector: np.ndarray, names: Sequence[str] | None = None, what: str = "output"
) -> go.Figure:
    """Draw a short vector as bars: blue up, orange down.

    Parameters
    ----------
    vector : (N,) float
    names : sequence of N str, or None for the numbers 0 to N - 1
    what : str
        The title of the vertical axis.
    """
    figure = go.Figure(
        go.Bar(
            x=list(names) if names else list(range(len(vector))),
            y=vector,
            marker_color=[POSITIVE if value >= 0 else NEGATIVE for value in vector],
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    )
    if names:
        figure.update_xaxes(type="category")
    figure.update_yaxes(zeroline=True, zerolinecolor=NEUTRAL)
    return framed(figure, height=260, x="class" if names else "unit", y=what)


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0))
