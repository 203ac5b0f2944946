"""How well the bundled models predict real pen digits, by preparation, size, place and pen.

    python -m benchmarks.handwriting [--write]

Draws the 220 UJI pen digits (``strokes/uji_digits.json`` in the data folder) on a canvas of 280
pixels as on the drawing page: the digit takes 30, 50, 70 or 90 % of it, in the middle or in one of
two corners, with a pen 12, 18 or 26 pixels wide. Each drawing is prepared by the app's way and by
the lesson's (shrink the whole canvas, blur), and predicted by each model. ``--write`` saves the
summary in the model card. The strokes are a validation set: no model is trained on them.
"""

from __future__ import annotations

import argparse
import json
from itertools import product

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.machine import describe
from mnist_core.common.settings import settings
from mnist_core.drawing.preprocessing import PREPARATIONS, ink_of
from mnist_core.evaluation import metrics
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from mnist_core.pretrained.card import write_card

SIDE, OVERSAMPLING = 280, 4
SHARES, PENS = (0.3, 0.5, 0.7, 0.9), (12, 18, 26)
PLACES = {"middle": (0.5, 0.5), "upper left": (0.0, 0.0), "lower right": (1.0, 1.0)}
Condition = tuple[float, str, int]  # share, place, pen
CONDITIONS: list[Condition] = list(product(SHARES, PLACES, PENS))
OURS, LESSON = PREPARATIONS


def render(
    strokes: list[list[list[float]]], share: float, place: tuple[float, float], pen_width: int = 18
) -> np.ndarray:
    """Draw pen strokes with a round pen on white: (280, 280, 4) uint8, as from the canvas.

    Parameters
    ----------
    strokes : list of strokes, each a list of [x, y]
    share : float
        The digit's longer side as a share of the canvas.
    place : (x, y)
        The digit's place, from (0, 0), the upper left corner, to (1, 1), the lower right.
    pen_width : int
        Pixels.
    """
    points = np.array([point for stroke in strokes for point in stroke], dtype=float)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = share * SIDE / max(extent.max(), 1.0)
    corner = np.array(place) * (SIDE - extent * scale - pen_width) + pen_width / 2
    side, pen = SIDE * OVERSAMPLING, pen_width * OVERSAMPLING
    picture = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        path = (np.array(stroke) - low) * scale + corner
        spots = [tuple(p) for p in path * OVERSAMPLING]
        draw.line(spots, fill=0, width=pen, joint="curve")
        for x, y in spots:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
    grey = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


def accuracies() -> dict[tuple[str, str], dict[Condition, float]]:
    """Return {(model, preparation): {condition: accuracy}}."""
    path = settings().data_dir / "strokes" / "uji_digits.json"
    digits = json.loads(path.read_text("utf-8"))
    labels = np.array([int(digit["label"]) for digit in digits])
    networks = {name: bundled.load_pretrained(name) for name in architectures.ARCHITECTURES}
    reached: dict[tuple[str, str], dict[Condition, float]] = {
        pair: {} for pair in product(networks, PREPARATIONS)
    }
    for condition in CONDITIONS:
        share, place, pen = condition
        inks = [ink_of(render(digit["strokes"], share, PLACES[place], pen)) for digit in digits]
        for way, prepare in PREPARATIONS.items():
            pixels = np.stack([prepare(ink).pixels for ink in inks])
            for name, model in networks.items():
                reached[name, way][condition] = metrics.accuracy(model, pixels, labels)
    return reached


def main() -> None:
    parser = argparse.ArgumentParser(description="Predict real pen digits.")
    parser.add_argument("--write", action="store_true", help="write into the model card")
    write = parser.parse_args().write
    reached = accuracies()
    print(describe())
    print(f"Accuracy on 220 pen digits; {OURS} / {LESSON}")
    print(
        f"{'size':>5} {'place':12} {'pen':>4}"
        + "".join(f"{n:>18}" for n in architectures.ARCHITECTURES)
    )
    for condition in CONDITIONS:
        pairs = [
            f"{reached[name, OURS][condition]:.1%} / {reached[name, LESSON][condition]:6.1%}"
            for name in architectures.ARCHITECTURES
        ]
        share, place, pen = condition
        print(f"{share:5.0%} {place:12} {pen:4}" + "".join(f"{text:>18}" for text in pairs))
    card = bundled.pretrained_card()
    for name, entry in card.items():
        entry["pen_digits"] = {}
        for way in PREPARATIONS:
            shares = list(reached[name, way].values())
            entry["pen_digits"][f"{way}, all {len(shares)} conditions"] = round(
                float(np.mean(shares)), 4
            )
            entry["pen_digits"][f"{way}, the worst of them"] = round(min(shares), 4)
        print(name, f"MNIST {entry['test_accuracy']:.2%}", entry["pen_digits"])
    if write:
        write_card(card)


if __name__ == "__main__":
    main()
