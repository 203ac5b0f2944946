"""The photo pad: a picture is uploaded or taken, and its digit is the drawing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from functools import partial

import streamlit as st

from mnist_core.drawing.pad_reports import Drawing, drawing_of_picture
from mnist_core.drawing.photo_decoding import PhotoError, ink_from_photo
from mnist_core.drawing.preprocessing import Stage
from mnist_core.figures.pictures import ink_picture
from pages.parts.session import state
from pages.parts.widgets import elements

__all__ = ["held"]

FORMATS = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]
SOURCES = {"upload": "Choose a picture", "camera": "Use the camera"}
PHOTO, SOURCE = "drawing_photo", "drawing_photo_source"


def held() -> tuple[Drawing, Callable[[], None]]:
    """Return the digit in the picture, and the function that shows the pad.

    A picture without a digit does not replace the last one with a digit.
    """
    file = state.widget(f"drawing_photo_{state.widget(SOURCE) or 'upload'}")
    problem = ""
    with st.container():  # the spinner's place, also when there is none: what follows does not move
        if isinstance(file, io.BytesIO):  # else there is none, or the server has deleted it
            problem = _read(file.getvalue())
    photo_id, stages = state.stored(PHOTO, ("", ()))
    drawing = Drawing(stages[-1].image, True, photo_id, 1) if stages else drawing_of_picture("", 0)
    return drawing, partial(_show, stages, problem)


def _read(data: bytes) -> str:
    """Find the digit in a file and store it, unless it is stored already; return what is wrong."""
    photo_id = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    if photo_id == state.stored(PHOTO, ("", ()))[0]:
        return ""
    try:
        with st.spinner("Looking for the digit"):
            state.store(PHOTO, (photo_id, ink_from_photo(data)))
    except PhotoError as error:
        return str(error)
    return ""


def _show(stages: tuple[Stage, ...], problem: str) -> None:
    """Show the choice of a picture, what is wrong with it, and the stages from photo to ink."""
    source = elements.pick("Picture", SOURCES, SOURCE, "upload", format_func=SOURCES.__getitem__)
    label = "One digit, with some paper around it"
    if source == "camera":
        st.camera_input(label, key="drawing_photo_camera")
    else:
        st.file_uploader(label, FORMATS, key="drawing_photo_upload")
    if problem:
        st.warning(problem, icon=":material/broken_image:")
    if stages:
        as_taken = [ink_picture(1 - stage.image) for stage in stages[:-1]]  # dark stays dark
        pictures = [*as_taken, ink_picture(stages[-1].image)]
        elements.pictures(pictures, [stage.title for stage in stages], 104)
