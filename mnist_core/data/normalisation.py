"""The size and position of MNIST's digits, for any grey picture with ink on empty paper.

"The original black and white images were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio. [...] the images were centered in a 28x28 image by computing the
center of mass of the pixels, and translating the image so as to position this point at the center
of the 28x28 field." (LeCun, Cortes, Burges: The MNIST database)

Measured on the 60,000 training images: the longer side is 20 pixels in 59,987 of them (19 in the
rest), and the centre of mass lies within half a pixel of row and column 14.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

__all__ = ["BOX", "bounding_box", "centre", "fit", "lay_out", "scaled"]

SIDE, BOX, MIDDLE = 28, 20, 14


def bounding_box(ink: np.ndarray, threshold: float = 0.0) -> tuple[slice, slice] | None:
    """Return the rows and columns with ink above a threshold, or None if there are none."""
    marked = ink > threshold
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not rows.size:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def scaled(ink: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture to ``side`` pixels on its longer side, with the same aspect ratio.

    Parameters
    ----------
    ink : (H, W) float, 0 to 1

    Returns
    -------
    (h, w) float32, 0 to 1, with max(h, w) == side. Pillow's antialiased bicubic filter.
    """
    height, width = ink.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(np.ascontiguousarray(ink, dtype=np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC)).clip(0, 1)


def fit(ink: np.ndarray) -> np.ndarray:
    """Scale a picture to the 20x20 box of MNIST's digits, see `scaled`."""
    return scaled(ink, BOX)


def centre(ink: np.ndarray) -> np.ndarray:
    """Put a small picture into 28x28 with its centre of mass at row and column 14.

    It moves by whole pixels, as in MNIST, so it is not blurred, and stays inside the 28x28 pixels.

    Parameters
    ----------
    ink : (h, w) float, 0 to 1, h and w at most 28, not all zero

    Returns
    -------
    (28, 28) float32, 0 to 1.
    """
    field = np.zeros((SIDE, SIDE), dtype=np.float32)
    masses = ndimage.center_of_mass(ink)
    corner = [
        int(np.clip(round(MIDDLE - mass), 0, SIDE - side))
        for mass, side in zip(masses, ink.shape, strict=True)
    ]
    field[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return field


def lay_out(ink: np.ndarray) -> np.ndarray:
    """Crop a picture, fit it into 20x20 and centre it: (H, W) float -> (28, 28) float32.

    Raises
    ------
    ValueError
        If the picture has no ink.
    """
    box = bounding_box(ink)
    if box is None:
        raise ValueError("expected a picture with ink on it, got an empty one: draw something.")
    return centre(fit(ink[box]))
