"""Several runs, a race, and predictions during training."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.figures import compare
from tests.figures.samples import CURVES, MEAN, NAMES


def test_runs_are_compared_by_step_or_by_time():
    by_step = compare.compare_figure(CURVES, by_time=False, log_axis=False)
    by_time = compare.compare_figure(CURVES, by_time=True, log_axis=False)
    assert [t.name for t in by_step.data] == ["Run 5000", "Run 700"]
    assert by_step.data[1].x[-1] == 700
    assert by_time.data[1].x[-1] == 0.7
    assert by_step.data[0].line.dash != by_step.data[1].line.dash  # not by colour alone


def test_each_curve_of_a_race_ends_at_its_last_step():
    series = compare.race_stream(MEAN[:3_000], MEAN, 9_375, log_axis=False)["series"]
    assert [(s["name"], s["data"][-1][0]) for s in series] == [("PyTorch", 3_000), ("NumPy", 5_000)]
    largest = compare.race_figure(np.array([1e-7, 3e-7, 2e-7], dtype=np.float32)).data[0].y
    assert list(largest) == pytest.approx([1e-7, 3e-7, 3e-7])


def test_the_lanes_of_a_race_end_at_the_finish():
    options = compare.lanes_chart((3_000, 9_375), (2e-4, 1e-4), 9_375)
    bars = options["series"][0]["data"]
    assert options["xAxis"]["max"] == 9_375
    assert options["yAxis"]["data"] == ["PyTorch", "NumPy"]
    assert [bar["value"] for bar in bars] == [3_000, 9_375]
    texts = [bar["label"]["formatter"] for bar in bars]
    assert texts == ["step 3,000, 200 µs a step", "step 9,375, 100 µs a step 🏁"]
    bars = compare.lanes_chart((0, 0), (0.0, 0.0), 9_375)["series"][0]["data"]
    assert [bar["label"]["formatter"] for bar in bars] == ["step 0", "step 0"]


def test_classes_with_small_probabilities_are_left_out():
    p = np.zeros((2, 10), dtype=np.float32)
    p[:, 3], p[:, 7], p[0, 1] = (0.9, 0.5), (0.1, 0.45), 0.05
    figure = compare.confidence_figure([0, 5], p, NAMES, now=5)
    assert [t.name for t in figure.data] == ["3", "7"]
    assert figure.layout.shapes[0].x0 == 1
