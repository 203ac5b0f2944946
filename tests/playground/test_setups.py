"""The valid values of a setup, and what follows from them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from mnist_core.playground.setups import CONTROLS, LIVE, RANGES, Setup


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "square"},
        {"data": None},
        {"noise": 51},
        {"noise": 5.0},
        {"noise": True},
        {"batch_size": 0},
        {"seed": -1},
        {"learning_rate": float("nan")},
        {"learning_rate": 1},
        {"learning_rate": 11.0},
        {"stop_below": 0.0},
        {"features": ()},
        {"features": ("x2", "x1")},
        {"features": ["x1"]},
        {"layers": (0,)},
        {"layers": (9,)},
        {"layers": (1,) * 7},
        {"layers": (2.0,)},
        {"hide": ("everything",)},
        {"discrete": 1},
        {"task": "two\nlines"},
        {"task": "a" * 301},
        {"points": ((0.0, 0.0, 4),)},
        {"points": ((0.001, 0.0, 0),)},
        {"points": ((7.0, 0.0, 0),)},
        {"points": ((1, 0.0, 0),)},
        {"points": ((0.0, 0.0, 0),) * 501},
        {"points": [(0.0, 0.0, 0)]},
    ],
    ids=str,
)
def test_an_invalid_setup_is_refused_with_a_sentence(changes):
    with pytest.raises(ValueError, match=r"\.$"):
        Setup(**changes)


def test_a_setup_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Setup().noise = 3


@pytest.mark.parametrize(
    ("setup", "classes", "outputs", "loss"),
    [
        (Setup(), 2, 1, "cross-entropy"),
        (Setup(loss="squared"), 2, 1, "squared"),
        (Setup(data="three"), 3, 3, "cross-entropy"),
        (Setup(data="four"), 4, 4, "cross-entropy"),
        (Setup(data="plane"), 0, 1, "squared"),
        (Setup(data="own"), 2, 1, "cross-entropy"),
        (Setup(data="own", points=((0.0, 0.0, 0),)), 2, 1, "cross-entropy"),
        (Setup(data="own", points=((0.0, 0.0, 2),)), 3, 3, "cross-entropy"),
        (Setup(data="plane", points=((0.0, 0.0, 2),)), 0, 1, "squared"),
    ],
)
def test_classes_outputs_and_loss_of_a_setup(setup, classes, outputs, loss):
    assert (setup.n_classes, setup.n_outputs, setup.effective_loss) == (classes, outputs, loss)


def test_differences():
    assert Setup().differences(Setup()) == {}
    assert Setup().differences(Setup(noise=5, layers=())) == {"noise": 5, "layers": ()}


def test_names_are_names_of_fields():
    names = {field.name for field in fields(Setup)}
    assert names >= LIVE
    assert set(RANGES) <= names
    assert set(CONTROLS) - names == {"experiments", "run_to", "edit", "code"}
