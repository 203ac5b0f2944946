"""The pad with tools: streamlit-drawable-canvas, with buttons large enough for a finger."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_core.drawing.pad_reports import SIDE, Drawing, PadError, drawing_of_picture, read_picture
from pages.parts.session import state

__all__ = ["held"]

TOOLS, UNDONE = "drawing_tools", "drawing_tools_undone"
EMPTY = (None, "", None)  # strokes, picture, outdated picture
LARGEST = 300_000  # characters of strokes; a larger drawing is restored as an empty canvas
_visible_tools = st.components.v2.component(
    "canvas_tools", js=Path(__file__).with_name("canvas_pad.js").read_text("utf-8")
)


def held() -> tuple[Drawing, Callable[[], None]]:
    """Return the drawing on the canvas, and the function that shows it.

    The canvas reports 200 ms after the pen is lifted.
    """
    strokes, picture, outdated = state.base_of(TOOLS, EMPTY)
    report = _report()
    reported = report.get("data")
    if reported not in (None, outdated):  # else the canvas has not reported yet
        picture = reported
        state.rebase(TOOLS, (strokes, picture, None))
        if picture != state.stored(TOOLS, EMPTY)[1]:
            state.count_up(TOOLS)
        state.store(TOOLS, (_bounded(report.get("raw") or {}), picture, None))
    try:
        drawing = drawing_of_picture(read_picture(picture), state.counter(TOOLS))
    except PadError:
        drawing = drawing_of_picture("", state.counter(TOOLS))
    return drawing, partial(_show, strokes)


def _show(strokes: dict | None) -> None:
    st.space("medium")  # the canvas shows its own tools above itself
    place = st.container()
    width = st.slider(
        "Pen width, pixels", 6, 40, 18, key="drawing_width", persist_state="session", width=280
    )
    with place:
        result = st_canvas(
            stroke_width=width,
            stroke_color="#000000",
            background_color="#ffffff",
            height=SIDE,
            width=SIDE,
            return_image_data=True,
            initial_drawing=strokes,
            key=TOOLS,
        )
        _buttons((result.json_data or {}).get("objects", []))


def _buttons(objects: list) -> None:
    """Show Undo, Redo and Clear; each restarts the canvas with other strokes."""
    undone, after = state.stored(UNDONE, ([], 0))
    again = undone if len(objects) == after else []  # after a new stroke nothing can be redone
    buttons: tuple[tuple[str, str, bool, list, list], ...] = (
        ("Undo", "undo", bool(objects), objects[:-1], [*again, *objects[-1:]]),
        ("Redo", "redo", bool(again), [*objects, *again[-1:]], again[:-1]),
        ("Clear", "delete", bool(objects), [], []),
    )
    with st.container(horizontal=True):
        for label, icon, enabled, strokes, left_to_redo in buttons:
            st.button(
                label,
                key=f"drawing_{label.lower()}",
                icon=f":material/{icon}:",
                disabled=not enabled,
                on_click=_restart,
                args=(strokes, left_to_redo),
            )
        _visible_tools(data={"key": TOOLS}, key="drawing_tools_shown", width=1)
    st.caption("The pencil above the canvas moves, turns and resizes strokes.")


def _restart(objects: list, undone: list) -> None:
    """Let the canvas start again from some strokes; the random text makes it a new start."""
    shown = _report().get("data")
    strokes = {"objects": objects, "beginning": uuid4().hex}
    picture = shown or "" if objects else ""
    state.rebase(TOOLS, (strokes, picture, shown))
    state.store(TOOLS, (_bounded(strokes), picture, None))
    state.store(UNDONE, (undone, len(objects)))


def _report() -> dict[str, Any]:
    """Return the canvas's report as it came from the browser, not checked yet."""
    widget = state.widget(TOOLS)
    report = widget.get("drawing") if isinstance(widget, dict) else None
    return report if isinstance(report, dict) else {}


def _bounded(strokes: dict[str, Any]) -> dict[str, Any] | None:
    return strokes if len(json.dumps(strokes)) <= LARGEST else None
