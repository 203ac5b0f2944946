"""The loss of a run, streamed and standing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_core.figures.training import MOST_POINTS, loss_figure, loss_stream, thinned
from mnist_core.training.history import running_mean
from tests.figures.samples import ACCURACIES, LOSSES, MEAN, as_json, traces


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
    options = loss_stream(np.array([2.5, 2.0, 1.23456789]), 10, log_axis=False)
    assert options["series"][0]["data"] == [[1, 2.5], [2, 2.0], [3, 1.2346]]
    assert (options["xAxis"]["min"], options["xAxis"]["max"]) == (0, 10)
    assert options["yAxis"]["type"] == "value"
    assert "min" not in options["yAxis"]
    assert options["animation"] is False


def test_the_stream_of_a_long_run_has_500_points_at_most_and_both_ends():
    points = loss_stream(MEAN, 9_375, log_axis=True)["series"][0]["data"]
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
    axis = loss_stream(np.array(values), 10, log_axis=True)["yAxis"]
    assert axis["type"] == "log"
    assert (axis["min"], axis["max"]) == (pytest.approx(low), pytest.approx(high))


def test_the_stream_of_a_run_without_a_step_is_empty():
    options = loss_stream(np.empty(0), 10, log_axis=True)
    as_json(options)
    assert options["series"][0]["data"] == []


@pytest.mark.parametrize("last", [math.nan, math.inf])
@pytest.mark.parametrize("log_axis", [True, False])
def test_the_stream_of_a_diverged_run_is_json(last, log_axis):
    mean = running_mean(np.array([2.3, 2.5, last], dtype=np.float32))
    points = as_json(loss_stream(mean, 10, log_axis))["series"][0]["data"]
    assert points[:2] == [[1, 2.3], [2, 2.4]]


def test_the_loss_figure_has_losses_mean_and_accuracy_in_percent():
    figure = loss_figure(LOSSES, MEAN, ACCURACIES, log_axis=True)
    each, mean, test = traces(figure)
    steps = np.array(each["x"])
    assert len(steps) == 2_000
    assert (steps[0], steps[-1]) == (1, 5_000)
    assert mean["x"] == each["x"]
    np.testing.assert_array_equal(np.array(each["y"], dtype=np.float32), LOSSES[steps - 1])
    np.testing.assert_array_equal(mean["y"], MEAN[steps - 1])
    assert (test["x"], test["y"], test["yaxis"]) == ([2_500, 5_000], [50, 90], "y2")
    layout = as_json(figure)["layout"]
    assert layout["yaxis"]["type"] == "log"
    assert layout["yaxis"]["title"]["text"] == "loss"
    assert layout["xaxis"]["title"]["text"] == "step"
    assert (
        dict(zip(layout["yaxis"]["tickvals"], layout["yaxis"]["ticktext"], strict=True))[0.5]
        == "0.5"
    )


def test_the_loss_figure_of_a_run_without_a_whole_epoch_has_no_accuracy():
    figure = loss_figure(LOSSES[:7], MEAN[:7], [], log_axis=False)
    each, mean = traces(figure)
    assert each["x"] == mean["x"] == list(range(1, 8))
    layout = as_json(figure)["layout"]
    assert layout["yaxis"].get("type") != "log"
    assert "yaxis2" not in layout


def test_the_loss_figure_of_a_diverged_run_is_json():
    losses = np.array([2.3, np.nan], dtype=np.float32)
    each, _ = traces(loss_figure(losses, running_mean(losses), [], log_axis=True))
    assert each["x"] == [1, 2]


def test_a_changed_learning_rate_is_marked_where_it_was_changed():
    streamed = loss_stream(MEAN, 9_375, log_axis=True, new_rates=[(100, 0.1), (200, 0.05)])
    marks = streamed["series"][0]["markLine"]["data"]
    assert marks == [{"xAxis": 100, "name": "rate 0.1"}, {"xAxis": 200, "name": "rate 0.05"}]
    figure = loss_figure(LOSSES, MEAN, [], log_axis=False, new_rates=[(100, 0.1)])
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 100
    assert figure.layout.annotations[0].text == "rate 0.1"
    assert not loss_figure(LOSSES, MEAN, [], log_axis=False).layout.shapes
