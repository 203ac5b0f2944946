"""Pictures made of pixels: enlarged digits, ink, the weights of a linear model."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_core.figures.style import signed_rgb

__all__ = ["WEIGHTS_WIDTH", "as_url", "enlarged", "ink_picture", "weight_picture"]

_OUTSIDE = 110  # grey
_GREY = "#8b929c"  # readable on a light and on a dark page
_TILE, _GAP, _LABEL = 112, 12, 30  # pixels
WEIGHTS_WIDTH = 5 * _TILE + 4 * _GAP


def as_url(picture: np.ndarray) -> str:
    """Return a picture as a data URL (PNG), which arrives together with the page.

    Streamlit drops a picture when it is replaced. One that changes twice a second could be gone
    before the browser requests it.

    Parameters
    ----------
    picture : (H, W), (H, W, 3) or (H, W, 4) uint8
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=4)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def enlarged(image: np.ndarray, side: int) -> np.ndarray:
    """Repeat pixels until the shorter side has at least ``side`` pixels: sharp, not blurred."""
    times = max(1, -(-side // min(image.shape[:2])))
    return image.repeat(times, axis=0).repeat(times, axis=1)


def ink_picture(ink: np.ndarray, side: int = 140) -> np.ndarray:
    """Draw ink, (H, W) in [0, 1], white on black as MNIST is: a square picture, uint8.

    Grey fills up the shorter side to a square.
    """
    picture = enlarged(np.rint(ink * 255).astype(np.uint8), side)
    missing = [max(picture.shape) - length for length in picture.shape]
    margins = [(n // 2, n - n // 2) for n in missing]
    return np.pad(picture, margins, constant_values=_OUTSIDE)


def weight_picture(
    weight: np.ndarray, class_names: Sequence[str] = tuple("0123456789")
) -> np.ndarray:
    """Draw the weights of a linear model, a tile for each class: blue for it, orange against it.

    Parameters
    ----------
    weight : (10, 784) float32
    class_names : sequence of 10 str

    Returns
    -------
    (H, W, 4) uint8, RGBA: classes 0 to 4 above, 5 to 9 below, each with its name. On all tiles
    the largest absolute weight of any class has the full colour.
    """
    largest = float(np.abs(weight).max())
    sheet = Image.new("RGBA", (WEIGHTS_WIDTH, 2 * (_TILE + _LABEL)))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=18)
    for label, w in enumerate(weight):
        x, y = label % 5 * (_TILE + _GAP), label // 5 * (_TILE + _LABEL)
        tile = enlarged(signed_rgb(w.reshape(28, 28), largest), _TILE)
        sheet.paste(Image.fromarray(tile), (x, y + _LABEL))
        draw.text((x + _TILE / 2, y + _LABEL / 2), class_names[label], _GREY, font, anchor="mm")
    return np.asarray(sheet)
