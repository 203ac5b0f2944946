"""The arithmetic of one number in figures: its window, the window on the map, and its sum."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw

from mnist_core.common.formatting import plain, signed
from mnist_core.explain.sums import WrittenSum
from mnist_core.figures.pictures import enlarged
from mnist_core.figures.style import (
    LABEL,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    SIGNED_SCALE,
    framed,
    ink_colour,
    signed_rgb,
)

__all__ = ["place_picture", "sum_figure", "window_figure"]

_FRAME, _RING = (20, 20, 20), (255, 255, 255)  # visible on any colour
_EDGE = (139, 146, 156)


def window_figure(values: np.ndarray, decimals: int, dark: bool = False) -> go.Figure:
    """Draw a small window with its numbers in the cells.

    Parameters
    ----------
    values : (H, W) float
    decimals : int
        Of each number.
    dark : bool
        Whether the page is dark.
    """
    largest = float(np.abs(values).max(initial=0)) or 1.0
    notes = [
        {
            "x": column,
            "y": row,
            "text": plain(value, decimals),
            "showarrow": False,
            "font": {
                "size": 12,
                "color": "#ffffff" if abs(value) > 0.6 * largest else ink_colour(dark),
            },
        }
        for (row, column), value in np.ndenumerate(values)
    ]
    heat = {
        "type": "heatmap",
        "z": values,
        "zmin": -largest,
        "zmax": largest,
        "colorscale": SIGNED_SCALE,
        "showscale": False,
        "hoverinfo": "skip",
        "xgap": 1,
        "ygap": 1,
    }
    figure = go.Figure(data=[heat], layout={"annotations": notes})
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, autorange="reversed")
    framed(figure, height=44 * len(values))
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def sum_figure(written: WrittenSum, result: str) -> go.Figure:
    """Draw a sum: each bar begins where the one above it ends; the last bar is the result.

    Parameters
    ----------
    written : WrittenSum
    result : str
        The name of the last bar.
    """
    names = [name for name, _ in written.terms] + [result]
    values = [value for _, value in written.terms] + [written.total]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=names,
            x=values,
            measure=["relative"] * len(written.terms) + ["total"],
            text=[signed(value, 2 if abs(value) >= 0.005 else 5) for value in values],
            textposition="outside",
            textfont={"color": LABEL},
            cliponaxis=False,
            increasing={"marker": {"color": POSITIVE}},
            decreasing={"marker": {"color": NEGATIVE}},
            totals={"marker": {"color": NEUTRAL}},
            connector={"line": {"color": NEUTRAL, "width": 1}},
            hovertemplate="%{y}: %{x:.5f}<extra></extra>",
        )
    )
    ends = np.cumsum([0, *values[:-1]])
    low, high = float(ends.min()), float(ends.max())
    room = 0.3 * (high - low or 1)  # for the numbers beside the bars, on a phone too
    figure.update_xaxes(range=[low - room, high + room], zeroline=True, zerolinecolor=NEUTRAL)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return framed(figure, height=60 + 28 * len(names))


def place_picture(
    values: np.ndarray, corner: tuple[int, int], size: tuple[int, int], side: int = 224
) -> np.ndarray:
    """Draw a map with a frame around a window; the padding lies outside the picture.

    Parameters
    ----------
    values : (H, W) float
    corner, size : (row, column) and (height, width)
        Of the window; the corner may lie outside the map.
    side : int
        The least length of the shorter side of the picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8, RGB.
    """
    largest = float(np.abs(values).max(initial=0))
    picture = Image.fromarray(np.ascontiguousarray(enlarged(signed_rgb(values, largest), side)))
    cell = picture.width // values.shape[1]
    top, left = corner[0] * cell, corner[1] * cell
    box = (left - 1, top - 1, left + size[1] * cell, top + size[0] * cell)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, picture.width - 1, picture.height - 1), outline=_EDGE)
    draw.rectangle(box, outline=_RING, width=5)
    draw.rectangle(box, outline=_FRAME, width=3)
    return np.asarray(picture)
