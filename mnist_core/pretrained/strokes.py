"""Strokes of a random pen, for drawings that MNIST does not contain."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["Stroke", "drawn", "ellipse", "smooth"]

SIDE = 112  # pixels of the square paper; coordinates of strokes are 0 to 1
Stroke = np.ndarray  # (N, 2) float: x to the right, y down


def smooth(points: np.ndarray, n: int = 12) -> Stroke:
    """Interpolate points with a Catmull-Rom spline, ``n`` points per segment."""
    p = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, n, endpoint=False)[:, None]
    parts = [
        0.5
        * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        )
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.concatenate([*parts, points[-1:]])


def ellipse(
    x: float, y: float, rx: float, ry: float, start: float = 0.0, turns: float = 1.0
) -> Stroke:
    """Return 40 points on an ellipse around (x, y); ``start`` and ``turns`` are in full turns."""
    angle = 2 * np.pi * (start + turns * np.linspace(0, 1, 40))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def drawn(strokes: list[Stroke], rng: np.random.Generator) -> np.ndarray:
    """Draw strokes with a random slant, stretch and pen width: (112, 112) float32 ink, 0 to 1."""
    slant = np.eye(2) + rng.normal(0, 0.12, (2, 2))
    pen = int(rng.integers(4, 12))
    picture = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        path = (stroke - 0.5) @ slant * (SIDE * 0.7) + SIDE / 2
        points = [tuple(p) for p in path]
        draw.line(points, fill=255, width=pen, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(picture, dtype=np.float32) / 255
