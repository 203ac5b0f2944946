"""A grid of small images with captions, to look at or to open by mouse or keyboard (v2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from mnist_core.figures.pictures import as_url
from pages.parts.session import state

__all__ = ["reported", "show"]

_grid = st.components.v2.component(
    "image_grid",
    css=Path(__file__).with_name("image_grid.css").read_text("utf-8"),
    js=Path(__file__).with_name("image_grid.js").read_text("utf-8"),
)


def show(
    key: str,
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    label: str,
    columns: tuple[int, int] = (5, 10),
    opened: int | None = None,
    open_it: Callable[[int], None] | None = None,
) -> None:
    """Show images side by side, each above its caption.

    Parameters
    ----------
    images : sequence of (28, 28) uint8
    label : str
        What the images are, for a screen reader.
    columns : (int, int)
        How many stand in a row on a phone and on a wide page.
    opened : int or None
        The place in the grid of the image that is open; it has a frame.
    open_it : callable or None
        Called with the place in the grid that was clicked; None if the images do not open.
    """

    def clicked() -> None:
        place = reported(state.widget(key), len(images))
        if open_it is not None and place is not None:
            open_it(place)

    _grid(
        key=key,
        data={
            "label": label,
            "narrow": columns[0],
            "wide": columns[1],
            "items": [
                {"picture": as_url(image), "caption": caption}
                for image, caption in zip(images, captions, strict=True)
            ],
            "opens": open_it is not None,
            "opened": -1 if opened is None else opened,
        },
        on_opened_change=clicked,
    )


def reported(widget: object, count: int) -> int | None:
    """Return the clicked place if the grid has it; the browser sent it, so it is checked."""
    place = widget.get("opened") if isinstance(widget, dict) else None
    return place if type(place) is int and 0 <= place < count else None
