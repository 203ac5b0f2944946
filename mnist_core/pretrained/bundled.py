"""The models that come with the package: their weights, and the card that says what they reach."""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from mnist_core.nn.architectures import with_weights

__all__ = ["FOLDER", "load_pretrained", "pretrained_card"]

FOLDER = Path(__file__).parent


def load_pretrained(name: str) -> nn.Sequential:
    """Load an architecture with the weights that come with this package.

    They are made by ``python -m mnist_core.pretrained``.

    Raises
    ------
    ValueError
        If there are no such weights or they do not fit.
    """
    from safetensors.torch import load_file

    path = FOLDER / f"{name}.safetensors"
    if not path.exists():
        raise ValueError(f"expected pretrained weights at {path.name}, found none.")
    return with_weights(name, load_file(path))


def pretrained_card() -> dict[str, dict[str, object]]:
    """Return what is known of the pretrained models: how they were trained, what they reach."""
    return json.loads((FOLDER / "card.json").read_text("utf-8"))
