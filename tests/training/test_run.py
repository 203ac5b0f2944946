"""A training run: steps, metrics, snapshots, learning rates and restoring."""

import copy
import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from mnist_core.evaluation.metrics import Score, accuracy, dead_units, score
from mnist_core.nn import architectures
from mnist_core.nn.optimisers import OPTIMISERS, SGD
from mnist_core.nn.schedules import SCHEDULES, one_cycle
from mnist_core.training import run as run_module
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.engine import AutogradEngine, training_steps
from mnist_core.training.history import running_mean
from mnist_core.training.run import TrainingFailedError, TrainingRun, snapshot_steps
from tests.small_data import digits, global_generators_untouched, tiny_dataset

CONFIG = TrainingConfig(dataset="digits", batch_size=8, epochs=2)  # 64 images: 8 steps an epoch
CHOICES = [("autograd", name) for name in OPTIMISERS] + [("numpy", "SGD")]


def a_run(**changes):
    return TrainingRun(replace(CONFIG, **changes), tiny_dataset())


def a_run_without_snapshots(**changes):
    """A run without stops before the end of an epoch."""
    run = a_run(**changes)
    run.snapshot_steps = np.array([0, run.total_steps])
    return run


def driven(run, step):
    for _ in range(10_000):
        if run.history.step >= step:
            assert run.history.step == step
            return run
        run.advance(step - run.history.step)
    raise AssertionError("the run does not come to its end")


def driven_to_its_end(run):
    return driven(run, run.total_steps)


def assert_equal_weights(one, other):
    assert list(one.weights()) == list(other.weights())
    for name, weight in one.weights().items():
        assert torch.equal(torch.as_tensor(weight), torch.as_tensor(other.weights()[name])), name


def test_a_new_run_has_taken_no_step():
    run = a_run()
    assert (run.total_steps, run.steps_per_epoch) == (16, 8)
    assert (run.history.step, run.history.accuracies, run.history.training_s) == (0, [], 0)
    assert run.history.losses.shape == (16,)
    assert run.history.losses.dtype == np.float32
    assert run.history.seconds.shape == (16,)
    assert run.history.learning_rates == [(0, 0.01)]
    assert not run.finished
    assert run.snapshot.step == 0
    assert run.unsaved_snapshots == [run.snapshot]
    fresh = architectures.build("linear", 0).state_dict()
    assert all(torch.equal(fresh[key], tensor) for key, tensor in run.snapshot.weights.items())


def test_a_run_that_does_not_fit_its_data_is_refused():
    with pytest.raises(ValueError, match="at most the 64 training images"):
        a_run(batch_size=65)


def test_advance_takes_n_steps_and_stops_at_the_end_of_an_epoch():
    run = a_run_without_snapshots(batch_size=9)  # 8 steps an epoch, the last of a single image
    steps = []
    while not run.finished:
        run.advance(3)
        steps.append(run.history.step)
    assert steps == [3, 6, 8, 11, 14, 16]


def test_advance_takes_at_least_one_step_however_little_time_it_has():
    run = a_run_without_snapshots()
    run.advance(5, max_s=0)
    assert run.history.step == 1


@pytest.mark.parametrize("max_steps", [0, -3])
def test_advance_by_zero_steps_does_nothing(max_steps):
    run = a_run()
    run.advance(max_steps)
    assert (run.history.step, run.history.accuracies) == (0, [])
    assert not run.history.losses.any()
    assert run.unsaved_snapshots == [run.snapshot]
    np.testing.assert_array_equal(  # and nothing was skipped
        driven(run, 2).history.losses, driven(a_run(), 2).history.losses
    )


def test_a_finished_run_does_not_change():
    run = driven_to_its_end(a_run())
    weights, losses = run.model.state_dict(), run.history.losses.copy()
    n_snapshots = len(run.unsaved_snapshots)
    run.advance(5)
    assert run.finished
    assert run.history.step == 16
    assert len(run.history.epoch_metrics) == 2
    assert len(run.unsaved_snapshots) == n_snapshots
    np.testing.assert_array_equal(run.history.losses, losses)
    assert all(torch.equal(weights[key], t) for key, t in run.model.state_dict().items())


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_the_metrics_of_each_epoch_equal_those_of_evaluation(engine):
    run = a_run(architecture="mlp", engine=engine, learning_rate=0.5, epochs=3)
    data, n_seen = run.dataset, 0
    while not run.finished:
        run.advance(5)
        assert len(run.history.epoch_metrics) == run.history.step // 8
        if len(run.history.epoch_metrics) > n_seen:
            n_seen += 1
            metrics = run.history.epoch_metrics[-1]
            test = score(run.model, data.test_images, data.test_labels)
            train = score(run.model, data.train_images, data.train_labels)
            assert metrics.step == run.history.step == 8 * n_seen
            assert metrics.test_accuracy == test.accuracy
            assert metrics.test_loss == test.loss
            assert metrics.train_accuracy == train.accuracy
            assert metrics.train_loss == train.loss
            assert metrics.dead_units == dead_units(run.model, data.train_images)
            assert metrics.largest_class == test.largest_class
            assert run.history.accuracies[-1] == (
                run.history.step,
                accuracy(run.model, data.test_images, data.test_labels),
            )
    assert n_seen == 3
    assert len({c.test_loss for c in run.history.epoch_metrics}) == 3


def test_the_metrics_use_the_first_2000_training_images():
    data = tiny_dataset(2_400)
    run = driven_to_its_end(TrainingRun(replace(CONFIG, batch_size=800, epochs=1), data))
    (metrics,) = run.history.epoch_metrics
    first = score(run.model, data.train_images[:2_000], data.train_labels[:2_000])
    whole = score(run.model, data.train_images, data.train_labels)
    assert (metrics.train_accuracy, metrics.train_loss) == (first.accuracy, first.loss)
    assert metrics.train_loss != whole.loss


def test_losses_are_written_up_to_step():
    run = driven(a_run(), 3)
    first = run.history.losses.copy()
    assert (first[:3] > 0).all()
    assert (first[3:] == 0).all()
    driven(run, 5)
    np.testing.assert_array_equal(run.history.losses[:3], first[:3])
    assert (run.history.losses[:5] > 0).all()
    assert (run.history.losses[5:] == 0).all()
    assert run.history.training_s > 0
    assert run.history.steps_per_s == run.history.step / run.history.training_s


def test_the_time_of_steps_and_metrics_counts_and_pauses_do_not(monkeypatch):
    now = 0.0  # seconds; only these two functions change it

    def slow_step(*args):
        nonlocal now
        now += 1
        return torch.zeros(())

    def slow_score(*args):
        nonlocal now
        now += 5
        return Score(0.5, 1.0, 0.1)

    monkeypatch.setattr(run_module.time, "perf_counter", lambda: now)
    monkeypatch.setattr(run_module.engine, "training_step", slow_step)
    monkeypatch.setattr(run_module.metrics, "score", slow_score)
    run = a_run_without_snapshots()
    run.advance(100, max_s=4.5)
    assert (run.history.step, run.history.training_s) == (5, 5)
    now += 1_000  # a pause
    run.advance(100)
    assert (run.history.step, run.history.training_s) == (
        8,
        18,
    )  # two scores
    assert run.history.steps_per_s == 8 / 18
    run.advance(2)
    np.testing.assert_array_equal(run.history.seconds[:10], [1, 2, 3, 4, 5, 6, 7, 8, 19, 20])
    assert not run.history.seconds[10:].any()


def test_the_time_until_a_failure_counts():
    run = a_run(learning_rate=1e9)
    with pytest.raises(TrainingFailedError):
        driven_to_its_end(run)
    assert run.history.training_s > run.history.seconds[0] > 0


def test_a_run_learns():
    run = TrainingRun(TrainingConfig("digits", epochs=10, learning_rate=0.1), digits())
    driven_to_its_end(run)
    assert run.history.accuracies[-1][1] > 0.85
    assert running_mean(run.history.losses)[-1] < 0.4 < run.history.losses[0]


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("architecture", architectures.ARCHITECTURES)
def test_equal_configurations_give_bit_identical_runs(architecture, augment):
    changes = {"architecture": architecture, "optimiser": "Adam", "batch_size": 9, "seed": 3}
    changes |= {"augment": augment, "schedule": "one-cycle"}
    one, other = a_run(**changes), a_run(**changes)

    driven_to_its_end(one)
    other.snapshot_steps = np.array([0, 16])
    for size in [1, 4, 2, 5, 3, 8]:
        other.advance(size, max_s=600)
    assert other.finished

    np.testing.assert_array_equal(one.history.losses, other.history.losses)
    assert one.history.epoch_metrics == other.history.epoch_metrics
    assert_equal_weights(one, other)


def test_another_seed_gives_another_run():
    one, other = driven_to_its_end(a_run(seed=0)), driven_to_its_end(a_run(seed=1))
    assert not np.array_equal(one.history.losses, other.history.losses)


def test_a_run_leaves_the_global_generators_alone():
    with global_generators_untouched():
        driven_to_its_end(a_run(architecture="cnn", augment=True))


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_a_diverging_run_fails_with_its_step_and_losses(engine):
    run = a_run_without_snapshots(learning_rate=1e9, engine=engine)
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingFailedError, match=r"grew to .* at step 2 of 16") as caught,
    ):
        run.advance(8)
    assert "smaller learning rate than 1e+09" in str(caught.value)
    assert run.history.step == 2
    assert 0 < run.history.losses[0] < 10
    assert run.history.losses[1] > 1e6
    assert not run.finished
    assert run.history.epoch_metrics == []
    assert [snapshot.step for snapshot in run.unsaved_snapshots] == [0]


def test_a_failure_names_the_rate_that_was_chosen_last():
    run = driven(a_run(), 3)
    run.set_learning_rate(1e20)
    with pytest.raises(TrainingFailedError, match=r"smaller learning rate than 1e\+20") as caught:
        driven_to_its_end(run)
    assert "at step 5 of 16" in str(caught.value)  # step 4 was the first to be that large
    assert run.history.learning_rates == [(0, 0.01), (3, 1e20)]


def test_the_largest_learning_rate_that_is_allowed_fails_with_a_sentence_too():
    for name in OPTIMISERS:
        with pytest.raises(TrainingFailedError, match="Try a smaller learning rate"):
            driven_to_its_end(a_run(optimiser=name, learning_rate=1e30, architecture="mlp"))


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_a_run_that_diverges_later_counts_from_its_beginning(engine):
    run = driven(a_run(engine=engine), 5)
    losses = run.history.losses[:5].copy()
    weight = run.weights()["l1.weight"]
    weight *= 1e9
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingFailedError, match="at step 6 of 16"),
    ):
        run.advance(3)
    assert run.history.step == 6
    np.testing.assert_array_equal(run.history.losses[:5], losses)


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_a_nan_weight_ends_the_run(engine):
    run = driven(a_run(engine=engine), 1)
    run.weights()["l1.weight"][0, 0] = math.nan
    with pytest.raises(TrainingFailedError, match="is no longer a number at step 2 of 16"):
        run.advance(5)
    assert run.history.step == 2
    assert np.isnan(run.history.losses[1])


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_a_snapshot_is_a_copy_and_is_replaced_not_changed(engine):
    run = a_run(engine=engine)
    first = run.snapshot
    kept = {key: tensor.clone() for key, tensor in first.weights.items()}
    driven(run, 4)
    assert run.snapshot is first

    run.publish_weights()

    assert (first.step, run.snapshot.step) == (0, 4)
    for key, tensor in run.model.state_dict().items():
        assert torch.equal(first.weights[key], kept[key])
        assert torch.equal(run.snapshot.weights[key], tensor)
        assert not torch.equal(tensor, kept[key])
        assert not run.snapshot.weights[key].requires_grad


def test_a_rest_releases_the_prefetched_images(monkeypatch):
    released, steps = [], run_module.engine.training_steps

    def noting_steps(*args, **keywords):
        try:
            yield from steps(*args, **keywords)
        finally:
            released.append(True)

    monkeypatch.setattr(run_module.engine, "training_steps", noting_steps)
    run = driven(a_run(), 3)
    assert not released
    run.rest()
    assert released


def test_a_rest_changes_nothing():
    config = TrainingConfig(dataset="digits", batch_size=50, epochs=2)
    rested, straight = TrainingRun(config, digits()), TrainingRun(config, digits())
    while not rested.finished:
        rested.advance(7)
        rested.rest()
    while not straight.finished:
        straight.advance(1_000)
    np.testing.assert_array_equal(rested.history.losses, straight.history.losses)
    for name, weight in rested.model.state_dict().items():
        assert torch.equal(weight, straight.model.state_dict()[name])


def test_the_model_has_the_present_weights():
    run = driven(a_run(architecture="cnn"), 3)
    model = run.model
    for name, weight in run.weights().items():
        assert torch.equal(model.state_dict()[name], weight)
    driven(run, 4)
    assert not torch.equal(model.conv1.weight, run.weights()["conv1.weight"])  # a copy


def test_convolutions_are_trained_channels_last_and_published_contiguous():
    run = a_run(architecture="cnn")
    weight, kept = run.weights()["conv2.weight"], run.snapshot.weights["conv2.weight"]
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()
    assert kept.is_contiguous()
    assert torch.equal(kept, weight)


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_with_either_engine_a_run_starts_from_the_seed_s_weights(engine):
    run, fresh = a_run(seed=4, engine=engine), architectures.build("linear", 4)
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(torch.as_tensor(run.weights()[name]), tensor)


@pytest.mark.parametrize(
    ("total_steps", "weight_bytes", "expected"),
    [
        (1, 1, [0, 1]),
        (2, 1, [0, 1, 2]),
        (8, 5_000_000, [0, 1, 3, 8]),  # 4 of them: 1, sqrt(8), 8
        (1_000, 4_000_000, [0, 1, 10, 100, 1_000]),
        (1_000, 7_000_000, [0, 1_000]),
        (1_000, 10**9, [0, 1_000]),
    ],
)
def test_snapshot_steps_are_evenly_spaced_logarithms(total_steps, weight_bytes, expected):
    assert snapshot_steps(total_steps, weight_bytes).tolist() == expected


@pytest.mark.parametrize("weight_bytes", [0, 1, 31_400, 424_488, 1_000_000, 10_000_000])
@pytest.mark.parametrize("total_steps", [1, 2, 3, 16, 39, 40, 41, 900, 9_375, 1_000_000])
def test_snapshot_steps_go_from_first_to_last_within_their_limits(total_steps, weight_bytes):
    steps = snapshot_steps(total_steps, weight_bytes)
    assert steps.dtype == np.int64
    assert (steps[0], steps[-1]) == (0, total_steps)
    assert (np.diff(steps) > 0).all()
    assert len(steps) <= 40
    assert len(steps) * weight_bytes <= 20_000_000


def test_half_of_the_snapshots_are_in_the_first_hundredth_of_a_long_run():
    steps = snapshot_steps(10_000, 31_400)
    assert 0.4 < (steps <= 100).mean() < 0.6
    later = steps[steps > 100]
    np.testing.assert_allclose(later[1:] / later[:-1], 10 ** (4 / 38), rtol=0.02)


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_the_snapshots_hold_the_weights_of_their_steps(engine):
    run, other = a_run(engine=engine, learning_rate=0.5), a_run(engine=engine, learning_rate=0.5)
    other.snapshot_steps = run.snapshot_steps = np.array([0, 1, 3, 4, 8, 13, 16])
    snapshots = {0: other.snapshot}
    while not other.finished:
        other.advance(1)
        other.publish_weights()
        snapshots[other.history.step] = other.snapshot

    driven_to_its_end(run)

    assert [snapshot.step for snapshot in run.unsaved_snapshots] == [0, 1, 3, 4, 8, 13, 16]
    for snapshot in run.unsaved_snapshots:
        for name, weight in snapshot.weights.items():
            assert torch.equal(weight, snapshots[snapshot.step].weights[name])
    assert not torch.equal(
        run.unsaved_snapshots[-1].weights["l1.weight"],
        run.unsaved_snapshots[-2].weights["l1.weight"],
    )


def test_a_run_takes_the_snapshots_of_its_length_and_size():
    run = a_run(architecture="mlp", epochs=20)
    expected = snapshot_steps(160, 4 * 101_770)
    np.testing.assert_array_equal(run.snapshot_steps, expected)
    driven_to_its_end(run)
    np.testing.assert_array_equal([snapshot.step for snapshot in run.unsaved_snapshots], expected)


def plain_losses(rates, **changes):
    """Return the losses of the loop alone, by plain SGD, with a rate for each step."""
    config, data = replace(CONFIG, **changes), tiny_dataset()
    model = architectures.build(config.architecture, config.seed)
    steps = training_steps(
        AutogradEngine(model, SGD(model.parameters(), 1.0)),
        data.train_images,
        data.train_labels,
        batch_size=config.batch_size,
        seed=config.seed,
        learning_rate=lambda step: rates[step],
        augment=config.augment,
    )
    return torch.stack(list(islice(steps, len(rates)))).numpy()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_learning_rate_chosen_during_a_run_is_recorded_and_used(schedule):
    run = driven(a_run(schedule=schedule), 5)
    run.set_learning_rate(0.5)
    driven(run, 11)
    run.set_learning_rate(0.125)
    driven_to_its_end(run)

    assert run.history.learning_rates == [(0, 0.01), (5, 0.5), (11, 0.125)]
    chosen = [0.01] * 5 + [0.5] * 6 + [0.125] * 5
    rates = [rate * SCHEDULES[schedule](step, 16) for step, rate in enumerate(chosen)]
    np.testing.assert_array_equal(run.history.losses, plain_losses(rates))
    assert not np.array_equal(run.history.losses, plain_losses([0.01] * 16))


def test_augmentation_changes_the_images():
    losses = {}
    for augment in (False, True):
        losses[augment] = driven_to_its_end(a_run(augment=augment)).history.losses
        np.testing.assert_array_equal(losses[augment], plain_losses([0.01] * 16, augment=augment))
    assert not np.array_equal(losses[False], losses[True])


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_a_schedule_s_rate_is_its_share_of_the_chosen_one(engine):
    run = a_run(schedule="one-cycle", learning_rate=0.5, engine=engine)
    taken, train = [], run.engine.train

    def recording(x, labels, learning_rate):
        taken.append(learning_rate)
        return train(x, labels, learning_rate)

    run.engine.train = recording
    driven_to_its_end(run)
    assert taken == [0.5 * one_cycle(step, 16) for step in range(16)]
    assert run.learning_rate_at(3) == 0.5 * run.schedule_share(3) == taken[3]


def test_without_a_schedule_the_share_is_one():
    run = a_run()
    assert [run.schedule_share(step) for step in (0, 7, 15)] == [1, 1, 1]


def test_a_learning_rate_chosen_before_the_first_step_replaces_the_first():
    run = a_run()
    run.set_learning_rate(0.5)
    assert run.history.learning_rates == [(0, 0.5)]
    driven_to_its_end(run)
    np.testing.assert_array_equal(
        run.history.losses, driven_to_its_end(a_run(learning_rate=0.5)).history.losses
    )


def test_the_last_learning_rate_chosen_at_a_step_counts():
    run = driven(a_run(), 4)
    before = run.history.learning_rates
    run.set_learning_rate(0.5)
    run.set_learning_rate(0.25)
    assert run.history.learning_rates == [(0, 0.01), (4, 0.25)]
    run.set_learning_rate(0.01)  # as it was
    assert run.history.learning_rates == [(0, 0.01)]
    assert before == [(0, 0.01)]  # a reader of the old list sees no change


def test_choosing_the_same_learning_rate_again_records_nothing():
    run = driven(a_run(), 4)
    run.set_learning_rate(0.01)
    assert run.history.learning_rates == [(0, 0.01)]


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf, 1e39, "0.1", None, True], ids=repr)
def test_a_wrong_learning_rate_during_a_run_is_refused(rate):
    run = driven(a_run(), 4)
    with pytest.raises(ValueError, match="learning rate must be a number above 0"):
        run.set_learning_rate(rate)
    assert run.history.learning_rates == [(0, 0.01)]


def copies(named):
    """Return contiguous tensors, as a file holds them."""
    return {
        name: torch.as_tensor(value).clone(memory_format=torch.contiguous_format)
        for name, value in named.items()
    }


def taken_up(run, **changes):
    """Return a new run restored from copies of another's saved state."""
    fresh = a_run(**changes)
    fresh.restore(copy.deepcopy(run.history), copies(run.weights()), copies(run.optimiser_state()))
    return fresh


@pytest.mark.parametrize("augment", [False, True], ids=["plain", "augmented"])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("engine", "optimiser"), CHOICES)
def test_a_restored_run_ends_bit_for_bit_like_an_uninterrupted_one(
    engine, optimiser, schedule, augment
):
    changes = {
        "architecture": "mlp" if engine == "numpy" else "cnn",
        "engine": engine,
        "optimiser": optimiser,
        "schedule": schedule,
        "augment": augment,
        "batch_size": 9,
        "learning_rate": 0.02,
    }
    straight = driven_to_its_end(a_run(**changes))
    run = a_run(**changes)
    for step in (1, 5, 8, 13):  # 8 is the end of an epoch
        run = taken_up(driven(run, step), **changes)
        assert run.history.step == run.snapshot.step == step
    driven_to_its_end(run)

    np.testing.assert_array_equal(run.history.losses, straight.history.losses)
    assert straight.history.losses.std() > 1e-3
    assert run.history.epoch_metrics == straight.history.epoch_metrics
    assert_equal_weights(run, straight)
    for name, value in straight.optimiser_state().items():
        assert torch.equal(run.optimiser_state()[name], value), name


def test_a_restored_run_has_the_learning_rate_chosen_last():
    changes = {"schedule": "one-cycle"}
    straight = driven(a_run(**changes), 6)
    straight.set_learning_rate(0.5)
    run = taken_up(straight, **changes)
    driven_to_its_end(straight)
    driven_to_its_end(run)
    assert run.history.learning_rates == [(0, 0.01), (6, 0.5)]
    np.testing.assert_array_equal(run.history.losses, straight.history.losses)
    assert_equal_weights(run, straight)


@pytest.mark.parametrize("optimiser", ["SGD with momentum", "Adam", "AdamW"])
def test_without_its_optimiser_state_a_run_ends_differently(optimiser):
    changes = {"optimiser": optimiser}
    run, forgetful = driven(a_run(**changes), 5), a_run(**changes)
    forgetful.restore(
        copy.deepcopy(run.history), copies(run.weights()), forgetful.optimiser_state()
    )
    losses = driven_to_its_end(run).history.losses
    other = driven_to_its_end(forgetful).history.losses
    assert losses[5] == other[5]  # from the same weights
    assert np.abs(losses - other).max() > 1e-3


def test_a_restored_run_shares_nothing_with_the_other():
    run = driven(a_run(optimiser="Adam"), 5)
    weights, memory = copies(run.weights()), copies(run.optimiser_state())
    other = taken_up(run, optimiser="Adam")
    driven_to_its_end(other)
    assert run.history.step == 5
    for name, weight in run.weights().items():
        assert torch.equal(weight, weights[name])
    for name, value in run.optimiser_state().items():
        assert torch.equal(value, memory[name])


def test_a_restored_run_takes_only_the_later_snapshots():
    run = a_run()
    run.snapshot_steps = np.array([0, 1, 4, 8, 16])
    other = taken_up(driven(run, 4))
    other.snapshot_steps = run.snapshot_steps
    assert other.unsaved_snapshots == []
    driven_to_its_end(other)
    assert [snapshot.step for snapshot in other.unsaved_snapshots] == [8, 16]


def test_a_restored_finished_run_is_finished():
    run = taken_up(driven_to_its_end(a_run()))
    assert run.finished
    run.advance(5)
    assert run.history.step == 16
    assert len(run.history.epoch_metrics) == 2


def test_restoring_a_run_in_progress_replaces_its_state():
    run = driven(a_run(optimiser="Adam"), 3)
    saved = copy.deepcopy(run.history), copies(run.weights()), copies(run.optimiser_state())
    straight = driven_to_its_end(run).history.losses.copy()
    run.restore(*saved)
    assert run.history.step == 3
    np.testing.assert_array_equal(driven_to_its_end(run).history.losses, straight)


@pytest.mark.parametrize("engine", ["autograd", "numpy"])
def test_weights_of_another_precision_become_float32(engine):
    run = driven(a_run(engine=engine), 3)
    for dtype in (torch.float64, torch.bfloat16):
        other = a_run(engine=engine)
        weights = {name: tensor.to(dtype) for name, tensor in copies(run.weights()).items()}
        other.restore(copy.deepcopy(run.history), weights, copies(run.optimiser_state()))
        for name, weight in other.weights().items():
            assert torch.equal(torch.as_tensor(weight), weights[name].float())


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"architecture": "mlp", "optimiser": "Adam"}, "the saved state"),
        ({"architecture": "mlp"}, "the saved weights do not fit"),
        ({"optimiser": "Adam"}, "the saved state"),
        ({"engine": "numpy"}, "the saved weights do not fit"),
        ({"engine": "numpy", "architecture": "mlp"}, "the saved weights do not fit"),
    ],
    ids=str,
)
def test_a_run_of_other_settings_cannot_be_restored(changes, names):
    run = driven(a_run(), 3)
    with pytest.raises(ValueError, match=names):
        taken_up(run, **changes)
