"""Pictures made of pixels: enlarged digits, weights as images, tiles side by side."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_core.figures.style import signed_rgb

__all__ = ["WEIGHTS_WIDTH", "as_url", "enlarged", "ink_picture", "weight_picture"]

_OUTSIDE = 110  # grey
_GREY = "#8b929c"  # readable on light and dark ground
_TILE, _GAP, _LABEL = 112, 12, 30  # pixels
WEIGHTS_WIDTH = 5 * _TILE + 4 * _GAP


def as_url(picture: np.ndarray) -> str:
    """Pack a picture into a data URL (PNG), so that it comes with the page and not after it.

    A picture that changes twice a second, sent by an address of its own, may be gone from the
    server before the browser asks for it.

    Parameters
    ----------
    picture : (H, W), (H, W, 3) or (H, W, 4) uint8
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=4)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def enlarged(image: np.ndarray, side: int) -> np.ndarray:
    """Repeat pixels so that the shorter side reaches at least ``side``: sharp, not blurred."""
    times = max(1, -(-side // min(image.shape[:2])))
    return image.repeat(times, axis=0).repeat(times, axis=1)


def ink_picture(ink: np.ndarray, side: int = 140) -> np.ndarray:
    """Turn ink, (H, W) in [0, 1], into a square picture as MNIST shows it: white on black, uint8.

    What a picture lacks to a square is filled with grey: it is not part of it.
    """
    picture = enlarged(np.rint(ink * 255).astype(np.uint8), side)
    missing = [max(picture.shape) - length for length in picture.shape]
    margins = [(n // 2, n - n // 2) for n in missing]
    return np.pad(picture, margins, constant_values=_OUTSIDE)


def weight_picture(
    weight: np.ndarray, class_names: Sequence[str] = tuple("0123456789")
) -> np.ndarray:
    """Turn a linear model's weights into ten pictures in one: blue for a class, orange against.

    Parameters
    ----------
    weight : (10, 784) float32
    class_names : sequence of 10 str

    Returns
    -------
    (H, W, 4) uint8, RGBA: classes 0 to 4 above, 5 to 9 below, each with its name. All on one
    scale: full colour is the largest weight of any class.
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
