"""The model card of the bundled models: as JSON for the app, as Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.pretrained.bundled import FOLDER

__all__ = ["markdown", "write_card"]

HEAD = """# The bundled models

Made by `python -m mnist_core.pretrained`; the numbers below are written by it, and those of pen
digits by `python -m benchmarks.handwriting --write`.

**For**: teaching, and reading single handwritten digits, prepared by
`mnist_core.drawing.preprocessing`. **Not for**: several digits at once, letters, or anything that
somebody relies on.

**Trained on**: the first 55,000 training images of MNIST (LeCun, Cortes, Burges) and 8,000 digits
in European forms drawn by `forms.py`; MLP and CNNs also on 12,000 drawings that are no digit
(`nondigits.py`), for which the right answer is a tenth each, and with each image turned, stretched,
slanted, bent and drawn with another pen every time (`augmentation.redrawn`). The linear model,
which can only weigh pixels, got worse by both. The small CNN also learnt from the answers of the
deeper one. All weights are averages over the
last steps. The 5,000 images left out of the training gave the temperature and the threshold.

**Never trained on**: MNIST's test set, and the pen digits (UJI Pen Characters, Llorens et al. 2008,
CC BY 4.0), which were only looked at to choose between ways of preparing and training.
"""


def markdown(card: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the card as a table of all models.

    Parameters
    ----------
    card : dict of name to entry
        What ``card.json`` holds.
    """
    rows: dict[str, list[str]] = {}

    def add(what: str, cells: list[str]) -> None:
        rows[what] = cells

    entries = list(card.values())
    add("parameters", [f"{e['parameters']:,}" for e in entries])
    add("recipe", [e["recipe"] for e in entries])
    add("seed", [str(e["seed"]) for e in entries])
    add("trained in", [f"{e['training_s']:,} s" for e in entries])
    add("MNIST, test set", [f"{e['test_accuracy']:.2%}" for e in entries])
    add("MNIST, training set", [f"{e['train_accuracy']:.2%}" for e in entries])
    add("temperature", [f"{e['calibration']['temperature']:.3f}" for e in entries])
    add("expected calibration error", [f"{e['calibration_error']:.2%}" for e in entries])
    add(
        "the same at temperature 1",
        [f"{e['calibration_error_at_temperature_1']:.2%}" for e in entries],
    )
    add("“I am not sure” below", [f"{e['calibration']['threshold']:.0%}" for e in entries])
    add("said of test digits", [f"{e['test_digits_doubted']:.1%}" for e in entries])
    for kind in entries[0]["doubted"]:
        add(f"said of {kind}", [f"{e['doubted'][kind]:.0%}" for e in entries])
    measured = [e.get("pen_digits", {}) for e in entries]
    for what in max(measured, key=len):
        cells = [f"{shares[what]:.1%}" if what in shares else "not measured" for shares in measured]
        add(f"pen digits: {what}", cells)
    titles = " | ".join(ARCHITECTURES[name].title for name in card)
    lines = [f"| | {titles} |", "|:--" * (len(card) + 1) + "|"]
    lines += [f"| {what} | {' | '.join(cells)} |" for what, cells in rows.items()]
    made_with = entries[0]["made_with"]
    return f"{HEAD}\n" + "\n".join(lines) + f"\n\nMade with {made_with}.\n"


def write_card(card: Mapping[str, Mapping[str, Any]]) -> None:
    """Write ``card.json`` and ``MODEL_CARD.md`` beside the weights."""
    (FOLDER / "card.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    (FOLDER / "MODEL_CARD.md").write_text(markdown(card), "utf-8")
