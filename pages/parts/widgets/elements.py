"""Small pieces that every page is built from: checks, choices, rows of numbers and of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.common.comparison import Check
from pages.parts.session import state

__all__ = ["STILL", "again", "check", "dark", "numbers", "pick", "pictures", "table"]

# Plotly's tool bar stays away from figures that are only looked at; a phone scrolls past them.
STILL = {"displayModeBar": False, "scrollZoom": False}


def check(result: Check, key: str, what: str = "PyTorch and NumPy") -> None:
    """Show whether two computations agree, in a container of this key."""
    with st.container(key=key):
        if result.matches:
            st.success(f"{what}: {result}", icon=":material/check:")
        else:
            st.error(f"{what}: {result}", icon=":material/close:")


def pick(label: str, options: Iterable[Any], key: str, default: Any, **arguments: Any) -> Any:
    """Show a choice of one among a few, always made, remembered for the session."""
    return st.segmented_control(
        label,
        list(options),
        default=default,
        required=True,
        key=key,
        persist_state="session",
        **arguments,
    )


def again(label: str, key: str, counter: str) -> int:
    """Show a button that draws something anew; return how often it was pressed, to seed with."""
    st.button(label, key=key, icon=":material/casino:", on_click=state.count_up, args=(counter,))
    return state.counter(counter)


def numbers(values: Mapping[str, str], key: str | None = None, width: int = 164) -> None:
    """Show labelled numbers in a row; on a phone two fit side by side."""
    with st.container(horizontal=True, key=key):
        for label, value in values.items():
            st.metric(label, value, width=width)


def table(first_width: int | None = None, /, **columns: Sequence[object]) -> None:
    """Show columns side by side as a small table, the first one so many pixels wide."""
    import pandas as pd  # a third of a second that the first page does not wait for

    widths = {next(iter(columns)): st.column_config.Column(width=first_width)}
    st.dataframe(pd.DataFrame(columns), hide_index=True, column_config=widths)


def pictures(
    images: Sequence[np.ndarray], captions: Sequence[str], width: int, key: str | None = None
) -> None:
    """Show pictures side by side, with a gap, as many in a row as fit."""
    from mnist_core.figures.pictures import as_url  # brings Plotly's style along: not at first

    with st.container(horizontal=True, key=key):
        for image, caption in zip(images, captions, strict=True):
            st.image(as_url(image), caption=caption, width=width, alt=caption)


def dark() -> bool:
    """Return whether this visitor's page is dark."""
    return st.context.theme.type == "dark"
