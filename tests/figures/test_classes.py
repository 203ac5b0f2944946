"""Figures over the ten classes."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.figures import classes, style
from tests.figures.samples import CONFUSION, NAMES, ROWS_P, P, as_json, traces


def test_confidence_bars_show_percents_and_mark_the_right_class():
    options = classes.confidence_bars(P, NAMES, right=3)
    bars = options["series"][0]["data"]
    assert [bar["value"] for bar in bars] == pytest.approx(list(100 * P), abs=0.005)
    assert options["yAxis"]["data"] == ["0", "1", "2", "3 ✓", "4", "5", "6", "7", "8", "9"]
    colours = [bar["itemStyle"]["color"] for bar in bars]
    assert colours[2] == style.CLASS_COLOURS[2]  # the predicted class has the full colour
    assert [c for i, c in enumerate(colours) if i != 2] == [
        f"{c}66" for i, c in enumerate(style.CLASS_COLOURS) if i != 2
    ]
    assert options["animation"] is False


@pytest.mark.parametrize("right", range(10))
def test_each_class_can_be_the_right_one(right):
    names = classes.confidence_bars(P, NAMES, right)["yAxis"]["data"]
    assert [i for i, name in enumerate(names) if "✓" in name] == [right]


def test_no_class_is_marked_if_the_right_one_is_unknown():
    assert classes.confidence_bars(P, NAMES)["yAxis"]["data"] == list(NAMES)


def test_confidence_bars_of_a_diverged_model_are_json():
    as_json(classes.confidence_bars(np.full(10, np.nan, dtype=np.float32), NAMES))


def test_the_softmax_figure_holds_the_probabilities_and_frames_the_true_classes():
    labels = np.array([1, 0, 9, 4])
    figure = classes.softmax_figure(ROWS_P, NAMES, labels)
    (heat,) = traces(figure)
    np.testing.assert_array_equal(heat["z"], ROWS_P)
    assert heat["x"] == list(NAMES)
    assert (heat["zmin"], heat["zmax"]) == (0, 1)
    frames = as_json(figure)["layout"]["shapes"]
    assert [(f["x0"] + 0.5, f["y0"] + 0.5) for f in frames] == [(1, 0), (0, 1), (9, 2), (4, 3)]
    assert {(f["x1"] - f["x0"], f["y1"] - f["y0"]) for f in frames} == {(1, 1)}


@pytest.mark.parametrize(("dark", "colour"), [(True, "#eceff4"), (False, "#1d2430")])
def test_text_on_cells_follows_the_theme(dark, colour):
    heat = traces(classes.softmax_figure(ROWS_P, NAMES, np.array([0]), dark))[0]
    assert heat["textfont"]["color"] == colour
    options = classes.confusion_chart(CONFUSION, NAMES, NAMES, dark)
    assert options["series"][0]["label"]["color"] == colour


def cells_of(confusion: np.ndarray, **arguments: object) -> dict[tuple[int, int], dict]:
    """Return the chart's cells by (row, column), as the browser gets them."""
    options = as_json(classes.confusion_chart(confusion, NAMES, NAMES, **arguments))
    cells = options["series"][0]["data"]
    assert [(cell["value"][1], cell["value"][0]) for cell in cells] == list(np.ndindex(10, 10))
    return {(cell["value"][1], cell["value"][0]): cell for cell in cells}


def test_the_confusion_chart_writes_counts_and_colours_by_share():
    confusion = np.diag(np.full(10, 8)).astype(np.int64)
    confusion[3, 5], confusion[4, 9] = 8, 2
    cells = cells_of(confusion)
    assert [[cells[row, column]["value"][3] for column in range(10)] for row in range(10)] == (
        confusion.tolist()
    )
    z = {place: cell["value"][2] for place, cell in cells.items()}
    assert (z[0, 0], z[3, 3], z[4, 4]) == (1, 0.5, 0.8)
    assert z[3, 5] == -1  # the most frequent mistake has the full colour
    assert z[4, 9] == pytest.approx(-0.4)
    assert sum(value != 0 for value in z.values()) == 12
    assert cells[3, 5]["value"][4] == "true 3, predicted 5: 8 images"


def test_the_confusion_of_a_perfect_model_colours_no_mistakes():
    cells = cells_of(np.diag(np.full(10, 7)))
    assert {place for place, cell in cells.items() if cell["value"][2]} == {
        (i, i) for i in range(10)
    }


def test_only_the_chosen_cell_has_a_frame():
    widths = {
        p: c["itemStyle"]["borderWidth"] for p, c in cells_of(CONFUSION, chosen=(4, 9)).items()
    }
    assert [place for place, width in widths.items() if width > 1] == [(4, 9)]


def test_the_counts_figure_has_both_splits():
    train, test = traces(classes.counts_figure(np.arange(10), np.arange(10, 20), NAMES))
    assert (train["name"], test["name"]) == ("training", "test")
    assert train["y"] == list(range(10))
    assert test["y"] == list(range(10, 20))
    assert train["x"] == test["x"] == list(NAMES)


def test_the_gradient_figure_has_bars_by_hand_and_points_by_autograd():
    by_hand = np.array([0.5, -0.5, 0.0])
    bars, points = traces(classes.gradient_figure(by_hand, by_hand + 1, NAMES))
    assert bars["type"] == "bar"
    assert bars["y"] == [0.5, -0.5, 0]
    assert bars["marker"]["color"] == [style.POSITIVE, style.NEGATIVE, style.POSITIVE]
    assert points["mode"] == "markers"
    assert points["y"] == [1.5, 0.5, 1]


def test_logits_stand_beside_their_probabilities():
    z, p = np.linspace(-12, 6, 10), np.full(10, 0.1)
    options = classes.logits_and_probabilities(z, p, list("abcdefghij"), right=2)
    logits, probabilities = options["series"]
    assert [bar["value"] for bar in logits["data"]] == z.round(2).tolist()
    assert [bar["value"] for bar in probabilities["data"]] == [10.0] * 10
    assert logits["data"][0]["itemStyle"] == {"color": style.NEGATIVE}
    assert logits["data"][-1]["itemStyle"] == {"color": style.POSITIVE}
    assert options["yAxis"][0]["data"][2] == "c ✓"
    assert (options["xAxis"][0]["min"], options["xAxis"][0]["max"]) == (-18, 18)  # room for labels
