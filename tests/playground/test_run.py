"""A run of the playground: training, going back, and what may be changed on the way."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from mnist_core.playground import network
from mnist_core.playground.own_points import own_point
from mnist_core.playground.points import make_points
from mnist_core.playground.run import PlaygroundRun
from mnist_core.playground.setups import DATA, LIVE, Setup
from mnist_core.playground.results import MOST_ON_CURVE, Losses
from tests.small_data import global_generators_untouched

OWN = tuple(own_point(x1, x2, int(x1 > 0)) for x1 in (-3, -1, 1, 3) for x2 in (-2, 2))
EXPLODING = Setup(data="plane", layers=(), learning_rate=0.3)


def weights_of(run):
    view = run.snapshot(1)
    return [*view.weights, *view.biases]


def same(these, those):
    return all(np.array_equal(a, b) for a, b in zip(these, those, strict=True))


def exploded():
    run = PlaygroundRun(EXPLODING)
    run.run_to(10)
    assert run.diverged
    return run


@pytest.mark.parametrize(
    "setup",
    [*(Setup(data=name, points=OWN) for name in DATA), Setup(data="four", loss="squared")],
    ids=lambda setup: f"{setup.data}-{setup.loss}",
)
def test_every_set_is_learnt(setup):
    run = PlaygroundRun(setup)
    before = run.snapshot(1)
    run.run_to(10)
    after = run.snapshot(1)
    assert after.train_loss < before.train_loss
    assert not same(before.weights, after.weights)
    assert (after.epoch, after.n_classes) == (10, setup.n_classes)


def test_equal_set_ups_give_equal_runs_and_nothing_global_is_drawn_on():
    with global_generators_untouched():
        one, other = PlaygroundRun(Setup(seed=4)), PlaygroundRun(Setup(seed=4))
        one.run_to(3)
        other.step(40)
        other.epoch()
        other.step()
        other.run_to(3)
    assert same(weights_of(one), weights_of(other))
    assert np.array_equal(one.curves.train_loss, other.curves.train_loss)
    assert not same(weights_of(one), weights_of(PlaygroundRun(Setup(seed=5))))


def test_a_step_by_hand():
    setup = Setup(layers=(), batch_size=3, regularisation="L2", regularisation_rate=0.5)
    run = PlaygroundRun(setup)
    points, (W,), (b,) = make_points(setup), *(run.snapshot(1).weights,), run.snapshot(1).biases
    generator = torch.Generator().manual_seed(setup.seed)
    network.build(setup, generator)  # the weights are drawn before the first order
    batch = torch.randperm(250, generator=generator)[:3].numpy()
    x, y = points.train_x[batch], points.train_y[batch]
    p = 1 / (1 + np.exp(-(x @ W[0] + b)))
    run.step()
    after = run.snapshot(1)
    assert after.weights[0][0] == pytest.approx(
        W[0] - 0.03 * ((p - y) @ x / 3 + 0.5 * W[0]), abs=1e-6
    )
    assert after.biases[0] == pytest.approx(b - 0.03 * (p - y).mean(), abs=1e-6)


def test_steps_and_epochs_are_counted_and_the_last_batch_may_be_smaller():
    run = PlaygroundRun(Setup(batch_size=30))  # 250 points: 8 batches of 30 and one of 10
    assert run.step() == 1
    assert (run.step_count, run.epoch_count) == (1, 0)
    assert run.epoch() == 8
    assert (run.step_count, run.epoch_count) == (9, 1)
    assert run.epoch() == 9
    assert run.step(10) == 10
    assert (run.step_count, run.epoch_count) == (28, 3)


def test_training_ends_where_it_is_told_to():
    run = PlaygroundRun(Setup())
    assert run.train_for(0) == 0
    assert run.train_for(60, limit=7) == 7
    assert run.train_for(60, until_epoch=2) == 50 - 7
    assert run.train_for(60, until_epoch=2) == 0
    assert run.run_to(3) == 25
    assert run.train_for(0.05) > 0


def test_rewind_goes_back_bit_for_bit():
    run = PlaygroundRun(Setup())
    start = weights_of(run)
    run.run_to(3)
    there, curve = weights_of(run), run.curves.train_loss
    run.step(5)
    run.edit(0, 0, 0, 5.0)
    run.rewind()
    assert same(weights_of(run), start)
    assert (run.step_count, run.epoch_count) == (0, 0)
    assert len(run.curves.epoch) == 1
    run.run_to(3)
    assert same(weights_of(run), there)
    assert np.array_equal(run.curves.train_loss, curve)


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.5},
        {"regularisation": "L1", "regularisation_rate": 0.1},
        {"noise": 50},
        {"train_share": 20},
        {"batch_size": 1},
        {"stop_below": 0.1, "discrete": True, "show_test": True, "task": "Why?", "hide": ("data",)},
    ],
    ids=str,
)
def test_what_may_change_changes_and_the_weights_stay(changes):
    run = PlaygroundRun(Setup())
    run.step(30)
    before = weights_of(run)
    run.change(**changes)
    assert same(weights_of(run), before)
    assert run.setup == replace(Setup(), **changes)
    assert run.step_count == 30
    expected = make_points(run.setup)
    assert np.array_equal(run.points.train_x, expected.train_x)
    assert np.array_equal(run.points.train_y, expected.train_y)
    run.run_to(4)
    assert run.diverged is None


def test_the_learning_rate_counts_from_the_next_step_on():
    slow, fast = PlaygroundRun(Setup()), PlaygroundRun(Setup())
    start = weights_of(slow)
    fast.change(learning_rate=0.3)
    slow.step()
    fast.step()
    for a, b, c in zip(start, weights_of(slow), weights_of(fast), strict=True):
        assert c - a == pytest.approx(10 * (b - a), abs=1e-5)


@pytest.mark.parametrize("changes", [{"layers": (3,)}, {"seed": 1}, {"speed": 3}, {"data": "xor"}])
def test_other_changes_take_a_new_run(changes):
    run = PlaygroundRun(Setup())
    with pytest.raises(ValueError, match="takes a new run"):
        run.change(**changes)
    assert run.setup == Setup()


def test_a_change_out_of_range_changes_nothing():
    run = PlaygroundRun(Setup())
    with pytest.raises(ValueError, match="noise must be"):
        run.change(noise=70)
    assert run.setup == Setup()


def test_a_set_up_is_taken_if_the_weights_can_stay():
    run = PlaygroundRun(Setup())
    assert run.take(Setup())
    assert run.take(Setup(noise=10))
    assert not run.take(Setup(noise=20, activation="relu"))
    assert run.setup == Setup(noise=10)
    for name in set(Setup.__dataclass_fields__) - LIVE:
        other = {"data": "xor", "seed": 1, "features": ("x1",), "layers": (), "loss": "squared"}
        assert not run.take(replace(Setup(), **{name: other.get(name, "relu")}))


def test_an_edit_is_where_it_was_meant_to_be_and_nowhere_else():
    run = PlaygroundRun(Setup())
    before = run.snapshot(1)
    run.edit(1, 1, 3, -2.5)
    run.edit(2, 0, "bias", 4)
    after = run.snapshot(1)
    assert after.weights[1][1, 3] == -2.5
    assert after.biases[2].tolist() == [4.0]
    changed = [
        (a != b).sum()
        for a, b in zip(
            [*before.weights, *before.biases], [*after.weights, *after.biases], strict=True
        )
    ]
    assert changed == [0, 1, 0, 0, 0, 1]
    assert run.step() == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, 1000.1, "3", None])
def test_a_weight_is_a_number_in_range(value):
    run = PlaygroundRun(Setup())
    with pytest.raises(ValueError, match="from -1,000 to 1,000"):
        run.edit(0, 0, 0, value)


def test_divergence_is_caught_named_and_undone():
    run = exploded()
    assert f"At step {run.step_count + 1:,} the loss became" in run.diverged
    assert run.step() == run.epoch() == run.run_to(20) == 0
    run.undo()
    assert run.diverged is None
    view = run.snapshot(1)
    assert math.isfinite(view.train_loss)
    assert view.train_loss < 100
    assert run.curves.epoch[-1] == run.epoch_count
    run.change(learning_rate=0.01)
    run.run_to(run.epoch_count + 20)
    assert run.snapshot(1).train_loss < 0.01


def test_what_was_undone_comes_again_if_nothing_is_changed():
    run = exploded()
    said = run.diverged
    run.undo()
    run.run_to(10)
    assert run.diverged == said


def test_undo_goes_back_no_further_than_the_epoch():
    run = PlaygroundRun(Setup(data="plane", layers=()))
    run.run_to(5)
    there = weights_of(run)
    run.change(learning_rate=10.0)
    run.run_to(20)
    assert run.diverged
    run.undo()
    assert (run.epoch_count, run.step_count) == (5, 125)
    assert same(weights_of(run), there)


def test_undo_forgets_the_weight_that_made_it_diverge():
    run = PlaygroundRun(Setup(data="plane", layers=(4, 4), activation="relu"))
    run.run_to(1)
    there = weights_of(run)
    run.run_to(2)
    for place in [(0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 0, "bias")]:
        run.edit(*place, 1000.0)
    run.run_to(10)
    assert run.diverged
    run.undo()
    assert same(weights_of(run), there)


def test_rewinding_a_diverged_run():
    run = exploded()
    run.rewind()
    assert run.diverged is None
    assert run.step() == 1


def test_only_what_diverged_is_undone():
    with pytest.raises(ValueError, match="sound"):
        PlaygroundRun(Setup()).undo()


def test_a_diverged_run_can_still_be_shown():
    run = exploded()
    view = run.snapshot(5)
    assert view.output.shape == (1, 5, 5)
    assert not math.isfinite(view.train_loss)


def test_training_stops_on_its_condition_and_a_single_step_does_not():
    run = PlaygroundRun(Setup(data="gauss", stop_below=0.2))
    assert run.stopped is None
    run.run_to(1000)
    assert 0 < run.epoch_count < 1000
    assert run.stopped == f"The training loss is below 0.2 after epoch {run.epoch_count}."
    assert run.snapshot(1).train_loss < 0.2
    assert run.curves.train_loss[-2] >= 0.2
    assert run.train_for(60, limit=1) == 0
    assert run.step() == 1
    run.change(stop_below=0.1)
    assert run.stopped is None
    assert run.train_for(60, limit=1) == 1


def test_a_view_is_of_its_moment_and_cannot_be_changed():
    run = PlaygroundRun(Setup(data="three"))
    view = run.snapshot(6)
    arrays = [*view.maps, view.output, *view.weights, *view.biases]
    copies = [a.copy() for a in arrays]
    run.run_to(2)
    assert same(arrays, copies)
    assert all(a.dtype == np.float32 and not a.flags.writeable for a in arrays)
    assert all(a.flags.c_contiguous for a in arrays)
    with pytest.raises(FrozenInstanceError):
        view.epoch = 3
    assert [m.shape for m in view.maps] == [(2, 6, 6), (4, 6, 6), (2, 6, 6), (3, 6, 6)]
    assert [w.shape for w in view.weights] == [(4, 2), (2, 4), (3, 2)]
    assert [b.shape for b in view.biases] == [(4,), (2,), (3,)]


@pytest.mark.parametrize("resolution", [0, 201])
def test_the_resolution_has_its_bounds(resolution):
    with pytest.raises(ValueError, match="from 1 to 200"):
        PlaygroundRun(Setup()).snapshot(resolution)


def test_losses_and_errors_of_a_view_by_hand():
    run = PlaygroundRun(Setup(layers=(), regularisation="L2", regularisation_rate=3.0))
    run.edit(0, 0, 0, 1.0)
    run.edit(0, 0, 1, 0.5)
    run.edit(0, 0, "bias", -0.25)
    view = run.snapshot(1)
    for name in ("train", "test"):
        x = getattr(run.points, f"{name}_x").astype(np.float64)
        y = getattr(run.points, f"{name}_y")
        z = x @ [1.0, 0.5] - 0.25
        loss = (np.log1p(np.exp(z)) - y * z).mean()
        assert getattr(view, f"{name}_loss") == pytest.approx(loss, rel=1e-5)
        assert getattr(view, f"{name}_error") == pytest.approx(((z > 0) != y).mean())


def test_a_quantity_has_no_share_of_errors():
    view = PlaygroundRun(Setup(data="gaussian")).snapshot(1)
    assert math.isnan(view.train_error)
    assert math.isnan(view.test_error)
    assert math.isfinite(view.test_loss)


def test_discrete_output():
    run = PlaygroundRun(Setup(discrete=True))
    view = run.snapshot(20)
    assert set(np.unique(view.output)) <= {-1.0, 1.0}
    assert np.array_equal(view.output, np.where(view.maps[-1] > 0, 1, -1))


def test_without_points_nothing_happens_and_it_is_said():
    run = PlaygroundRun(Setup(data="own"))
    assert "no points" in run.stopped
    assert run.step() == run.epoch() == run.run_to(5) == 0
    assert math.isnan(run.snapshot(3).train_loss)
    points = (own_point(1, 2, 0),)
    run.change(points=points)
    assert run.stopped is None
    assert run.step() == 1
    assert math.isnan(run.snapshot(3).test_loss)
    assert not run.take(Setup(data="own", points=(*points, own_point(0, 0, 2))))
    assert run.setup.points == points
    with pytest.raises(ValueError, match="classes"):
        run.change(points=(*points, own_point(0, 0, 2)))
    run.change(points=())
    assert run.step() == 0


def test_curves_have_every_epoch_at_first():
    run = PlaygroundRun(Setup())
    run.run_to(4)
    curves = run.curves
    assert curves.epoch.tolist() == [0, 1, 2, 3, 4]
    assert curves.train_loss[4] == run.snapshot(1).train_loss
    assert curves.test_loss[4] == run.snapshot(1).test_loss


def test_curves_stay_bounded_and_evenly_spaced():
    losses = Losses()
    for epoch in range(2_300):
        losses.add(epoch, float(epoch), math.nan)
        assert len(losses.rows) <= MOST_ON_CURVE
    curves = losses.curves()
    assert curves.epoch.tolist() == list(range(0, 2_300, 8))
    assert np.array_equal(curves.train_loss, curves.epoch)


def test_a_long_run_keeps_few_losses():
    run = PlaygroundRun(Setup(data="own", points=OWN, batch_size=30))
    run.run_to(1_100)
    assert run.curves.epoch.tolist() == list(range(0, 1_101, 4))
