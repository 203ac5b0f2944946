"""Small parts of every page: checks, choices, rows of numbers and of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.common.comparison import Check
from pages.parts.session import state

__all__ = [
    "STILL",
    "again",
    "check",
    "dark",
    "numbers",
    "pick",
    "pictures",
    "stored_choice",
    "table",
]

# For figures without interaction: no tool bar, and a phone scrolls past them.
STILL = {"displayModeBar": False, "scrollZoom": False}


def check(result: Check, key: str, what: str = "PyTorch and NumPy") -> None:
    """Show whether two computations agree, in a container of this key."""
    with st.container(key=key):
        if result.matches:
            st.success(f"{what}: {result}", icon=":material/check:")
        else:
            st.error(f"{what}: {result}", icon=":material/close:")


def pick(label: str, options: Iterable[Any], key: str, default: Any, **arguments: Any) -> Any:
    """Show a choice of one among a few options, stored for the session."""
    return st.segmented_control(
        label,
        list(options),
        default=default,
        required=True,
        key=key,
        persist_state="session",
        **arguments,
    )


def stored_choice(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[str],
    key: str,
    default: str,
    slot: str = "",
    **arguments: Any,
) -> str:
    """Show a choice that is stored while its page is left; the default if it is no option any more.

    Parameters
    ----------
    widget : callable
        ``st.selectbox`` or ``st.segmented_control``.
    slot : str
        Where the choice is stored; "" for the key. One widget can have a choice for each subject.
    """
    slot = slot or key
    current = state.stored(slot, default)
    if current not in options:
        current = default
    return state.choose(
        widget, label, options, current, partial(state.store, slot), key, **arguments
    )


def again(label: str, key: str, counter: str) -> int:
    """Show a button that draws something anew; return how often it was pressed, for a seed."""
    st.button(label, key=key, icon=":material/casino:", on_click=state.count_up, args=(counter,))
    return state.counter(counter)


def numbers(values: Mapping[str, str], key: str | None = None, width: int = 164) -> None:
    """Show labelled numbers in a row; two fit side by side on a phone. ``width`` is in pixels."""
    with st.container(horizontal=True, key=key):
        for label, value in values.items():
            st.metric(label, value, width=width)


def table(first_width: int | None = None, /, **columns: Iterable[object]) -> None:
    """Show columns side by side as a small table; ``first_width`` is in pixels."""
    import pandas as pd  # takes 0.3 s; the first page does not need it

    widths = {next(iter(columns)): st.column_config.Column(width=first_width)}
    st.dataframe(pd.DataFrame(columns), hide_index=True, column_config=widths)


def pictures(
    images: Sequence[np.ndarray], captions: Sequence[str], width: int, key: str | None = None
) -> None:
    """Show pictures side by side with captions, as many in a row as fit."""
    from mnist_core.figures.pictures import as_url  # loads Plotly; the first page does not

    with st.container(horizontal=True, key=key):
        for image, caption in zip(images, captions, strict=True):
            st.image(as_url(image), caption=caption, width=width, alt=caption)


def dark() -> bool:
    """Return whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
