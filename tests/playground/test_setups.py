"""A set-up's ranges, and the way through an address and back."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnist_core.playground.own_points import own_point
from mnist_core.playground.url_query import PARAMETERS, from_query, to_query
from mnist_core.playground.setups import (
    ACTIVATIONS,
    CONTROLS,
    DATA,
    FEATURES,
    LIVE,
    LOSSES,
    MAX_LAYERS,
    MAX_NEURONS,
    MAX_TASK,
    RANGES,
    REGULARISATIONS,
    Setup,
    clean_task,
)


def some_of(names, least=0):
    chosen = st.sets(st.sampled_from(names), min_size=least)
    return chosen.map(lambda s: tuple(n for n in names if n in s))


def number(name, kind):
    low, high = RANGES[name]
    return st.integers(low, high) if kind is int else st.floats(low, high)


points = st.lists(
    st.builds(own_point, st.floats(-6, 6), st.floats(-6, 6), st.integers(0, 3)), max_size=20
)
setups = st.builds(
    Setup,
    data=st.sampled_from(list(DATA)),
    noise=number("noise", int),
    train_share=number("train_share", int),
    batch_size=number("batch_size", int),
    seed=number("seed", int),
    features=some_of(list(FEATURES), least=1),
    layers=st.lists(st.integers(1, MAX_NEURONS), max_size=MAX_LAYERS).map(tuple),
    activation=st.sampled_from(list(ACTIVATIONS)),
    learning_rate=number("learning_rate", float),
    regularisation=st.sampled_from(list(REGULARISATIONS)),
    regularisation_rate=number("regularisation_rate", float),
    loss=st.sampled_from(list(LOSSES)),
    stop_below=st.none() | number("stop_below", float),
    discrete=st.booleans(),
    show_test=st.booleans(),
    hide=some_of(CONTROLS),
    task=st.text(max_size=MAX_TASK).map(clean_task),
    points=points.map(tuple),
)
# texts that come close to meaning something, besides any text at all
pieces = st.sampled_from([*DATA, *FEATURES, *CONTROLS, "1", "-3", "1e-5", "1e999", "nan", "yes"])
texts = st.text() | pieces | st.lists(pieces, max_size=9).map(",".join)
queries = st.dictionaries(st.sampled_from(PARAMETERS) | st.text(), texts)


@settings(max_examples=400, deadline=None)
@given(queries)
@example({"points": "AAA"})
@example({"learning_rate": "9" * 40, "seed": "1e300", "layers": "9" * 1000})
@example({"layers": ",", "features": "", "hide": "", "task": "\x00", "noise": "-0"})
def test_any_address_gives_a_set_up_and_notes(query):
    setup, notes = from_query(query)
    assert isinstance(setup, Setup)  # which checks itself
    assert all(note.endswith(".") and note.isprintable() for note in notes)
    assert from_query(to_query(setup)) == (setup, [])


@settings(deadline=None)
@given(setups)
def test_round_trip(setup):
    assert from_query(to_query(setup)) == (setup, [])


@settings(deadline=None)
@given(queries)
def test_whatever_is_taken_as_it_came_says_nothing(query):
    taken = to_query(from_query(query)[0])
    if query == taken:
        assert from_query(query)[1] == []


def test_the_default_needs_no_address():
    assert to_query(Setup()) == {}
    assert from_query({}) == (Setup(), [])


def test_an_address_by_hand():
    query = {
        "data": "xor",
        "layers": "none",
        "features": "x1x2,x1",
        "learning_rate": "0.1",
        "stop_below": "0.05",
        "show_test": "yes",
        "hide": "data,noise",
        "task": "Why does it fail? *Think* <b>",
        "points": "AAAB",
    }
    setup, notes = from_query(query)
    assert notes == []
    assert setup == Setup(
        data="xor",
        layers=(),
        features=("x1", "x1x2"),
        learning_rate=0.1,
        stop_below=0.05,
        show_test=True,
        hide=("data", "noise"),
        task="Why does it fail? *Think* <b>",
        points=((-6.0, -6.0, 1),),
    )


@pytest.mark.parametrize(
    ("query", "field", "value", "note"),
    [
        ({"noise": "70"}, "noise", 50, "from 0 to 50; `70` in the address was changed to 50"),
        ({"batch_size": "0"}, "batch_size", 1, "from 1 to 30; `0`"),
        ({"batch_size": "2.5"}, "batch_size", 2, "a whole number from 1 to 30; `2.5`"),
        ({"seed": "-1"}, "seed", 0, "from 0 to 2,147,483,647; `-1`"),
        ({"learning_rate": "1e-9"}, "learning_rate", 0.00001, "changed to 0.00001."),
        ({"learning_rate": "1e999"}, "learning_rate", 10.0, "from 0.00001 to 10; `1e999`"),
        ({"learning_rate": "nan"}, "learning_rate", 0.03, "must be a number"),
        ({"learning_rate": "0,1"}, "learning_rate", 0.03, "(not a plain word)"),
        ({"data": "square"}, "data", "circle", "The address says `square`, which was left out"),
        ({"data": "[x](y)"}, "data", "circle", "(not a plain word)"),
        ({"layers": "9,0,3"}, "layers", (8, 1, 3), "it became 8,1,3"),
        ({"layers": "1,1,1,1,1,1,1"}, "layers", (1,) * 6, "at most 6"),
        ({"layers": "4,x"}, "layers", (4, 2), "must be none, or"),
        ({"features": "x1,x9"}, "features", ("x1",), "`x9` in the address was left out"),
        ({"features": "none"}, "features", ("x1", "x2"), "one or more of x1, x2, x1sq"),
        ({"hide": "data,secret"}, "hide", ("data",), "`secret`"),
        ({"discrete": "1"}, "discrete", False, "yes or no"),
        ({"task": "a\nb" + "c" * 400}, "task", "a b" + "c" * 297, "300 characters"),
        ({"points": "abc"}, "points", (), "four letters or digits"),
        ({"speed": "3"}, "data", "circle", "`speed`; it was left out. Known are: data, noise"),
    ],
)
def test_what_does_not_fit_is_changed_and_named(query, field, value, note):
    setup, notes = from_query(query)
    assert getattr(setup, field) == value
    (said,) = notes
    assert note in said


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
def test_a_set_up_out_of_range_is_refused_in_a_sentence(changes):
    with pytest.raises(ValueError, match=r"\.$"):
        Setup(**changes)


def test_a_set_up_is_frozen():
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
def test_what_follows_from_a_set_up(setup, classes, outputs, loss):
    assert (setup.n_classes, setup.n_outputs, setup.effective_loss) == (classes, outputs, loss)


def test_differences():
    assert Setup().differences(Setup()) == {}
    assert Setup().differences(Setup(noise=5, layers=())) == {"noise": 5, "layers": ()}


def test_names_are_those_of_fields():
    names = {field.name for field in fields(Setup)}
    assert names >= LIVE
    assert set(RANGES) <= names
    assert set(CONTROLS) - names == {"experiments", "run_to", "edit", "code"}
