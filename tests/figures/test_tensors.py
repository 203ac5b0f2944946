"""Tensors as pictures: colours, scale and order."""

import json

import numpy as np
import pytest

from mnist_core.figures.style import NEGATIVE, POSITIVE, signed_rgb
from mnist_core.figures.tensors import (
    MOST_BARS,
    attribution_picture,
    feature_sheet,
    map_picture,
    stack_picture,
    vector_cells,
    vector_figure,
    vector_strip,
)

BLUE, ORANGE, WHITE = [47, 116, 208], [224, 112, 26], [255, 255, 255]
NAMES = tuple("0123456789")


def trace_of(figure):
    content = json.loads(figure.to_json(engine="json"))
    (trace,) = content["data"]
    layout = content["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "color" not in layout.get("font", {})
    return trace


def test_a_map_is_blue_above_zero_orange_below_and_white_at_zero():
    picture = map_picture(np.array([[2.0, -2.0], [0.0, 1.0]]), side=6)
    assert (picture.shape, picture.dtype) == ((6, 6, 3), np.uint8)
    assert picture[0, 0].tolist() == BLUE
    assert picture[0, 5].tolist() == ORANGE
    assert picture[5, 0].tolist() == WHITE
    assert picture[5, 5].tolist() == [151, 186, 232]  # half of the way to blue
    assert (picture[:3, :3] == picture[0, 0]).all()  # sharp pixels


def test_maps_can_share_a_scale():
    values = np.array([[1.0, -2.0]])
    np.testing.assert_array_equal(map_picture(values, 1, largest=4), signed_rgb(values, 4))
    assert map_picture(values, 1, largest=1)[0, 1].tolist() == ORANGE


def test_a_map_of_zeros_is_white():
    assert (map_picture(np.zeros((28, 28))) == 255).all()
    assert (feature_sheet(np.zeros((2, 4, 4)))[18:, :64, :3] == 255).all()


def test_an_attribution_is_coloured_and_the_digit_outlined():
    attribution, image = np.zeros((28, 28)), np.zeros((28, 28), dtype=np.uint8)
    attribution[0, 0], attribution[14, 14], attribution[15, 15] = 1, -1, 1
    image[10:20, 10:20] = 255
    image[25, 25] = 60  # a soft edge is not outlined
    picture = attribution_picture(attribution, image, side=280)
    assert picture.shape == (280, 280, 3)
    assert picture[5, 5].tolist() == BLUE
    assert picture[145, 145].tolist() == ORANGE
    assert picture[155, 155].tolist() == BLUE
    plain = map_picture(attribution, 280)
    ys, xs = np.nonzero((picture != plain).any(axis=2))
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == (100, 199, 100, 199)
    on_edge = (np.minimum(ys - 100, 199 - ys) == 0) | (np.minimum(xs - 100, 199 - xs) == 0)
    assert on_edge.all()  # one pixel wide
    assert len(ys) == 4 * 99


def test_an_image_without_ink_has_no_outline():
    attribution = np.linspace(-1, 1, 784).reshape(28, 28)
    picture = attribution_picture(attribution, np.zeros((28, 28), np.uint8), 84, largest=2)
    np.testing.assert_array_equal(picture, map_picture(attribution, 84, 2))


@pytest.mark.parametrize(
    ("shape", "columns", "expected"),
    [
        ((16, 14, 14), 8, (2 * (70 + 18 + 8) - 8, 8 * (70 + 8) - 8)),
        ((64, 7, 7), 8, (8 * (70 + 18 + 8) - 8, 8 * (70 + 8) - 8)),
        ((3, 32, 32), 8, (64 + 18, 3 * (64 + 8) - 8)),
        ((5, 64, 64), 4, (2 * (64 + 18 + 8) - 8, 4 * (64 + 8) - 8)),
    ],
)
def test_a_sheet_has_a_tile_for_each_map(shape, columns, expected):
    sheet = feature_sheet(np.ones(shape), columns)
    assert sheet.shape == (*expected, 4)
    opaque_blue = (sheet == [*BLUE, 255]).all(axis=2).sum()
    side = expected[1] + 8  # of all columns
    tile = side // min(columns, shape[0]) - 8
    assert opaque_blue == shape[0] * tile * tile


def test_the_maps_of_a_sheet_are_in_order_and_on_one_scale():
    maps = np.stack([np.full((4, 4), value) for value in (1.0, -2.0, 0.0, 2.0)])
    sheet = feature_sheet(maps, columns=2, tile=4)
    across, down = 4 + 8, 4 + 18 + 8
    colours = [sheet[18 + y * down, x * across, :3].tolist() for y in (0, 1) for x in (0, 1)]
    assert colours == [[151, 186, 232], ORANGE, WHITE, BLUE]
    assert sheet[18, 4, 3] == 0  # between tiles the page shines through


def test_a_single_map_is_drawn_large_and_several_as_a_sheet():
    maps = np.array([[[1.0, -1.0]], [[0.0, 1.0]]])
    np.testing.assert_array_equal(stack_picture(maps[:1], 9, 3), map_picture(maps[0], 9))
    np.testing.assert_array_equal(stack_picture(maps, 9, 3, 1), feature_sheet(maps, 1, 3))


def test_a_long_vector_is_drawn_row_by_row():
    vector = np.array([1.0, -1.0, 0.0, 0.5, -1.0])
    strip = vector_strip(vector, columns=3)
    assert strip.shape == (20, 30, 4)
    assert [strip[0, x, :3].tolist() for x in (0, 10, 20)] == [BLUE, ORANGE, WHITE]
    assert strip[19, 10].tolist() == [*ORANGE, 255]
    assert strip[10, 20, 3] == 0  # there is no sixth
    assert (strip[:10, :, 3] == 255).all()


def test_a_short_vector_has_a_bar_for_each_number():
    vector = np.array([1.5, -2.0, 0.0], dtype=np.float32)
    trace = trace_of(vector_figure(vector))
    assert trace["type"] == "bar"
    assert trace["marker"]["color"] == [POSITIVE, NEGATIVE, POSITIVE]
    assert trace["x"] == [0, 1, 2]
    assert vector_figure(vector).data[0].y.tolist() == [1.5, -2, 0]


def test_bars_can_have_names():
    figure = vector_figure(np.arange(10.0), NAMES)
    assert trace_of(figure)["x"] == list(NAMES)
    assert figure.layout.xaxis.type == "category"
    assert MOST_BARS >= 128  # the hidden layer of the MLP


def test_cells_are_in_reading_order():
    cells = vector_cells(np.array([1.0, 0, -1, 0.5, 0]), 2)
    assert cells.shape == (3, 2, 4)
    assert cells[0, 0].tolist() == [47, 116, 208, 255]
    assert cells[1, 0].tolist() == [224, 112, 26, 255]
    assert cells[2, 0].tolist() == [255, 255, 255, 255]
    assert cells[2, 1, 3] == 0  # there is no sixth
