"""Every field of a pad's report is checked, and the ink is exactly what the pad shows."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mnist_core.drawing import pad_reports
from mnist_core.drawing.pad_reports import Cells, Strokes, read_report

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
STROKES = {
    "revision": 3,
    "moving": False,
    "resting": False,
    "picture": "",
    "width": 18,
    "strokes": [[100, 100, 180, 200, 100, 180]],
}
CELLS = {
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


def test_dark_pixels_are_ink():
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
    drawn = pad_reports.drawing_of_picture("", 4)
    assert not drawn.ink.any()
    assert (drawn.resting, drawn.picture_id, drawn.revision) == (True, "", 4)


def test_a_white_sheet_is_no_drawing_and_has_no_id():
    white = np.full((280, 280, 4), 255, dtype=np.uint8)
    assert pad_reports.drawing_of_picture(png(white), 1).picture_id == ""


def test_the_id_changes_with_the_picture_and_with_nothing_else():
    other = sheet()
    other[100, 100, :3] = 0
    first, again, second = (
        pad_reports.drawing_of_picture(png(p), i) for i, p in enumerate([sheet()] * 2 + [other])
    )
    assert first.picture_id == again.picture_id != second.picture_id
    assert 0 < len(first.picture_id) < 40


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        ("hello", "begins with data:image/png"),
        ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "begins with data:image/png"),
        (pad_reports.PREFIX + "?", "PNG in base64"),
        (pad_reports.PREFIX + "AAAA", "PNG in base64"),
        (pad_reports.PREFIX, "PNG in base64"),
        (png(np.zeros((281, 280), dtype=np.uint8)), r"280x280 pixels, got \(280, 281\)"),
    ],
)
def test_a_picture_that_no_pad_sends_is_refused(picture, sentence):
    with pytest.raises(pad_reports.PadError, match=sentence):
        pad_reports.ink_of_picture(pad_reports.read_picture(picture))


@pytest.mark.parametrize(
    "picture", [None, 3, b"", "A" * 200_001], ids=["none", "3", "bytes", "long"]
)
def test_a_picture_is_a_text_that_is_not_too_long(picture):
    with pytest.raises(pad_reports.PadError, match="Expected `str`"):
        pad_reports.read_picture(picture)


def test_a_jpeg_that_says_it_is_a_png_is_refused():
    buffer = io.BytesIO()
    Image.fromarray(sheet()[..., :3]).save(buffer, "JPEG")
    with pytest.raises(pad_reports.PadError, match="PNG"):
        pad_reports.ink_of_picture(
            pad_reports.PREFIX + base64.b64encode(buffer.getvalue()).decode()
        )


def test_a_decompression_bomb_is_refused_undecoded():
    large = png(np.zeros((20_000, 20_000), dtype=np.uint8), compress_level=9)
    with pytest.raises(pad_reports.PadError):  # too long, or too many pixels: never decoded
        pad_reports.ink_of_picture(large)
    text = PngImagePlugin.PngInfo()
    text.add_text("bomb", "x" * 20_000_000, zip=True)
    with pytest.raises(pad_reports.PadError):
        pad_reports.ink_of_picture(png(sheet(), pnginfo=text))


@given(st.data())
def test_a_damaged_png_is_read_or_refused(data):
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
    report = read_report({**STROKES, "picture": png(sheet()), "more": 1}, Strokes)
    assert report.strokes == ((100, 100, 180, 200, 100, 180),)
    assert (report.revision, report.width, report.moving) == (3, 18, False)
    drawn = report.drawing()
    assert drawn.revision == 3
    assert round(float(drawn.ink.sum())) == 20 * 120


def test_a_moving_pen_has_no_strokes_yet():
    report = read_report({**STROKES, "moving": True, "strokes": []}, Strokes)
    assert report.strokes == ()
    assert report.moving


@pytest.mark.parametrize("resting", [False, True])
def test_a_drawing_knows_whether_the_pen_rests(resting):
    strokes = read_report({**STROKES, "resting": resting}, Strokes)
    cells = read_report({**CELLS, "resting": resting}, Cells)
    assert strokes.drawing().resting == resting
    assert cells.drawing().resting == resting


@pytest.mark.parametrize(
    "wrong",
    [
        {"revision": None},
        {"revision": -1},
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
        read_report({**STROKES, **wrong}, Strokes)


def test_as_many_points_as_a_pad_holds_are_read():
    assert (
        len(read_report({**STROKES, "strokes": [[1, 1, 180] * 4000]}, Strokes).strokes[0]) == 12_000
    )


def test_cells_are_enlarged_to_a_picture():
    drawn = read_report(CELLS, Cells).drawing()
    assert drawn.ink.shape == (280, 280)
    assert drawn.ink.dtype == np.float32
    assert drawn.ink[:10, :10].min() == 1
    assert drawn.ink.sum() == 100
    last = read_report({**CELLS, "cells": "0" * 28 + "1" + "0" * 755}, Cells)
    assert last.drawing().ink[10:20, :10].min() == 1
    assert pad_reports.NO_CELLS.drawing().picture_id == ""
    assert drawn.picture_id != last.drawing().picture_id != ""


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
        {"revision": "0"},
    ],
    ids=repr,
)
def test_a_grid_report_that_no_grid_sends_is_refused(wrong):
    with pytest.raises(pad_reports.PadError, match="expected"):
        read_report({**CELLS, **wrong}, Cells)


@given(JSON)
def test_anything_else_is_refused(report):
    for kind in (Strokes, Cells):
        with pytest.raises(pad_reports.PadError):
            read_report(report, kind)


@pytest.mark.parametrize("text", ["\ud800", pad_reports.PREFIX + "\ud800"])
@pytest.mark.parametrize(
    ("right", "kind", "name"),
    [(STROKES, Strokes, "picture"), (CELLS, Cells, "cells"), (CELLS, Cells, "here")],
)
def test_half_a_surrogate_pair_is_refused(right, kind, name, text):
    with pytest.raises(pad_reports.PadError):
        read_report({**right, name: text}, kind).drawing()


@pytest.mark.parametrize(("right", "kind"), [(STROKES, Strokes), (CELLS, Cells)])
def test_every_field_is_required(right, kind):
    for name in right:
        with pytest.raises(pad_reports.PadError, match=f"missing required field `{name}`"):
            read_report({key: value for key, value in right.items() if key != name}, kind)


@given(st.dictionaries(st.sampled_from(sorted({*STROKES, *CELLS})), JSON))
def test_a_report_with_other_values_is_refused_or_read(parts):
    for kind, right in ((Strokes, STROKES), (Cells, CELLS)):
        try:
            report = read_report({**right, **parts}, kind)
        except pad_reports.PadError:
            continue
        assert read_report(asdict(report), kind) == report
