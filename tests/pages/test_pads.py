"""The pads under AppTest: the drawing of each, what is restored, and what is no drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.drawing import pad_reports
from tests.pages.conftest import (
    canvas,
    png,
    set_grid_drawing,
    set_live_drawing,
    set_tools_drawing,
)
from tests.photo_files import file_of, grey_image, ink, on_paper

BOX = canvas((80, 40, 200, 60))  # 2,400 pixels of ink
KEYS = {"live": "drawing_live", "canvas": "drawing_tools", "grid": "drawing_grid"}


def script() -> None:
    import streamlit as st

    from pages.parts.drawing.pads import PADS

    pad = st.selectbox("Pad", [*PADS, "none"], key="pad")
    if pad != "none":
        drawing, show = PADS[pad].held()
        show()
        named = "named" if drawing.picture_id else "unnamed"
        st.text(f"{drawing.ink.sum():.0f} {drawing.resting} {drawing.revision} {named}")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script, default_timeout=60).run()


def held(app: AppTest) -> str:
    assert not app.exception, app.exception
    return app.text[0].value


def show(app: AppTest, pad: str) -> AppTest:
    return app.selectbox(key="pad").set_value(pad).run()


@pytest.mark.parametrize("pad", [*KEYS, "photo"])
def test_an_empty_pad_has_no_ink(app, pad):
    assert held(show(app, pad)) == "0 True 0 unnamed"


def test_each_pad_gives_its_ink(app):
    set_live_drawing(app, BOX)
    assert held(app.run()) == "2400 True 1 named"
    set_tools_drawing(app, BOX)
    assert held(show(app, "canvas")) == "2400 True 1 named"
    set_grid_drawing(app, (0, 0), (27, 27))
    assert held(show(app, "grid")) == "200 True 1 named"


def test_each_pad_holds_its_own_drawing_while_another_is_shown(app):
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
        assert key not in app.session_state  # Streamlit has dropped the widget's value
    assert held(show(app, "live")) == "2400 True 1 named"
    assert held(show(app, "canvas")) == "1000 True 1 named"
    assert held(show(app, "grid")) == "100 True 1 named"


def test_a_moving_pen_is_shown_and_not_stored(app):
    set_live_drawing(app, BOX)
    app.run()
    set_live_drawing(app, canvas((0, 0, 280, 10)), revision=2, moving=True, strokes=[])
    assert held(app.run()) == "2800 True 2 named"
    show(app, "none")
    assert held(show(app, "live")) == "2400 True 1 named"


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
def test_an_impossible_live_report_is_no_drawing(app, changes):
    set_live_drawing(app, BOX, **changes)
    assert held(app.run()) == "0 True 0 unnamed"
    set_live_drawing(app, BOX)
    assert held(app.run()) == "2400 True 1 named"


@pytest.mark.parametrize("report", ["text", 3, [], {"drawing": 3}, {"drawing": []}, {}])
def test_any_other_value_is_no_drawing(app, report):
    app.session_state["drawing_live"] = report
    assert held(app.run()) == "0 True 0 unnamed"


@pytest.mark.parametrize("data", ["no picture", 3, None, "data:image/png;base64,AAAA"])
def test_a_canvas_without_a_picture_is_no_drawing(app, data):
    report = {"raw": {"objects": []}, "data": data}
    app.session_state["drawing_tools"] = {"drawing": report}
    assert held(show(app, "canvas")).startswith("0 True")


def test_undo_redo_and_clear_of_the_canvas_follow_its_strokes(app):
    strokes = [{"type": "Path", "left": i} for i in range(2)]
    set_tools_drawing(app, BOX, *strokes)
    show(app, "canvas")
    disabled = {n: app.button(key=f"drawing_{n}").disabled for n in ("undo", "redo", "clear")}
    assert disabled == {"undo": False, "redo": True, "clear": False}
    app.button(key="drawing_undo").click().run()
    set_tools_drawing(app, canvas((0, 0, 100, 10)), *strokes[:1])  # what the canvas then reports
    assert held(app.run()).startswith("1000")
    assert not app.button(key="drawing_redo").disabled
    app.button(key="drawing_redo").click().run()
    set_tools_drawing(app, BOX, *strokes)
    assert held(app.run()).startswith("2400")
    assert app.button(key="drawing_redo").disabled
    app.button(key="drawing_clear").click().run()
    assert held(app).startswith("0 True")


def test_the_same_strokes_again_after_clear_are_drawn_again(app):
    show(app, "canvas")
    set_tools_drawing(app, BOX, {"left": 0})
    app.run()
    app.button(key="drawing_clear").click().run()
    assert held(app).startswith("0 True")
    set_tools_drawing(app, canvas())  # the canvas reports that it is empty now
    assert held(app.run()).startswith("0 True")
    set_tools_drawing(app, BOX, {"left": 0})
    assert held(app.run()).startswith("2400")


def test_after_a_new_stroke_nothing_can_be_redone(app):
    set_tools_drawing(app, BOX, {"left": 0}, {"left": 1})
    show(app, "canvas")
    app.button(key="drawing_undo").click().run()
    set_tools_drawing(app, BOX, {"left": 0}, {"left": 2})
    app.run()
    assert app.button(key="drawing_redo").disabled


def upload(app: AppTest, strokes: np.ndarray) -> None:
    photo = file_of(grey_image(on_paper(strokes)))
    app.file_uploader(key="drawing_photo_upload").upload("photo.png", photo).run()


def test_a_photo_is_a_pad_whose_drawing_is_the_last_digit_found(app):
    show(app, "photo")
    upload(app, ink("2"))
    drawn = held(app)
    assert drawn.endswith(" True 1 named")
    assert not app.warning
    upload(app, 0 * ink("2"))
    assert "No ink is seen" in app.warning[0].value
    assert held(app) == drawn
    show(app, "none")
    assert held(show(app, "photo")) == drawn


def test_another_photo_replaces_the_last_one(app):
    show(app, "photo")
    drawn = []
    for digit in "27":
        upload(app, ink(digit))
        drawn.append(held(app))
    assert drawn[0] != drawn[1]


def test_the_photo_can_come_from_the_camera(app):
    show(app, "photo")
    app.button_group(key="drawing_photo_source").set_value("camera").run()
    assert held(app) == "0 True 0 unnamed"
    assert not app.get("file_uploader")


def test_python_and_the_pad_agree_on_the_limits():
    root = Path(__file__).parents[2] / "pages" / "parts" / "drawing"
    live, grid = (root.joinpath(f"{name}_pad.js").read_text("utf-8") for name in ("live", "grid"))
    assert f"const SIDE = {pad_reports.SIDE};" in live
    assert f"const MOST_POINTS = {pad_reports.POINT_LIMIT};" in live
    assert (
        f'min="{pad_reports.THINNEST}" max="{pad_reports.THICKEST}"'
        in root.joinpath("live_pad.html").read_text()
    )
    assert f"const SIDE = {pad_reports.CELLS};" in grid
