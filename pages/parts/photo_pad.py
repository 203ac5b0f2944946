"""A photo instead of a pad: uploaded or taken, on its way to ink."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from mnist_core.drawing import Stage
from mnist_core.figures.pictures import ink_picture
from mnist_core.pads import SIDE, Drawn
from mnist_core.photos import PhotoError, ink_from_photo
from pages.parts import frame, state

__all__ = ["drawn"]

FORMATS = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]
SOURCES = {"upload": "Choose a picture", "camera": "Use the camera"}
_KEPT = "drawing_photo"


def drawn() -> Drawn:
    """Show the choice of a picture and how it became ink; return the ink.

    The picture last read is still there when the visitor comes back.
    """
    source = frame.pick(
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
            state.keep(_KEPT, (hashlib.sha1(data, usedforsecurity=False).hexdigest(), _read(data)))
        except PhotoError as problem:
            st.warning(str(problem), icon=":material/broken_image:")
    name, stages = state.kept(_KEPT, ("", ()))
    if not stages:
        return Drawn(np.zeros((SIDE, SIDE), dtype=np.float32), True, "", 0)
    as_taken = [ink_picture(1 - stage.image) for stage in stages[:-1]]  # dark is dark
    pictures = [*as_taken, ink_picture(stages[-1].image)]
    frame.pictures(pictures, [stage.title for stage in stages], 104)
    return Drawn(stages[-1].image, True, name, 1)


@st.cache_data(max_entries=16, show_spinner="Looking for the digit")
def _read(data: bytes) -> tuple[Stage, ...]:
    return ink_from_photo(data)
