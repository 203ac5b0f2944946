"""Every ready experiment runs, and its answer is true."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mnist_core.playground.experiments import EXPERIMENTS
from mnist_core.playground.run import PlaygroundRun
from mnist_core.playground.setups import FEATURES

MAX_STEPS = 4_000  # 20 s of play hold about 8 s of training, at 500 steps per second


@cache
def played(name):
    run = PlaygroundRun(EXPERIMENTS[name].setup)
    run.run_to(EXPERIMENTS[name].epochs)
    return run


def with_changes(name, epochs=None, **changes):
    run = PlaygroundRun(replace(EXPERIMENTS[name].setup, **changes))
    run.run_to(epochs or EXPERIMENTS[name].epochs)
    return run.snapshot(1)


def test_there_are_eight_and_each_is_short():
    assert len(EXPERIMENTS) == 8
    assert all(name == row.name and row.title for name, row in EXPERIMENTS.items())
    assert all(played(name).step_count <= MAX_STEPS for name in EXPERIMENTS)


@pytest.mark.parametrize(
    ("data", "name"),
    [("circle", "features"), ("xor", "xor_hidden"), ("gauss", "line"), ("spiral", "spiral")],
)
def test_each_classic_set_is_solved(data, name):
    assert EXPERIMENTS[name].setup.data == data
    assert played(name).snapshot(1).test_error < 0.05


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["features", "xor_hidden", "line", "spiral"])
def test_other_seeds_solve_them_too(name, seed):
    assert with_changes(name, seed=seed).test_error < 0.05


def error_of_the_best_line(name):
    """Return the smallest share of points on the wrong side, over straight lines of all angles."""
    points = played(name).points
    x = np.concatenate([points.train_x, points.test_x])
    is_one = np.concatenate([points.train_y, points.test_y]) == 1
    wrong = []
    for angle in np.linspace(0, np.pi, 181):
        along = np.argsort(x @ [np.cos(angle), np.sin(angle)])
        ones_before = np.concatenate([[0], np.cumsum(is_one[along])])
        zeros_after = (~is_one).sum() - (np.arange(len(x) + 1) - ones_before)
        errors = ones_before + zeros_after  # if all points after the line are of class 1
        wrong.append(min(errors.min(), len(x) - errors.max()) / len(x))
    return min(wrong)


def test_a_line_cannot_separate_exclusive_or():
    assert EXPERIMENTS["xor_line"].setup.layers == ()
    assert error_of_the_best_line("xor_line") == pytest.approx(0.3, abs=0.02)
    losses = [played("xor_line").snapshot(1).train_loss]
    for seed, error in {3: 0.75, 6: 0.40}.items():
        view = with_changes("xor_line", seed=seed)
        assert view.test_error == pytest.approx(error, abs=0.01)
        losses.append(view.train_loss)
    assert losses == pytest.approx([np.log(2)] * 3, abs=0.015)


def test_layers_without_activation_draw_one_line_and_with_tanh_a_curve():
    assert error_of_the_best_line("linear_layers") == pytest.approx(0.3, abs=0.02)
    assert played("linear_layers").snapshot(1).test_error > 0.4
    assert with_changes("linear_layers", activation="tanh").test_error < 0.05


def test_l1_selects_the_two_squares():
    weights = dict(zip(FEATURES, played("features").snapshot(1).weights[0][0], strict=True))
    assert weights.pop("x1sq") == pytest.approx(-0.45, abs=0.05)
    assert weights.pop("x2sq") == pytest.approx(-0.45, abs=0.05)
    assert max(map(abs, weights.values())) <= 0.06


def test_too_large_a_learning_rate_diverges_and_a_smaller_one_does_not():
    run = PlaygroundRun(EXPERIMENTS["learning_rate"].setup)
    run.run_to(EXPERIMENTS["learning_rate"].epochs)
    assert run.diverged
    losses = run.curves.train_loss
    assert np.all(np.diff(losses) > 0)  # every epoch increased it
    run.undo()
    assert run.adopt(replace(run.setup, learning_rate=0.03))
    run.run_to(10)
    assert run.diverged is None
    assert run.snapshot(1).train_loss < 1e-3


def test_overfitting():
    run = played("overfitting")
    view = run.snapshot(1)
    assert len(run.points.train_x) == 50
    assert view.train_error == 0
    assert 0.1 < view.test_error < 0.2
    assert view.test_loss == pytest.approx(2 * run.curves.test_loss.min(), rel=0.1)
    assert with_changes("overfitting", epochs=60, train_share=80).test_error < 0.1
    with_l2 = with_changes("overfitting", regularisation="L2", regularisation_rate=0.03)
    assert with_l2.test_loss < view.test_loss
    assert with_l2.test_error < view.test_error


def test_the_spiral_is_found_after_forty_epochs_and_without_the_sines_several_times_later():
    assert with_changes("spiral", epochs=39).test_error == pytest.approx(0.4, abs=0.05)
    assert with_changes("spiral", epochs=80).test_error < 0.05
    assert with_changes("spiral", epochs=3 * 80, features=("x1", "x2")).test_error > 0.05


def test_two_clouds_are_separated_within_a_few_epochs():
    assert with_changes("line", epochs=3).test_error < 0.01
