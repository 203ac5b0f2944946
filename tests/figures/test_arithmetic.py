"""The figures of one number's arithmetic: its window, the window on the map, and its sum."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.explain.sums import WrittenSum
from mnist_core.figures.arithmetic import place_picture, sum_figure, window_figure
from mnist_core.figures.style import NEGATIVE, NEUTRAL, POSITIVE


def test_a_window_has_its_numbers_in_its_cells():
    figure = window_figure(np.array([[0.5, -1.0], [0.0, -0.0001]]), 3)
    notes = figure.layout.annotations
    assert [note.text for note in notes] == ["0.500", "−1.000", "0.000", "0.000"]
    assert [(note.x, note.y) for note in notes] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.data[0].zmin == -1
    assert len(window_figure(np.zeros((2, 2)), 1).layout.annotations) == 4


def test_the_bars_of_a_sum_are_its_terms_and_end_at_the_total():
    written = WrittenSum((("map 0", 1.5), ("bias", -0.5), ("rounding", -0.00001)), 0.99999)
    bars = sum_figure(written, "z").data[0]
    assert list(bars.y) == ["map 0", "bias", "rounding", "z"]
    assert list(bars.x) == [1.5, -0.5, -0.00001, 0.99999]
    assert list(bars.measure) == ["relative"] * 3 + ["total"]
    assert list(bars.text) == ["+1.50", "−0.50", "−0.00001", "+1.00"]
    assert bars.increasing.marker.color == POSITIVE
    assert bars.decreasing.marker.color == NEGATIVE
    assert bars.totals.marker.color == NEUTRAL


@pytest.mark.parametrize("terms", [(0, 0, 0), (0, -9, 0.5), (3, -1, -7), (5, 0, 0)])
def test_every_bar_of_the_sum_fits_into_the_figure(terms):
    written = WrittenSum.of(zip("abc", terms, strict=True), sum(terms))
    low, high = sum_figure(written, "logit").layout.xaxis.range
    ends = np.cumsum([0, *terms])
    assert low < ends.min()
    assert high > ends.max()


@pytest.mark.parametrize("corner", [(0, 0), (-2, -2), (2, 2)])
def test_the_frame_is_around_the_window(corner):
    plain = place_picture(np.zeros((4, 4)), (40, 40), (2, 2), side=80)
    picture = place_picture(np.zeros((4, 4)), corner, (2, 2), side=80)
    assert picture.shape == (80, 80, 3)
    changed = np.argwhere((picture != plain).any(axis=2))
    if len(changed):
        low, high = changed.min(axis=0), changed.max(axis=0)
        assert (low >= np.maximum(np.array(corner) * 20 - 3, 0)).all()
        assert (high <= (np.array(corner) + 2) * 20 + 3).all()
    if corner == (2, 2):
        assert picture[60, 40].tolist() == [20, 20, 20]
