"""The playground's loss curves as ECharts options."""

from __future__ import annotations

import json

import numpy as np

from mnist_core.figures.playground import loss_chart


def test_curves_hold_their_points_and_leave_out_what_is_no_number():
    chart = loss_chart(
        np.array([0, 1, 20]), np.array([0.7, 0.5, np.inf]), np.array([np.nan, 0.612345678, np.nan])
    )
    training, test = chart["series"]
    assert training["data"] == [[0, 0.7], [1, 0.5]]
    assert test["data"] == [[1, 0.61235]]
    assert chart["xAxis"]["max"] == 20
    assert chart["animation"] is False
    json.dumps(chart, allow_nan=False)


def test_the_axis_has_room_at_the_beginning():
    start = loss_chart(np.array([0]), np.array([0.7]), np.array([0.7]))
    assert start["xAxis"]["max"] == 10


def test_the_two_curves_differ_in_more_than_colour():
    training, test = loss_chart(np.array([0]), np.array([1.0]), np.array([1.0]))["series"]
    assert training["lineStyle"]["type"] != test["lineStyle"]["type"]
