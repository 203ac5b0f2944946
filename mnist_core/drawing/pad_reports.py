"""From what a drawing pad in the browser reports to ink. Nothing it sends is taken on trust."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from mnist_core.drawing.preprocessing import ink_of

__all__ = [
    "CELLS",
    "NO_CELLS",
    "NO_STROKES",
    "PREFIX",
    "SIDE",
    "Cells",
    "Drawn",
    "PadError",
    "Strokes",
    "drawn_of_cells",
    "drawn_of_picture",
    "drawn_of_strokes",
    "ink_of_cells",
    "ink_of_picture",
    "read_cells",
    "read_strokes",
]

SIDE = 280  # pixels of a drawn picture, each way
CELLS = 28  # cells of the keyboard grid, each way
PREFIX = "data:image/png;base64,"
PICTURE_LIMIT = 200_000  # characters; a pad's picture has 3,000 to 10,000, noise 150,000

_BROKEN = (  # what Pillow raises over a broken PNG
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, OverflowError),
    *(MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
POINT_LIMIT = 4_000  # points of a drawing, as in live_pad.js
OUTERMOST = 400  # pixels; a captured pen may leave the pad, live_pad.js keeps it within 40 of it
THINNEST, THICKEST = 6, 40  # pixels, the pen's width
REPORT_LIMIT = 2**31  # a counter beyond it was not counted by a pad
UNDO_LIMIT = 2_000  # cells in the steps that a grid can take back


class PadError(ValueError):
    """A pad reported something that no pad of ours sends."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn, whichever pad it was drawn on.

    Attributes
    ----------
    ink : (280, 280) float32, 0 (paper) to 1 (ink), read-only
        Zeros if nothing is drawn.
    resting : bool
        Nothing was added for a while: there is time for more than the answer.
    beginning : str
        A short text that names this very picture, to key caches; "" if nothing is drawn.
    revision : int
        Counts what the pad has sent.
    """

    ink: np.ndarray
    resting: bool
    beginning: str
    revision: int


@dataclass(frozen=True, slots=True)
class Strokes:
    """A checked report of the live pad.

    Attributes
    ----------
    start : int
        Which beginning of the pad it belongs to (Python may hand it a new one).
    revision : int
    moving : bool
        The pen is down: this is a live update, and more will come.
    resting : bool
    picture : str
        A PNG of 280x280 as a data URL, or "" for an empty pad. Not decoded yet.
    width : int
        The pen's width, 6 to 40 pixels.
    strokes : tuple of tuple of int
        Each x, y, width, x, y, width and so on, in tenths of a pixel; () while the pen moves.
    """

    start: int = 0
    revision: int = 0
    moving: bool = False
    resting: bool = True
    picture: str = ""
    width: int = 18
    strokes: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """A checked report of the keyboard grid.

    Attributes
    ----------
    start, revision : int
    moving, resting : bool
        A key is no pen: it never moves.
    cells : str
        784 characters, row by row: "1" is ink, "0" paper.
    here : int
        Index of the cell the keyboard is at.
    undo : tuple of tuple of int
        Steps that can be taken back, the last one last: indices of the cells each flipped.
    """

    start: int = 0
    revision: int = 0
    moving: bool = False
    resting: bool = True
    cells: str = "0" * CELLS**2
    here: int = 0
    undo: tuple[tuple[int, ...], ...] = ()


NO_STROKES, NO_CELLS = Strokes(), Cells()


def read_strokes(report: object) -> Strokes:
    """Check what the live pad reports.

    Raises
    ------
    PadError
        If it is anything but a report; the picture is checked when it is decoded.
    """
    fields = report if isinstance(report, Mapping) else {}
    moving, picture = _flag(fields, "moving"), fields.get("picture")
    check_size(picture)
    return Strokes(
        start=_whole(fields, "start", 0, REPORT_LIMIT),
        revision=_whole(fields, "revision", 0, REPORT_LIMIT),
        moving=moving,
        resting=_flag(fields, "resting"),
        picture=str(picture),
        width=_whole(fields, "width", THINNEST, THICKEST),
        strokes=() if moving else _strokes(fields.get("strokes")),
    )


def read_cells(report: object) -> Cells:
    """Check what the keyboard grid reports.

    Raises
    ------
    PadError
        If it is anything but a report.
    """
    fields = report if isinstance(report, Mapping) else {}
    cells = fields.get("cells")
    if not isinstance(cells, str) or len(cells) != CELLS**2 or set(cells) - {"0", "1"}:
        raise PadError(f"expected {CELLS**2} characters 0 or 1, got {_short(cells)}.")
    undo = _lists(fields.get("undo"), UNDO_LIMIT)
    if any(not 0 <= cell < CELLS**2 for step in undo for cell in step):
        raise PadError(f"expected cells from 0 to {CELLS**2 - 1} in every step, got others.")
    return Cells(
        start=_whole(fields, "start", 0, REPORT_LIMIT),
        revision=_whole(fields, "revision", 0, REPORT_LIMIT),
        resting=_flag(fields, "resting"),
        cells=cells,
        here=_whole(fields, "here", 0, CELLS**2 - 1),
        undo=undo,
    )


def drawn_of_strokes(report: Strokes) -> Drawn:
    """Return the drawing that the live pad reports.

    Raises
    ------
    PadError
        If its picture cannot be decoded.
    """
    return drawn_of_picture(report.picture, report.revision, resting=report.resting)


def drawn_of_picture(picture: object, revision: int, *, resting: bool = True) -> Drawn:
    """Return the drawing in a picture, see `ink_of_picture`."""
    ink = ink_of_picture(picture)
    name = _name(str(picture)) if ink.max() >= 1 / 255 else ""
    return Drawn(ink, resting, name, revision)


def drawn_of_cells(report: Cells) -> Drawn:
    """Return the drawing that the keyboard grid reports."""
    name = _name(report.cells) if "1" in report.cells else ""
    return Drawn(ink_of_cells(report.cells), report.resting, name, report.revision)


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise PadError(f"expected {name} to be true or false, got {_short(value)}.")
    return value


def _whole(fields: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = fields.get(name)
    if type(value) is not int or not low <= value <= high:
        got = _short(value)
        raise PadError(f"expected {name} to be a whole number, {low} to {high}, got {got}.")
    return value


def _lists(value: object, limit: int) -> tuple[tuple[int, ...], ...]:
    """Check a list of lists of whole numbers, with at most a limit of numbers and lists."""
    if not isinstance(value, list) or len(value) > limit:
        raise PadError(f"expected a list of at most {limit} lists, got {_short(value)}.")
    total = 0
    for part in value:
        if not isinstance(part, list) or any(type(number) is not int for number in part):
            raise PadError(f"expected a list of whole numbers, got {_short(part)}.")
        total += len(part)
        if total > limit:
            raise PadError(f"expected at most {limit} numbers, got more.")
    return tuple(tuple(part) for part in value)


def _strokes(value: object) -> tuple[tuple[int, ...], ...]:
    strokes = _lists(value, 3 * POINT_LIMIT)
    for stroke in strokes:
        if not stroke or len(stroke) % 3:
            raise PadError(f"expected x, y, width of each point, got {len(stroke)} numbers.")
        if any(abs(number) > 10 * OUTERMOST for number in stroke):
            raise PadError(f"expected points within {OUTERMOST} pixels, got one outside.")
        if min(stroke[2::3]) <= 0:
            raise PadError("expected widths above 0, got one that is not.")
    return strokes


def _name(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest() if text else ""


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
        raise PadError(f"expected a picture that begins with {PREFIX}, got {_short(text)}.")
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
        raise PadError(f"expected a picture as text, got {_short(picture)}.")
    if len(picture) > PICTURE_LIMIT:
        raise PadError(f"expected at most {PICTURE_LIMIT} characters, got {len(picture)}.")
    return picture


def _short(value: object) -> str:
    """Return a value's type and its beginning, for a sentence on what came."""
    return f"{type(value).__name__} {str(value)[:40]!r}"


def _read_only(ink: np.ndarray) -> np.ndarray:
    ink.flags.writeable = False
    return ink
