"""The models that come with the package: their weights and their model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import nn

from mnist_core.nn.architectures import with_weights

__all__ = ["FOLDER", "load_pretrained", "pretrained_card"]

FOLDER = Path(__file__).parent


def load_pretrained(name: str) -> nn.Sequential:
    """Load an architecture with the bundled weights, made by ``python -m mnist_core.pretrained``.

    Raises
    ------
    ValueError
        If there are no weights of this name, or they do not fit the architecture.
    """
    from safetensors.torch import load_file

    path = FOLDER / f"{name}.safetensors"
    if not path.exists():
        raise ValueError(f"expected pretrained weights at {path.name}, found none.")
    return with_weights(name, load_file(path))


def pretrained_card() -> dict[str, dict[str, Any]]:
    """Return ``card.json``: for each model, how it was trained and its measured results."""
    return json.loads((FOLDER / "card.json").read_text("utf-8"))
