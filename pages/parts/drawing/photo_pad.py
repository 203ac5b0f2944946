"""A photo instead of a pad: uploaded or taken, on its way to ink."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from mnist_core.drawing.pad_reports import SIDE, Drawn
from mnist_core.drawing.photo_decoding import PhotoError, ink_from_photo
from mnist_core.drawing.preprocessing import Stage
from mnist_core.figures.pictures import ink_picture
from pages.parts.session import state
from pages.parts.widgets import elements

__all__ = ["drawn"]

FORMATS = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]
SOURCES = {"upload": "Choose a picture", "camera": "Use the camera"}
_KEPT = "drawing_photo"


def drawn() -> Drawn:
    """Show the choice of a picture and how it became ink; return the ink.

    The picture last read is still there when the visitor comes back.
    """
    source = elements.pick(
        "Picture", SOURCES, "drawing_photo_source", "upload", format_func=SOURCES.__getitem__
    )
    with st.container(key="drawing_canvas"):
        if source == "camera":
            file = st.camera_input(
                "One digit, with some paper around it", key="drawing_photo_camera"
            )
        else:
            file = st.file_uploader(
                "One digit, with some paper around it", FORMATS, key="drawing_photo_upload"
            )
    if file is not None:
        try:
            data = file.getvalue()
            state.store(_KEPT, (hashlib.sha1(data, usedforsecurity=False).hexdigest(), _read(data)))
        except PhotoError as problem:
            st.warning(str(problem), icon=":material/broken_image:")
    name, stages = state.stored(_KEPT, ("", ()))
    if not stages:
        return Drawn(np.zeros((SIDE, SIDE), dtype=np.float32), True, "", 0)
    as_taken = [ink_picture(1 - stage.image) for stage in stages[:-1]]  # dark is dark
    pictures = [*as_taken, ink_picture(stages[-1].image)]
    elements.pictures(pictures, [stage.title for stage in stages], 104)
    return Drawn(stages[-1].image, True, name, 1)


@st.cache_data(max_entries=16, show_spinner="Looking for the digit")
def _read(data: bytes) -> tuple[Stage, ...]:
    return ink_from_photo(data)
