"""What a pad reports is checked to the last character, and becomes exactly the ink it shows."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mnist_core.drawing import pad_reports

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
STROKES = {
    "start": 0,
    "revision": 3,
    "moving": False,
    "resting": False,
    "picture": "",
    "width": 18,
    "strokes": [[100, 100, 180, 200, 100, 180]],
}
CELLS = {
    "start": 0,
    "revision": 2,
    "resting": True,
    "cells": "1" + "0" * 783,
    "here": 5,
    "undo": [[0], [1, 1]],
}


def png(picture: np.ndarray, **options: object) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", **options)
    return pad_reports.PREFIX + base64.b64encode(buffer.getvalue()).decode()


def sheet() -> np.ndarray:
    """A white sheet with a black box, (280, 280, 4) uint8."""
    rgba = np.full((280, 280, 4), 255, dtype=np.uint8)
    rgba[40:60, 80:200, :3] = 0
    return rgba


def test_ink_is_what_is_dark_in_the_picture():
    ink = pad_reports.ink_of_picture(png(sheet()))
    assert ink.shape == (280, 280)
    assert ink.dtype == np.float32
    expected = np.zeros((280, 280))
    expected[40:60, 80:200] = 1
    np.testing.assert_allclose(ink, expected, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        ink[0, 0] = 1


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "LA", "1"])
def test_every_kind_of_png_gives_the_same_ink(mode):
    picture = np.asarray(Image.fromarray(sheet()).convert("RGB"))
    buffer = io.BytesIO()
    Image.fromarray(picture).convert(mode).save(buffer, "PNG")
    url = pad_reports.PREFIX + base64.b64encode(buffer.getvalue()).decode()
    np.testing.assert_allclose(
        pad_reports.ink_of_picture(url), pad_reports.ink_of_picture(png(sheet()))
    )


def test_no_picture_is_an_empty_pad():
    drawn = pad_reports.drawn_of_picture("", 4)
    assert not drawn.ink.any()
    assert (drawn.resting, drawn.beginning, drawn.revision) == (True, "", 4)


def test_a_white_sheet_is_no_drawing_and_has_no_name():
    white = np.full((280, 280, 4), 255, dtype=np.uint8)
    assert pad_reports.drawn_of_picture(png(white), 1).beginning == ""


def test_the_name_changes_with_the_picture_and_with_nothing_else():
    other = sheet()
    other[100, 100, :3] = 0
    first, again, second = (
        pad_reports.drawn_of_picture(png(p), i) for i, p in enumerate([sheet()] * 2 + [other])
    )
    assert first.beginning == again.beginning != second.beginning
    assert 0 < len(first.beginning) < 40


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (None, "as text"),
        (3, "as text"),
        ("hello", "begins with data:image/png"),
        ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "begins with data:image/png"),
        (pad_reports.PREFIX + "?", "PNG in base64"),
        (pad_reports.PREFIX + "AAAA", "PNG in base64"),
        (pad_reports.PREFIX, "PNG in base64"),
        (pad_reports.PREFIX + "A" * 200_000, "at most 200000 characters"),
        (png(np.zeros((281, 280), dtype=np.uint8)), r"280x280 pixels, got \(280, 281\)"),
    ],
)
def test_what_is_no_picture_of_a_pad_is_refused(picture, sentence):
    with pytest.raises(pad_reports.PadError, match=sentence):
        pad_reports.ink_of_picture(picture)


def test_a_jpeg_that_says_it_is_a_png_is_refused():
    buffer = io.BytesIO()
    Image.fromarray(sheet()[..., :3]).save(buffer, "JPEG")
    with pytest.raises(pad_reports.PadError, match="PNG"):
        pad_reports.ink_of_picture(
            pad_reports.PREFIX + base64.b64encode(buffer.getvalue()).decode()
        )


def test_bombs_are_refused_before_they_go_off():
    large = png(np.zeros((20_000, 20_000), dtype=np.uint8), compress_level=9)
    with pytest.raises(pad_reports.PadError):  # too long, or too many pixels: never decoded
        pad_reports.ink_of_picture(large)
    text = PngImagePlugin.PngInfo()
    text.add_text("bomb", "x" * 20_000_000, zip=True)
    with pytest.raises(pad_reports.PadError):
        pad_reports.ink_of_picture(png(sheet(), pnginfo=text))


@given(st.data())
def test_a_damaged_png_is_read_or_refused_and_nothing_else(data):
    raw = bytearray(base64.b64decode(png(sheet())[len(pad_reports.PREFIX) :]))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        ink = pad_reports.ink_of_picture(pad_reports.PREFIX + base64.b64encode(raw).decode())
    except pad_reports.PadError:
        return
    assert ink.shape == (280, 280)
    assert ink.min() >= 0
    assert ink.max() <= 1


def test_a_report_of_the_live_pad_is_read():
    report = pad_reports.read_strokes({**STROKES, "picture": png(sheet()), "more": "is ignored"})
    assert report.strokes == ((100, 100, 180, 200, 100, 180),)
    assert (report.revision, report.width, report.moving) == (3, 18, False)
    drawn = pad_reports.drawn_of_strokes(report)
    assert drawn.revision == 3
    assert round(float(drawn.ink.sum())) == 20 * 120


def test_a_moving_pen_has_no_strokes_yet():
    report = pad_reports.read_strokes({**STROKES, "moving": True, "strokes": None})
    assert report.strokes == ()
    assert report.moving


@pytest.mark.parametrize("resting", [False, True])
def test_a_drawing_knows_whether_the_pen_rests(resting):
    strokes = pad_reports.read_strokes({**STROKES, "resting": resting})
    cells = pad_reports.read_cells({**CELLS, "resting": resting})
    assert pad_reports.drawn_of_strokes(strokes).resting == resting
    assert pad_reports.drawn_of_cells(cells).resting == resting


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": None},
        {"start": -1},
        {"revision": 2**40},
        {"revision": 1.0},
        {"revision": True},
        {"moving": 1},
        {"resting": None},
        {"picture": None},
        {"picture": "x" * 200_001},
        {"width": 5},
        {"width": 41},
        {"strokes": None},
        {"strokes": "text"},
        {"strokes": [[]]},
        {"strokes": [[1, 2]]},
        {"strokes": [[1, 2, "3"]]},
        {"strokes": [[1, 2, 3.5]]},
        {"strokes": [[1, 2, 0]]},
        {"strokes": [[1, 5000, 180]]},
        {"strokes": [[1, 1, 180]] * 4001},
        {"strokes": [[1, 1, 180] * 4001]},
    ],
    ids=repr,
)
def test_a_live_report_that_no_pad_sends_is_refused(wrong):
    with pytest.raises(pad_reports.PadError, match="expected"):
        pad_reports.read_strokes({**STROKES, **wrong})


def test_as_many_points_as_a_pad_holds_are_read():
    assert (
        len(pad_reports.read_strokes({**STROKES, "strokes": [[1, 1, 180] * 4000]}).strokes[0])
        == 12_000
    )


def test_cells_are_enlarged_to_a_picture():
    drawn = pad_reports.drawn_of_cells(pad_reports.read_cells(CELLS))
    assert drawn.ink.shape == (280, 280)
    assert drawn.ink.dtype == np.float32
    assert drawn.ink[:10, :10].min() == 1
    assert drawn.ink.sum() == 100
    last = pad_reports.read_cells({**CELLS, "cells": "0" * 28 + "1" + "0" * 755})
    assert pad_reports.drawn_of_cells(last).ink[10:20, :10].min() == 1
    assert pad_reports.drawn_of_cells(pad_reports.NO_CELLS).beginning == ""
    assert drawn.beginning != pad_reports.drawn_of_cells(last).beginning != ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"cells": "0" * 783},
        {"cells": "2" * 784},
        {"cells": ["0"] * 784},
        {"cells": None},
        {"here": 784},
        {"here": -1},
        {"undo": None},
        {"undo": [0]},
        {"undo": [[784]]},
        {"undo": [[-1]]},
        {"undo": [[0]] * 2001},
        {"start": "0"},
    ],
    ids=repr,
)
def test_a_grid_report_that_no_grid_sends_is_refused(wrong):
    with pytest.raises(pad_reports.PadError, match="expected"):
        pad_reports.read_cells({**CELLS, **wrong})


@given(JSON)
def test_anything_else_is_refused(report):
    for read in (pad_reports.read_strokes, pad_reports.read_cells):
        with pytest.raises(pad_reports.PadError):
            read(report)


@given(st.dictionaries(st.sampled_from(sorted({*STROKES, *CELLS})), JSON))
def test_reports_with_a_wrong_part_are_refused_or_read(parts):
    for read, right in ((pad_reports.read_strokes, STROKES), (pad_reports.read_cells, CELLS)):
        try:
            report = read({**right, **parts})
        except pad_reports.PadError:
            continue
        assert report.revision >= 0
