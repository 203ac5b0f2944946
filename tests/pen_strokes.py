"""Digits drawn with a round pen, and enlarged and thickened copies of stored ones."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

CANVAS = 280  # pixels, the page's canvas
Strokes = list[list[tuple[float, float]]]  # points (x, y) on the canvas


def _around(n: int, height: float, twist: int) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, n)
    return [(140 + 50 * float(np.sin(twist * a)), 140 - height * float(np.cos(a))) for a in angles]


SHAPES: dict[str, Strokes] = {
    "zero": [_around(60, 80, 1)],
    "one": [[(140, 60), (140, 220)]],
    "two": [[(90, 100), (110, 65), (150, 60), (180, 85), (175, 120), (90, 220), (190, 220)]],
    "four": [[(100, 60), (85, 140), (190, 140)], [(170, 90), (165, 220)]],
    "seven": [[(80, 60), (190, 60), (120, 220)]],
    "eight": [_around(80, 90, 2)],
}
LOOPS = {"zero": 1, "eight": 2}


def drawn(strokes: Strokes, pen: float, side: int = CANVAS) -> np.ndarray:
    """Draw with a round pen, ``pen`` pixels wide, with soft edges: (side, side) float32 ink."""
    fine = 4
    picture = Image.new("L", (side * fine, side * fine))
    draw = ImageDraw.Draw(picture)
    radius = pen * fine / 2
    for stroke in strokes:
        spots = [(x * fine, y * fine) for x, y in stroke]
        draw.line(spots, fill=255, width=round(pen * fine), joint="curve")
        for x, y in spots:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    grey = picture.resize((side, side), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float32) / 255


def enlarged(image: np.ndarray, side: int, top: int = 0, left: int = 0) -> np.ndarray:
    """Put a (28, 28) uint8 image, enlarged to ``side``, on a canvas: (280, 280) float32."""
    picture = Image.fromarray((image / 255).astype(np.float32))
    canvas = np.zeros((CANVAS, CANVAS), dtype=np.float32)
    copy = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC)).clip(0, 1)
    canvas[top : top + side, left : left + side] = copy
    return canvas


def thickened(ink: np.ndarray, pixels: float) -> np.ndarray:
    """Move the outline out by some pixels (in, if negative): (H, W) float32."""
    mask = ink > 0.5
    inside, outside = (ndimage.distance_transform_edt(m) for m in (mask, ~mask))
    outline = np.where(mask, inside - 0.5, 0.5 - outside)
    return (0.5 + outline + pixels).clip(0, 1).astype(np.float32)


def turned(ink: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate a picture about its centre: (H, W) float32."""
    return ndimage.rotate(ink, degrees, reshape=False, order=1).clip(0, 1)


def holes(mask: np.ndarray) -> int:
    """Count the pieces of paper that ink encloses."""
    return ndimage.label(~np.pad(mask, 1))[1] - 1


def parts(mask: np.ndarray) -> int:
    """Count the pieces of ink that do not touch, not even at a corner."""
    return ndimage.label(mask, structure=np.ones((3, 3)))[1]


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the root mean square difference of two uint8 images scaled to 0 to 1."""
    return float(np.sqrt((((a.astype(float) - b) / 255) ** 2).mean()))


def nearest_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the least distance over shifts by up to one pixel, which centring can cause."""
    moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(distance(a, np.roll(b, move, axis=(0, 1))) for move in moves)
