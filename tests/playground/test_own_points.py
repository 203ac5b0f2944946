"""The visitor's own points: parsed from text, packed and unpacked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.playground.own_points import (
    MAX_POINTS,
    own_point,
    pack_points,
    parse_points,
    unpack_points,
)
from mnist_core.playground.setups import Setup

points_strategy = st.lists(
    st.builds(
        own_point,
        st.floats(-6, 6),
        st.floats(-6, 6),
        st.integers(0, 3),
    ),
    max_size=MAX_POINTS,
).map(tuple)


@settings(deadline=None)
@given(points_strategy)
def test_packing_round_trip(points):
    packed = pack_points(points)
    assert len(packed) == 4 * len(points)
    assert unpack_points(packed) == points


@pytest.mark.parametrize("text", ["abc", "abc=", "é" * 4, "____", "a b ", "AAAA" * 501])
def test_text_that_is_not_packed_points_is_refused(text):
    with pytest.raises(ValueError, match="points"):
        unpack_points(text)


def test_an_own_point_is_clamped_and_rounded():
    assert own_point(7.0, -1.23456, 2) == (6.0, -1.23, 2)
    with pytest.raises(ValueError, match="finite"):
        own_point(math.nan, 0, 0)


EXPECTED = ((1.5, -2.0, 0), (-0.25, 3.0, 1))


@pytest.mark.parametrize(
    "text",
    [
        "1.5,-2,0\n-0.25,3,1",
        "x1,x2,label\n1.5, -2, 0\n\n-0.25, 3, 1\n",
        "\ufeffx1;x2;class\r\n1,5;-2;0\r\n-0,25;3;1\r\n",
        "1.5\t-2\t0\n-0.25\t3\t1.0",
        '"a" "b" "c"\n1.5 -2 0\n-0.25   3 1',
    ],
)
def test_every_csv_dialect_is_parsed(text):
    parsed = parse_points(text)
    assert parsed.points == EXPECTED
    assert parsed.note == ""


def test_points_outside_the_plane_are_scaled_with_a_note():
    parsed = parse_points("100,7,0\n200,7,1\n150,7,1")
    assert parsed.points == ((-5, 0, 0), (5, 0, 1), (0, 0, 1))
    assert "scaled" in parsed.note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no points"),
        ("1,2,0\n3,4,0", "1 class"),
        ("1,2,0\n1,2", "Line 2: expected x1, x2 and a class, got 2 columns"),
        ("1,2,0\n\na,2,1", "Line 3: expected numbers"),
        ("1,nan,0", "Line 1: expected numbers"),
        ("1,inf,0", "Line 1: expected numbers"),
        ("1,2,4", "Line 1: expected a class"),
        ("1,2,0.5", "Line 1: expected a class"),
        ("1,2,-1", "Line 1: expected a class"),
        ("x1,x2,c\nx1,x2,c\n1,2,0\nx1,x2,c", "Line 4: expected numbers"),
        ("\n".join(["1,2,0"] * 501), "Line 501: at most 500"),
    ],
)
def test_errors_name_the_line(text, message):
    with pytest.raises(ValueError, match=message) as raised:
        parse_points(text)
    assert str(raised.value).endswith(".")


@settings(deadline=None)
@given(st.text())
def test_any_text_is_parsed_or_refused_with_a_sentence(text):
    try:
        points = parse_points(text).points
    except ValueError as error:
        (sentence,) = error.args
    else:
        sentence = "."
        assert Setup(data="own", points=points).points == points
    assert sentence.endswith(".")
