"""One number of a network, with all that it was computed from."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from mnist_core.explain.arithmetic import EVERY_PRODUCT, Arithmetic
from mnist_core.figures import explain as explain_figures
from mnist_core.figures import zoom as figures
from mnist_core.figures.pictures import as_url
from pages.parts.session import state
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["kernel", "show", "unit"]

SIDE, DECIMALS = 224, 5


def unit(opened: Arithmetic) -> None:
    """Show what a unit of a vector looks at, before its sum is opened."""
    if opened.weights is None:
        texts.show("zoom", "unit_single")
        _origin(opened)
        return
    texts.show("zoom", "unit_sum")
    _three(opened)


def kernel(weights: np.ndarray) -> None:
    """Show a kernel of (C, k, k): one window, or one for each map that it reads."""
    windows = "Its kernel" if len(weights) == 1 else "Its kernel: a window for each map before"
    st.markdown(f"**{windows}**")
    _sheet(weights, "Full colour is ±{:.2f}")


def show(opened: Arithmetic, source: np.ndarray) -> None:
    """Show a number's arithmetic.

    Parameters
    ----------
    opened : Arithmetic
    source : (C, H, W) or (N,) float32
        All that the layer reads.
    """
    if opened.operation == "sum":
        _weighted_sum(opened, source)
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


def _weighted_sum(opened: Arithmetic, source: np.ndarray) -> None:
    windowed = opened.place is not None
    texts.show("zoom", "convolution" if windowed else "sum")
    if windowed:
        _convolution(opened, source)
        texts.show("zoom", "sum")
    else:
        _three(opened)
    written = opened.written(DECIMALS)
    st.plotly_chart(
        figures.sum_figure(written, "sum"),
        key="zoom_sum_figure",
        config=elements.STILL,
        alt="The terms of the sum, each bar beginning where the one above it ended",
    )
    names = ", ".join(name for name, _ in written.terms)
    (_, first), *rest = written.terms
    terms = [_plain(first), *(f"{'−' if v < 0 else '+'} {_plain(abs(v))}" for _, v in rest)]
    _result(f"{' '.join(terms)} = {_plain(written.total)}", f"In this order: {names}.")
    if opened.after is not None:
        st.markdown(
            "After it the activation: "
            f"ReLU makes of it `max(0, {_plain(written.total)}) = {_plain(opened.after)}`."
        )


def _convolution(opened: Arithmetic, source: np.ndarray) -> None:
    """Show the kernel on its place, on the map whose products weigh most unless one is chosen."""
    sums = opened.products.sum(axis=(1, 2))
    channel = int(np.abs(sums).argmax())
    if len(sums) > 1:
        options = [str(i) for i in range(len(sums))]
        kept = state.stored("zoom_channel", None)
        channel = int(
            state.choose(
                st.selectbox,
                f"Which of the {len(sums)} maps of {opened.source} to look at",
                options,
                kept if kept in options else str(channel),
                partial(state.store, "zoom_channel"),
                "zoom_channel",
                width=280,
            )
        )
    printed = opened.printed_products(DECIMALS)[channel]
    weights = np.zeros_like(printed) if opened.weights is None else opened.weights[channel]
    left, middle, right = st.columns(3, gap="medium")
    with left:
        _framed(opened, source[channel])
    with middle:
        st.markdown("**Under the kernel**")
        _numbers(opened.inputs[channel], "zoom_inputs", 3)
    with right:
        st.markdown("**× the kernel**")
        _numbers(weights, "zoom_weights", 3)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("**= the products**")
        _numbers(printed, "zoom_products", DECIMALS)
    with right:
        _row_sums(printed, f"map {channel}" if len(sums) > 1 else "")
    if len(sums) > 1:
        with st.expander(f"The products of all {len(sums)} maps"):
            _sheet(opened.products, "Full colour is ±{:.2f}", columns=8)


def _row_sums(printed: np.ndarray, title: str) -> None:
    sums = printed.sum(axis=1)
    lines = [f"row {number}  {_plain(value):>9}" for number, value in enumerate(sums)]
    st.markdown(f"**Added up{f', {title}' if title else ''}**")
    with st.container(key="zoom_rows"):
        st.code("\n".join([*lines, f"sum    {_plain(sums.sum()):>9}"]), language=None)


def _three(opened: Arithmetic) -> None:
    """Show inputs, weights and products side by side."""
    if opened.weights is None:
        return
    kinds = {
        "The inputs": opened.inputs,
        "× the weights": opened.weights,
        "= the products": opened.products,
    }
    if opened.inputs.ndim == 1 and len(opened.inputs) <= EVERY_PRODUCT:
        st.markdown("**The products, unit by unit**")
        st.plotly_chart(
            explain_figures.vector_figure(opened.products, what="product"),
            key="zoom_products",
            config=elements.STILL,
            alt=f"{len(opened.inputs)} products as bars",
        )
        with st.expander("Input × weight, unit by unit"):
            elements.table(
                unit=range(len(opened.inputs)),
                input=opened.inputs,
                weight=opened.weights,
                product=opened.printed_products(DECIMALS),
            )
        return
    with st.container(horizontal=True):  # side by side where there is room
        for title, values in kinds.items():
            with st.container(width="content"):
                st.markdown(f"**{title}**")
                _sheet(values, "Full colour is ±{:.2f}")


def _sheet(values: np.ndarray, caption: str, columns: int = 8) -> None:
    """Show a stack of maps, or the only one large."""
    if len(values) == 1:
        picture = explain_figures.map_picture(values[0], SIDE)
    else:
        picture = explain_figures.feature_sheet(values, columns, tile=28)
    largest = float(np.abs(values).max())
    st.image(as_url(picture), width=picture.shape[1], alt="", caption=caption.format(largest))


def _framed(opened: Arithmetic, source: np.ndarray) -> None:
    size = opened.inputs.shape[1:]
    row, column = opened.corner[1:]
    st.markdown(f"**{opened.source}**")
    st.image(
        as_url(figures.place_picture(source, (row, column), (size[0], size[1]))),
        width=SIDE,
        alt=f"A frame of {size[0]} by {size[1]} from row {row}, column {column}",
        caption=f"Rows {row} to {row + size[0] - 1}, columns {column} to "
        f"{column + size[1] - 1}".replace("-", "−"),
    )


def _numbers(values: np.ndarray, key: str, decimals: int) -> None:
    listed = "; ".join(", ".join(_plain(v, decimals) for v in row) for row in values)
    st.plotly_chart(
        figures.window_figure(values, decimals, elements.dark()),
        key=key,
        config=elements.STILL,
        alt=f"Rows of numbers: {listed}",
    )


def _origin(opened: Arithmetic) -> None:
    """Say where the one number comes from that this one depends on."""
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


def _plain(value: float, decimals: int = DECIMALS) -> str:
    """Write a number out with a real minus, and no minus before zero."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")
