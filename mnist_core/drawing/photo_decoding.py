"""From a photo of a digit on paper, on a blackboard or on a screen to ink.

A visitor's file can be anything: six formats are accepted, the size is checked before decoding, and
the picture is converted in strips to save memory. `segmentation` then finds the digit.
"""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import ExifTags, Image, ImageOps

from mnist_core.drawing.preprocessing import DrawingError, Stage
from mnist_core.drawing.segmentation import digit_of, even_out

__all__ = ["PhotoError", "ink_from_photo"]

LIMITS = {  # pixels; Pillow's WebP reader keeps four copies of a picture, the others one or two
    "PNG": 52_000_000,  # cameras "of 50 megapixels" have up to 50.4 million; needs at most 390 MiB
    "JPEG": 52_000_000,
    "WEBP": 25_000_000,
    "GIF": 52_000_000,
    "BMP": 52_000_000,
    "TIFF": 52_000_000,
}
LARGEST_TILE = 52_000_000  # pixels of a TIFF's tile, which can be larger than the picture
SMALLEST = 8  # pixels, the shorter side
SIDE = 600  # pixels, the longer side after reduction
STRIP = 2_000_000  # pixels converted at a time

KNOWN = (  # offset, bytes there, kind of file
    (0, b"\x89PNG", "PNG"),
    (0, b"\xff\xd8", "JPEG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "video"),
    (0, b"\0\0\0\x0cjP", "JPEG 2000"),
    (0, b"\0\0\0\x0cJXL", "JPEG XL"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "ZIP or office"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\x01\0", "icon"),
    (0, b"<svg", "SVG"),
    (0, b"<", "XML or HTML"),
)
TAKEN = "PNG, JPEG, WebP, GIF, BMP or TIFF"


class PhotoError(DrawingError):
    """A picture cannot be read or shows no ink; the message says what to do."""


def ink_from_photo(data: bytes) -> tuple[Stage, ...]:
    """Find the digit in a picture.

    Of several digits, the largest and most central one is taken.

    Parameters
    ----------
    data : bytes
        A PNG, JPEG, WebP, GIF (its first frame), BMP or TIFF file of any mode and depth, with at
        least 8 pixels on each side and at most 52 million in all (WebP: 25 million). EXIF rotation
        is applied. Transparent parts become paper.

    Returns
    -------
    tuple of Stage
        Each image (H, W) float32, 0 to 1, the longer side at most 600 pixels. "The photo": the
        picture in grey, where 1 is black. "Paper evened out": how much darker than the paper (or
        lighter than the board) each pixel is, as a share of the paper's brightness. "Ink": the
        digit alone, 0 paper, 1 ink.

    Raises
    ------
    PhotoError
        If the file is no such picture, is damaged, too large or too small, or shows no ink.
    """
    grey = _read(data)
    evened = even_out(grey)
    ink = digit_of(evened)
    if ink is None:
        raise PhotoError(
            "No ink is seen: take the picture from nearer, in even light, of one digit written "
            "with a dark pen on light paper."
        )
    return (
        Stage("The photo", 1 - grey),
        Stage("Paper evened out", evened.clip(0, 1)),
        Stage("Ink", ink),
    )


def _read(data: bytes) -> np.ndarray:
    """Decode a file: (H, W) float32, 0 (black) to 1 (white), upright, longer side at most 600."""
    try:
        with Image.open(io.BytesIO(data), formats=tuple(LIMITS)) as image:
            _check_size(image)
            factor = max(1, max(image.size) // SIDE)
            image.draft("L", (max(1, image.width // factor), max(1, image.height // factor)))
            image.load()
            small = Image.fromarray(_without_alpha(_shrunk(image)))
            small.getexif()[ExifTags.Base.Orientation] = image.getexif().get(
                ExifTags.Base.Orientation, 1
            )
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large("far more", "PNG") from error
    except Exception as error:  # Pillow raises nearly anything on a damaged file
        raise PhotoError(_refusal(data)) from error
    if min(small.size) < SMALLEST:
        raise _too_small(f"is that once it is {SIDE} pixels long")
    return np.asarray(ImageOps.exif_transpose(small))


def _check_size(image: Image.Image) -> None:
    """Check the size in the header, before the pixels are decoded."""
    width, height = image.size
    name = "JPEG" if image.format == "MPO" else image.format or ""  # MPO: several JPEGs in one
    if width * height > LIMITS[name]:
        raise _too_large(f"{width} × {height}", name)
    if min(width, height) < SMALLEST:
        raise _too_small(f"is {width} × {height}")
    tags = getattr(image, "tag_v2", {})
    if int(tags.get(322, 1)) * int(tags.get(323, 1)) > LARGEST_TILE:  # TileWidth, TileLength
        raise _too_large("more than that in one tile", name)


def _too_large(size: str, name: str) -> PhotoError:
    return PhotoError(
        f"The picture is too large: expected at most {LIMITS[name] // 10**6} million pixels, "
        f"got {size}; make it smaller or take it at a lower resolution."
    )


def _too_small(what: str) -> PhotoError:
    return PhotoError(
        f"The picture is too small: expected at least {SMALLEST} pixels on each side, but it "
        f"{what}; take one on which the digit is larger."
    )


def _refusal(data: bytes) -> str:
    """Describe a file that cannot be read, by its first bytes."""
    if not data:
        return "The file is empty: choose it again, or take another picture."
    name = next((name for at, magic, name in KNOWN if data.startswith(magic, at)), None)
    if name in ("PNG", "JPEG", "WebP", "GIF", "BMP", "TIFF"):
        return (
            f"This {name} picture is damaged, cut short or of a rare kind and cannot be read: "
            "save it or take it again."
        )
    if name is None:
        text = not set(data[:512]) & set(range(9))  # no control characters
        name = "text" if text else "unknown"
    return (
        f"Expected a picture as {TAKEN}, got a file of the kind: {name}; save or export it as "
        "JPEG or PNG and choose that."
    )


def _shrunk(image: Image.Image) -> Image.Image:
    """Reduce a decoded picture of any mode to mode L, LA or F, in strips to save memory."""
    factor = max(1, max(image.size) // SIDE)
    size = (math.ceil(image.width / factor), math.ceil(image.height / factor))
    rows = max(1, STRIP // (image.width * factor)) * factor
    small: Image.Image | None = None
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        reduced = _simplified(strip).reduce(factor)
        small = small or Image.new(reduced.mode, size)
        small.paste(reduced, (0, top // factor))
    if small is None:
        raise ValueError("a picture without rows")
    scale = min(1.0, SIDE / max(image.size))
    exact = (round(image.width * scale), round(image.height * scale))
    return small.resize((max(1, exact[0]), max(1, exact[1])), Image.Resampling.HAMMING)


def _simplified(picture: Image.Image) -> Image.Image:
    """Convert any mode to L or LA (8 bits), or to F where the values have more bits."""
    if picture.mode[0] in "IF":  # I, I;16, I;16B, F
        values = np.nan_to_num(np.asarray(picture, np.float32), nan=0, posinf=0, neginf=0)
        return Image.fromarray(values)
    if picture.mode == "LAB":
        return picture.getchannel("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA").convert("LA")
    return picture.convert("L")


def _without_alpha(picture: Image.Image) -> np.ndarray:
    """Convert mode L, LA or F to (H, W) float32, 0 to 1; transparent parts become paper."""
    if picture.mode == "F":
        return _scaled(np.asarray(picture))
    grey = np.asarray(picture.getchannel("L"), np.float32) / 255
    if picture.mode == "L":
        return grey
    alpha = np.asarray(picture.getchannel("A"), np.float32) / 255
    solid = grey[alpha > 0.5]
    if not solid.size:
        raise PhotoError("No ink is seen: the picture is transparent; take or choose another one.")
    # A sheet that was cut out is put on paper of its own brightness; a digit that was cut out on
    # white if it is dark, else on black.
    is_sheet = solid.size > alpha.size / 2 and np.ptp(np.percentile(solid, [0.5, 99.5])) > 0.2
    paper = np.median(solid) if is_sheet else np.float32(solid.mean() < 0.5)
    return grey * alpha + paper * (1 - alpha)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Divide by the smallest of the usual full scales that holds the values."""
    low, high = min(0.0, float(values.min())), float(values.max())
    full = next((scale for scale in (1, 255, 4095, 65535) if high <= scale), high)
    return ((values - low) / (full - low)).astype(np.float32)
