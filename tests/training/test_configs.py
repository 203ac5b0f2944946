"""The settings of a run: checked, read from files, compared and put into words."""

import json
import math
import re
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from mnist_core.training.configs import (
    ENGINES,
    LESSON,
    MAX_STEPS,
    PRESETS,
    TrainingConfig,
    check_learning_rate,
    default_epochs,
    differences,
    with_change,
)

NAMES = [field.name for field in fields(TrainingConfig)]
EVERYTHING_ELSE = TrainingConfig(
    "fashion", "cnn", "AdamW", 0.5, 64, 7, 42, "one-cycle", True, "autograd"
)


def assert_is_a_sentence(error):
    assert re.fullmatch(r"The [A-Za-z].*\.", str(error.value))


def test_the_default_is_the_lesson_s_run():
    assert TrainingConfig() == LESSON
    assert (
        TrainingConfig("mnist", "linear", "SGD", 0.01, 32, 5, 0, "constant", False, "autograd")
        == LESSON
    )
    assert LESSON.total_steps(60_000) == 9_375


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"learning_rate": 0}, "got 0:"),
        ({"learning_rate": 0.0}, "got 0:"),
        ({"learning_rate": -1}, "got -1:"),
        ({"learning_rate": -0.5}, "got -0.5:"),
        ({"learning_rate": math.nan}, "got nan"),
        ({"learning_rate": math.inf}, "got inf"),
        ({"learning_rate": -math.inf}, "got -inf"),
        ({"learning_rate": 1e31}, "got 1e+31"),
        ({"learning_rate": True}, "got True"),
        ({"learning_rate": "0.1"}, "got '0.1'"),
        ({"batch_size": 0}, "batch size must be at least 1, a whole number, got 0"),
        ({"batch_size": -5}, "batch size must be at least 1, a whole number, got -5"),
        ({"batch_size": 32.0}, "got 32.0"),
        ({"epochs": 0}, "number of epochs must be at least 1, a whole number, got 0"),
        ({"epochs": True}, "got True"),
        ({"seed": -1}, "got -1"),
        ({"seed": 2**31}, "got 2,147,483,648"),
        ({"seed": False}, "got False"),
        ({"architecture": "resnet"}, "model must be one of linear, mlp, cnn, deep, got 'resnet'"),
        ({"optimiser": "LBFGS"}, "LBFGS"),
        ({"dataset": "imagenet"}, "imagenet"),
        ({"schedule": "cosine"}, "schedule must be one of constant, one-cycle, got 'cosine'"),
        ({"engine": "jax"}, "engine must be one of autograd, numpy, got 'jax'"),
        ({"augment": 1}, "augmentation must be on or off, got 1"),
        ({"augment": None}, "augmentation must be on or off, got None"),
        ({"engine": "numpy", "optimiser": "Adam"}, "takes plain SGD, got Adam"),
        ({"engine": "numpy", "optimiser": "SGD with momentum"}, "got SGD with momentum"),
        ({"engine": "numpy", "architecture": "cnn"}, "linear model and the MLP, got Small CNN"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_with_a_sentence_that_names_it(wrong, names):
    with pytest.raises(ValueError, match=re.escape(names)) as caught:
        TrainingConfig(**wrong)
    assert_is_a_sentence(caught)


@pytest.mark.parametrize(
    "right",
    [
        {"learning_rate": 1e-9},
        {"learning_rate": 1e9},
        {"learning_rate": 1},
        {"batch_size": 1},
        {"epochs": 1},
        {"seed": 2**31 - 1},
        {"architecture": "cnn"},
        {"optimiser": "SGD with momentum"},
        {"dataset": "fashion"},
        {"schedule": "one-cycle"},
        {"augment": True},
        {"engine": "numpy"},
    ],
    ids=str,
)
def test_a_value_at_the_edge_is_accepted(right):
    ((name, value),) = right.items()
    assert getattr(TrainingConfig(**right), name) == value


@pytest.mark.parametrize("architecture", ["linear", "mlp"])
@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
@pytest.mark.parametrize("augment", [False, True])
def test_numpy_accepts_these_settings(architecture, schedule, augment):
    TrainingConfig(engine="numpy", architecture=architecture, schedule=schedule, augment=augment)


HOSTILE = {
    "None": None,
    "list": ["SGD"],
    "nested": [[[]]],
    "table": {"SGD": 1},
    "empty": "",
    "number as text": "1",
    "word": "x" * 1_000,
    "bytes": b"SGD",
    "True": True,
    "half": 1.5,
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "0": 0,
    "-0.0": -0.0,
    "-1": -1,
    "huge": 10**400,
    "hugely negative": -(10**400),
    "object": object(),
}
HARMLESS = {("learning_rate", "half"), ("seed", "0"), ("augment", "True")}
HARMLESS |= {("batch_size", "huge")}  # `total_steps` refuses it


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_value_from_a_file_is_refused_with_a_short_sentence(name, what):
    if (name, what) in HARMLESS:
        config = TrainingConfig.from_json({name: HOSTILE[what]})
        assert getattr(config, name) == HOSTILE[what]
        return
    with pytest.raises(ValueError, match=r".*, got .*") as caught:
        TrainingConfig.from_json({name: HOSTILE[what]})
    assert_is_a_sentence(caught)
    assert len(str(caught.value)) < 600


def test_a_refusal_does_not_repeat_a_long_value():
    with pytest.raises(ValueError, match="got 'xxx") as caught:
        TrainingConfig(optimiser="x" * 1_000)
    assert len(str(caught.value)) < 150


def test_a_huge_batch_is_refused_with_the_data():
    config = TrainingConfig.from_json({"batch_size": 10**400})
    with pytest.raises(ValueError, match="must be at most"):
        config.total_steps(60_000)


def test_more_epochs_than_a_run_can_keep_are_refused():
    assert TrainingConfig(epochs=15_000).epochs == 15_000
    with pytest.raises(ValueError, match="at most 15,000, got 15,001"):
        TrainingConfig(epochs=15_001)


@pytest.mark.parametrize(
    "values", [None, [], ["dataset"], "mnist", 5, b"{}", [("dataset", "mnist")]], ids=str
)
def test_settings_that_are_not_a_table_are_refused(values):
    with pytest.raises(ValueError, match="settings must be a table, got") as caught:
        TrainingConfig.from_json(values)
    assert_is_a_sentence(caught)


@pytest.mark.parametrize("key", ["momentum", "", "__class__", "Seed", 3, None, ("seed",)], ids=str)
def test_an_unknown_setting_is_refused_by_name(key):
    with pytest.raises(ValueError, match=re.escape(f"unknown one, {str(key)!r}.")) as caught:
        TrainingConfig.from_json({"seed": 1, key: 1})
    assert_is_a_sentence(caught)


def test_settings_left_out_of_a_file_have_defaults():
    assert TrainingConfig.from_json({}) == LESSON
    assert TrainingConfig.from_json({"seed": 5}) == replace(LESSON, seed=5)


@pytest.mark.parametrize("config", [LESSON, EVERYTHING_ELSE, *PRESETS.values()], ids=str)
def test_a_configuration_survives_a_file(config):
    text = json.dumps(config.to_json(), allow_nan=False)
    assert TrainingConfig.from_json(json.loads(text)) == config
    assert list(config.to_json()) == NAMES


def test_a_configuration_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        LESSON.seed = 1


def test_with_change_returns_a_checked_copy():
    assert with_change(LESSON, "seed", 3) == TrainingConfig(seed=3)
    assert LESSON.seed == 0
    with pytest.raises(ValueError, match="number of epochs"):
        with_change(LESSON, "epochs", 0)


@pytest.mark.parametrize("rate", [1e-300, 1e-9, 0.01, 1, 5, 1e30])
def test_a_learning_rate_above_0_passes(rate):
    check_learning_rate(rate)


@pytest.mark.parametrize(
    "rate", [0, -1e-9, math.nan, math.inf, 1e39, 10**400, None, True, "1", [1], 1j], ids=repr
)
def test_any_other_learning_rate_is_refused(rate):
    with pytest.raises(ValueError, match="learning rate must be a number above 0, got") as caught:
        check_learning_rate(rate)
    assert_is_a_sentence(caught)


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


def test_the_presets_fit_mnist():
    assert PRESETS["The lesson's run"] is LESSON
    for config in PRESETS.values():
        assert config.dataset == "mnist"
        assert 0 < config.total_steps(60_000) < 20_000
    assert len(set(PRESETS.values())) == len(PRESETS) == 3


def test_the_engines():
    assert list(ENGINES) == ["autograd", "numpy"]


@pytest.mark.parametrize(
    ("n_images", "epochs"),
    [(60_000, 5), (1_437, 60), (700, 60), (1, 60), (0, 60), (10_000, 30), (30_000, 10), (10**6, 5)],
)
def test_default_epochs(n_images, epochs):
    assert default_epochs(n_images) == epochs


@pytest.mark.parametrize(
    ("n_images", "chosen", "epochs"),
    [(60_000, 2, 2), (10_000, 2, 12), (1_437, 2, 60), (1_437, 80, 80), (60_000, 10, 10)],
)
def test_default_epochs_of_a_preset(n_images, chosen, epochs):
    assert default_epochs(n_images, chosen) == epochs


def test_differences_name_the_settings_that_differ():
    one, other = LESSON, replace(LESSON, seed=3, learning_rate=0.5)
    assert differences([one, other]) == {"learning rate": [0.01, 0.5], "seed": [0, 3]}
    third = replace(LESSON, augment=True)
    assert differences([one, third, one]) == {"augmentation": [False, True, False]}


@pytest.mark.parametrize("configs", [[], [LESSON], [LESSON, replace(LESSON)]])
def test_equal_configurations_do_not_differ(configs):
    assert differences(configs) == {}


def test_every_setting_has_a_name_among_the_differences():
    found = differences([LESSON, EVERYTHING_ELSE])
    numpy = differences([LESSON, replace(LESSON, engine="numpy")])
    assert numpy == {"engine": ["autograd", "numpy"]}
    assert len(found) + len(numpy) == len(NAMES)


def test_a_configuration_in_words():
    assert str(LESSON) == (
        "Linear on MNIST · SGD, learning rate 0.01 · batches of 32 · 5 epochs · seed 0"
    )
    assert str(EVERYTHING_ELSE) == (
        "Small CNN on FashionMNIST · AdamW, learning rate 0.5, one cycle · batches of 64 · "
        "7 epochs · seed 42 · images changed a little"
    )
    assert str(TrainingConfig("digits", batch_size=1_000, epochs=1, engine="numpy")) == (
        "Linear on Bundled digits (UCI, not MNIST) · SGD, learning rate 0.01 · "
        "batches of 1,000 · 1 epoch · seed 0 · NumPy"
    )
