"""A playground run: training, rewinding, undoing, and changes during training."""

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
from tests.small_data import global_generators_untouched

OWN = tuple(own_point(x1, x2, int(x1 > 0)) for x1 in (-3, -1, 1, 3) for x2 in (-2, 2))
EXPLODING = Setup(data="plane", layers=(), learning_rate=0.3)


def weights_of(run):
    snapshot = run.snapshot(1)
    return [*snapshot.weights, *snapshot.biases]


def same(these, those):
    return all(np.array_equal(a, b) for a, b in zip(these, those, strict=True))


def change(run, **changes):
    assert run.adopt(replace(run.setup, **changes))


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
def test_the_loss_falls_on_every_data_set(setup):
    run = PlaygroundRun(setup)
    before = run.snapshot(1)
    run.run_to(10)
    after = run.snapshot(1)
    assert after.train_loss < before.train_loss
    assert not same(before.weights, after.weights)
    assert (before.epoch, after.epoch) == (0, 10)


def test_equal_setups_give_equal_runs_without_the_global_generator():
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


def test_training_stops_at_its_time_or_epoch():
    run = PlaygroundRun(Setup())
    assert run.train_for(0) == 0
    assert run.step(7) == 7
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
def test_live_changes_keep_the_weights(changes):
    run = PlaygroundRun(Setup())
    run.step(30)
    before = weights_of(run)
    change(run, **changes)
    assert same(weights_of(run), before)
    assert run.setup == replace(Setup(), **changes)
    assert run.step_count == 30
    expected = make_points(run.setup)
    assert np.array_equal(run.points.train_x, expected.train_x)
    assert np.array_equal(run.points.train_y, expected.train_y)
    run.run_to(4)
    assert run.diverged is None


def test_a_new_learning_rate_applies_from_the_next_step():
    slow, fast = PlaygroundRun(Setup()), PlaygroundRun(Setup())
    start = weights_of(slow)
    change(fast, learning_rate=0.3)
    slow.step()
    fast.step()
    for a, b, c in zip(start, weights_of(slow), weights_of(fast), strict=True):
        assert c - a == pytest.approx(10 * (b - a), abs=1e-5)


def test_a_setup_is_adopted_if_the_weights_can_stay():
    run = PlaygroundRun(Setup())
    assert run.adopt(Setup())
    assert run.adopt(Setup(noise=10))
    assert not run.adopt(Setup(noise=20, activation="relu"))
    assert run.setup == Setup(noise=10)
    for name in set(Setup.__dataclass_fields__) - LIVE:
        other = {"data": "xor", "seed": 1, "features": ("x1",), "layers": (), "loss": "squared"}
        assert not run.adopt(replace(Setup(), **{name: other.get(name, "relu")}))


def test_an_edit_changes_only_its_weight():
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
def test_an_edit_takes_a_number_in_range(value):
    run = PlaygroundRun(Setup())
    with pytest.raises(ValueError, match="from -1,000 to 1,000"):
        run.edit(0, 0, 0, value)


def test_divergence_is_detected_described_and_undone():
    run = exploded()
    assert f"At step {run.step_count + 1:,} the loss became" in run.diverged
    assert run.step() == run.epoch() == run.run_to(20) == 0
    run.undo()
    assert run.diverged is None
    snapshot = run.snapshot(1)
    assert math.isfinite(snapshot.train_loss)
    assert snapshot.train_loss < 100
    assert run.curves.epoch[-1] == run.epoch_count
    change(run, learning_rate=0.01)
    run.run_to(run.epoch_count + 20)
    assert run.snapshot(1).train_loss < 0.01


def test_without_a_change_a_run_diverges_again_after_undo():
    run = exploded()
    message = run.diverged
    run.undo()
    run.run_to(10)
    assert run.diverged == message


def test_undo_goes_back_to_the_start_of_the_epoch():
    run = PlaygroundRun(Setup(data="plane", layers=()))
    run.run_to(5)
    there = weights_of(run)
    change(run, learning_rate=10.0)
    run.run_to(20)
    assert run.diverged
    run.undo()
    assert (run.epoch_count, run.step_count) == (5, 125)
    assert same(weights_of(run), there)


def test_undo_reverts_the_edit_that_made_the_run_diverge():
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


def test_a_diverged_run_can_be_rewound():
    run = exploded()
    run.rewind()
    assert run.diverged is None
    assert run.step() == 1


def test_only_a_diverged_run_is_undone():
    with pytest.raises(ValueError, match="sound"):
        PlaygroundRun(Setup()).undo()


def test_a_diverged_run_can_still_be_shown():
    run = exploded()
    snapshot = run.snapshot(5)
    assert snapshot.maps[-1].shape == (1, 5, 5)
    assert not math.isfinite(snapshot.train_loss)


def test_training_stops_below_a_loss_and_a_single_step_does_not():
    run = PlaygroundRun(Setup(data="gauss", stop_below=0.2))
    assert run.stopped is None
    run.run_to(1000)
    assert 0 < run.epoch_count < 1000
    assert run.stopped == f"The training loss is below 0.2 after epoch {run.epoch_count}."
    assert run.snapshot(1).train_loss < 0.2
    assert run.curves.train_loss[-2] >= 0.2
    assert run.train_for(60) == 0
    assert run.step() == 1
    change(run, stop_below=0.1)
    assert run.stopped is None
    assert run.run_to(run.epoch_count + 1) > 0


def test_a_snapshot_does_not_change_with_the_run():
    run = PlaygroundRun(Setup(data="three"))
    snapshot = run.snapshot(6)
    arrays = [*snapshot.maps, *snapshot.weights, *snapshot.biases]
    copies = [a.copy() for a in arrays]
    run.run_to(2)
    assert same(arrays, copies)
    assert all(a.dtype == np.float32 and not a.flags.writeable for a in arrays)
    assert all(a.flags.c_contiguous for a in arrays)
    with pytest.raises(FrozenInstanceError):
        snapshot.epoch = 3
    assert [m.shape for m in snapshot.maps] == [(2, 6, 6), (4, 6, 6), (2, 6, 6), (3, 6, 6)]
    assert [w.shape for w in snapshot.weights] == [(4, 2), (2, 4), (3, 2)]
    assert [b.shape for b in snapshot.biases] == [(4,), (2,), (3,)]


@pytest.mark.parametrize("resolution", [0, 201])
def test_the_resolution_is_limited(resolution):
    with pytest.raises(ValueError, match="from 1 to 200"):
        PlaygroundRun(Setup()).snapshot(resolution)


def test_losses_and_errors_of_a_snapshot_by_hand():
    run = PlaygroundRun(Setup(layers=(), regularisation="L2", regularisation_rate=3.0))
    run.edit(0, 0, 0, 1.0)
    run.edit(0, 0, 1, 0.5)
    run.edit(0, 0, "bias", -0.25)
    snapshot = run.snapshot(1)
    for name in ("train", "test"):
        x = getattr(run.points, f"{name}_x").astype(np.float64)
        y = getattr(run.points, f"{name}_y")
        z = x @ [1.0, 0.5] - 0.25
        loss = (np.log1p(np.exp(z)) - y * z).mean()
        assert getattr(snapshot, f"{name}_loss") == pytest.approx(loss, rel=1e-5)
        assert getattr(snapshot, f"{name}_error") == pytest.approx(((z > 0) != y).mean())


def test_regression_has_no_error_rate():
    snapshot = PlaygroundRun(Setup(data="gaussian")).snapshot(1)
    assert math.isnan(snapshot.train_error)
    assert math.isnan(snapshot.test_error)
    assert math.isfinite(snapshot.test_loss)


def test_without_points_a_run_takes_no_step_and_gives_the_reason():
    run = PlaygroundRun(Setup(data="own"))
    assert "no points" in run.stopped
    assert run.step() == run.epoch() == run.run_to(5) == 0
    assert math.isnan(run.snapshot(3).train_loss)
    points = (own_point(1, 2, 0),)
    change(run, points=points)
    assert run.stopped is None
    assert run.step() == 1
    assert math.isnan(run.snapshot(3).test_loss)
    assert not run.adopt(Setup(data="own", points=(*points, own_point(0, 0, 2))))
    assert run.setup.points == points
    change(run, points=())
    assert run.step() == 0


def test_the_curves_of_a_short_run_have_every_epoch():
    run = PlaygroundRun(Setup())
    run.run_to(4)
    curves = run.curves
    assert curves.epoch.tolist() == [0, 1, 2, 3, 4]
    assert curves.train_loss[4] == run.snapshot(1).train_loss
    assert curves.test_loss[4] == run.snapshot(1).test_loss


def test_the_curves_of_a_long_run_have_few_epochs():
    run = PlaygroundRun(Setup(data="own", points=OWN, batch_size=30))
    run.run_to(1_100)
    assert run.curves.epoch.tolist() == list(range(0, 1_101, 4))
