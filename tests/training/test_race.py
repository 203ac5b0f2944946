"""A race of both engines, compared with single runs."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from mnist_core.training import run as run_module
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.race import Race
from mnist_core.training.run import TrainingFailedError, TrainingRun
from tests.small_data import digits, global_generators_untouched, tiny_dataset

CONFIG = TrainingConfig(dataset="digits", batch_size=8, epochs=2)  # 64 images: 8 steps an epoch


def a_race(**changes):
    return Race.of(replace(CONFIG, **changes), tiny_dataset())


def without_snapshots(race):
    for run in race.lanes.values():
        run.snapshot_steps = np.array([0, run.total_steps])
    return race


def steps_of(race):
    return {name: run.history.step for name, run in race.lanes.items()}


def driven_to_its_end(race):
    for _ in range(1_000):
        if race.finished:
            return race
        race.advance(100)
    raise AssertionError("the race does not come to its end")


@pytest.fixture
def clock(monkeypatch):
    """A clock moved by steps alone: PyTorch's take one second, NumPy's three."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(run_module.time, "perf_counter", lambda: Clock.now)
    for engine, seconds in ((run_module.engine.AutogradEngine, 1.0), (run_module.NumpyEngine, 3.0)):

        def slow(self, x, labels, rate, train=engine.train, seconds=seconds):
            Clock.now += seconds
            return train(self, x, labels, rate)

        monkeypatch.setattr(engine, "train", slow)
    return Clock


def test_both_engines_start_with_the_same_settings_weights_and_images():
    race = a_race(architecture="mlp", seed=3, schedule="one-cycle", augment=True)
    assert list(race.lanes) == ["autograd", "numpy"]
    for name, run in race.lanes.items():
        assert run.config == replace(race.config, engine=name)
        assert run.dataset is race.lanes["autograd"].dataset
    assert race.config.seed == 3
    assert race.total_steps == 16
    assert steps_of(race) == {"autograd": 0, "numpy": 0}
    assert not race.finished
    one, other = (run.weights() for run in race.lanes.values())
    for name, weight in one.items():
        assert np.array_equal(weight, other[name])


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_the_engine_in_the_settings_does_not_matter(engine):
    assert a_race(engine=engine).config == replace(CONFIG, engine="autograd")


def test_both_lanes_advance_and_stop_at_the_end_of_an_epoch():
    race = without_snapshots(a_race())
    seen = []
    while not race.finished:
        race.advance(3)
        seen.append(steps_of(race))
    assert seen == [{"autograd": step, "numpy": step} for step in (3, 6, 8, 11, 14, 16)]


def test_each_lane_has_half_of_the_time(clock):
    race = without_snapshots(a_race())
    race.advance(100, max_s=10)  # 5 seconds each; the step that passes them is the last
    assert steps_of(race) == {"autograd": 6, "numpy": 2}
    assert [run.history.training_s for run in race.lanes.values()] == [6, 6]


def test_history_and_snapshot_are_those_of_the_lane_behind(clock):
    race = without_snapshots(a_race())
    race.advance(100, max_s=10)
    assert race.history is race.lanes["numpy"].history
    race.publish_weights()
    assert race.snapshot is race.lanes["numpy"].snapshot
    assert {run.snapshot.step for run in race.lanes.values()} == {2, 6}
    race.lanes["numpy"].advance(5)
    assert race.history is race.lanes["autograd"].history
    assert race.snapshot is race.lanes["autograd"].snapshot


def test_the_lane_behind_goes_on_when_the_other_has_finished(clock):
    race = without_snapshots(a_race())
    while not race.lanes["autograd"].finished:
        race.advance(100, max_s=10)
    assert not race.finished
    assert race.history.step < 16
    losses = race.lanes["autograd"].history.losses.copy()
    driven_to_its_end(race)
    assert steps_of(race) == {"autograd": 16, "numpy": 16}
    np.testing.assert_array_equal(race.lanes["autograd"].history.losses, losses)
    assert len(race.lanes["autograd"].history.epoch_metrics) == 2


def test_each_lane_equals_a_single_run():
    race = driven_to_its_end(a_race(architecture="mlp"))
    for run in race.lanes.values():
        alone = TrainingRun(run.config, tiny_dataset())
        while not alone.finished:
            alone.advance(100)
        np.testing.assert_array_equal(alone.history.losses, run.history.losses)
        assert alone.history.epoch_metrics == run.history.epoch_metrics


def test_the_differences_cover_the_steps_both_have_taken(clock):
    race = without_snapshots(a_race())
    assert race.differences().shape == (0,)
    race.advance(100, max_s=10)
    one, other = race.lanes["autograd"].history, race.lanes["numpy"].history
    other.losses[1] = one.losses[1] + 0.25
    differences = race.differences()
    assert differences.shape == (2,)
    assert differences.dtype == np.float32
    assert differences[0] == abs(one.losses[0] - other.losses[0])
    assert differences[1] == pytest.approx(0.25, abs=1e-6)
    one.losses[1] = other.losses[1] + 0.5
    assert race.differences()[1] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("architecture", "schedule"), [("linear", "constant"), ("mlp", "one-cycle")]
)
def test_both_see_the_same_loss_at_every_step(architecture, schedule):
    config = TrainingConfig(
        "digits", architecture, learning_rate=0.1, epochs=2, schedule=schedule, augment=True
    )
    race = driven_to_its_end(Race.of(config, digits()))
    assert race.differences().shape == (90,)
    assert race.differences().max() < 1e-5
    losses = race.lanes["numpy"].history.losses
    assert losses[-10:].mean() < 0.9 * losses[0]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"optimiser": "SGD with momentum"}, "got SGD with momentum"),
        ({"optimiser": "Adam"}, "got Adam"),
        ({"optimiser": "AdamW"}, "got AdamW"),
        ({"architecture": "cnn"}, "got Small CNN"),
    ],
    ids=str,
)
def test_settings_that_the_numpy_engine_cannot_train_are_refused(changes, names):
    with pytest.raises(ValueError, match=f"The NumPy engine .*{names}"):
        a_race(**changes)


def test_a_race_that_does_not_fit_its_data_is_refused():
    with pytest.raises(ValueError, match="at most the 64 training images"):
        a_race(batch_size=65)


def test_a_learning_rate_is_set_in_both_lanes():
    race = without_snapshots(a_race())
    race.advance(4)
    race.set_learning_rate(0.05)
    driven_to_its_end(race)
    for run in race.lanes.values():
        assert run.history.learning_rates == [(0, 0.01), (4, 0.05)]
    assert race.differences().max() < 1e-5
    plain = driven_to_its_end(a_race()).history.losses
    assert np.abs(race.history.losses - plain).max() > 0.01
    with pytest.raises(ValueError, match="learning rate must be a number above 0"):
        race.set_learning_rate(0)


def test_a_race_fails_with_its_lane():
    race = a_race(learning_rate=1e9)
    with pytest.raises(TrainingFailedError, match="at step 2 of 16"):
        driven_to_its_end(race)
    assert not race.finished


def test_a_rest_changes_nothing():
    race = a_race()
    while not race.finished:
        race.advance(3)
        race.rest()
    straight = driven_to_its_end(a_race())
    for one, other in zip(race.lanes.values(), straight.lanes.values(), strict=True):
        np.testing.assert_array_equal(one.history.losses, other.history.losses)


def test_a_restored_race_ends_like_an_uninterrupted_one(clock):
    started = without_snapshots(a_race())
    started.advance(100, max_s=10)
    lanes = {}
    for name, run in started.lanes.items():
        lanes[name] = TrainingRun(run.config, tiny_dataset())
        lanes[name].restore(
            copy.deepcopy(run.history),
            {key: torch.as_tensor(value).clone() for key, value in run.weights().items()},
            {key: value.clone() for key, value in run.optimiser_state().items()},
        )
    again = Race(lanes)
    assert steps_of(again) == {"autograd": 6, "numpy": 2}
    driven_to_its_end(started)
    driven_to_its_end(again)
    for one, other in zip(started.lanes.values(), again.lanes.values(), strict=True):
        np.testing.assert_array_equal(one.history.losses, other.history.losses)


def test_a_race_leaves_the_global_generators_alone():
    with global_generators_untouched():
        driven_to_its_end(a_race(augment=True))


def test_a_race_uses_one_thread():
    assert Race.threads == 1
    assert all(run.threads == 1 for run in a_race().lanes.values())
