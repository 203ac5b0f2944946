"""Pictures made of pixels."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from mnist_core.figures import pictures


def tile(picture, label):
    """The 28x28 pixels of a class's picture."""
    x, y = label % 5 * 124, label // 5 * 142 + 30
    return picture[y : y + 112 : 4, x : x + 112 : 4]


def test_enlarged_repeats_pixels():
    image = np.array([[1, 2], [3, 4]], dtype=np.uint8)
    np.testing.assert_array_equal(
        pictures.enlarged(image, 3), [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    )
    np.testing.assert_array_equal(pictures.enlarged(image, 2), image)
    np.testing.assert_array_equal(pictures.enlarged(image, 1), image)
    assert pictures.enlarged(np.zeros((28, 28)), 84).shape == (84, 84)
    assert pictures.enlarged(np.zeros((5, 4, 3)), 8).shape == (10, 8, 3)


@pytest.mark.parametrize("shape", [(28, 28), (20, 14), (14, 20), (20, 1), (7, 100), (280, 280)])
def test_an_ink_picture_is_square_and_shows_all_the_ink(shape):
    ink = np.random.default_rng(1).uniform(0, 1, shape).astype(np.float32)
    picture = pictures.ink_picture(ink)
    side = picture.shape[0]
    assert picture.shape == (side, side)
    assert picture.dtype == np.uint8
    assert side >= 140

    times = side // max(shape)
    height, width = shape[0] * times, shape[1] * times
    top, left = (side - height) // 2, (side - width) // 2
    inside = picture[top : top + height, left : left + width]
    np.testing.assert_array_equal(inside[::times, ::times], np.rint(ink * 255))
    outside = np.ones(picture.shape, dtype=bool)
    outside[top : top + height, left : left + width] = False
    assert (picture[outside] == 110).all()


def test_an_ink_picture_is_white_on_black():
    picture = pictures.ink_picture(np.array([[0.0, 1.0], [0.2, 0.0]]), side=2)
    np.testing.assert_array_equal(picture, [[0, 255], [51, 0]])


def test_the_weight_picture_shows_ten_tiles_on_one_scale():
    weight = np.zeros((10, 784), dtype=np.float32)
    weight[0, 0], weight[7, 29], weight[9, 783] = 2, -2, 1  # row 0, row 1 column 1, the last

    picture = pictures.weight_picture(weight)

    assert picture.shape == (284, 608, 4)
    assert picture.shape[1] == pictures.WEIGHTS_WIDTH
    assert picture.dtype == np.uint8
    for label in range(10):
        marked = {(0, 0): [47, 116, 208]} if label == 0 else {}
        marked |= {(1, 1): [224, 112, 26]} if label == 7 else {}
        marked |= {(27, 27): [151, 186, 232]} if label == 9 else {}  # half way to white
        expected = np.full((28, 28, 4), 255)
        for place, colour in marked.items():
            expected[place][:3] = colour
        assert np.abs(tile(picture, label).astype(int) - expected).max() <= 1, label
    assert (picture[:, 112:124, 3] == 0).all()  # the gaps let the page's ground through
    for top in (0, 142):
        for left in range(0, 608, 124):
            assert picture[top : top + 30, left : left + 112, 3].any()  # its number


def test_the_weight_picture_of_zeros_is_white():
    picture = pictures.weight_picture(np.zeros((10, 784), dtype=np.float32))
    assert (tile(picture, 3) == 255).all()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_a_url_holds_the_whole_picture(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    kind, _, data = pictures.as_url(picture).partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
        np.testing.assert_array_equal(np.asarray(opened), picture)
