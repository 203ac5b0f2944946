"""From the picture that a drawing pad in the browser sends to ink; it is not taken on trust."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
from PIL import Image

from mnist_core.drawing import ink_of

__all__ = [
    "CELLS",
    "PREFIX",
    "SIDE",
    "PadError",
    "check_size",
    "ink_of_cells",
    "ink_of_picture",
    "short",
]

SIDE = 280  # pixels of a drawn picture, each way
CELLS = 28  # cells of the keyboard grid, each way
PREFIX = "data:image/png;base64,"
PICTURE_LIMIT = 200_000  # characters; a pad's picture has 3,000 to 10,000, noise 150,000

_BROKEN = (  # what Pillow raises over a broken PNG
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, OverflowError),
    *(MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)


class PadError(ValueError):
    """A pad reported something that no pad of ours sends."""


def ink_of_picture(picture: object) -> np.ndarray:
    """Decode a pad's picture.

    Parameters
    ----------
    picture : str
        A PNG of 280x280, dark on white or transparent ground, as a data URL; "" is an empty pad.

    Returns
    -------
    (280, 280) float32, 0 (paper) to 1 (ink), read-only

    Raises
    ------
    PadError
        If it is too long, no such URL, no PNG, broken, or of another size.
    """
    text = check_size(picture)
    if not text:
        return _read_only(np.zeros((SIDE, SIDE), dtype=np.float32))
    if not text.startswith(PREFIX):
        raise PadError(f"expected a picture that begins with {PREFIX}, got {short(text)}.")
    try:
        data = base64.b64decode(text[len(PREFIX) :], validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.size != (SIDE, SIDE):  # known from the header: nothing is decoded yet
                raise PadError(f"expected {SIDE}x{SIDE} pixels, got {image.size}.")
            rgba = np.asarray(image.convert("RGBA"))
    except PadError:
        raise
    except _BROKEN as error:  # binascii.Error is a ValueError
        raise PadError(f"expected a PNG in base64, got one that cannot be read: {error}") from error
    return _read_only(ink_of(rgba))


def ink_of_cells(cells: str) -> np.ndarray:
    """Enlarge checked cells to a picture like the other pads': (280, 280) float32, 0 or 1."""
    small = (np.frombuffer(cells.encode("ascii"), dtype=np.uint8) == ord("1")).astype(np.float32)
    return _read_only(np.kron(small.reshape(CELLS, CELLS), np.ones((SIDE // CELLS,) * 2, "f4")))


def check_size(picture: object) -> str:
    """Return a picture's text, not decoded yet.

    Raises
    ------
    PadError
        If it is no text, or longer than any pad's picture.
    """
    if not isinstance(picture, str):
        raise PadError(f"expected a picture as text, got {short(picture)}.")
    if len(picture) > PICTURE_LIMIT:
        raise PadError(f"expected at most {PICTURE_LIMIT} characters, got {len(picture)}.")
    return picture


def short(value: object) -> str:
    """Return a value's type and its beginning, for a sentence on what came."""
    return f"{type(value).__name__} {str(value)[:40]!r}"


def _read_only(ink: np.ndarray) -> np.ndarray:
    ink.flags.writeable = False
    return ink
