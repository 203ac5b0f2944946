"""Evaluation: the images of a cell of the confusion matrix, and the clicks on them."""

from __future__ import annotations

import re

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import numbers, words


def linear(open_page) -> AppTest:
    app = open_page("evaluation")
    app.selectbox(key="evaluation_model").set_value("linear").run()
    assert not app.exception
    return app


def cell(app: AppTest, true: int | str, predicted: int | str) -> AppTest:
    app.selectbox(key="evaluation_true").set_value(true)
    app.selectbox(key="evaluation_predicted").set_value(predicted).run()
    assert not app.exception
    return app


def opened(app: AppTest) -> list[str]:
    return app.selectbox(key="evaluation_open").options


def test_both_accuracies_are_shown_before_the_question(open_page):
    app = linear(open_page)
    assert re.fullmatch(r"0\.\d{5}", numbers(app)["Test accuracy"])
    assert re.fullmatch(r"0\.\d{5}", numbers(app)["Training accuracy"])
    assert "of 360 right" in words(app)


def test_at_first_all_mistakes_are_listed(open_page):
    app = linear(open_page)
    n = int(re.search(r"([\d,]+) of 360 right", words(app)).group(1))
    assert f"**{360 - n} mistakes**" in words(app)
    assert all(re.match(r"(\d), predicted (?!\1)\d \(\d+%\)", line) for line in opened(app))


def test_the_select_boxes_choose_a_cell(open_page):
    app = cell(linear(open_page), 3, 3)
    assert "right predictions**, the 24 most confident" in words(app)
    assert len(opened(app)) == 24
    assert all(line.startswith("3, predicted 3") for line in opened(app))
    cell(app, 3, "any")
    assert all(re.match(r"3, predicted [^3]", line) for line in opened(app))
    cell(app, "any", 8)
    assert all(re.match(r"[^8], predicted 8", line) for line in opened(app))


def test_an_empty_cell_says_so(open_page):
    app = cell(linear(open_page), 0, 1)
    assert "No mistakes here" in words(app)


def test_the_image_is_closed_when_another_cell_is_chosen(open_page):
    app = cell(linear(open_page), 3, 3)
    app.selectbox(key="evaluation_open").select_index(0).run()
    assert app.selectbox(key="zoom_layer")
    cell(app, 4, 4)
    assert app.selectbox(key="evaluation_open").value is None


def test_the_code_is_what_ran(open_page):
    (code,) = [block.value for block in linear(open_page).code if "def evaluate(" in block.value]
    assert "torch.inference_mode()" in code
    assert ".eval()" in code
    assert "def accuracy(model" not in code


def test_a_statement_about_mnist_needs_mnist(open_page):
    assert "MNIST's test set" not in words(linear(open_page))  # these are the bundled digits
