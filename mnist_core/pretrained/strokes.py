"""A pen to draw random strokes with, for what MNIST does not hold."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["Stroke", "drawn", "ellipse", "smooth"]

SIDE = 112  # pixels, of the paper that strokes are drawn on; coordinates go from 0 to 1
Stroke = np.ndarray  # (N, 2) float: x to the right, y down


def smooth(points: np.ndarray, n: int = 12) -> Stroke:
    """Lead a curve through points: a Catmull-Rom spline with ``n`` spots between two of them."""
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
    """Lay points on an ellipse around (x, y), from a share of a turn on, for so many turns."""
    angle = 2 * np.pi * (start + turns * np.linspace(0, 1, 40))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def drawn(strokes: list[Stroke], rng: np.random.Generator) -> np.ndarray:
    """Draw strokes slanted, stretched and with a pen of any width: (112, 112) float32 ink."""
    slant = np.eye(2) + rng.normal(0, 0.12, (2, 2))
    pen = int(rng.integers(4, 12))
    picture = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        path = (stroke - 0.5) @ slant * (SIDE * 0.7) + SIDE / 2
        spots = [tuple(p) for p in path]
        draw.line(spots, fill=255, width=pen, joint="curve")
        for x, y in (spots[0], spots[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(picture, dtype=np.float32) / 255
