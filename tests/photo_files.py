"""Pictures for the tests: a digit's strokes, photos of them, and image files of any kind."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

STROKES = {  # in a box of 1 x 1
    "2": [[(0.15, 0.2), (0.4, 0), (0.75, 0.1), (0.75, 0.35), (0.1, 1), (0.85, 1)]],
    "4": [[(0.4, 0), (0.1, 0.6), (0.8, 0.6)], [(0.6, 0.3), (0.55, 1)]],
    "5": [[(0.25, 0.1), (0.2, 0.45), (0.6, 0.4), (0.8, 0.7), (0.5, 1), (0.1, 0.9)]],
    "5's bar": [[(0.33, 0.0), (0.8, 0.0)]],
    "7": [[(0.1, 0), (0.85, 0), (0.35, 1)], [(0.3, 0.5), (0.75, 0.5)]],
}


def ink(digit="2", shape=(360, 480), box=(150, 80, 200), width=14.0, blur=0.8):
    """Draw a digit: (H, W) float32, 0 paper to 1 ink. ``box``: left, top, side in pixels."""
    scale = 4  # drawn larger and reduced, for soft edges and fractional widths
    picture = Image.new("L", (shape[1] * scale, shape[0] * scale))
    pen = ImageDraw.Draw(picture)
    left, top, side = box
    r = width * scale / 2
    for stroke in STROKES[digit]:
        points = [((left + x * side) * scale, (top + y * side) * scale) for x, y in stroke]
        pen.line(points, fill=255, width=round(2 * r), joint="curve")
        for x, y in points:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    small = picture.reduce(scale).filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(small, np.float32) / 255


def on_paper(strokes, paper=0.9, depth=0.8, noise=0.0, seed=0):
    """Put strokes on paper of one brightness or of an array of them: (H, W) float32, 0 to 1."""
    grey = paper * (1 - depth * strokes)
    rng = np.random.default_rng(seed)
    return (grey + rng.normal(0, noise, strokes.shape)).clip(0, 1).astype(np.float32)


def gradient(shape=(360, 480), low=0.25, high=1.0):
    """Return light that falls off from the right to the left: (H, W) float32."""
    return np.broadcast_to(np.linspace(low, high, shape[1], dtype=np.float32), shape)


def squared(shape=(360, 480), pitch=25, depth=0.3, tilt=0.05, columns=True):
    """Return squared paper, slightly tilted: (H, W) float32, 1 - depth on its lines."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    lines = np.abs((y + tilt * x) % pitch - pitch / 2) < 0.8
    if columns:
        lines |= np.abs((x - tilt * y) % pitch - pitch / 2) < 0.8
    return 1 - depth * lines.astype(np.float32)


def grey_image(grey):
    return Image.fromarray(np.rint(grey * 255).astype(np.uint8))


def file_of(image, kind="PNG", **options):
    """Save a picture as bytes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def agreement(found, wanted):
    """Return the intersection over union of two inks, 0 to 1."""
    a, b = found > 0.5, wanted > 0.5
    return float((a & b).sum() / (a | b).sum())
