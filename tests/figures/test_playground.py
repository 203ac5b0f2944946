"""The playground's loss curves as ECharts options."""

from __future__ import annotations

import json

import numpy as np

from mnist_core.figures.playground import loss_chart
from mnist_core.playground.results import LossCurves


def chart_of(epoch, train_loss, test_loss):
    return loss_chart(LossCurves(*map(np.array, (epoch, train_loss, test_loss))))


def test_the_curves_have_every_finite_value():
    chart = chart_of([0, 1, 20], [0.7, 0.5, np.inf], [np.nan, 0.612345678, np.nan])
    training, test = chart["series"]
    assert training["data"] == [[0, 0.7], [1, 0.5]]
    assert test["data"] == [[1, 0.61235]]
    assert chart["xAxis"]["max"] == 20
    assert chart["animation"] is False
    json.dumps(chart, allow_nan=False)


def test_the_axis_shows_at_least_ten_epochs():
    start = chart_of([0], [0.7], [0.7])
    assert start["xAxis"]["max"] == 10


def test_the_two_curves_differ_in_more_than_colour():
    training, test = chart_of([0], [1.0], [1.0])["series"]
    assert training["lineStyle"]["type"] != test["lineStyle"]["type"]
