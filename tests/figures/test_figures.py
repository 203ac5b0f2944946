"""Every figure goes to the browser as strict JSON and takes the colours of the page."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_core.concepts.activations import collapse, curve
from mnist_core.figures import classes, compare, concepts, timeline, training
from mnist_core.figures.training import loss_chart
from tests.figures.samples import (
    CONFUSION,
    CURVES,
    LOSSES,
    MEAN,
    MILESTONES,
    NAMES,
    ROWS_P,
    TANH,
    B,
    P,
    W,
    X,
    Y,
    Z,
    as_json,
    decoded,
    traces,
)

CALLS = {
    "confidence_bars": lambda: classes.confidence_bars(P, NAMES, right=3),
    "softmax_figure": lambda: classes.softmax_figure(ROWS_P, NAMES, np.array([1, 0, 9, 4])),
    "confusion_chart": lambda: classes.confusion_chart(CONFUSION, NAMES, NAMES),
    "counts_figure": lambda: classes.counts_figure(np.arange(10), np.arange(10, 20), NAMES),
    "gradient_figure": lambda: classes.gradient_figure(P - np.eye(10)[3], P - np.eye(10)[3], NAMES),
    "layer_figure": lambda: concepts.layer_figure(W, B, X, Y),
    "activation_figure": lambda: concepts.activation_figure(curve(TANH, Z), (0.0, 0.0, 1.0)),
    "collapse_figure": lambda: concepts.collapse_figure(collapse(TANH, 0), "tanh"),
    "pre_activation_figure": lambda: concepts.pre_activation_figure(curve(TANH, Z), Z, "tanh"),
    "loss_curves_figure": lambda: concepts.loss_curves_figure(0.25),
    "timeline_chart": lambda: timeline.timeline_chart(MILESTONES, 1963),
    "loss_chart": lambda: loss_chart(
        MEAN, 9_375, log_axis=True, new_rates=[(100, 0.1)], accuracies=[(1_875, 0.86, 0.85)]
    ),
    "compare_figure": lambda: compare.compare_figure(CURVES, by_time=True, log_axis=True),
    "race_stream": lambda: compare.race_stream(MEAN[:3_000], MEAN, 9_375, log_axis=True),
    "lanes_chart": lambda: compare.lanes_chart((3_000, 5_000), (2e-4, 0.0), 9_375),
    "race_figure": lambda: compare.race_figure(LOSSES * 1e-7),
    "confidence_figure": lambda: compare.confidence_figure([0, 1, 10, 99], ROWS_P, NAMES, now=10),
}


def numbers_in(part):
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        return [number for value in part for number in numbers_in(value)]
    return [part] if isinstance(part, float) else []


def test_every_figure_is_tested_here():
    makers = {
        name
        for module in (classes, compare, concepts, timeline, training)
        for name in module.__all__
        if name.endswith(("_figure", "_bars", "_chart", "_stream"))
    }
    assert makers == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_figure_is_strict_json_without_nan(name):
    content = decoded(as_json(CALLS[name]()))
    assert content["data" if "data" in content else "series"]
    assert all(math.isfinite(number) for number in numbers_in(content))


@pytest.mark.parametrize("name", [n for n in CALLS if n.endswith("_figure")])
def test_a_plotly_figure_sets_no_background_and_no_font_colour(name):
    layout = as_json(CALLS[name]())["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "color" not in layout.get("font", {})
    assert layout["height"] > 0


LINES = {name: traces(call()) for name, call in CALLS.items() if not isinstance(call(), dict)}
LINES = {name: [t for t in data if t["type"] == "scatter"] for name, data in LINES.items()}


@pytest.mark.parametrize("name", [name for name, data in LINES.items() if data])
def test_every_point_of_a_line_is_drawn(name):
    assert [trace["line"]["simplify"] for trace in LINES[name]] == [False] * len(LINES[name])
