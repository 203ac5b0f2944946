"""Drawings that are not digits, for training the bundled models to be unsure.

A network trained only on digits predicts a digit for any image. The bundled models are also trained
on scribbles, faces, shapes and letters, made here from random strokes, with a target of 0.1 per
class. Source: Hendrycks, Mazeika and Dietterich, "Deep Anomaly Detection with Outlier Exposure"
(2019).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from mnist_core.drawing.preprocessing import prepare_as_mnist
from mnist_core.pretrained.strokes import Stroke, drawn, ellipse, smooth

__all__ = ["KINDS", "LETTERS", "drawings", "non_digits", "pairs", "printed_letters"]

# Strokes of letters that do not look like digits: "xy" per point, in a box 4 wide and 7 high.
LETTERS = {
    "A": "06 20 46|14 34",
    "E": "40 00 06 46|03 33",
    "F": "40 00 06|03 33",
    "H": "00 06|40 46|03 43",
    "K": "00 06|40 03 46",
    "M": "06 00 23 40 46",
    "N": "06 00 46 40",
    "P": "06 00 30 41 42 33 03",
    "R": "06 00 30 41 42 33 03|13 46",
    "V": "00 26 40",
    "W": "00 16 22 36 40",
    "X": "00 46|40 06",
    "k": "00 06|32 04 36",
    "m": "06 02 13 16|13 22 33 36",
    "n": "06 02|03 12 32 43 46",
    "t": "20 25 36 46|02 42",
    "w": "02 16 23 36 42",
    "Ж": "20 26|00 23 40|06 23 46",
    "Ф": "20 26|21 01 03 24 43 41 21",
    "Ш": "00 06 46 40|20 26",
    "Д": "07 06 46 47|16 20 36",
    "Я": "46 40 10 01 02 13 43|13 06",
    "И": "00 06 40 46",
}


def scribble(rng: np.random.Generator) -> list[Stroke]:
    return [smooth(rng.random((rng.integers(7, 16), 2)))]


def loose_strokes(rng: np.random.Generator) -> list[Stroke]:
    return [smooth(rng.random((rng.integers(2, 4), 2))) for _ in range(rng.integers(3, 6))]


def face(rng: np.random.Generator) -> list[Stroke]:
    shake = rng.normal(0, 0.02, 8)
    eyes = [
        ellipse(x + shake[i], 0.38 + shake[i + 2], *rng.uniform(0.02, 0.07, 2))
        for i, x in enumerate((0.34, 0.66))
    ]
    mouth = ellipse(0.5 + shake[4], 0.6, rng.uniform(0.12, 0.25), rng.uniform(-0.15, 0.2), 0, 0.5)
    nose = [np.array([[0.5, 0.45], [0.5 + shake[5], 0.56]])] if rng.random() < 0.5 else []
    head = ellipse(0.5, 0.5, rng.uniform(0.35, 0.48), rng.uniform(0.38, 0.48), rng.random())
    return [head, *eyes, mouth, *nose]


def shape(rng: np.random.Generator) -> list[Stroke]:
    """A polygon, star, spiral, heart, zigzag, lattice or arrow."""
    kind = rng.integers(7)
    corners = int(rng.choice([3, 4, 5, 7]))
    turn = rng.random()
    if kind in (0, 1):  # a triangle or a square; a star of five or seven points
        step = 2 if corners >= 5 else 1
        angle = 2 * np.pi * (turn + np.arange(corners + 1) * step / corners)
        return [0.5 + 0.45 * np.stack([np.cos(angle), np.sin(angle)], axis=1)]
    if kind == 2:
        t = np.linspace(0.05, 1, 90)
        angle = 2 * np.pi * (turn + t * rng.uniform(2, 3.5))
        return [0.5 + 0.48 * t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)]
    if kind == 3:
        t = np.linspace(0, 2 * np.pi, 60)
        x = np.sin(t) ** 3
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
        return [0.5 + 0.45 * np.stack([x, y], axis=1)]
    if kind == 4:
        n = int(rng.integers(5, 9))
        return [np.stack([np.linspace(0, 1, n), 0.5 + 0.3 * (-1.0) ** np.arange(n)], axis=1)]
    if kind == 5:
        a, b = sorted(rng.uniform(0.2, 0.8, 2))
        rows = [np.array([[0, y], [1, y]]) for y in (a, b)]
        return rows + [row[:, ::-1] for row in rows]
    tip = np.array([1.0, 0.5])
    head = np.array([[0.7, rng.uniform(0.1, 0.3)], tip, [0.7, rng.uniform(0.7, 0.9)]])
    return [np.array([[0, 0.5], tip]), head]


def letter(rng: np.random.Generator) -> list[Stroke]:
    text = LETTERS[str(rng.choice(list(LETTERS)))]
    box = np.array([rng.uniform(4.5, 8), 7.0])
    strokes = []
    for part in text.split("|"):
        points = np.array([[int(digit) for digit in spot] for spot in part.split()]) / box
        points = points + rng.normal(0, 0.025, points.shape)
        strokes.append(smooth(points) if rng.random() < 0.4 else points)
    return strokes


KINDS: dict[str, Callable[[np.random.Generator], list[Stroke]]] = {
    "scribbles": scribble,
    "loose strokes": loose_strokes,
    "faces": face,
    "shapes": shape,
    "letters": letter,
}


def drawings(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Make drawings of one kind, prepared like a drawing of a visitor: (count, 28, 28) uint8."""
    made = [prepare_as_mnist(drawn(KINDS[kind](rng), rng)).pixels for _ in range(count)]
    return np.stack(made)


def pairs(images: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Put two digits side by side and prepare them as one drawing: (count, 28, 28) uint8.

    Parameters
    ----------
    images : (N, 28, 28) uint8
    """
    chosen = images[rng.integers(len(images), size=(count, 2))]
    made = []
    for left, right in chosen:
        overlap = int(rng.integers(4, 12))
        paper = np.zeros((28, 56 - overlap), dtype=np.float32)
        paper[:, :28] = left / 255
        paper[:, -28:] = np.maximum(paper[:, -28:], right / 255)
        made.append(prepare_as_mnist(paper).pixels)
    return np.stack(made)


def non_digits(images: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Make equal numbers of each of `KINDS` and of pairs: (about count, 28, 28) uint8."""
    each = count // (len(KINDS) + 1)
    return np.concatenate([pairs(images, each, rng), *(drawings(k, each, rng) for k in KINDS)])


def printed_letters() -> tuple[np.ndarray, str]:
    """Return printed letters that do not look like digits, in Pillow's font. For testing only.

    Returns
    -------
    (N, 28, 28) uint8 images, and their N characters.
    """
    from PIL import ImageFont

    font, text, made = ImageFont.load_default(size=90), "AEFHKMNPRVWXacefhkmnrtuvwx", []
    for character in text:
        picture = Image.new("L", (180, 180))
        ImageDraw.Draw(picture).text((45, 45), character, 255, font)
        made.append(prepare_as_mnist(np.asarray(picture, dtype=np.float32) / 255).pixels)
    return np.stack(made), text
