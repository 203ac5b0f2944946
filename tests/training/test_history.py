"""The history of a run, its running mean and its summary in words."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from mnist_core.training.history import EpochMetrics, History, progress_of, running_mean

METRICS = EpochMetrics(8, 0.75, 0.5, 1.0, 0.25, 0.0, 0.125)


def metrics_of(step, test_accuracy):
    return EpochMetrics(step, test_accuracy, 1.0, 1.0, 1.0, 0.0, 0.1)


def a_history(losses, step, training_s, epoch_metrics=()):
    losses = np.array(losses, dtype=np.float32)
    return History(
        losses,
        np.zeros_like(losses),
        [(0, 0.01)],
        step,
        training_s,
        epoch_metrics=list(epoch_metrics),
    )


def test_a_new_history_is_empty():
    history = History(np.zeros(3, np.float32), np.zeros(3, np.float32), [(0, 0.5)])
    assert (history.step, history.training_s, history.steps_per_s) == (0, 0, 0)
    assert history.epoch_metrics == history.accuracies == []


def test_no_two_histories_share_their_epoch_metrics():
    one, other = a_history([0], 0, 0), a_history([0], 0, 0)
    one.epoch_metrics.append(METRICS)
    assert other.epoch_metrics == []


def test_speed_and_accuracies_follow_from_the_history():
    history = a_history([1] * 10, 8, 2.0, [metrics_of(4, 0.5), metrics_of(8, 0.75)])
    assert history.steps_per_s == 4
    assert history.accuracies == [(4, 0.5), (8, 0.75)]


def test_epoch_metrics_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        METRICS.step = 9


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


def test_running_mean_covers_a_hundred_steps():
    values = np.random.default_rng(0).uniform(0, 3, 350)
    expected = [values[max(0, i - 99) : i + 1].mean() for i in range(350)]
    np.testing.assert_allclose(running_mean(values), expected, rtol=1e-12)


def test_progress_before_the_first_step_is_dashes():
    progress = progress_of(a_history([0] * 10, 0, 0), 10)
    assert (progress.loss, progress.accuracy, progress.speed) == ("–", "–", "–")
    assert (progress.spent, progress.left) == ("0.00 s", "–")


def test_progress_in_words():
    losses = np.zeros(3_000)
    losses[:2_000] = 9
    losses[1_900:1_950], losses[1_950:2_000] = 0.25, 0.75
    epoch_metrics = [metrics_of(1_000, 0.5), metrics_of(2_000, 0.90126)]

    progress = progress_of(a_history(losses, 2_000, 1.6, epoch_metrics), 3_000)

    assert progress.loss == "0.5000"
    assert progress.accuracy == "0.9013"
    assert progress.speed == "1,250"
    assert (progress.spent, progress.left) == ("1.60 s", "0.80 s")


def test_progress_averages_fewer_than_a_hundred_steps():
    progress = progress_of(a_history([1, 2, 100], 2, 0.5), 3)
    assert progress.loss == "1.5000"


@pytest.mark.parametrize(("step", "speed", "left"), [(19, "–", "–"), (20, "10", "8.00 s")])
def test_the_speed_is_a_dash_during_the_first_steps(step, speed, left):
    progress = progress_of(a_history(np.ones(100), step, 2.0), 100)
    assert (progress.speed, progress.left) == (speed, left)
