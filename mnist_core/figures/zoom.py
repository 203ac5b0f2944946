"""One number taken apart, in figures: a window with its numbers, the sum, and where units stand."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw
from plotly.subplots import make_subplots

from mnist_core.concepts.activations import Curve
from mnist_core.explain.arithmetic import WrittenSum
from mnist_core.figures.pictures import enlarged
from mnist_core.figures.style import (
    NEUTRAL,
    POSITIVE,
    SIGNED_SCALE,
    framed,
    ink_colour,
    signed_rgb,
)
from mnist_core.figures.sums import waterfall

__all__ = ["place_picture", "pre_activation_figure", "sum_figure", "window_figure"]

_FRAME, _RING = (20, 20, 20), (255, 255, 255)  # seen on any colour
_EDGE = (139, 146, 156)


def window_figure(values: np.ndarray, decimals: int, dark: bool = False) -> go.Figure:
    """Draw a small window with its numbers in the cells.

    Parameters
    ----------
    values : (H, W) float
    decimals : int
        How many of each number are written.
    dark : bool
        Whether the page is dark.
    """
    largest = float(np.abs(values).max(initial=0)) or 1.0
    notes = [
        {
            "x": column,
            "y": row,
            "text": _written(value, f".{decimals}f"),
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


def _written(value: float, how: str) -> str:
    """Write a number out with a real minus, and no sign before zero."""
    text = format(value, how)
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")


def sum_figure(written: WrittenSum, result: str) -> go.Figure:
    """Draw a sum: each bar begins where the one above it ended; the last one is the result."""
    names = [name for name, _ in written.terms] + [result]
    values = [value for _, value in written.terms] + [written.total]
    texts = [_written(value, "+.2f" if abs(value) >= 0.005 else "+.5f") for value in values]
    hover = "%{y}: %{x:.5f}<extra></extra>"
    return waterfall(names, values, texts, hover, 60 + 28 * len(names))


def place_picture(
    values: np.ndarray, corner: tuple[int, int], size: tuple[int, int], side: int = 224
) -> np.ndarray:
    """Draw a map with a frame around the window that is looked at; padding lies outside.

    Parameters
    ----------
    values : (H, W) float
    corner, size : (row, column) and (height, width)
        Of the window; the corner may lie outside the map.
    side : int
        What the shorter side of the picture reaches at least, in pixels.

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


def pre_activation_figure(curve: Curve, z: np.ndarray, name: str) -> go.Figure:
    """Draw a hidden layer's pre-activations below the curve that each of them goes through.

    Parameters
    ----------
    curve : Curve
    z : (N,) float32
        The layer's numbers for one image, before the activation.
    name : str
        The activation's.
    """
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06)
    figure.add_scatter(
        x=curve.z, y=curve.value, line={"color": POSITIVE, "width": 3}, row=1, col=1, name=name
    )
    figure.add_histogram(
        x=z,
        nbinsx=40,
        marker={"color": NEUTRAL},
        hovertemplate="z from %{x}: %{y} units<extra></extra>",
        row=2,
        col=1,
    )
    framed(figure, height=420)
    figure.update_xaxes(range=[float(curve.z[0]), float(curve.z[-1])])
    figure.update_xaxes(title_text="z, before the activation", row=2)
    figure.update_yaxes(title_text=f"{name}(z)", row=1)
    figure.update_yaxes(title_text="units", row=2)
    figure.update_layout(bargap=0.05)
    return figure
