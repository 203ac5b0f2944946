"""A setup as a URL query, and any query as a setup."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnist_core.playground.own_points import own_point
from mnist_core.playground.setups import (
    ACTIVATIONS,
    CONTROLS,
    DATA,
    FEATURES,
    LOSSES,
    MAX_LAYERS,
    MAX_NEURONS,
    MAX_TASK,
    RANGES,
    REGULARISATIONS,
    Setup,
    clean_task,
)
from mnist_core.playground.url_query import PARAMETERS, from_query, to_query


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
# pieces of valid queries, besides any text
pieces = st.sampled_from([*DATA, *FEATURES, *CONTROLS, "1", "-3", "1e-5", "1e999", "nan", "yes"])
texts = st.text() | pieces | st.lists(pieces, max_size=9).map(",".join)
queries = st.dictionaries(st.sampled_from(PARAMETERS) | st.text(), texts)


@settings(max_examples=400, deadline=None)
@given(queries)
@example({"points": "AAA"})
@example({"learning_rate": "9" * 40, "seed": "1e300", "layers": "9" * 1000})
@example({"layers": ",", "features": "", "hide": "", "task": "\x00", "noise": "-0"})
def test_any_query_gives_a_setup_and_notes(query):
    setup, notes = from_query(query)
    assert isinstance(setup, Setup)  # valid, or it would have raised
    assert all(note.endswith(".") and note.isprintable() for note in notes)
    assert from_query(to_query(setup)) == (setup, [])


@settings(deadline=None)
@given(setups)
def test_round_trip(setup):
    assert from_query(to_query(setup)) == (setup, [])


@settings(deadline=None)
@given(queries)
def test_a_query_that_is_not_changed_gives_no_note(query):
    if query == to_query(from_query(query)[0]):
        assert from_query(query)[1] == []


def test_the_default_has_an_empty_query():
    assert to_query(Setup()) == {}
    assert from_query({}) == (Setup(), [])


def test_a_query_by_hand():
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
        ({"speed": "3"}, "data", "circle", "`speed`; it was left out. Known parts: data, noise"),
    ],
)
def test_an_invalid_value_is_changed_and_named(query, field, value, note):
    setup, notes = from_query(query)
    assert getattr(setup, field) == value
    (sentence,) = notes
    assert note in sentence
