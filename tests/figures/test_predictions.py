"""Predictions as HTML: every number is there, and names are escaped."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mnist_core.data.datasets import class_names
from mnist_core.drawing.prediction import Prediction
from mnist_core.figures.predictions import bars_html, models_html, note_html

DIGITS = class_names("mnist")
P = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.6, 0.08, 0.04], dtype=np.float32)
EVIL = '<img src=x onerror="alert(1)">'


def test_bars_are_as_long_as_the_probabilities_and_the_largest_is_marked():
    html = bars_html(Prediction(P, 0.5), DIGITS)
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%", html)]
    np.testing.assert_allclose(widths, 100 * P, atol=0.05)
    assert re.findall(r"<b>(.*?)</b>", html) == [f"{p:.1%}" for p in P]
    assert re.findall(r"<div class=predicted><span>(.*?)</span>", html) == ["7"]
    assert 'role="img" aria-label="Ten confidences; the largest is 7 with 60.0%."' in html


@pytest.mark.parametrize("threshold", [0.25, 0.9])
def test_every_bar_shows_where_the_model_is_sure(threshold):
    html = bars_html(Prediction(P, threshold), DIGITS)
    assert re.findall(r'<u style="left:([\d.]+)%">', html) == [f"{100 * threshold:.1f}"] * 10


def test_every_model_has_a_row_and_every_way_a_column():
    sure, unsure = Prediction(P, 0.5), Prediction(P[::-1].copy(), 0.9)
    by_model = {
        "a": {"Like MNIST": sure, "Whole": unsure},
        "b": {"Like MNIST": sure, "Whole": sure},
    }
    html = models_html(by_model, {"a": DIGITS, "b": list("ABCDEFGHIJ")}, {"a": "One", "b": "Two"})
    assert re.findall(r'<th scope="col">(.*?)</th>', html) == ["Model", "Like MNIST", "Whole"]
    assert re.findall(r'<th scope="row">(.*?)</th>', html) == ["One", "Two"]
    cells = re.findall(r"<td>(.*?)</td>", html)
    assert cells == ["<b>7</b> 60%", "<b>2</b> 60% (not sure)", "<b>H</b> 60%", "<b>H</b> 60%"]


def test_names_that_look_like_html_are_escaped():
    by_model = {"a": {EVIL: Prediction(P, 0.5)}}
    names = [EVIL] * 10
    html = bars_html(by_model["a"][EVIL], names) + note_html(EVIL)
    html += models_html(by_model, {"a": names}, {"a": EVIL})
    assert "<img" not in html
    assert html.count("&lt;img") == 10 + 1 + 1 + 1 + 1 + 1
