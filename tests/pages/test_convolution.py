"""Convolution: the effect of each control, on the bundled digits."""

from __future__ import annotations

import re

import pytest

from pages.parts.concepts.window_picture import LAST_MOVE, reported
from tests.pages.conftest import go_to, words


def window(app) -> str:
    """Return the HTML of the numbers under the window."""
    return next(block.proto.body for block in app.get("html") if "window-sum" in block.proto.body)


def move(app, row: int, column: int) -> None:
    """Store a place as the pictures do when one is chosen: AppTest has no browser."""
    app.session_state["slot_convolution_place"] = (row, column, 1)
    app.run()


def len_of_map(app) -> int:
    return int(re.search(r"= (\d+)", app.latex[1].value).group(1))


def kernel(app) -> str:
    return " ".join(re.findall(r"<td [^>]*>([^<]+)</td>", window(app).split("<table")[2]))


def test_the_feature_map_matches_and_the_formula_has_its_numbers(open_page):
    app = open_page("convolution")
    assert app.success[0].value.startswith("The feature map, PyTorch and NumPy: match")
    assert app.success[1].value.startswith("Max pooling, PyTorch and NumPy: match")
    assert len_of_map(app) == 26
    app.button_group(key="convolution_size").set_value(5).run()
    assert len_of_map(app) == 24
    app.button_group(key="convolution_stride").set_value(2).run()
    assert len_of_map(app) == 12
    app.button_group(key="convolution_padding").set_value(2).run()
    assert len_of_map(app) == 14
    assert not app.error
    assert "= **416**" in words(app)
    assert "= **7,234,560**" in words(app)


@pytest.mark.parametrize(
    "name", ["Horizontal edges", "Vertical edges", "Blur", "Sharpen", "Identity"]
)
def test_every_kernel_shows_its_numbers_and_matches(open_page, name):
    app = open_page("convolution")
    app.selectbox(key="convolution_kernel").set_value(name).run()
    written = app.text_area(key="convolution_own").value.replace("−", "-").split()
    shown = kernel(app).replace("−", "-").split()
    assert [float(n) for n in written] == pytest.approx([float(n) for n in shown], abs=1e-3)
    assert not app.exception
    assert not app.error


def test_an_edited_kernel_is_used_lasts_and_can_be_put_back(open_page):
    app = open_page("convolution")
    ready = kernel(app)
    app.text_area(key="convolution_own").set_value("0 0 0\n0 2 0\n0 0 -1").run()
    assert kernel(app) == "0 0 0 0 2 0 0 0 −1"
    assert "match" in app.success[0].value
    go_to(go_to(app, "layer"), "convolution")
    assert kernel(app) == "0 0 0 0 2 0 0 0 −1"
    app.selectbox(key="convolution_kernel").set_value("Identity").run()
    assert kernel(app) == "0 0 0 0 1 0 0 0 0"
    app.selectbox(key="convolution_kernel").set_value("Horizontal edges").run()
    assert kernel(app) == "0 0 0 0 2 0 0 0 −1"
    app.button(key="convolution_ready").click().run()
    assert kernel(app) == ready


@pytest.mark.parametrize("junk", ["", "abc", "1 2 3", "1,5 0 0\n0 0 0\n0 0 0", "1 2\n3 4\n5 1e9"])
def test_junk_in_the_kernel_is_refused_in_words_and_the_last_kernel_stays(open_page, junk):
    app = open_page("convolution")
    app.text_area(key="convolution_own").set_value("0 0 0\n0 3 0\n0 0 0").run()
    app.text_area(key="convolution_own").set_value(junk).run()
    (refused,) = [error.value for error in app.error]
    assert "needs" in refused
    assert refused.endswith("The page goes on with the last kernel.")
    assert kernel(app) == "0 0 0 0 3 0 0 0 0"


def test_another_image_and_another_place_change_the_sum(open_page):
    app = open_page("convolution")
    before = window(app)
    app.button(key="convolution_another").click().run()
    assert window(app) != before
    other = window(app)
    move(app, 10, 14)
    assert window(app) != other


def test_a_place_outside_a_smaller_map_moves_to_its_edge(open_page):
    app = open_page("convolution")
    move(app, 25, 25)
    app.button_group(key="convolution_stride").set_value(3).run()
    assert len_of_map(app) == 9
    assert not app.exception


@pytest.mark.parametrize(
    "place",
    [
        None,
        [1, 2],
        [1, 2, 3, 4],
        [1.0, 2, 3],
        [True, 2, 3],
        [26, 0, 1],
        [-1, 0, 1],
        ["1", 2, 3],
        [0, 0, LAST_MOVE],
    ],
)
def test_a_place_that_the_map_does_not_have_is_ignored(place):
    assert reported({"place": place}, 26) is None
    assert reported(place, 26) is None


def test_a_place_on_the_map_is_taken():
    assert reported({"place": [25, 0, 4]}, 26) == (25, 0, 4)
