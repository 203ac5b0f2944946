"""An image with a window and its feature map; a click or arrow keys move it (component, v2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st

from mnist_core.common.formatting import plain
from mnist_core.figures.convolution import padded_picture
from mnist_core.figures.pictures import as_url
from pages.parts.session import state

__all__ = ["LAST_MOVE", "reported", "show"]

LAST_MOVE = 2**31  # a larger number of moves is not one that the browser counted

_pictures = st.components.v2.component(
    "window_picture",
    css=Path(__file__).with_name("window_picture.css").read_text("utf-8"),
    js=Path(__file__).with_name("window_picture.js").read_text("utf-8"),
)


def show(
    key: str,
    x: np.ndarray,
    feature_map: np.ndarray,
    size: int,
    stride: int,
    padding: int,
    place: tuple[int, int, int],
    move: Callable[[tuple[int, int, int]], None],
) -> None:
    """Show an image and its feature map, with the window at a place.

    Parameters
    ----------
    x : (H, H) float32
    feature_map : (H', H') float32
    size : int
        The side of the window.
    place : (row, column, move)
        On the feature map, and how many moves the browser had made by then.
    move : callable
        Called with a new place.
    """

    def moved() -> None:
        new = reported(state.widget(key), len(feature_map))
        if new is not None:
            move(new)

    row, column, _ = place
    value = plain(float(feature_map[row, column]), 3)
    _pictures(
        key=key,
        data={
            "image": as_url(padded_picture(x, padding)),
            "imageTitle": "Image",
            "side": len(x) + 2 * padding,
            "map": as_url(padded_picture(feature_map, 0)),
            "mapTitle": f"Feature map, {len(feature_map)}×{len(feature_map)}",
            "mapSide": len(feature_map),
            "size": size,
            "stride": stride,
            "place": list(place),
            "sentence": f"Feature map, row {row}, column {column}: {value}",
        },
        on_place_change=moved,
    )


def reported(widget: object, side: int) -> tuple[int, int, int] | None:
    """Return the place that was chosen if the map has it; the browser sent it: it is checked."""
    place = widget.get("place") if isinstance(widget, dict) else None
    if not isinstance(place, list) or len(place) != 3 or any(type(n) is not int for n in place):
        return None
    row, column, moves = place
    inside = 0 <= row < side and 0 <= column < side and 0 <= moves < LAST_MOVE
    return (row, column, moves) if inside else None
