"""The playground's points against their formulas, computed independently."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from mnist_core.playground.own_points import own_point
from mnist_core.playground.points import SETS, make_points
from mnist_core.playground.setups import CLASSIFICATION, DATA, REGRESSION, Setup
from tests.small_data import global_generators_untouched

OWN = tuple(own_point(x1, x2, (x1 > 0) + 0) for x1 in range(-4, 5) for x2 in (-1.5, 0.25))


def a_setup(data, **changes):
    return Setup(data=data, points=OWN if data == "own" else (), **changes)


def all_of(setup):
    points = make_points(setup)
    x = np.concatenate([points.train_x, points.test_x]).astype(np.float64)
    return x, np.concatenate([points.train_y, points.test_y])


def drawn(name, noise=0.0, n=500):
    """The points of a data set in the order of its function, before the split."""
    x, y = SETS[name](n, noise, torch.Generator().manual_seed(3))
    return x.numpy().astype(np.float64), y.numpy()


@pytest.mark.parametrize("noise", [0, 50])
@pytest.mark.parametrize("data", DATA)
def test_shapes_types_and_ranges(data, noise):
    setup = a_setup(data, noise=noise, train_share=30)
    points = make_points(setup)
    for x, y in ((points.train_x, points.train_y), (points.test_x, points.test_y)):
        assert x.shape == (len(y), 2)
        assert x.dtype == np.float32
        assert np.abs(x).max() <= 6
        assert not x.flags.writeable
        assert not y.flags.writeable
    if data != "own":
        assert (len(points.train_x), len(points.test_x)) == (150, 350)
    y = np.concatenate([points.train_y, points.test_y])
    if data in REGRESSION:
        assert y.dtype == np.float32
        assert np.abs(y).max() <= 1
    else:
        assert y.dtype == np.int64
        assert set(y.tolist()) == set(range(setup.n_classes))


@pytest.mark.parametrize("data", DATA)
def test_the_seed_determines_the_points(data):
    with global_generators_untouched():
        first, again = make_points(a_setup(data, seed=5)), make_points(a_setup(data, seed=5))
    other = make_points(a_setup(data, seed=6))
    for name in ("train_x", "train_y", "test_x", "test_y"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.train_x, other.train_x)


@pytest.mark.parametrize("data", ["circle", "xor", "plane", "gaussian"])
def test_noise_of_these_sets_changes_labels_and_no_point(data):
    calm_x, calm_y = all_of(Setup(data=data))
    noisy_x, noisy_y = all_of(Setup(data=data, noise=50))
    assert np.array_equal(calm_x, noisy_x)
    assert (calm_y != noisy_y).mean() > 0.05


@pytest.mark.parametrize("data", ["gauss", "spiral", "moons", "three", "four"])
def test_noise_of_these_sets_moves_points_and_changes_no_class(data):
    calm_x, calm_y = all_of(Setup(data=data))
    noisy_x, noisy_y = all_of(Setup(data=data, noise=50))
    assert np.array_equal(calm_y, noisy_y)
    assert not np.array_equal(calm_x, noisy_x)


def test_circle():
    x, y = all_of(Setup(data="circle"))
    r = np.hypot(x[:, 0], x[:, 1])
    assert np.array_equal(y, r < 2.5)
    assert y.sum() == 250
    assert r[y == 0].min() >= 3.5 - 1e-5
    assert r.max() <= 5 + 1e-5


def test_exclusive_or():
    x, y = all_of(Setup(data="xor"))
    assert np.array_equal(y, (x[:, 0] > 0) == (x[:, 1] > 0))
    assert np.abs(x).min() >= 0.3 - 1e-6
    assert np.abs(x).max() <= 5.3


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.5, 4.0)])
def test_two_gaussians(noise, variance):
    x, y = drawn("gauss", noise, n=20_000)
    for label, centre in ((1, 2), (0, -2)):
        cloud = x[y == label]
        assert cloud.mean(axis=0) == pytest.approx([centre, centre], abs=0.08)
        assert cloud.var(axis=0) == pytest.approx([variance, variance], rel=0.05)


def test_three_gaussians():
    x, y = drawn("three", 0.0, n=30_000)
    centres = [(0, 3), (3 * math.sqrt(3) / 2, -1.5), (-3 * math.sqrt(3) / 2, -1.5)]
    for label, centre in enumerate(centres):
        assert x[y == label].mean(axis=0) == pytest.approx(centre, abs=0.05)
        assert x[y == label].var(axis=0) == pytest.approx([0.5, 0.5], rel=0.05)


def test_spiral():
    x, y = drawn("spiral", n=8)
    assert y.tolist() == [1] * 4 + [0] * 4
    for i in range(4):
        r, t = 5 * i / 4, 1.75 * i / 4 * 2 * math.pi
        assert x[i] == pytest.approx([r * math.sin(t), r * math.cos(t)], abs=1e-5)
        assert x[4 + i] == pytest.approx(-x[i], abs=1e-5)  # half a turn further
    noisy, _ = drawn("spiral", 0.5, n=8)
    assert 0 < np.abs(noisy - x).max() <= 0.5


def test_two_moons():
    x, y = drawn("moons")
    unscaled = x / 3.5 + [0.5, 0.25]
    upper, lower = unscaled[y == 0], unscaled[y == 1]
    assert np.hypot(*upper.T) == pytest.approx(np.ones(250), abs=1e-5)
    assert upper[:, 1].min() >= -1e-6
    assert np.hypot(lower[:, 0] - 1, lower[:, 1] - 0.5) == pytest.approx(np.ones(250), abs=1e-5)
    assert lower[:, 1].max() <= 0.5 + 1e-6


def test_four_arms():
    x, y = drawn("four", n=16)
    i, c = np.arange(16) // 4, np.arange(16) % 4
    r, t = 1 + i, i / 4 + c * math.pi / 2
    assert y.tolist() == c.tolist()
    assert np.abs(x - np.stack([r * np.sin(t), r * np.cos(t)], axis=1)).max() <= 0.3 + 1e-5


def test_plane():
    x, y = all_of(Setup(data="plane"))
    assert y == pytest.approx(x.sum(axis=1) / 12, abs=1e-6)


def test_gaussian_hills():
    x, y = all_of(Setup(data="gaussian"))
    expected = np.zeros(len(x))
    signs = itertools.cycle([1, -1])
    for centre, sign in zip(itertools.product([2.5, -2.5], [-4, 0, 4]), signs, strict=False):
        height = np.clip(1 - np.hypot(x[:, 0] - centre[1], x[:, 1] - centre[0]) / 2, 0, None)
        expected += sign * height * (height > np.abs(expected))
    assert y == pytest.approx(expected, abs=1e-5)
    assert set(np.sign(y)) == {-1, 0, 1}


@pytest.mark.parametrize("data", CLASSIFICATION)
def test_training_and_test_points_have_similar_class_shares(data):
    points = make_points(Setup(data=data))
    train, test = (np.bincount(y, minlength=4) for y in (points.train_y, points.test_y))
    assert train / 250 == pytest.approx(test / 250, abs=0.15)


def test_adding_own_points_does_not_move_the_earlier_ones():
    fewer, more = (make_points(Setup(data="own", points=OWN[:n])) for n in (9, 18))
    for part in ("train_x", "test_x"):
        earlier = getattr(fewer, part)
        assert len(earlier)
        assert np.array_equal(earlier, getattr(more, part)[: len(earlier)])


@pytest.mark.parametrize("seed", range(20))
def test_a_single_own_point_is_a_training_point(seed):
    points = make_points(Setup(data="own", points=((1.0, -2.0, 1),), seed=seed, train_share=10))
    assert points.train_x.tolist() == [[1, -2]]
    assert points.train_y.tolist() == [1]
    assert points.test_x.shape == (0, 2)


def test_no_own_points_give_empty_arrays():
    points = make_points(Setup(data="own"))
    assert points.train_x.shape == points.test_x.shape == (0, 2)
