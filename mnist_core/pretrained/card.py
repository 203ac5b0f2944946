"""The model card of the bundled models: JSON for the app, Markdown for readers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.pretrained.bundled import FOLDER

__all__ = ["markdown", "write_card"]

HEAD = """# The bundled models

`python -m mnist_core.pretrained` trains the models and writes this card;
`python -m benchmarks.handwriting --write` adds the results on pen digits.

**Intended use**: teaching, and recognising single handwritten digits prepared by
`mnist_core.drawing.preprocessing`. **Not for** several digits at once, letters, or decisions that
matter.

**Training data**: the first 55,000 training images of MNIST (LeCun, Cortes, Burges) and 8,000
digits in European forms, drawn by `european_forms.py`. The MLP and the CNNs are also trained on
12,000 drawings that are not digits (`nondigits.py`), with a target of 0.1 for each class, and on
augmented images: each image is rotated, stretched, slanted, bent and given another pen width in
every epoch (`augmentation.redrawn`). Both made the linear model worse, so it is trained without
them. The small CNN is also trained on the predictions of the deeper one. The weights are moving
averages over the last steps.

**Calibration**: the temperature is fitted on the last 5,000 training images, the threshold on these
and on 300 new drawings each of scribbles, loose strokes, faces, shapes and letters.

**Not used for training**: the test set of MNIST, and the pen digits (UJI Pen Characters, Llorens
et al. 2008, CC BY 4.0). The pen digits were used to choose between ways of preparing drawings and
of training.
"""


def markdown(card: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the card as Markdown, with one table column per model.

    Parameters
    ----------
    card : dict of name to entry
        The contents of ``card.json``.
    """
    entries = list(card.values())
    rows = {
        "parameters": [f"{e['parameters']:,}" for e in entries],
        "recipe": [e["recipe"] for e in entries],
        "seed": [str(e["seed"]) for e in entries],
        "training time": [f"{e['training_s']:,} s" for e in entries],
        "accuracy, MNIST test set": [f"{e['test_accuracy']:.2%}" for e in entries],
        "accuracy, MNIST training set": [f"{e['train_accuracy']:.2%}" for e in entries],
        "temperature": [f"{e['calibration']['temperature']:.3f}" for e in entries],
        "expected calibration error": [f"{e['calibration_error']:.2%}" for e in entries],
        "expected calibration error at temperature 1": [
            f"{e['calibration_error_at_temperature_1']:.2%}" for e in entries
        ],
        "“I am not sure” below": [f"{e['calibration']['threshold']:.0%}" for e in entries],
        "not sure: test digits": [f"{e['test_digits_doubted']:.1%}" for e in entries],
    }
    for kind in entries[0]["doubted"]:
        rows[f"not sure: {kind}"] = [f"{e['doubted'][kind]:.0%}" for e in entries]
    measured = [e.get("pen_digits", {}) for e in entries]
    for what in max(measured, key=len):
        cells = [f"{shares[what]:.1%}" if what in shares else "not measured" for shares in measured]
        rows[f"accuracy, pen digits: {what}"] = cells
    titles = " | ".join(ARCHITECTURES[name].title for name in card)
    lines = [f"| | {titles} |", "|:--" * (len(card) + 1) + "|"]
    lines += [f"| {what} | {' | '.join(cells)} |" for what, cells in rows.items()]
    made_with = entries[0]["made_with"]
    return f"{HEAD}\n" + "\n".join(lines) + f"\n\nMade with {made_with}.\n"


def write_card(card: Mapping[str, Mapping[str, Any]]) -> None:
    """Write ``card.json`` and ``MODEL_CARD.md`` beside the weights."""
    (FOLDER / "card.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    (FOLDER / "MODEL_CARD.md").write_text(markdown(card), "utf-8")
