import math
import re
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from mnist_core import models, runs
from mnist_core.evaluation import accuracy
from mnist_core.runs import (
    MAX_STEPS,
    History,
    TrainingConfig,
    TrainingFailedError,
    TrainingRun,
    default_epochs,
    progress_of,
    running_mean,
)
from tests.small_data import digits, global_generators_untouched, tiny_dataset

CONFIG = TrainingConfig(dataset="digits", batch_size=8, epochs=2)  # 64 images: 8 steps an epoch


def a_run(**changes):
    return TrainingRun(replace(CONFIG, **changes), tiny_dataset())


def driven_to_its_end(run, max_steps=1_000):
    for _ in range(10_000):
        if run.finished:
            return run
        run.advance(max_steps)
    raise AssertionError("the run does not come to its end")


def test_the_default_is_the_lesson_s_run():
    assert TrainingConfig() == TrainingConfig("mnist", "linear", "SGD", 0.01, 32, 5, 0)
    assert TrainingConfig().total_steps(60_000) == 9_375


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"learning_rate": 0}, "got 0"),
        ({"learning_rate": -1}, "got -1"),
        ({"learning_rate": math.nan}, "got nan"),
        ({"learning_rate": math.inf}, "got inf"),
        ({"learning_rate": -math.inf}, "got -inf"),
        ({"batch_size": 0}, "batch size must be at least 1, got 0"),
        ({"batch_size": -5}, "batch size must be at least 1, got -5"),
        ({"epochs": 0}, "number of epochs must be at least 1, got 0"),
        ({"seed": -1}, "got -1"),
        ({"seed": 2**31}, "got 2,147,483,648"),
        ({"architecture": "resnet"}, "resnet"),
        ({"optimiser": "LBFGS"}, "LBFGS"),
        ({"dataset": "imagenet"}, "imagenet"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_with_a_sentence_that_names_it(wrong, names):
    with pytest.raises(ValueError, match=re.escape(names)) as caught:
        TrainingConfig(**wrong)
    assert re.fullmatch(r"The [a-z].*\.", str(caught.value))


@pytest.mark.parametrize(
    "right",
    [
        {"learning_rate": 1e-9},
        {"learning_rate": 1e9},
        {"batch_size": 1},
        {"epochs": 1},
        {"seed": 2**31 - 1},
        {"architecture": "cnn"},
        {"optimiser": "SGD with momentum"},
        {"dataset": "fashion"},
    ],
    ids=str,
)
def test_a_value_at_the_edge_is_accepted(right):
    ((name, value),) = right.items()
    assert getattr(TrainingConfig(**right), name) == value


def test_a_configuration_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        CONFIG.seed = 1


@pytest.mark.parametrize(
    ("n_images", "batch_size", "epochs", "steps"),
    [(64, 8, 2, 16), (65, 8, 2, 18), (7, 7, 3, 3), (7, 1, 1, 7), (7, 6, 2, 4)],
)
def test_total_steps_count_the_last_smaller_batch(n_images, batch_size, epochs, steps):
    config = TrainingConfig(batch_size=batch_size, epochs=epochs)
    assert config.total_steps(n_images) == steps


def test_a_batch_larger_than_the_data_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match="at most the 1,437 training images, got 1,438"):
        TrainingConfig(batch_size=1_438).total_steps(1_437)
    assert TrainingConfig(batch_size=1_437, epochs=1).total_steps(1_437) == 1


def test_a_run_that_is_too_long_is_refused_with_its_length():
    assert TrainingConfig(batch_size=1, epochs=10).total_steps(MAX_STEPS // 10) == MAX_STEPS
    with pytest.raises(ValueError, match="would take 1,000,010 steps; at most 1,000,000"):
        TrainingConfig(batch_size=1, epochs=10).total_steps(MAX_STEPS // 10 + 1)


def test_a_new_run_has_taken_no_step():
    run = a_run()
    assert (run.total_steps, run.steps_per_epoch) == (16, 8)
    assert (run.history.step, run.history.accuracies, run.history.training_s) == (0, [], 0)
    assert run.history.losses.shape == (16,)
    assert run.history.losses.dtype == np.float32
    assert not run.finished
    assert run.snapshot.step == 0
    fresh = models.build("linear", 0).state_dict()
    assert all(torch.equal(fresh[key], tensor) for key, tensor in run.snapshot.weights.items())


def test_a_run_that_does_not_fit_its_data_is_refused():
    with pytest.raises(ValueError, match="at most the 64 training images"):
        a_run(batch_size=65)


def test_advance_takes_so_many_steps_and_stops_at_the_end_of_an_epoch():
    run = a_run(batch_size=9)  # 8 steps an epoch, the last of a single image
    steps = []
    while not run.finished:
        run.advance(3)
        steps.append(run.history.step)
    assert steps == [3, 6, 8, 11, 14, 16]


def test_advance_takes_at_least_one_step_however_little_time_it_has():
    run = a_run()
    run.advance(5, max_s=0)
    assert run.history.step == 1


@pytest.mark.parametrize("max_steps", [0, -3])
def test_advance_by_nothing_does_nothing(max_steps):
    run = a_run()
    run.advance(max_steps)
    assert (run.history.step, run.history.accuracies) == (0, [])
    assert not run.history.losses.any()
    run.advance(2)  # and nothing was skipped
    by_hand = a_run()
    by_hand.advance(2)
    np.testing.assert_array_equal(run.history.losses, by_hand.history.losses)


def test_a_finished_run_stays_as_it_is():
    run = driven_to_its_end(a_run())
    weights, losses = dict(run.model.state_dict()), run.history.losses.copy()
    run.advance(5)
    assert run.finished
    assert run.history.step == 16
    assert len(run.history.accuracies) == 2
    np.testing.assert_array_equal(run.history.losses, losses)
    assert all(torch.equal(weights[key], t) for key, t in run.model.state_dict().items())


def test_the_test_accuracy_is_measured_once_an_epoch():
    run = a_run(learning_rate=0.5, epochs=3)
    seen = []
    while not run.finished:
        run.advance(5)
        if run.history.step % 8 == 0:
            test = run.dataset.test_images, run.dataset.test_labels
            seen.append((run.history.step, accuracy(run.model, *test)))
        assert run.history.accuracies == seen
    assert [step for step, _ in seen] == [8, 16, 24]


def test_losses_are_written_up_to_step_and_not_beyond():
    run = a_run()
    run.advance(3)
    first = run.history.losses.copy()
    assert (first[:3] > 0).all()
    assert (first[3:] == 0).all()
    run.advance(2)
    np.testing.assert_array_equal(run.history.losses[:3], first[:3])
    assert (run.history.losses[:5] > 0).all()
    assert (run.history.losses[5:] == 0).all()
    assert run.history.training_s > 0
    assert run.history.steps_per_s == run.history.step / run.history.training_s


def test_the_time_of_steps_and_accuracies_counts_and_nothing_between(monkeypatch):
    now = 0.0  # seconds on a clock that only these two move

    def slow_step(*args):
        nonlocal now
        now += 1
        return torch.zeros(())

    def slow_accuracy(*args):
        nonlocal now
        now += 10
        return 0.5

    monkeypatch.setattr(runs.time, "perf_counter", lambda: now)
    monkeypatch.setattr(runs.engine, "training_step", slow_step)
    monkeypatch.setattr(runs.evaluation, "accuracy", slow_accuracy)
    run = a_run()
    run.advance(100, max_s=4.5)
    assert (run.history.step, run.history.training_s) == (5, 5)
    now += 1_000  # a pause
    run.advance(100)
    assert (run.history.step, run.history.training_s) == (8, 18)
    assert run.history.steps_per_s == 8 / 18


def test_the_time_until_a_failure_counts():
    run = a_run(learning_rate=1e9)
    with pytest.raises(TrainingFailedError):
        run.advance(8)
    assert run.history.training_s > 0


def test_a_run_learns():
    run = TrainingRun(TrainingConfig("digits", epochs=10, learning_rate=0.1), digits())
    driven_to_its_end(run)
    assert run.history.accuracies[-1][1] > 0.85
    assert running_mean(run.history.losses)[-1] < 0.4 < run.history.losses[0]


@pytest.mark.parametrize("architecture", models.ARCHITECTURES)
def test_equal_configurations_give_bit_identical_runs_whatever_the_advances(architecture):
    changes = {"architecture": architecture, "optimiser": "Adam", "batch_size": 9, "seed": 3}
    one, other = a_run(**changes), a_run(**changes)

    driven_to_its_end(one)
    sizes = iter([1, 4, 2, 5, 3, 8, 7])
    while not other.finished:
        other.advance(next(sizes), max_s=10)

    np.testing.assert_array_equal(one.history.losses, other.history.losses)
    assert one.history.accuracies == other.history.accuracies
    for key, tensor in one.model.state_dict().items():
        assert torch.equal(tensor, other.model.state_dict()[key]), key


def test_another_seed_gives_another_run():
    one, other = driven_to_its_end(a_run(seed=0)), driven_to_its_end(a_run(seed=1))
    assert not np.array_equal(one.history.losses, other.history.losses)


def test_a_run_leaves_the_global_generators_alone():
    with global_generators_untouched():
        driven_to_its_end(a_run(architecture="cnn"))


def test_a_diverging_run_fails_by_the_step_and_keeps_its_losses():
    run = a_run(learning_rate=1e9)
    with pytest.raises(TrainingFailedError, match=r"grew to .* at step 2 of 16") as caught:
        run.advance(8)
    assert "smaller learning rate than 1e+09" in str(caught.value)
    assert run.history.step == 2
    assert 0 < run.history.losses[0] < 10
    assert run.history.losses[1] > 1e6
    assert not run.finished
    assert run.history.accuracies == []


def test_a_run_that_diverges_later_counts_from_its_beginning():
    run = a_run()
    run.advance(5)
    losses = run.history.losses[:5].copy()
    with torch.no_grad():
        run.model.l1.weight *= 1e9
    with pytest.raises(TrainingFailedError, match="at step 6 of 16"):
        run.advance(3)
    assert run.history.step == 6
    np.testing.assert_array_equal(run.history.losses[:5], losses)


def test_a_weight_that_is_not_a_number_ends_the_run():
    run = a_run()
    run.advance(1)
    with torch.no_grad():
        run.model.l1.weight[0, 0] = math.nan
    with pytest.raises(TrainingFailedError, match="is no longer a number at step 2 of 16"):
        run.advance(5)
    assert run.history.step == 2
    assert np.isnan(run.history.losses[1])


def test_a_snapshot_is_a_copy_and_is_replaced_not_changed():
    run = a_run()
    first = run.snapshot
    kept = {key: tensor.clone() for key, tensor in first.weights.items()}
    run.advance(4)
    assert run.snapshot is first

    run.publish_weights()

    assert (first.step, run.snapshot.step) == (0, 4)
    for key, tensor in run.model.state_dict().items():
        assert torch.equal(first.weights[key], kept[key])
        assert torch.equal(run.snapshot.weights[key], tensor)
        assert not torch.equal(tensor, kept[key])
        assert not run.snapshot.weights[key].requires_grad


@pytest.mark.parametrize(
    ("values", "window", "expected"),
    [
        ([4.0, 2.0, 3.0, 7.0], 2, [4, 3, 2.5, 5]),
        ([4.0, 2.0, 3.0, 7.0], 1, [4, 2, 3, 7]),
        ([4.0, 2.0, 3.0, 7.0], 4, [4, 3, 3, 4]),
        ([4.0, 2.0, 3.0], 100, [4, 3, 3]),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 3, [1, 1.5, 2, 3, 4, 5, 6]),
        ([5.0], 3, [5]),
        ([], 3, []),
    ],
)
def test_running_mean_is_exact(values, window, expected):
    given = np.array(values, dtype=np.float32)
    result = running_mean(given, window)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(given, np.array(values, dtype=np.float32))


def test_running_mean_looks_back_over_a_hundred_steps():
    values = np.random.default_rng(0).uniform(0, 3, 350)
    expected = [values[max(0, i - 99) : i + 1].mean() for i in range(350)]
    np.testing.assert_allclose(running_mean(values), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("n_images", "epochs"),
    [(60_000, 5), (1_437, 60), (700, 60), (1, 60), (0, 60), (10_000, 30), (30_000, 10), (10**6, 5)],
)
def test_default_epochs(n_images, epochs):
    assert default_epochs(n_images) == epochs


def test_progress_before_the_first_step_is_dashes():
    progress = progress_of(History(np.zeros(10, dtype=np.float32)), 10)
    assert (progress.loss, progress.accuracy, progress.speed) == ("–", "–", "–")
    assert (progress.spent, progress.left) == ("0.00 s", "–")


def test_progress_in_words():
    losses = np.zeros(3_000, dtype=np.float32)
    losses[:2_000] = 9
    losses[1_900:1_950], losses[1_950:2_000] = 0.25, 0.75
    history = History(losses, 2_000, 1.6, [(1_000, 0.5), (2_000, 0.90126)])

    progress = progress_of(history, 3_000)

    assert progress.loss == "0.5000"
    assert progress.accuracy == "0.9013"
    assert progress.speed == "1,250"
    assert (progress.spent, progress.left) == ("1.60 s", "0.80 s")


def test_progress_averages_fewer_than_a_hundred_steps():
    history = History(np.array([1, 2, 100], dtype=np.float32), 2, 0.5)
    assert progress_of(history, 3).loss == "1.5000"
    assert progress_of(history, 3).left == "–"  # two steps say nothing of the speed


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1.234, "1.23 s"), (59.6, "60 s"), (300, "5 min"), (7_200, "2.0 h"), (90_000, "25.0 h")],
)
def test_durations_in_words(seconds, words):
    history = History(np.ones(100, dtype=np.float32), 100, seconds)
    assert progress_of(history, 100).spent == words


def test_a_large_loss_in_words():
    history = History(np.full(100, 2.61e9, dtype=np.float32), 100, 1.0)
    assert progress_of(history, 100).loss == "2.61e+09"


def test_a_configuration_in_words():
    assert str(TrainingConfig()) == (
        "Linear on MNIST · SGD, learning rate 0.01 · batches of 32 · 5 epochs · seed 0"
    )


def test_a_rest_lets_go_of_the_images_and_changes_nothing():
    config = TrainingConfig(dataset="digits", batch_size=50, epochs=2)
    rested, straight = TrainingRun(config, digits()), TrainingRun(config, digits())
    while not rested.finished:
        rested.advance(7)
        rested.rest()
        assert rested._steps is None
    while not straight.finished:
        straight.advance(1_000)
    np.testing.assert_array_equal(rested.history.losses, straight.history.losses)
    for name, weight in rested.model.state_dict().items():
        assert torch.equal(weight, straight.model.state_dict()[name])
