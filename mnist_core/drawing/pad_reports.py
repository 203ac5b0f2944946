"""Checked reports of the drawing pads in the browser, and the drawings they describe.

A browser can send anything. A report is converted to a dataclass whose types state every limit, and
anything else is refused.
"""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from PIL import Image

from mnist_core.common.formatting import quoted
from mnist_core.drawing.preprocessing import ink_of

__all__ = [
    "CELLS",
    "NO_CELLS",
    "NO_STROKES",
    "PREFIX",
    "SIDE",
    "Cells",
    "Drawing",
    "PadError",
    "Strokes",
    "drawing_of_picture",
    "ink_of_cells",
    "ink_of_picture",
    "read_picture",
    "read_report",
]

SIDE = 280  # pixels of a drawn picture, each way
CELLS = 28  # cells of the keyboard grid, each way
PREFIX = "data:image/png;base64,"
PICTURE_LIMIT = 200_000  # characters; a pad's picture has 3,000 to 10,000, noise 150,000

_BROKEN = (  # what Pillow raises on a broken PNG
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, OverflowError),
    *(MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
POINT_LIMIT = 4_000  # points of a drawing, the same as in live_pad.js
OUTERMOST = 400  # pixels; live_pad.js clips a pen that leaves the pad to 40 pixels outside it
THINNEST, THICKEST = 6, 40  # pixels, the pen's width
UNDO_LIMIT = 2_000  # cells in all steps that the grid can undo

Revision = Annotated[int, Meta(ge=0, le=2**31)]
Picture = Annotated[str, Meta(max_length=PICTURE_LIMIT)]
Tenth = Annotated[int, Meta(ge=-10 * OUTERMOST, le=10 * OUTERMOST)]
Stroke = Annotated[tuple[Tenth, ...], Meta(min_length=3, max_length=3 * POINT_LIMIT)]
Cell = Annotated[int, Meta(ge=0, lt=CELLS**2)]


class PadError(ValueError):
    """A report that none of our pads sends."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing, whichever pad it was made on.

    Attributes
    ----------
    ink : (H, W) float32, 0 (paper) to 1 (ink)
        Zeros if nothing is drawn; (280, 280) and read-only unless it is from a photo.
    resting : bool
        Nothing has been added for a while, so there is time to update the whole page.
    picture_id : str
        Identifies the picture, to key caches; "" if nothing is drawn.
    revision : int
        Number of the report it comes from.
    """

    ink: np.ndarray
    resting: bool
    picture_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class Strokes:
    """A checked report of the live pad.

    Attributes
    ----------
    revision : int
        Number of the report.
    moving : bool
        The pen is down: more reports follow.
    resting : bool
        See `Drawing`.
    picture : str
        A PNG of 280x280 as a data URL, or "" for an empty pad. Not decoded yet.
    width : int
        The pen's width, 6 to 40 pixels.
    strokes : tuple of tuple of int
        For each stroke x, y, width, x, y, width and so on, in tenths of a pixel; () while the pen
        moves.
    """

    revision: Revision
    moving: bool
    resting: bool
    picture: Picture
    width: Annotated[int, Meta(ge=THINNEST, le=THICKEST)]
    strokes: Annotated[tuple[Stroke, ...], Meta(max_length=POINT_LIMIT)]

    def __post_init__(self) -> None:
        if sum(map(len, self.strokes)) > 3 * POINT_LIMIT:
            raise ValueError(f"expected at most {POINT_LIMIT} points, got more")
        if any(len(stroke) % 3 or min(stroke[2::3]) <= 0 for stroke in self.strokes):
            raise ValueError("expected x, y and a width above 0 for each point")

    def drawing(self) -> Drawing:
        """Return the drawing; PadError if its picture cannot be decoded."""
        return drawing_of_picture(self.picture, self.revision, resting=self.resting)


@dataclass(frozen=True, slots=True)
class Cells:
    """A checked report of the keyboard grid.

    Attributes
    ----------
    revision : int
        Number of the report.
    resting : bool
        See `Drawing`.
    cells : str
        784 characters, row by row: "1" is ink, "0" paper.
    here : int
        Index of the cell that has the cursor.
    undo : tuple of tuple of int
        Steps that can be undone, the last one last: indices of the cells that each flipped.
    """

    moving: ClassVar[bool] = False
    revision: Revision
    resting: bool
    cells: Annotated[str, Meta(pattern=rf"^[01]{{{CELLS**2}}}\Z")]
    here: Cell
    undo: Annotated[tuple[tuple[Cell, ...], ...], Meta(max_length=UNDO_LIMIT)]

    def __post_init__(self) -> None:
        if sum(map(len, self.undo)) > UNDO_LIMIT:
            raise ValueError(f"expected at most {UNDO_LIMIT} cells to undo, got more")

    def drawing(self) -> Drawing:
        """Return the drawing."""
        picture_id = _id_of(self.cells) if "1" in self.cells else ""
        return Drawing(ink_of_cells(self.cells), self.resting, picture_id, self.revision)


NO_STROKES = Strokes(revision=0, moving=False, resting=True, picture="", width=18, strokes=())
NO_CELLS = Cells(revision=0, resting=True, cells="0" * CELLS**2, here=0, undo=())
Report = TypeVar("Report", Strokes, Cells)


def read_report(report: object, kind: type[Report]) -> Report:
    """Check a report of the live pad (`Strokes`) or of the keyboard grid (`Cells`).

    Raises
    ------
    PadError
        If it is anything but such a report. The picture is checked when it is decoded.
    """
    return _checked(report, kind)


def read_picture(picture: object) -> str:
    """Check that a picture is a text that is not too long; it is not decoded yet.

    Raises
    ------
    PadError
        If it is anything else.
    """
    return _checked(picture, Picture)


def _checked(value: object, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # half a surrogate pair
        raise PadError(f"expected a report that our pads send: {error}") from error


def drawing_of_picture(picture: str, revision: int, *, resting: bool = True) -> Drawing:
    """Return the drawing in a checked picture, see `ink_of_picture`."""
    ink = ink_of_picture(picture)
    picture_id = _id_of(picture) if ink.max() >= 1 / 255 else ""
    return Drawing(ink, resting, picture_id, revision)


def ink_of_picture(picture: str) -> np.ndarray:
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
        If it is no such URL, no PNG, broken, or of another size.
    """
    if not picture:
        return _read_only(np.zeros((SIDE, SIDE), dtype=np.float32))
    if not picture.startswith(PREFIX):
        raise PadError(f"expected a picture that begins with {PREFIX}, got {quoted(picture)}.")
    try:
        data = base64.b64decode(picture[len(PREFIX) :], validate=True)
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
    """Enlarge checked cells to the size of the other pads: (280, 280) float32, 0 or 1."""
    small = (np.frombuffer(cells.encode("ascii"), dtype=np.uint8) == ord("1")).astype(np.float32)
    return _read_only(np.kron(small.reshape(CELLS, CELLS), np.ones((SIDE // CELLS,) * 2, "f4")))


def _id_of(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()


def _read_only(ink: np.ndarray) -> np.ndarray:
    ink.flags.writeable = False
    return ink
