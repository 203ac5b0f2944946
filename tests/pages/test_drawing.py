"""The drawing page: every pad, every view, every choice."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from mnist_core.nn import architectures
from tests.pages.conftest import (
    canvas,
    go_to,
    set_grid_drawing,
    set_live_drawing,
    set_tools_drawing,
    words,
)

SEVEN = canvas((80, 50, 200, 70), (180, 50, 200, 220))
VIEWS = (
    "The way to 28×28",
    "Why this answer",
    "Layer by layer",
    "Nearest digits",
    "My handwriting",
)


@pytest.fixture
def drawn(open_page) -> AppTest:
    """Return the page with a seven on the live pad."""
    app = open_page("home")
    set_live_drawing(app, SEVEN)
    return go_to(app, "drawing")


def choose(app: AppTest, key: str, value: str) -> AppTest:
    app.button_group(key=key).set_value(value).run()
    assert not app.exception, app.exception
    return app


def predicted(app: AppTest) -> str:
    """Return the large digit."""
    return app.title[1].value


def test_it_asks_for_a_drawing(open_page):
    app = open_page("drawing")
    assert "The canvas is empty" in app.info[0].value
    assert "this part of the page opens it up" in words(app)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (canvas(), "The canvas is empty"),
        (canvas((140, 140, 150, 150)), "a dot of 10 pixels"),
        (canvas((0, 0, 280, 280)), "covered with ink"),
    ],
)
def test_ink_that_is_no_digit_is_refused(open_page, picture, sentence):
    app = open_page("home")
    set_live_drawing(app, picture)
    go_to(app, "drawing")
    assert sentence in app.info[0].value
    assert "The model reads" not in words(app)


def test_both_preparations_and_any_model_can_be_chosen(drawn):
    assert "The model reads **7**" in words(drawn)
    assert predicted(drawn) == "7"
    choose(drawn, "drawing_preparation", "Whole canvas")
    assert re.search(r"\*\*Whole canvas\*\*: read as .* · \*chosen\*", words(drawn))
    drawn.selectbox(key="drawing_model").set_value("linear").run()
    assert not drawn.exception
    assert predicted(drawn).isdigit()


def test_the_predictions_of_all_models_stand_side_by_side(drawn):
    (html,) = [h.proto.body for h in drawn.get("html") if "<table" in h.proto.body]
    titles = [row.title for row in architectures.ARCHITECTURES.values()]
    rows = re.findall(r'<tr><th scope="row">(.*?)</tr>', html)
    assert len(rows) == len(titles)
    assert all(any(row.startswith(f"{title}</th>") for row in rows) for title in titles)
    assert all(re.search(r"<td><b>\d</b> \d+%.*</td><td><b>\d</b> \d+%", row) for row in rows)


def test_a_lattice_is_doubted(open_page):
    app = open_page("home")
    set_live_drawing(app, lattice())
    go_to(app, "drawing")
    assert "I am not sure." in words(app)
    assert "The model reads" not in words(app)


def lattice() -> np.ndarray:
    lines = [(40, 20 + 60 * i, 240, 32 + 60 * i) for i in range(4)]
    posts = [(40 + 60 * i, 20, 52 + 60 * i, 212) for i in range(4)]
    return canvas(*lines, *posts)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("model", architectures.ARCHITECTURES)
def test_every_view_opens_for_every_model(drawn, view, model):
    drawn.selectbox(key="drawing_model").set_value(model).run()
    choose(drawn, "drawing_view", view)
    assert {
        "The way to 28×28": "**Like MNIST**: read as",
        "Why this answer": "## Why this answer?",
        "Layer by layer": "gives 10 numbers" if model == "linear" else "What each layer",
        "Nearest digits": "**In pixels**",
        "My handwriting": "## My handwriting",
    }[view] in words(choose(drawn, "drawing_layer", "l1") if view == VIEWS[2] else drawn)


def test_the_evidence_for_a_class_adds_up_on_the_page(drawn):
    drawn.selectbox(key="drawing_model").set_value("linear").run()
    choose(drawn, "drawing_view", "Why this answer")
    for label in ("3", "7"):
        choose(drawn, "drawing_evidence_class", label)
        (sum_line,) = [m.value for m in drawn.markdown if re.fullmatch(r"`[^`]* = [^`]*`", m.value)]
        terms, logit = sum_line.strip("`").replace("−", "-").replace(" ", "").split("=")
        numbers = [float(n) for n in re.findall(r"[+-]?\d+\.\d+", terms)]
        assert abs(sum(numbers) - float(logit)) < 1e-9
        assert len(numbers) >= 3


def test_a_layer_and_a_feature_map_can_be_chosen(drawn):
    drawn.selectbox(key="drawing_model").set_value("cnn").run()
    choose(drawn, "drawing_view", "Layer by layer")
    choose(drawn, "drawing_layer", "conv2")
    assert "64 × 7 × 7 numbers" in words(drawn)
    drawn.selectbox(key="drawing_feature_map").set_value("5").run()
    assert not drawn.exception


def test_the_canvas_with_tools_and_the_keyboard_grid_give_ink_too(open_page):
    app = open_page("home")
    set_tools_drawing(app, SEVEN)
    set_grid_drawing(app, *[(5, c) for c in range(8, 18)], *[(r, 17) for r in range(5, 22)])
    go_to(app, "drawing")
    assert "The canvas is empty" in words(app)
    for pad in ("canvas", "grid"):
        choose(app, "drawing_pad", pad)
        assert predicted(app) == "7"


def photo(ink: int, paper: int) -> bytes:
    picture = np.full((400, 300), paper, dtype=np.uint8)
    picture[80:100, 90:200] = ink
    for row in range(100, 320):
        right = 200 - (row - 100) // 3
        picture[row, right - 20 : right] = ink
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(("ink", "paper"), [(30, 220), (235, 40)])
def test_a_photo_is_a_drawing(open_page, ink, paper):
    app = open_page("drawing")
    choose(app, "drawing_pad", "photo")
    app.file_uploader(key="drawing_photo_upload").upload("seven.png", photo(ink, paper)).run()
    assert not app.exception, app.exception
    assert predicted(app) == "7"
    go_to(app, "home")
    go_to(app, "drawing")
    assert predicted(app) == "7"  # still there


def test_a_broken_photo_is_refused_and_the_last_one_stays(open_page):
    app = open_page("drawing")
    choose(app, "drawing_pad", "photo")
    app.file_uploader(key="drawing_photo_upload").upload("seven.png", photo(30, 220)).run()
    app.file_uploader(key="drawing_photo_upload").upload("no.png", b"\x89PNG broken").run()
    assert not app.exception
    assert app.warning
    assert predicted(app) == "7"
