"""The pad to draw on, whichever it is: the rest of the app only sees ink."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pandas as pd
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_core import models
from mnist_core.drawing import ink_of
from pages.parts import state

__all__ = ["ink", "measured_table"]

SIDE, PEN = 280, 18


def ink(key: str) -> np.ndarray:
    """Show the canvas; return what is drawn on it: (280, 280) float32, 0 (paper) to 1 (ink).

    A drawing is still there when the visitor comes back to the page.
    """
    strokes, last_ink = state.base_of(key, (None, None))
    result = st_canvas(
        stroke_width=PEN,
        stroke_color="#000000",
        background_color="#ffffff",
        height=SIDE,
        width=SIDE,
        return_image_data=True,
        initial_drawing=strokes,
        key=key,
    )
    drawing = result.json_data or {}
    with st.container(horizontal=True):
        for label, icon, rest in (("Undo", "undo", -1), ("Clear", "delete", 0)):
            st.button(
                label,
                key=f"drawing_{label.lower()}",
                icon=f":material/{icon}:",
                disabled=not drawing.get("objects"),
                on_click=_redraw,
                args=(key, drawing, rest),
            )
    if result.image_data is None:  # the canvas has not reported yet
        return np.zeros((SIDE, SIDE), dtype=np.float32) if last_ink is None else last_ink
    drawn = ink_of(result.image_data)
    state.keep(key, (result.json_data, drawn))
    return drawn


def _redraw(key: str, drawing: dict, end: int) -> None:
    """Let the canvas begin again with its strokes up to one; a number makes it a new beginning."""
    fewer = {**drawing, "objects": drawing["objects"][:end], "beginning": uuid4().hex}
    state.rebase(key, (fewer, None))


def measured_table() -> None:
    """Show what the bundled models read of real pen digits, as their model card has it."""
    card = models.pretrained_card()
    columns = {
        models.ARCHITECTURES[name].title: {
            "MNIST's own test set": f"{entry['test_accuracy']:.1%}",
            **{way: f"{share:.1%}" for way, share in entry["pen_digits"].items()},
        }
        for name, entry in card.items()
    }
    st.table(pd.DataFrame(columns))
