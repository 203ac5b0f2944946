"""How well the bundled models read real pen digits, by preparation.

    python -m benchmarks.handwriting [--write]

draws the 220 UJI pen digits (``strokes/uji_digits.json`` in the data folder) as a person would on
the canvas of the drawing page: 280 pixels, a pen 18 wide, the digit 70 % of it, in its middle.
Prints a table; ``--write`` puts its first part into the model card. The strokes are a validation
set: nothing is trained on them.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from PIL import Image, ImageDraw

from mnist_core import evaluation, models
from mnist_core.drawing import PREPARATIONS, ink_of
from mnist_core.settings import settings

SIDE, PEN, OVERSAMPLING = 280, 18, 4
CONDITIONS = {  # share of the canvas, place of the digit's box: (0, 0) is the upper left corner
    "large, in the middle": (0.7, (0.5, 0.5)),
    "small, in a corner": (0.3, (0.0, 0.0)),
}


def render(
    strokes: list[list[list[float]]], share: float, place: tuple[float, float]
) -> np.ndarray:
    """Draw pen strokes with a round pen onto white: (280, 280, 4) uint8, as the canvas gives it."""
    points = np.array([point for stroke in strokes for point in stroke], dtype=float)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = share * SIDE / max(extent.max(), 1.0)
    corner = np.array(place) * (SIDE - extent * scale - PEN) + PEN / 2
    side, pen = SIDE * OVERSAMPLING, PEN * OVERSAMPLING
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Read real pen digits.")
    parser.add_argument("--write", action="store_true", help="write into the model card")
    write = parser.parse_args().write
    path = settings().data_dir / "strokes" / "uji_digits.json"
    digits = json.loads(path.read_text("utf-8"))
    labels = np.array([int(digit["label"]) for digit in digits])
    shares: dict[tuple[str, str], dict[str, float]] = {}
    for condition, (share, place) in CONDITIONS.items():
        inks = [ink_of(render(digit["strokes"], share, place)) for digit in digits]
        for way, prepare in PREPARATIONS.items():
            pixels = np.stack([prepare(ink).pixels for ink in inks])
            shares[condition, way] = {
                name: evaluation.accuracy(models.load_pretrained(name), pixels, labels)
                for name in models.ARCHITECTURES
            }
    print(f"{len(digits)} pen digits, right answers")
    print(f"{'':28} {'preparation':18}" + "".join(f"{n:>8}" for n in models.ARCHITECTURES))
    for (condition, way), row in shares.items():
        print(f"{condition:28} {way:18}" + "".join(f"{v:8.1%}" for v in row.values()))
    if write:
        card = models.pretrained_card()
        for name, entry in card.items():
            entry["pen_digits"] = {
                f"{way}, {condition}": round(row[name], 4)
                for (condition, way), row in shares.items()
            }
        text = json.dumps(card, indent=1) + "\n"
        (models.PRETRAINED / "card.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
