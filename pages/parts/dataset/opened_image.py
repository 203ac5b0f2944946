"""One image as a picture and as its numbers, linked pixel by pixel, as a component (v2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from mnist_core.figures.pictures import as_url
from mnist_core.figures.style import CLASS_COLOURS

__all__ = ["show"]

_image = st.components.v2.component(
    "opened_image",
    css=Path(__file__).with_name("opened_image.css").read_text("utf-8"),
    js=Path(__file__).with_name("opened_image.js").read_text("utf-8"),
)


def show(key: str, image: np.ndarray, p: np.ndarray, names: Sequence[str], presses: int) -> None:
    """Show an image, its numbers, and a model's ten probabilities.

    Parameters
    ----------
    image : (28, 28) uint8
    p : (10,) float, 0 to 1
    names : sequence of 10 str
        The model's classes.
    presses : int
        How many images were opened by a click; when it grows, the picture is scrolled into view.
    """
    _image(
        key=key,
        data={
            "picture": as_url(image),
            "rows": image.tolist(),
            "bars": [
                {"name": name, "share": float(share), "colour": colour}
                for name, share, colour in zip(names, p, CLASS_COLOURS, strict=True)
            ],
            "presses": presses,
        },
    )
