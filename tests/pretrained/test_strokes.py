"""Splines, ellipses and the random pen."""

from __future__ import annotations

import numpy as np

from mnist_core.pretrained.strokes import drawn, ellipse, smooth


def test_a_smooth_curve_passes_through_its_points():
    points = np.array([[0, 0], [1, 0.5], [0.2, 1], [0.7, 0.1]])
    curve = smooth(points, n=10)
    assert curve.shape == (3 * 10 + 1, 2)
    np.testing.assert_allclose(curve[::10], points, atol=1e-12)


def test_a_smooth_curve_through_points_on_a_line_stays_on_it():
    curve = smooth(np.array([[0, 0], [1, 2], [2, 4], [3, 6]]), n=8)
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0], atol=1e-12)
    assert (np.diff(curve[:, 0]) > 0).all()
    steps = np.diff(curve[8:17, 0])  # even steps between the middle points
    np.testing.assert_allclose(steps, 1 / 8, atol=1e-12)


def test_points_of_an_ellipse_lie_on_it():
    points = ellipse(0.5, 0.4, 0.3, 0.2, start=0.25, turns=0.5)
    on_it = ((points[:, 0] - 0.5) / 0.3) ** 2 + ((points[:, 1] - 0.4) / 0.2) ** 2
    np.testing.assert_allclose(on_it, 1, atol=1e-12)
    np.testing.assert_allclose(points[[0, -1]], [[0.5, 0.6], [0.5, 0.2]], atol=1e-12)


def test_the_ink_is_where_the_stroke_is():
    ink = drawn([np.array([[0.2, 0.5], [0.8, 0.5]])], np.random.default_rng(0))
    assert ink.shape == (112, 112)
    assert ink.dtype == np.float32
    assert (ink.min(), ink.max()) == (0, 1)
    assert ink[56, 56] == 1
    assert not ink[0].any()
