"""One convolution by hand: choose a kernel, move the window, see the sum and the feature map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from mnist_core.concepts import convolution
from mnist_core.data.datasets import Dataset
from mnist_core.figures.convolution import padded_picture, window_html
from mnist_core.figures.pictures import enlarged
from pages.parts.concepts import window_picture
from pages.parts.session import state
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["show"]

STYLE = Path(__file__).with_name("window.css")
PLACE = "convolution_place"  # slot: row, column, number of the move
START = (8, 12, 0)  # on a stroke of most digits
SIDE = 150  # pixels


@st.fragment
def show(dataset: Dataset) -> None:
    """Show the convolution of a digit of the test set, with its controls and its check."""
    index = state.counter("convolution_image") * 7919 % len(dataset.test_images)  # no pattern
    x = dataset.test_images[index].astype(np.float32) / 255
    name, size, stride, padding = _controls()
    left, right = st.columns([3, 2], gap="large")
    with right:
        kernel = _kernel(name, size)
        elements.again("Another image", "convolution_another", "convolution_image")
    result = convolution.convolve(x, kernel, stride, padding)
    row, column, moves = state.stored(PLACE, START)
    last = len(result.in_torch) - 1
    row, column = min(row, last), min(column, last)
    with left:
        window_picture.show(
            "convolution_window",
            x,
            result.in_torch,
            size,
            stride,
            padding,
            (row, column, moves),
            lambda place: state.store(PLACE, place),
        )
        with st.container(key="convolution_sum"):
            st.html(STYLE)
            st.html(window_html(convolution.window_at(x, kernel, (row, column), stride, padding)))
    elements.check(result.check, "convolution_check", "The feature map, PyTorch and NumPy")
    _sizes(len(x), size, stride, padding)
    _pooling(result.in_torch)


def _controls() -> tuple[str, int, int, int]:
    """Show the choices; return the kernel's name, its side, the stride and the padding."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = elements.stored_choice(
            st.selectbox,
            "Kernel",
            convolution.KERNELS,
            "convolution_kernel",
            convolution.KERNELS[0],
            width=180,
        )
        size = elements.pick(
            "Window",
            convolution.KERNEL_SIDES,
            "convolution_size",
            3,
            format_func=lambda side: f"{side}×{side}",
        )
        stride = elements.pick(
            "Stride",
            (1, 2, 3),
            "convolution_stride",
            1,
            help="By how many pixels the window moves from one place to the next.",
        )
        padding = elements.pick(
            "Padding",
            (0, 1, 2),
            "convolution_padding",
            0,
            help="How many rows and columns of zeros are put around the image.",
        )
    return name, size, stride, padding


def _kernel(name: str, size: int) -> np.ndarray:
    """Show the kernel's numbers in a field; what is no kernel is refused, the last one stays."""
    key, cause = "convolution_own", f"{name}_{size}"
    slot, ready = f"{key}_{cause}", convolution.kernel_named(name, size)
    state.settle(key, state.stored(slot, convolution.kernel_text(ready)), cause)
    text = st.text_area(
        "The kernel’s numbers: change one",
        key=key,
        height=150 if size == 5 else 110,
        max_chars=400,
        help="One line for each row, spaces between the numbers.",
    )
    try:
        kernel = convolution.kernel_from(text, size)
    except ValueError as refused:
        st.error(f"{refused} The page goes on with the last kernel.", icon=":material/edit:")
        last = state.stored(slot, "")
        return convolution.kernel_from(last, size) if last else ready
    if text == convolution.kernel_text(ready):
        return ready  # the numbers of the text are rounded
    state.store(slot, text)
    st.button(
        f"Back to “{name}”",
        key="convolution_ready",
        icon=":material/undo:",
        on_click=_back,
        args=(slot, key, convolution.kernel_text(ready)),
    )
    return kernel


def _back(slot: str, key: str, text: str) -> None:
    state.store(slot, text)
    state.set_widget(key, text)


def _sizes(side: int, size: int, stride: int, padding: int) -> None:
    n = convolution.output_side(side, size, stride, padding)
    texts.show("convolution", "sizes")
    numbers = rf"\frac{{{side} + 2 \cdot {padding} - {size}}}{{{stride}}}"
    with st.container(key="convolution_formula", gap="xsmall"):
        st.latex(r"\left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1")
        st.latex(rf"\left\lfloor {numbers} \right\rfloor + 1 = {n}")


def _pooling(feature_map: np.ndarray) -> None:
    texts.show("convolution", "pooling")
    pooled = convolution.pool(feature_map)
    sides = [len(feature_map), len(pooled.in_torch)]
    elements.pictures(
        [enlarged(padded_picture(y, 0), SIDE) for y in (feature_map, pooled.in_torch)],
        [f"Feature map, {sides[0]}×{sides[0]}", f"After max pooling, {sides[1]}×{sides[1]}"],
        SIDE,
        "convolution_pooled",
    )
    elements.check(pooled.check, "convolution_pooling_check", "Max pooling, PyTorch and NumPy")
