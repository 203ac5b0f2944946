"""The pads under AppTest: what each reports, what is kept, and that nonsense is nothing drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import (
    canvas,
    png,
    set_grid_drawing,
    set_live_drawing,
    set_tools_drawing,
)

BOX = canvas((80, 40, 200, 60))  # 2,400 pixels of ink
KEYS = {"live": "drawing_live", "canvas": "drawing_tools", "grid": "drawing_grid"}


def script() -> None:
    import streamlit as st

    from pages.parts.drawing import pads

    pad = st.selectbox("Pad", [*pads.PADS, "none"], key="pad")
    st.button("Again", key="again", on_click=pads.begin_again, args=(pad,))
    if pad != "none":
        held = pads.held(pad)
        held.show()
        drawn = held.drawn
        named = "named" if drawn.beginning else "unnamed"
        st.text(f"{drawn.ink.sum():.0f} {drawn.resting} {drawn.revision} {named}")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script, default_timeout=60).run()


def said(app: AppTest) -> str:
    assert not app.exception, app.exception
    return app.text[0].value


def show(app: AppTest, pad: str) -> AppTest:
    return app.selectbox(key="pad").set_value(pad).run()


@pytest.mark.parametrize("pad", KEYS)
def test_an_empty_pad_has_no_ink(app, pad):
    assert said(show(app, pad)) == "0 True 0 unnamed"


def test_one_function_gives_the_ink_of_each_pad(app):
    set_live_drawing(app, BOX)
    assert said(app.run()) == "2400 True 1 named"
    set_tools_drawing(app, BOX)
    assert said(show(app, "canvas")) == "2400 True 1 named"
    set_grid_drawing(app, (0, 0), (27, 27))
    assert said(show(app, "grid")) == "200 True 1 named"


def test_each_pad_keeps_its_own_drawing_while_another_is_shown(app):
    set_live_drawing(app, BOX)
    app.run()
    show(app, "canvas")
    set_tools_drawing(app, canvas((0, 0, 100, 10)))
    app.run()
    show(app, "grid")
    set_grid_drawing(app, (3, 4))
    app.run()
    show(app, "none")
    for key in KEYS.values():
        assert key not in app.session_state  # the pad itself remembers nothing
    assert said(show(app, "live")) == "2400 True 1 named"
    assert said(show(app, "canvas")) == "1000 True 1 named"
    assert said(show(app, "grid")) == "100 True 1 named"


def test_a_moving_pen_is_shown_and_not_kept(app):
    set_live_drawing(app, BOX)
    app.run()
    set_live_drawing(app, canvas((0, 0, 280, 10)), revision=2, moving=True, strokes=[])
    assert said(app.run()) == "2800 True 2 named"
    show(app, "none")
    assert said(show(app, "live")) == "2400 True 1 named"


@pytest.mark.parametrize("pad", KEYS)
def test_a_pad_begins_again_whatever_its_front_end_still_reports(app, pad):
    set_live_drawing(app, BOX)
    set_tools_drawing(app, BOX, {"type": "Path"})
    set_grid_drawing(app, (3, 4))
    assert "named" in said(show(app, pad)).split()
    assert said(app.button(key="again").click().run()).startswith("0 True")


def test_a_new_report_counts_after_the_pad_began_again(app):
    set_live_drawing(app, BOX)
    app.run()
    app.button(key="again").click().run()
    set_live_drawing(app, BOX, start=1, revision=5)
    assert said(app.run()) == "2400 True 5 named"


@pytest.mark.parametrize(
    "changes",
    [
        {"picture": "no picture"},
        {"picture": None},
        {"picture": png(np.zeros((10, 10, 4), dtype=np.uint8))},
        {"strokes": [[1]]},
        {"revision": -1},
        {"width": "wide"},
    ],
    ids=["no url", "none", "small", "strokes", "revision", "width"],
)
def test_a_live_report_that_cannot_be_is_nothing_drawn(app, changes):
    set_live_drawing(app, BOX, **changes)
    assert said(app.run()) == "0 True 0 unnamed"
    set_live_drawing(app, BOX)
    assert said(app.run()) == "2400 True 1 named"


@pytest.mark.parametrize("report", ["text", 3, [], {"drawing": 3}, {"drawing": []}, {}])
def test_no_report_at_all_is_nothing_drawn(app, report):
    app.session_state["drawing_live"] = report
    assert said(app.run()) == "0 True 0 unnamed"


@pytest.mark.parametrize("data", ["no picture", 3, None, "data:image/png;base64,AAAA"])
def test_a_canvas_without_a_picture_is_nothing_drawn(app, data):
    report = {"raw": {"objects": []}, "data": data}
    app.session_state["drawing_tools"] = {"drawing": report}
    assert said(show(app, "canvas")).startswith("0 True")


def test_undo_redo_and_clear_of_the_canvas_follow_its_strokes(app):
    strokes = [{"type": "Path", "left": i} for i in range(2)]
    set_tools_drawing(app, BOX, *strokes)
    show(app, "canvas")
    disabled = {n: app.button(key=f"drawing_{n}").disabled for n in ("undo", "redo", "clear")}
    assert disabled == {"undo": False, "redo": True, "clear": False}
    app.button(key="drawing_undo").click().run()
    set_tools_drawing(app, canvas((0, 0, 100, 10)), *strokes[:1])  # what the canvas then reports
    assert said(app.run()).startswith("1000")
    assert not app.button(key="drawing_redo").disabled
    app.button(key="drawing_redo").click().run()
    set_tools_drawing(app, BOX, *strokes)
    assert said(app.run()).startswith("2400")
    assert app.button(key="drawing_redo").disabled
    app.button(key="drawing_clear").click().run()
    assert said(app).startswith("0 True")


def test_the_same_strokes_again_after_clear_are_drawn_again(app):
    show(app, "canvas")
    set_tools_drawing(app, BOX, {"left": 0})
    app.run()
    app.button(key="drawing_clear").click().run()
    assert said(app).startswith("0 True")
    set_tools_drawing(app, canvas())  # the canvas reports that it is empty now
    assert said(app.run()).startswith("0 True")
    set_tools_drawing(app, BOX, {"left": 0})
    assert said(app.run()).startswith("2400")


def test_a_new_stroke_ends_what_could_be_drawn_again(app):
    set_tools_drawing(app, BOX, {"left": 0}, {"left": 1})
    show(app, "canvas")
    app.button(key="drawing_undo").click().run()
    set_tools_drawing(app, BOX, {"left": 0}, {"left": 2})
    app.run()
    assert app.button(key="drawing_redo").disabled


def test_python_and_the_pad_agree_on_the_limits():
    from mnist_core.drawing import pad_reports

    root = Path(__file__).parents[2] / "pages" / "parts" / "drawing"
    live, grid = (root.joinpath(f"{name}_pad.js").read_text("utf-8") for name in ("live", "grid"))
    assert f"const SIDE = {pad_reports.SIDE};" in live
    assert f"const MOST_POINTS = {pad_reports.POINT_LIMIT};" in live
    assert (
        f'min="{pad_reports.THINNEST}" max="{pad_reports.THICKEST}"'
        in root.joinpath("live_pad.html").read_text()
    )
    assert f"const SIDE = {pad_reports.CELLS};" in grid
