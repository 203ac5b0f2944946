"""How well the bundled models read real pen digits, by preparation, size, place and pen.

    python -m benchmarks.handwriting [--write]

draws the 220 UJI pen digits (``strokes/uji_digits.json`` in the data folder) as a person would on
the canvas of the drawing page, 280 pixels wide: the digit 30, 50, 70 or 90 % of it, in the middle
or as far into two corners as it fits, with a pen 12, 18 or 26 pixels wide. Each drawing is prepared
as the app does and as the lesson does (shrink all of it, blur), and read by each model. ``--write``
puts the summary into the model card. The strokes are a validation set: nothing is trained on them.
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
CONDITIONS = list(product(SHARES, PLACES, PENS))
OURS, LESSON = PREPARATIONS


def render(
    strokes: list[list[list[float]]], share: float, place: tuple[float, float], pen_width: int = 18
) -> np.ndarray:
    """Draw pen strokes with a round pen onto white: (280, 280, 4) uint8, as the canvas gives it.

    Parameters
    ----------
    strokes : list of strokes, each a list of [x, y]
    share : float
        Longer side of the digit as a share of the canvas.
    place : (x, y)
        Of the digit's box, from (0, 0), the upper left corner, to (1, 1).
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


def right_answers() -> dict[tuple[str, str], dict[tuple[float, str, int], float]]:
    """Return {(model, preparation): {condition: share of right answers}}."""
    path = settings().data_dir / "strokes" / "uji_digits.json"
    digits = json.loads(path.read_text("utf-8"))
    labels = np.array([int(digit["label"]) for digit in digits])
    networks = {name: bundled.load_pretrained(name) for name in architectures.ARCHITECTURES}
    right: dict = {pair: {} for pair in product(networks, PREPARATIONS)}
    for share, place, pen in CONDITIONS:
        inks = [ink_of(render(digit["strokes"], share, PLACES[place], pen)) for digit in digits]
        for way, prepare in PREPARATIONS.items():
            pixels = np.stack([prepare(ink).pixels for ink in inks])
            for name, model in networks.items():
                reached = metrics.accuracy(model, pixels, labels)
                right[name, way][share, place, pen] = reached
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description="Read real pen digits.")
    parser.add_argument("--write", action="store_true", help="write into the model card")
    write = parser.parse_args().write
    right = right_answers()
    print(describe())
    print(f"220 pen digits, right answers; {OURS} / {LESSON}")
    print(
        f"{'size':>5} {'place':12} {'pen':>4}"
        + "".join(f"{n:>18}" for n in architectures.ARCHITECTURES)
    )
    for condition in CONDITIONS:
        pairs = [
            f"{right[name, OURS][condition]:.1%} / {right[name, LESSON][condition]:6.1%}"
            for name in architectures.ARCHITECTURES
        ]
        share, place, pen = condition
        print(f"{share:5.0%} {place:12} {pen:4}" + "".join(f"{text:>18}" for text in pairs))
    card = bundled.pretrained_card()
    for name, entry in card.items():
        entry["pen_digits"] = {}
        for way in PREPARATIONS:
            shares = list(right[name, way].values())
            entry["pen_digits"][f"{way}, all {len(shares)} conditions"] = round(
                float(np.mean(shares)), 4
            )
            entry["pen_digits"][f"{way}, the worst of them"] = round(min(shares), 4)
        print(name, f"MNIST {entry['test_accuracy']:.2%}", entry["pen_digits"])
    if write:
        write_card(card)


if __name__ == "__main__":
    main()
