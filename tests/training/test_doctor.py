"""The training doctor: its findings on real runs, and on histories made for each rule."""

import math
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnist_core.data.datasets import Dataset
from mnist_core.nn.optimisers import OPTIMISERS
from mnist_core.training.configs import LESSON, PRESETS, TrainingConfig, default_epochs
from mnist_core.training.doctor import KINDS, SEVERITIES, Finding, examine
from mnist_core.training.history import EpochMetrics, History
from mnist_core.training.run import TrainingFailedError, TrainingRun
from tests.small_data import digits, mnist_in, tiny_dataset

ON_DIGITS = replace(LESSON, dataset="digits", epochs=default_epochs(1_437))
SHORT = replace(ON_DIGITS, epochs=10)
MLP = replace(SHORT, architecture="mlp")
SENTENCE = re.compile(r"[A-Z\d]((?!\. ).)*[^.]\.")


def few() -> Dataset:
    """The first 300 of the digits."""
    whole = digits()
    return replace(
        whole, train_images=whole.train_images[:300], train_labels=whole.train_labels[:300]
    )


def either_or() -> Dataset:
    """Two bars; the class is 1 if exactly one of them is there, which no linear model can learn."""
    images, upper, lower = (
        np.zeros((256, 28, 28), np.uint8),
        np.arange(256) % 2,
        np.arange(256) // 2,
    )
    images[:, 4:12, 4:24] = (60 * upper)[:, None, None]
    images[:, 16:24, 4:24] = (60 * (lower % 2))[:, None, None]
    labels = (upper ^ (lower % 2)).astype(np.int64)
    return replace(
        tiny_dataset(),
        train_images=images,
        train_labels=labels,
        test_images=images[:64],
        test_labels=labels[:64],
    )


DATA = {"digits": digits, "few": few, "either-or": either_or}


@cache
def trained(config, data="digits", steps=None):
    """Return a run trained for ``steps`` steps or to its end, from a cache."""
    run = TrainingRun(config, DATA[data]())
    try:
        while run.history.step < (steps or run.total_steps):
            run.advance(min(200, (steps or run.total_steps) - run.history.step))
    except TrainingFailedError:
        pass
    return run


def diagnosis(run):
    found = examine(run.config, run.history, run.total_steps)
    check_form(found)
    return found


def check_form(found):
    assert found
    for finding in found:
        assert finding.kind in KINDS
        assert finding.severity in SEVERITIES
        assert 0 < len(finding.title) <= 60
        assert finding.title[-1] != "."
        assert SENTENCE.fullmatch(finding.evidence), finding.evidence
        assert SENTENCE.fullmatch(finding.advice), finding.advice
        assert (finding.severity == "fine") == (finding.kind in ("healthy", "early"))
    ranks = [(SEVERITIES.index(f.severity), KINDS.index(f.kind)) for f in found]
    assert ranks == sorted(set(ranks))
    assert len(found) == 1 or "fine" not in {f.severity for f in found}


def rate_in(advice):
    return float(re.search(r"learning rate of ([\d.e-]+)\.$", advice)[1])


def accuracy_of(run):
    return run.history.epoch_metrics[-1].test_accuracy


def healthy_all_the_way(run, every):
    """Train a run to its end, with many diagnoses; return the last finding."""
    kinds = []
    while not run.finished:
        run.advance(every)
        (finding,) = diagnosis(run)
        kinds.append(finding.kind)
    turn = kinds.index("healthy")
    assert set(kinds[:turn]) <= {"early"}
    assert set(kinds[turn:]) == {"healthy"}
    return finding


SICK = {
    "a rate of 1e-5": (replace(ON_DIGITS, learning_rate=1e-5), "slow", "problem"),
    "one cycle up to 1e-3": (
        replace(SHORT, learning_rate=1e-3, schedule="one-cycle"),
        "slow",
        "problem",
    ),
    "few epochs": (SHORT, "slow", "hint"),
    "a rate of 1e9": (replace(ON_DIGITS, learning_rate=1e9), "diverging", "problem"),
    "a rate that only jumps": (
        replace(SHORT, optimiser="AdamW", learning_rate=1.0),
        "diverging",
        "problem",
    ),
    "a rate that recovers": (replace(SHORT, learning_rate=1.0), "diverging", "hint"),
    "an MLP at 1": (replace(MLP, learning_rate=1.0), "one class", "problem"),
    "an MLP, AdamW up to 0.1": (
        replace(MLP, optimiser="AdamW", learning_rate=0.1, schedule="one-cycle"),
        "dead units",
        "hint",
    ),
}


@pytest.mark.parametrize(("config", "kind", "severity"), SICK.values(), ids=SICK)
def test_a_bad_run_is_recognised_and_the_advice_helps(config, kind, severity):
    run = trained(config)
    first = diagnosis(run)[0]
    assert (first.kind, first.severity) == (kind, severity)

    cured = trained(replace(config, learning_rate=rate_in(first.advice)))
    before = accuracy_of(run) if run.history.epoch_metrics else 0.1
    if severity == "problem":
        assert accuracy_of(cured) > before + 0.1
        assert first.kind not in {f.kind for f in diagnosis(cured) if f.severity == "problem"}
    else:
        assert accuracy_of(cured) > before - 0.02
        assert first.kind not in {f.kind for f in diagnosis(cured)}


def test_the_evidence_of_a_failed_run_names_the_step():
    run = trained(replace(ON_DIGITS, learning_rate=1e9))
    (finding,) = diagnosis(run)
    assert finding.title == "The loss explodes"
    assert finding.evidence.startswith(f"At step {run.history.step} of 2,700 the loss grew to ")
    assert finding.advice == "Start again with a learning rate of 0.1."


def test_a_rate_of_10_is_found_during_the_run_and_after_it():
    config = replace(ON_DIGITS, learning_rate=10.0)
    early = diagnosis(trained(config, steps=60))[0]
    assert (early.kind, early.severity) == ("diverging", "problem")
    assert early.title == "The loss jumps up and down instead of falling"
    late = diagnosis(trained(config))[0]  # on so few images even this settles
    assert (late.kind, late.severity) == ("diverging", "hint")
    assert early.advice == late.advice == "Start again with a learning rate of 0.1."


def test_dead_units_and_one_class_are_not_found_in_an_untrained_network():
    collapsed = trained(replace(MLP, learning_rate=1.0))
    begun = trained(replace(MLP, learning_rate=1e-5))
    for run in (collapsed, begun):
        assert run.history.epoch_metrics[-1].largest_class > 0.5
    kinds = [f.kind for f in diagnosis(collapsed)]
    assert kinds == ["one class", "dead units"]
    assert [f.kind for f in diagnosis(begun)] == ["slow"]


def test_overfitting_on_few_images_is_found():
    config = replace(MLP, optimiser="Adam", learning_rate=0.01, epochs=60)
    run = trained(config, "few")
    (finding,) = diagnosis(run)
    assert (finding.kind, finding.severity) == ("overfitting", "problem")
    assert "100.0% of its training images" in finding.evidence

    epochs = int(re.fullmatch(r"Try (\d+) epochs\.", finding.advice)[1])
    cured = trained(replace(config, epochs=epochs), "few")
    assert cured.history.epoch_metrics[-1].test_loss < run.history.epoch_metrics[-1].test_loss
    assert accuracy_of(cured) >= accuracy_of(run) - 0.01


def test_a_cnn_that_overfits_is_advised_to_augment():
    config = replace(SHORT, architecture="cnn", optimiser="Adam", learning_rate=0.01, epochs=20)
    finding = diagnosis(trained(config, "few"))[0]
    assert (finding.kind, finding.severity) == ("overfitting", "problem")
    assert finding.advice == "Try changing the images a little each time they are shown."


def test_a_linear_model_at_its_limit_is_advised_a_larger_model():
    config = replace(ON_DIGITS, learning_rate=0.1, epochs=120)
    run = trained(config, "either-or")
    (finding,) = diagnosis(run)
    assert (finding.kind, finding.advice) == ("plateau", "Try a larger model, MLP.")
    assert run.history.epoch_metrics[-1].train_accuracy < 0.8
    grown = trained(replace(config, architecture="mlp"), "either-or")
    assert grown.history.epoch_metrics[-1].train_accuracy == 1
    assert diagnosis(grown)[0].kind == "healthy"


def test_a_noisy_flat_loss_is_advised_smaller_steps():
    config = replace(ON_DIGITS, optimiser="Adam", learning_rate=0.01, augment=True)
    run = trained(config)
    (finding,) = diagnosis(run)
    assert finding.kind == "plateau"
    assert finding.advice == "Try the one-cycle schedule, which ends with small steps."
    assert accuracy_of(trained(replace(config, schedule="one-cycle"))) > accuracy_of(run) + 0.02

    longer = 2 * run.total_steps  # the same loss with as many steps left
    assert examine(config, run.history, longer)[0].advice == "Go on with a learning rate of 0.001."


@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_on_the_digits_is_healthy_at_any_step(seed):
    config = replace(ON_DIGITS, seed=seed)
    run = TrainingRun(config, digits())
    last = healthy_all_the_way(run, 50)
    assert last.evidence.endswith(f"and {accuracy_of(run):.1%} of the test images are right.")


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.1},
        {"engine": "numpy"},
        {"optimiser": "Adam", "learning_rate": 0.001},
        {"schedule": "one-cycle", "learning_rate": 0.1},
        {"batch_size": 8, "epochs": 20},
    ],
    ids=str,
)
def test_other_good_settings_are_healthy(changes):
    assert [f.kind for f in diagnosis(trained(replace(ON_DIGITS, **changes)))] == ["healthy"]


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "The lesson's run"])
def test_the_presets_have_no_problem_on_the_digits(name):
    config = replace(PRESETS[name], dataset="digits", batch_size=32, epochs=3)
    assert not any(f.severity == "problem" for f in diagnosis(trained(config)))


def test_the_lesson_s_run_is_healthy_at_any_step(mnist_dir):
    run = TrainingRun(LESSON, mnist_in(mnist_dir))
    assert healthy_all_the_way(run, 500).advice.startswith("Try 10 epochs, for the loss was")


@pytest.mark.parametrize(("rate", "kind"), [(1e-5, "slow"), (1.0, "plateau"), (10.0, "diverging")])
def test_rates_on_mnist(mnist_dir, rate, kind):
    run = TrainingRun(replace(LESSON, learning_rate=rate, epochs=3), mnist_in(mnist_dir))
    while not run.finished:
        run.advance(2_000)
    assert diagnosis(run)[0].kind == kind


def test_a_real_run_leads_to_every_kind():
    runs = [trained(config) for config, *_ in SICK.values()]
    runs += [trained(ON_DIGITS), trained(ON_DIGITS, steps=20)]
    runs.append(trained(replace(MLP, optimiser="Adam", learning_rate=0.01, epochs=60), "few"))
    runs.append(trained(replace(ON_DIGITS, learning_rate=0.1, epochs=120), "either-or"))
    assert {f.kind for run in runs for f in diagnosis(run)} == set(KINDS)


def test_only_the_steps_since_the_last_change_of_rate_count():
    run = TrainingRun(replace(ON_DIGITS, learning_rate=1e-5), digits())
    while run.history.step < 500:
        run.advance(500 - run.history.step)
    (slow,) = diagnosis(run)
    assert slow.advice == "Go on with a learning rate of 0.001."
    run.set_learning_rate(0.1)
    (early,) = diagnosis(run)
    assert (early.kind, early.evidence) == (
        "early",
        "The learning rate was changed just now.",
    )
    run.advance(1)
    assert diagnosis(run)[0].evidence == "The learning rate was changed only 1 step ago."
    while not run.finished:
        run.advance(200)
    assert diagnosis(run)[0].kind == "healthy"


def test_a_lowered_rate_is_not_called_too_low():
    falling = np.concatenate([flat(400, 0.9, 0.01), np.linspace(0.9, 0.6, 400)])
    for rates, kind in (([(0, 0.1), (400, 0.001)], "healthy"), ([(0, 0.001)], "slow")):
        history = a_history(falling, rates=rates)
        finding = examine(LESSON, history, 801)[0]
        assert (finding.kind, finding.severity == "fine") == (kind, kind == "healthy")


def test_a_stopped_run_is_not_told_to_go_on():
    slow = trained(replace(ON_DIGITS, learning_rate=1e-5), steps=500)
    for run, going, stopped in (
        (trained(ON_DIGITS, steps=20), "Let it go on for a while.", "Try a run that takes all"),
        (trained(ON_DIGITS, steps=1_000), "Let it go on to step 2,700.", "Try a run that takes"),
        (slow, "Go on with a learning rate of 0.001.", "Try a learning rate of 0.001."),
    ):
        assert diagnosis(run)[0].advice == going
        (finding,) = examine(run.config, run.history, run.total_steps, ended=True)
        check_form([finding])
        assert finding.advice.startswith(stopped)


def test_one_step_is_one_step():
    (finding,) = diagnosis(trained(ON_DIGITS, steps=1))
    assert finding.evidence == "It has taken 1 step of 2,700, too few to judge it."


def test_the_loss_that_it_came_from_stays_the_same():
    run, sentences = TrainingRun(ON_DIGITS, digits()), set()
    while not run.finished:
        run.advance(123)
        sentences |= set(re.findall(r"came from [\d.]+", diagnosis(run)[0].evidence))
    assert len(sentences) == 1


def test_the_advice_for_a_broken_run_is_below_its_highest_rate():
    run = TrainingRun(replace(MLP, learning_rate=1.0, epochs=20), digits())
    while not run.finished:
        if run.history.step == 450:
            run.set_learning_rate(0.01)
        run.advance(min(200, 450 - run.history.step) if run.history.step < 450 else 200)
    assert diagnosis(run)[0].kind == "one class"  # dead units stay dead
    assert rate_in(diagnosis(run)[0].advice) == 0.1


def metrics_of(step, **changes):
    usual = EpochMetrics(step, 0.9, 0.3, 0.92, 0.28, 0.0, 0.11)
    return replace(usual, **changes)


def a_history(losses, epoch_metrics=(), rates=((0, 0.01),)):
    losses = np.asarray(losses, dtype=np.float32)
    return History(losses, losses, list(rates), len(losses), 1.0, list(epoch_metrics))


def kinds_of(losses, epoch_metrics=(), total=None, **changes):
    history = a_history(losses, epoch_metrics)
    found = examine(replace(LESSON, **changes), history, len(losses) if total is None else total)
    check_form(found)
    return [f.kind for f in found]


def flat(n=4_000, at=0.5, jump=0.05):
    return at + np.random.default_rng(0).normal(0, jump, n)


@pytest.mark.parametrize(
    ("losses", "kinds"),
    [
        ([], ["early"]),
        ([2.3], ["early"]),
        ([2.3] * 49, ["early"]),
        ([math.nan], ["diverging"]),
        ([math.inf], ["diverging"]),
        ([-math.inf], ["diverging"]),
        ([1e6], ["diverging"]),
        ([2.3] * 99 + [math.nan], ["diverging"]),
        ([2.3] * 50 + [math.nan] + [2.3] * 50, ["diverging"]),
        ([0.0] * 100, ["healthy"]),
        ([-1.0] * 100, ["healthy"]),
    ],
    ids=str,
)
def test_edge_cases(losses, kinds):
    assert kinds_of(losses) == kinds
    assert kinds_of(losses, total=9_375)
    assert kinds_of(losses, total=0)


def test_an_incomplete_history_is_read_as_far_as_possible():
    history = a_history([math.nan, *flat()])
    history.step = 10**9
    assert examine(LESSON, history, 9_375)[0].evidence.startswith("At step 1 of 9,375 the loss was")
    for rates in ([], [(10**9, 0.01)], [(-5, 0.01)], [(0, math.nan)]):
        check_form(examine(LESSON, replace(history, learning_rates=rates), 9_375))
        check_form(examine(LESSON, replace(history, learning_rates=rates, step=-3), 9_375))


@pytest.mark.parametrize("field", ["test_accuracy", "test_loss", "train_accuracy", "dead_units"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0, 1])
def test_metrics_of_any_value_are_accepted(field, value):
    epoch_metrics = [metrics_of(step, **{field: value}) for step in range(400, 4_001, 400)]
    assert kinds_of(flat(), epoch_metrics)


def test_advice_fits_the_run_s_own_settings():
    def advice(**changes):
        config = replace(LESSON, **changes)
        found = examine(config, a_history(flat(jump=jump), rates=[(0, 0.01)]), 4_000)
        assert found[0].kind == "plateau"
        return found[0].advice

    jump = 0.05  # calm
    assert advice() == "Try a larger model, MLP."
    assert advice(architecture="mlp") == "Try a larger model, Small CNN."
    assert advice(architecture="deep").startswith("Try the one-cycle schedule")
    assert advice(architecture="mlp", engine="numpy").startswith("Try the one-cycle schedule")
    assert advice(architecture="deep", schedule="one-cycle") == "Try a learning rate of 0.001."
    jump = 0.25  # jumpy
    assert advice().startswith("Try the one-cycle schedule")
    assert advice(schedule="one-cycle") == "Try a learning rate of 0.001."


def test_one_cycle_is_not_slow_while_the_rate_rises_nor_flat_while_it_falls():
    one_cycle = {"schedule": "one-cycle"}
    assert kinds_of([2.3] * 1_000) == ["slow"]
    assert kinds_of([2.3] * 1_000, total=3_000, **one_cycle) == ["early"]
    assert kinds_of([2.3] * 1_000, total=1_500, **one_cycle) == ["slow"]
    assert kinds_of(flat(), total=5_000) == ["plateau"]
    assert kinds_of(flat(), total=5_000, **one_cycle) == ["healthy"]


def test_a_slow_run_at_the_highest_safe_rate_needs_more_steps():
    falling = np.linspace(2.3, 1.2, 300)

    def advice(**changes):
        config = replace(LESSON, **changes)
        (finding,) = examine(config, a_history(falling, rates=[(0, 0.1)]), 300)
        assert (finding.kind, finding.title) == ("slow", "Too few steps")
        return finding.advice

    assert advice() == "Try 20 epochs."
    assert advice(batch_size=512) == "Try batches of 32."


def test_only_a_part_of_a_long_history_is_read():
    n = 1_000_000
    losses = 2.3 * np.exp(-np.arange(n) / 100_000)
    epoch_metrics = [metrics_of(n // 10 * i) for i in range(1, 10)] + [
        metrics_of(n, dead_units=1.0)
    ]
    assert kinds_of(losses, epoch_metrics * 500)[0] == "dead units"


def test_the_history_is_not_changed():
    run = trained(ON_DIGITS)
    kept = (run.history.losses.copy(), list(run.history.epoch_metrics), run.history.step)
    diagnosis(run)
    np.testing.assert_array_equal(run.history.losses, kept[0])
    assert (run.history.epoch_metrics, run.history.step) == kept[1:]


numbers = st.floats(width=32) | st.floats(0, 5, width=32)
shares = st.floats(0, 1) | st.floats()


@st.composite
def histories(draw):
    values = draw(st.lists(numbers, max_size=40))
    losses = np.resize(np.array(values, np.float32), draw(st.integers(0, 400)) if values else 0)
    step = draw(st.integers(-2, len(losses) + 2))
    epoch_metrics = [
        EpochMetrics(s, *draw(st.tuples(*[shares] * 6)))
        for s in draw(st.lists(st.integers(0, len(losses) + 1), max_size=6))
    ]
    rates = draw(st.lists(st.tuples(st.integers(-1, 500), st.floats(1e-9, 1e9)), max_size=3))
    return History(losses, losses, rates, step, 0.0, epoch_metrics)


configs = st.builds(
    TrainingConfig,
    architecture=st.sampled_from(["linear", "mlp", "cnn"]),
    optimiser=st.sampled_from(sorted(OPTIMISERS)),
    schedule=st.sampled_from(["constant", "one-cycle"]),
    learning_rate=st.floats(1e-30, 1e30),
    batch_size=st.integers(1, 10**9),
    epochs=st.integers(1, 15_000),
    augment=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(config=configs, history=histories(), total=st.integers(0, 10**6), ended=st.booleans())
@example(LESSON, a_history([math.nan] * 60), 60, False)
def test_any_history_leads_to_findings(config, history, total, ended):
    found = examine(config, history, total, ended)
    check_form(found)
    assert not (ended and any("go on" in f"{f.advice}".lower() for f in found))
    assert all(isinstance(f, Finding) for f in found)
    words = " ".join(f.advice for f in found)
    assert config.architecture != "cnn" or "larger model" not in words
    assert config.schedule == "constant" or "one-cycle" not in words
    assert not config.augment or "changing the images" not in words
