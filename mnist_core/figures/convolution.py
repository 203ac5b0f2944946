"""A convolution in figures: the padded image, and the numbers of one window as HTML.

A chart library takes longer to draw 75 numbers than to move the window; a table needs no axes.
"""

from __future__ import annotations

from html import escape

import numpy as np

from mnist_core.common.formatting import plain
from mnist_core.concepts.convolution import Window
from mnist_core.figures.style import signed_colour, signed_rgb

__all__ = ["padded_picture", "window_html"]

DECIMALS = 3
_PADDING = (214, 217, 221)  # grey: it is no pixel of the image


def padded_picture(image: np.ndarray, padding: int) -> np.ndarray:
    """Colour an image, (H, W) float, with its padding in grey: (H + 2p, W + 2p, 3) uint8, RGB."""
    largest = float(np.abs(image).max(initial=0))
    height, width = (side + 2 * padding for side in image.shape)
    picture = np.full((height, width, 3), _PADDING, np.uint8)
    inner = slice(padding, height - padding), slice(padding, width - padding)
    picture[inner] = signed_rgb(image, largest)
    return picture


def window_html(window: Window) -> str:
    """Return the numbers under a window, the kernel, their products and the sum as HTML.

    The classes of the style sheet are ``window-sum`` and, for each table, ``window-numbers``.
    """
    largest = float(np.abs(window.products).max(initial=0))
    parts = (
        _table("Under the window", window.inputs, 1.0),
        "<b>×</b>",
        _table("Kernel", window.kernel, float(np.abs(window.kernel).max(initial=0))),
        "<b>=</b>",
        _table("Products", window.products, largest),
    )
    total = (
        f"<p>Sum of the products: <b>{plain(window.total, DECIMALS)}</b> "
        "<small>(computed first, then rounded)</small></p>"
    )
    return f'<div class="window-sum">{"".join(parts)}</div><div class="window-total">{total}</div>'


def _table(title: str, values: np.ndarray, largest: float) -> str:
    rows = "".join(
        "<tr>" + "".join(_cell(float(value), largest) for value in row) + "</tr>" for row in values
    )
    return f'<table class="window-numbers"><caption>{escape(title)}</caption>{rows}</table>'


def _cell(value: float, largest: float) -> str:
    text = plain(value, DECIMALS).rstrip("0").rstrip(".")
    colour = signed_colour(value, 2 * largest) if text != "0" else "transparent"
    return f'<td style="background:{colour}">{text}</td>'
