"""European forms of digits, which MNIST's American writers used less often.

Ones with a long upstroke or a foot, sevens with a bar, fours open at the top, nines with a flat
loop, drawn from strokes with random proportions. The bundled models are trained on them too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mnist_core.drawing.preprocessing import prepare_as_mnist
from mnist_core.pretrained.strokes import Stroke, drawn, ellipse, smooth

__all__ = ["FORMS", "forms"]


def _line(*points: tuple[float, float]) -> Stroke:
    return np.array(points, dtype=float)


def hooked_one(rng: np.random.Generator) -> list[Stroke]:
    """A stem with a random upstroke, 20 to 52 degrees from the stem; sometimes a foot."""
    top, bottom = np.array([0.6, 0.0]), np.array([0.6 + rng.normal(0, 0.06), 1.0])
    angle, length = np.radians(rng.uniform(20, 52)), rng.uniform(0.15, 0.9)
    start = top + length * np.array([-np.sin(angle), np.cos(angle)])
    if rng.random() < 0.3:  # a curved upstroke
        middle = (start + top) / 2 + rng.normal(0, 0.05, 2)
        strokes = [np.concatenate([smooth(np.stack([start, middle, top])), [bottom]])]
    else:
        strokes = [np.stack([start, top, bottom])]
    end = rng.random()
    half = rng.uniform(0.12, 0.35)
    if end < 0.25:
        rise = rng.normal(0, 0.03)
        strokes.append(_line((bottom[0] - half, 1 + rise), (bottom[0] + half, 1 - rise)))
    elif end < 0.4:  # the foot joined to the stem
        foot = _line((bottom[0] - half, 1 - rng.uniform(0, 0.08)), (bottom[0] + half, 1.0))
        strokes[0] = np.concatenate([strokes[0], foot])
    elif end < 0.5:  # a small tail
        strokes[0] = np.concatenate([strokes[0], _line((bottom[0] + 0.4 * half, 0.94))])
    return strokes


def barred_seven(rng: np.random.Generator) -> list[Stroke]:
    """A top, a stem and usually a bar through it."""
    width, lean = rng.uniform(0.4, 0.8), rng.uniform(0.05, 0.5)
    left, right = np.array([0.0, rng.uniform(-0.02, 0.1)]), np.array([width, 0.0])
    foot = np.array([width - lean, 1.0])
    bend = (right + foot) / 2 + np.array([rng.uniform(-0.12, 0.03), 0.0])
    stem = smooth(np.stack([right, bend, foot])) if rng.random() < 0.6 else np.stack([right, foot])
    top = np.stack([left, right])
    if rng.random() < 0.4:  # a wave
        top = smooth(np.stack([left, (left + right) / 2 + [0, rng.uniform(-0.08, 0.08)], right]))
    if rng.random() < 0.4:  # a serif
        serif = left + np.array([rng.normal(0, 0.03), rng.uniform(0.08, 0.22)])
        top = np.concatenate([serif[None], top])
    strokes = [np.concatenate([top, stem])]
    if rng.random() < 0.85:
        height, half, rise = rng.uniform(0.38, 0.62), rng.uniform(0.12, 0.32), rng.normal(0, 0.05)
        x = float(np.interp(height, stem[:, 1], stem[:, 0])) + rng.normal(0, 0.05)
        strokes.append(_line((x - half, height + rise), (x + half, height - rise)))
    return strokes


def open_four(rng: np.random.Generator) -> list[Stroke]:
    """A stroke down and across, with a corner or a curve, and a stem; always open at the top."""
    across, width = rng.uniform(0.42, 0.68), rng.uniform(0.4, 0.75)
    lean, rise = rng.uniform(0, 0.2), rng.normal(0, 0.04)
    stem = width * rng.uniform(0.75, 1.0)
    first = [(lean, rng.uniform(0, 0.12)), (rng.normal(0, 0.03), across)]
    if rng.random() < 0.4:
        bowl = smooth(_line(*first, (stem, across - 0.08 + rise)))
    else:
        bowl = _line(*first, (width, across + rise))
    top = rng.uniform(0, 0.35)
    return [bowl, _line((stem + rng.normal(0, 0.03), top), (stem - rng.uniform(0, 0.12), 1.0))]


def flat_nine(rng: np.random.Generator) -> list[Stroke]:
    """A low, wide loop and a stem, in one stroke from the right end of the loop."""
    rx, ry = rng.uniform(0.2, 0.42), rng.uniform(0.1, 0.24)
    loop = ellipse(rx, ry, rx, ry, rng.uniform(-0.15, 0.05), -1.0)
    x = 2 * rx + rng.normal(0, 0.03)
    bend = rng.uniform(-0.05, 0.12)
    foot = x - rng.uniform(0, 0.35)
    stem = smooth(_line((x, ry), (x + bend, 0.5), (foot, 1.0)))
    return [np.concatenate([loop, stem])]


FORMS: dict[int, Callable[[np.random.Generator], list[Stroke]]] = {
    1: hooked_one,
    4: open_four,
    7: barred_seven,
    9: flat_nine,
}


def forms(each: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``each`` digits of every form.

    Returns
    -------
    (N, 28, 28) uint8 images, prepared like a drawing, and their (N,) int64 labels.
    """
    labels = np.repeat(list(FORMS), each)
    images = [prepare_as_mnist(drawn(FORMS[label](rng), rng)).pixels for label in labels]
    return np.stack(images), labels.astype(np.int64)
