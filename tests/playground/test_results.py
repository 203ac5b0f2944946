"""The losses of a run, thinned out as it gets longer."""

from __future__ import annotations

import math

import numpy as np

from mnist_core.playground.results import MAX_CURVE_POINTS, LossHistory


def test_curves_stay_bounded_and_evenly_spaced():
    history = LossHistory()
    for epoch in range(2_300):
        history.add(epoch, float(epoch), math.nan)
        assert len(history.rows) <= MAX_CURVE_POINTS
    curves = history.curves()
    assert curves.epoch.tolist() == list(range(0, 2_300, 8))
    assert np.array_equal(curves.train_loss, curves.epoch)
