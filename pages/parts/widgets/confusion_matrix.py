"""A confusion matrix: one chart for a data set, for a snapshot of a run and for own drawings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.figures.classes import confusion_chart
from pages.parts.session import state
from pages.parts.widgets import elements

__all__ = ["clicked_cell", "show"]


def show(
    confusion: np.ndarray,
    true_names: Sequence[str],
    predicted_names: Sequence[str],
    key: str,
    what: str,
    chosen: tuple[int, int] | None = None,
    on_click: Callable[[], None] | None = None,
    height: int = 400,
) -> None:
    """Show a confusion matrix.

    Parameters
    ----------
    confusion : (10, 10) int64
        Row: true class. Column: predicted class.
    key : str
        The chart's key, for `clicked_cell`.
    what : str
        What was predicted, for a screen reader: "the test set".
    chosen : (row, column) or None
        The cell with a frame.
    on_click : callable or None
        Called when a cell is clicked.
    """
    mistakes = int(confusion.sum() - np.trace(confusion))
    events: dict[str, Any] = {"on_select": on_click} if on_click else {}
    st.echarts_chart(
        confusion_chart(confusion, true_names, predicted_names, elements.dark(), chosen),
        height=height,
        key=key,
        alt=f"Confusion matrix of {what}: {mistakes:,} mistakes of {int(confusion.sum()):,}",
        **events,
    )


def clicked_cell(key: str) -> tuple[int, int] | None:
    """Return the (row, column) of the cell that was clicked, if any."""
    index = state.clicked_point(key)
    return None if index is None else divmod(index, 10)
