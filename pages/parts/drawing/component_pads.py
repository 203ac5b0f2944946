"""Our own two pads, on Streamlit's components v2: the live pad and the keyboard grid.

What they hold is kept for the next visit. Both report through one state value, ``drawing``, and are
told with every answer which of their reports it answers, so that they never send faster than they
are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from mnist_core.drawing import pad_reports
from mnist_core.drawing.pad_reports import Drawn
from pages.parts.session import state

__all__ = ["GRID", "LIVE", "Held", "begin_again", "grid", "live"]

LIVE, GRID = "drawing_live", "drawing_grid"
Report = TypeVar("Report", pad_reports.Strokes, pad_reports.Cells)


def _component(name: str) -> Any:
    def read(*files: str) -> str:
        return "\n".join((Path(__file__).parent / file).read_text("utf-8") for file in files)

    return st.components.v2.component(
        name,
        html=read(f"{name}.html"),
        css=read("../widgets/button.css", "pad.css", f"{name}.css"),
        js=read("pad_link.js", f"{name}.js"),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What a pad holds, before it is shown.

    Attributes
    ----------
    drawn : Drawn
    show : callable
        Shows the pad. It is told that what it held is answered and sends its next report, which
        ends the run that is on: to be called once there is an answer to show.
    """

    drawn: Drawn
    show: Callable[[], None]


_live, _grid = _component("live_pad"), _component("grid_pad")


def live() -> Held:
    """Return what is drawn on the live pad, and how to show it."""
    report, drawn = _reported(
        LIVE, pad_reports.NO_STROKES, pad_reports.read_strokes, pad_reports.drawn_of_strokes
    )
    kept = state.stored(
        LIVE, pad_reports.NO_STROKES
    )  # a pen that moves has not finished its stroke
    content = {"strokes": kept.strokes, "width": report.width}
    return Held(drawn, partial(_show, _live, LIVE, content, report))


def grid() -> Held:
    """Return what is drawn on the keyboard grid, and how to show it."""
    report, drawn = _reported(
        GRID, pad_reports.NO_CELLS, pad_reports.read_cells, pad_reports.drawn_of_cells
    )
    content = {"cells": report.cells, "here": report.here, "undo": report.undo}
    return Held(drawn, partial(_show, _grid, GRID, content, report))


def begin_again(key: str) -> None:
    """Let a pad of ours begin again, empty; only from a callback, before the pad is shown."""
    nothing: pad_reports.Strokes | pad_reports.Cells = (
        pad_reports.NO_STROKES if key == LIVE else pad_reports.NO_CELLS
    )
    kept = state.stored(key, nothing)
    state.store(key, replace(nothing, start=kept.start + 1, revision=kept.revision + 1))


def _reported(
    key: str,
    nothing: Report,
    read: Callable[[object], Report],
    draw: Callable[[Report], Drawn],
) -> tuple[Report, Drawn]:
    """Return what a pad holds: by its report or, if it has none yet, as it was left.

    A report that no pad of ours sends counts as nothing drawn.
    """
    kept: Report = state.stored(key, nothing)
    widget = state.widget(key)
    raw = widget.get("drawing") if isinstance(widget, dict) else None
    if raw is None:
        return kept, draw(kept)
    try:
        report = read(raw)
        if report.start != kept.start:  # it was sent before the pad began again
            return kept, draw(kept)
        drawn = draw(report)
    except pad_reports.PadError:
        blank = replace(nothing, start=kept.start, revision=kept.revision)
        return blank, draw(blank)
    if not report.moving:
        state.store(key, report)
    return report, drawn


def _show(
    component: Any, key: str, content: dict, report: pad_reports.Strokes | pad_reports.Cells
) -> None:
    data = {**content, "start": report.start, "answered": report.revision}
    component(key=key, data=data, on_drawing_change=lambda: None)
