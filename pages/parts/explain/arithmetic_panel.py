"""The arithmetic of one number in a network: its inputs, weights, products and sum."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from mnist_core.common.formatting import plain
from mnist_core.explain.arithmetic import EVERY_PRODUCT, Arithmetic
from mnist_core.explain.sums import DECIMALS
from mnist_core.figures import tensors
from mnist_core.figures.arithmetic import place_picture, sum_figure, window_figure
from mnist_core.figures.pictures import as_url
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["show", "show_inputs", "show_kernel"]

SIDE = 224  # pixels
_plain = partial(plain, decimals=DECIMALS)


def show_inputs(opened: Arithmetic) -> None:
    """Show the inputs, weights and products of a unit of a vector, without their sum."""
    if opened.weights is None:
        texts.show("zoom", "unit_single")
        _origin(opened)
        return
    texts.show("zoom", "unit_sum")
    _products(opened, opened.weights)


def show_kernel(weights: np.ndarray) -> None:
    """Show a kernel of (C, k, k): one window, or one for each map of the input."""
    windows = "" if len(weights) == 1 else ": a window for each map before"
    st.markdown(f"**Its kernel{windows}**")
    _sheet(weights)


def show(opened: Arithmetic, source: np.ndarray) -> None:
    """Show the arithmetic of a number.

    Parameters
    ----------
    opened : Arithmetic
    source : (C, H, W) or (N,) float32
        The whole input of the layer.
    """
    if opened.weights is not None:
        _weighted_sum(opened, opened.weights, source)
    elif opened.operation == "maximum":
        texts.show("zoom", "maximum")
        left, right = st.columns(2, gap="large")
        with left:
            _framed(opened, source[opened.corner[0]])
        with right:
            st.markdown("**Under the frame**")
            _numbers(opened.inputs[0], "zoom_window", 3)
            listed = ", ".join(_plain(value) for value in opened.inputs.ravel())
            _result(f"max({listed}) = {_plain(opened.value)}")
    elif opened.operation == "relu":
        texts.show("zoom", "relu")
        _origin(opened)
        _result(f"max(0, {_plain(opened.inputs[0])}) = {_plain(opened.value)}")
    else:
        texts.show("zoom", "copy")
        _origin(opened)
        _result(f"{_plain(opened.inputs[0])} = {_plain(opened.value)}")


def _weighted_sum(opened: Arithmetic, weights: np.ndarray, source: np.ndarray) -> None:
    if opened.place:
        texts.show("zoom", "convolution")
        _convolution(opened, weights, source)
        texts.show("zoom", "sum")
    else:
        texts.show("zoom", "sum")
        _products(opened, weights)
    written = opened.written()
    st.plotly_chart(
        sum_figure(written, "sum"),
        key="zoom_sum_figure",
        config=elements.STILL,
        alt="The terms of the sum, each bar beginning where the one above it ended",
    )
    _result(str(written), f"In this order: {written.names}.")
    if opened.after is not None:
        total, after = _plain(written.total), _plain(opened.after)
        st.markdown(f"After it the activation: ReLU makes of it `max(0, {total}) = {after}`.")


def _convolution(opened: Arithmetic, weights: np.ndarray, source: np.ndarray) -> None:
    """Show the kernel in its place, on the map with the largest sum unless one is chosen."""
    sums = opened.products.sum(axis=(1, 2))
    channel = int(np.abs(sums).argmax())
    if len(sums) > 1:
        channel = int(
            elements.stored_choice(
                st.selectbox,
                f"Which of the {len(sums)} maps of {opened.source} to look at",
                [str(i) for i in range(len(sums))],
                "zoom_channel",
                str(channel),
                width=280,
            )
        )
    printed = opened.printed_products[channel]
    left, middle, right = st.columns(3, gap="medium")
    with left:
        _framed(opened, source[channel])
    with middle:
        st.markdown("**Under the kernel**")
        _numbers(opened.inputs[channel], "zoom_inputs", 3)
    with right:
        st.markdown("**× the kernel**")
        _numbers(weights[channel], "zoom_weights", 3)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("**= the products**")
        _numbers(printed, "zoom_products", DECIMALS)
    with right:
        _row_sums(printed, f"map {channel}" if len(sums) > 1 else "")
    if len(sums) > 1:
        with st.expander(f"The products of all {len(sums)} maps"):
            _sheet(opened.products)


def _row_sums(printed: np.ndarray, title: str) -> None:
    sums = printed.sum(axis=1)
    lines = [f"row {number}  {_plain(value):>9}" for number, value in enumerate(sums)]
    st.markdown(f"**Added up{f', {title}' if title else ''}**")
    with st.container(key="zoom_rows"):
        st.code("\n".join([*lines, f"sum    {_plain(sums.sum()):>9}"]), language=None)


def _products(opened: Arithmetic, weights: np.ndarray) -> None:
    """Show inputs, weights and products: a short vector as bars, else pictures side by side."""
    if opened.inputs.ndim == 1 and len(opened.inputs) <= EVERY_PRODUCT:
        st.markdown("**The products, unit by unit**")
        st.plotly_chart(
            tensors.vector_figure(opened.products, what="product"),
            key="zoom_products",
            config=elements.STILL,
            alt=f"{len(opened.inputs)} products as bars",
        )
        with st.expander("Input × weight, unit by unit"):
            elements.table(
                unit=range(len(opened.inputs)),
                input=opened.inputs,
                weight=weights,
                product=opened.printed_products,
            )
        return
    kinds = {
        "The inputs": opened.inputs,
        "× the weights": weights,
        "= the products": opened.products,
    }
    with st.container(horizontal=True):  # side by side where there is room
        for title, values in kinds.items():
            with st.container(width="content"):
                st.markdown(f"**{title}**")
                _sheet(values)


def _sheet(values: np.ndarray) -> None:
    """Show a stack of maps; a single map is shown large."""
    picture = tensors.stack_picture(values, SIDE, tile=28)
    caption = f"Full colour is ±{np.abs(values).max():.2f}"
    st.image(as_url(picture), width=picture.shape[1], alt="", caption=caption)


def _framed(opened: Arithmetic, source: np.ndarray) -> None:
    size = opened.inputs.shape[1:]
    row, column = opened.corner[1:]
    st.markdown(f"**{opened.source}**")
    st.image(
        as_url(place_picture(source, (row, column), (size[0], size[1]))),
        width=SIDE,
        alt=f"A frame of {size[0]} by {size[1]} from row {row}, column {column}",
        caption=f"Rows {row} to {row + size[0] - 1}, columns {column} to "
        f"{column + size[1] - 1}".replace("-", "−"),
    )


def _numbers(values: np.ndarray, key: str, decimals: int) -> None:
    listed = "; ".join(", ".join(plain(v, decimals) for v in row) for row in values)
    st.plotly_chart(
        window_figure(values, decimals, elements.dark()),
        key=key,
        config=elements.STILL,
        alt=f"Rows of numbers: {listed}",
    )


def _origin(opened: Arithmetic) -> None:
    """Show the single number that this one depends on, and its place."""
    where = opened.corner
    words = f"unit {where[0]}"
    if len(where) == 3:
        on = "" if opened.source == "image" else f"map {where[0]}, "
        words = f"{on}row {where[1]}, column {where[2]}"
    st.markdown(f"It reads **{opened.source}**, {words}: `{_plain(opened.inputs[0])}`")


def _result(text: str, note: str = "") -> None:
    with st.container(key="zoom_sum"):
        st.markdown(f"`{text}`")  # Markdown: it wraps on a phone, and a screen reader reads it
    if note:
        st.caption(note)
