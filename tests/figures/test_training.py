"""The loss and the accuracy of a run."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_core.figures.training import MOST_POINTS, loss_chart, thinned
from mnist_core.training.history import running_mean
from tests.figures.samples import MEAN, as_json


@pytest.mark.parametrize("n", [0, 1, 2, 499, 500, 501, 502, 750, 999, 9_375, 1_000_000])
def test_thinned_keeps_both_ends_and_at_most_500(n):
    chosen = thinned(n)
    assert len(chosen) == min(n, MOST_POINTS) or n > MOST_POINTS
    assert len(chosen) <= 500
    assert chosen.dtype == np.int64
    if n:
        assert (chosen[0], chosen[-1]) == (0, n - 1)
        assert (np.diff(chosen) > 0).all()
        assert np.diff(chosen).max(initial=0) <= math.ceil(n / 499)


def test_thinned_to_another_number():
    np.testing.assert_array_equal(thinned(9, most=3), [0, 4, 8])
    np.testing.assert_array_equal(thinned(3, most=3), [0, 1, 2])


def test_the_stream_of_a_short_run_has_every_step():
    options = loss_chart(np.array([2.5, 2.0, 1.23456789]), 10, log_axis=False)
    assert options["series"][0]["data"] == [[1, 2.5], [2, 2.0], [3, 1.2346]]
    assert (options["xAxis"]["min"], options["xAxis"]["max"]) == (0, 10)
    assert options["yAxis"][0]["type"] == "value"
    assert "min" not in options["yAxis"][0]
    assert options["animation"] is False


def test_the_stream_of_a_long_run_has_500_points_at_most_and_both_ends():
    points = loss_chart(MEAN, 9_375, log_axis=True)["series"][0]["data"]
    assert len(points) == 500
    assert points[0] == [1, pytest.approx(MEAN[0], rel=1e-4)]
    assert points[-1] == [5_000, pytest.approx(MEAN[-1], rel=1e-4)]
    for step, value in points:
        assert value == pytest.approx(MEAN[step - 1], rel=1e-4)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([2.3, 0.41], 0.4, 3), ([0.0234, 0.0101], 0.01, 0.03), ([150.0, 0.9], 0.9, 200)],
)
def test_the_log_axis_of_the_stream_ends_at_one_digit_around_the_curve(values, low, high):
    axis = loss_chart(np.array(values), 10, log_axis=True)["yAxis"][0]
    assert axis["type"] == "log"
    assert (axis["min"], axis["max"]) == (pytest.approx(low), pytest.approx(high))


def test_the_stream_of_a_run_without_a_step_is_empty():
    options = loss_chart(np.empty(0), 10, log_axis=True)
    as_json(options)
    assert options["series"][0]["data"] == []


@pytest.mark.parametrize("last", [math.nan, math.inf])
@pytest.mark.parametrize("log_axis", [True, False])
def test_the_stream_of_a_diverged_run_is_json(last, log_axis):
    mean = running_mean(np.array([2.3, 2.5, last], dtype=np.float32))
    points = as_json(loss_chart(mean, 10, log_axis))["series"][0]["data"]
    assert points[:2] == [[1, 2.3], [2, 2.4]]


def test_the_chart_has_both_accuracies_in_percent_on_a_right_axis():
    accuracies = [(2_500, 0.5, 0.55), (5_000, 0.9012, 0.92)]
    options = as_json(loss_chart(MEAN, 5_000, log_axis=True, accuracies=accuracies))
    loss, test, train = options["series"]
    assert loss.get("yAxisIndex", 0) == 0
    assert (test["yAxisIndex"], train["yAxisIndex"]) == (1, 1)
    assert test["data"] == [[2_500, 50], [5_000, 90.12]]
    assert train["data"] == [[2_500, 55], [5_000, 92]]
    right = options["yAxis"][1]
    assert (right["min"], right["max"]) == (50, 100)
    perfect = loss_chart(MEAN, 5_000, log_axis=True, accuracies=[(5_000, 1.0, 1.0)])
    assert (perfect["yAxis"][1]["min"], perfect["yAxis"][1]["max"]) == (90, 100)


def test_the_chart_of_an_ended_run_differs_by_its_slider_alone():
    going = loss_chart(MEAN, 5_000, log_axis=True)
    ended = loss_chart(MEAN, 5_000, log_axis=True, ended=True)
    assert ended.pop("dataZoom")[0]["type"] == "slider"
    assert ended == going


def test_the_empty_chart_says_what_will_be_drawn():
    options = as_json(loss_chart(np.empty(0), 9_375, log_axis=True, sentence="Press Start."))
    assert options["graphic"]["style"]["text"] == "Press Start."
    assert options["xAxis"]["max"] == 9_375
    assert "graphic" not in loss_chart(MEAN, 9_375, log_axis=True)


def test_a_changed_learning_rate_is_marked_where_it_was_changed():
    streamed = loss_chart(MEAN, 9_375, log_axis=True, new_rates=[(100, 0.1), (200, 0.05)])
    marks = streamed["series"][0]["markLine"]["data"]
    assert marks == [{"xAxis": 100, "name": "rate 0.1"}, {"xAxis": 200, "name": "rate 0.05"}]
