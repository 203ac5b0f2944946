"""Our two pads, made with Streamlit's components v2: the live pad and the keyboard grid.

Both report through one state value, ``drawing``. The data they are shown with name the last report
that was processed, and until then they hold the next one back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from mnist_core.drawing.pad_reports import (
    NO_CELLS,
    NO_STROKES,
    Drawing,
    PadError,
    Report,
    read_report,
)
from pages.parts.session import state

__all__ = ["grid", "live"]

LIVE, GRID = "drawing_live", "drawing_grid"


def _component(name: str) -> Any:
    def read(*files: str) -> str:
        return "\n".join((Path(__file__).parent / file).read_text("utf-8") for file in files)

    return st.components.v2.component(
        name,
        html=read(f"{name}.html"),
        css=read("../widgets/button.css", "pad.css", f"{name}.css"),
        js=read("pad.js", f"{name}.js"),
    )


_live, _grid = _component("live_pad"), _component("grid_pad")


def live() -> tuple[Drawing, Callable[[], None]]:
    """Return the drawing on the live pad, and the function that shows the pad."""
    report, drawing = _reported(LIVE, NO_STROKES)
    finished = state.stored(LIVE, NO_STROKES).strokes  # without the stroke that is being drawn
    content = {"strokes": finished, "width": report.width}
    return drawing, partial(_show, _live, LIVE, content, report.revision)


def grid() -> tuple[Drawing, Callable[[], None]]:
    """Return the drawing on the keyboard grid, and the function that shows the grid."""
    report, drawing = _reported(GRID, NO_CELLS)
    content = {"cells": report.cells, "here": report.here, "undo": report.undo}
    return drawing, partial(_show, _grid, GRID, content, report.revision)


def _reported(key: str, nothing: Report) -> tuple[Report, Drawing]:
    """Return a pad's report and its drawing; without a report, those of the last visit.

    A report that none of our pads sends counts as nothing drawn.
    """
    stored: Report = state.stored(key, nothing)
    widget = state.widget(key)
    raw = widget.get("drawing") if isinstance(widget, dict) else None
    if raw is None:
        return stored, stored.drawing()
    try:
        report = read_report(raw, type(nothing))
        drawing = report.drawing()
    except PadError:
        empty = replace(nothing, revision=stored.revision)
        return empty, empty.drawing()
    if not report.moving:
        state.store(key, report)
    return report, drawing


def _show(component: Any, key: str, content: dict, processed: int) -> None:
    """Show a pad, which sends its next report; that can end the run of the script."""
    component(key=key, data={**content, "processed": processed}, on_drawing_change=lambda: None)
