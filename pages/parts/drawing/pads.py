"""The pads to draw on, whichever it is: the rest of the app only sees ink."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_core.drawing import pad_reports
from pages.parts.drawing import component_pads
from pages.parts.drawing.component_pads import Held
from pages.parts.session import state

__all__ = ["PADS", "Held", "begin_again", "held"]

PADS = {"live": "Live pad", "canvas": "With tools", "grid": "Keyboard"}
TOOLS, UNDONE = "drawing_tools", "drawing_tools_undone"
EMPTY = (None, "", None)  # strokes, picture, picture that is out of date
_visible_tools = st.components.v2.component(
    "canvas_tools", js=Path(__file__).with_name("canvas_tools.js").read_text("utf-8")
)
LARGEST = 300_000  # characters of strokes; a larger drawing comes back as an empty canvas


def held(pad: str) -> Held:
    """Return what is drawn on a pad, one of `PADS`, and how to show the pad.

    Each pad keeps a drawing of its own, which is still there when the visitor comes back to the
    pad or to the page.

    Raises
    ------
    ValueError
        If there is no such pad.
    """
    hold = {"live": component_pads.live, "canvas": _canvas, "grid": component_pads.grid}
    if pad not in hold:
        raise ValueError(f"expected a pad out of {', '.join(hold)}, got {pad!r}.")
    return hold[pad]()


def begin_again(pad: str) -> None:
    """Empty a pad; only from a callback, before the pad is shown."""
    if pad == "canvas":
        _redraw([])
    else:
        component_pads.begin_again({"live": component_pads.LIVE, "grid": component_pads.GRID}[pad])


def _canvas() -> Held:
    """Return what is drawn on streamlit-drawable-canvas, 200 ms after the pen is up."""
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
        drawn = pad_reports.drawn_of_picture(picture, state.counter(TOOLS))
    except pad_reports.PadError:
        drawn = pad_reports.drawn_of_picture("", state.counter(TOOLS))
    return Held(drawn, partial(_show_canvas, strokes))


def _show_canvas(strokes: dict | None) -> None:
    st.space("medium")  # it shows its own tools above itself
    place = st.container()
    width = st.slider(
        "Pen width, pixels", 6, 40, 18, key="drawing_width", persist_state="session", width=280
    )
    with place:
        result = st_canvas(
            stroke_width=width,
            stroke_color="#000000",
            background_color="#ffffff",
            height=pad_reports.SIDE,
            width=pad_reports.SIDE,
            return_image_data=True,
            initial_drawing=strokes,
            key=TOOLS,
        )
        _tools((result.json_data or {}).get("objects", []))


def _tools(objects: list) -> None:
    """Show buttons large enough for a finger; what they do is done by the canvas."""
    undone, after = state.stored(UNDONE, ([], 0))
    again = undone if len(objects) == after else []  # a new stroke ends what can be drawn again
    offers: tuple[tuple[str, str, bool, list, list], ...] = (
        ("Undo", "undo", bool(objects), objects[:-1], [*again, *objects[-1:]]),
        ("Redo", "redo", bool(again), [*objects, *again[-1:]], again[:-1]),
        ("Clear", "delete", bool(objects), [], []),
    )
    with st.container(horizontal=True):
        for label, icon, offered, left, left_to_redo in offers:
            st.button(
                label,
                key=f"drawing_{label.lower()}",
                icon=f":material/{icon}:",
                disabled=not offered,
                on_click=_redraw,
                args=(left, left_to_redo),
            )
        _visible_tools(data={"key": TOOLS}, key="drawing_tools_shown", width=1)
    st.caption("The pencil above the canvas moves, turns and resizes strokes.")


def _redraw(objects: list, undone: list | tuple = ()) -> None:
    """Let the canvas begin again with some strokes; a random text makes it a new beginning."""
    shown = _report().get("data")
    drawing = {"objects": objects, "beginning": uuid4().hex}
    picture = shown or "" if objects else ""
    state.rebase(TOOLS, (drawing, picture, shown))
    state.store(TOOLS, (_bounded(drawing), picture, None))
    state.store(UNDONE, (list(undone), len(objects)))


def _report() -> dict[str, Any]:
    """Return the canvas's drawing as it came from the browser, not yet checked."""
    widget = state.widget(TOOLS)
    drawing = widget.get("drawing") if isinstance(widget, dict) else None
    return drawing if isinstance(drawing, dict) else {}


def _bounded(drawing: dict[str, Any]) -> dict[str, Any] | None:
    return drawing if len(json.dumps(drawing)) <= LARGEST else None
