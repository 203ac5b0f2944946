"""The conversion of pixels to a network's input. No other module converts them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["to_input"]


def to_input(images: np.ndarray) -> Tensor:
    """Convert stored images to the input of every model of this project.

    Parameters
    ----------
    images : (N, 28, 28) uint8, 0 to 255
        0 is empty paper, 255 is full ink. Not changed.

    Returns
    -------
    Tensor
        (N, 1, 28, 28) float32, 0 to 1: a batch, one channel, rows, columns.

    Raises
    ------
    ValueError
        If the images have another shape or type.
    """
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise ValueError(
            f"expected images of shape (N, 28, 28) and type uint8, got shape {images.shape} "
            f"and type {images.dtype}: convert them first, one grey value per pixel."
        )
    return torch.from_numpy(np.divide(images, np.float32(255), dtype=np.float32)).unsqueeze(1)
