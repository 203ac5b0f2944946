import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from mnist_core.drawing import (
    PREPARATIONS,
    DrawingError,
    check_ink,
    ink_of,
    prepare_as_lesson,
    prepare_as_mnist,
)

SIDE = 280  # pixels, the page's canvas


def rgba(*pixels):
    return np.array([pixels], dtype=np.uint8)  # (1, n, 4)


def stroke(side=SIDE):
    """A seven, 18 pixels wide: (side, side) float32, well inside the canvas."""
    ink = np.zeros((side, side), dtype=np.float32)
    ink[60:78, 80:180] = 1
    for row in range(78, 200):
        right = 180 - (row - 78) // 2
        ink[row, right - 18 : right] = 1
    return ink


@pytest.mark.parametrize(
    ("pixel", "ink"),
    [
        ((0, 0, 0, 255), 1.0),
        ((255, 255, 255, 255), 0.0),
        ((0, 0, 0, 0), 0.0),  # transparent black is paper
        ((255, 255, 255, 0), 0.0),
        ((0, 0, 0, 51), 0.2),
        ((128, 128, 128, 255), 127 / 255),
        ((128, 128, 128, 51), 0.2 * 127 / 255),
        ((255, 0, 0, 255), 1 - 0.299),
        ((0, 255, 0, 255), 1 - 0.587),
        ((0, 0, 255, 255), 1 - 0.114),
    ],
)
def test_ink_is_alpha_times_darkness(pixel, ink):
    result = ink_of(rgba(pixel))
    assert result.shape == (1, 1)
    assert result.dtype == np.float32
    assert result[0, 0] == pytest.approx(ink, abs=1e-6)


def test_black_white_and_transparent_are_exact():
    ink = ink_of(rgba((0, 0, 0, 255), (255, 255, 255, 255), (0, 0, 0, 0)))
    np.testing.assert_array_equal(ink, [[1, 0, 0]])


def test_ink_stays_between_0_and_1():
    picture = np.random.default_rng(0).integers(0, 256, (50, 40, 4), dtype=np.uint8)
    ink = ink_of(picture)
    assert ink.shape == (50, 40)
    assert ink.min() >= 0
    assert ink.max() <= 1


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4, 3), dtype=np.uint8),
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.float32),
        np.zeros((1, 4, 4, 4), dtype=np.uint8),
    ],
    ids=lambda picture: f"{picture.dtype}{picture.shape}",
)
def test_another_picture_is_refused_by_name(picture):
    with pytest.raises(ValueError, match="expected a picture of shape") as caught:
        ink_of(picture)
    assert str(picture.shape) in str(caught.value)
    assert str(picture.dtype) in str(caught.value)


def test_an_empty_canvas_is_refused():
    with pytest.raises(DrawingError, match="The canvas is empty: draw a digit"):
        check_ink(np.zeros((SIDE, SIDE), dtype=np.float32))


def test_a_white_canvas_is_refused_as_empty():
    white = np.full((SIDE, SIDE, 4), 255, dtype=np.uint8)
    with pytest.raises(DrawingError, match="The canvas is empty: draw a digit"):
        check_ink(ink_of(white))


def test_a_canvas_with_nothing_visible_is_refused_as_empty():
    with pytest.raises(DrawingError, match="The canvas is empty"):
        check_ink(np.full((SIDE, SIDE), 0.1, dtype=np.float32))


def test_a_black_canvas_is_refused_as_covered():
    black = np.zeros((SIDE, SIDE, 4), dtype=np.uint8)
    black[..., 3] = 255
    with pytest.raises(DrawingError, match="100% of the canvas is covered with ink"):
        check_ink(ink_of(black))


def test_a_dot_is_refused_with_its_size():
    ink = np.zeros((SIDE, SIDE), dtype=np.float32)
    ink[100:118, 50:68] = 1
    with pytest.raises(DrawingError, match="a dot of 18 pixels on a canvas of 280"):
        check_ink(ink)


def test_a_mark_of_a_tenth_of_the_canvas_is_no_dot():
    ink = np.zeros((SIDE, SIDE), dtype=np.float32)
    ink[100:128, 50] = 1
    check_ink(ink)
    ink[127] = 0
    with pytest.raises(DrawingError, match="a dot of 27 pixels"):
        check_ink(ink)


def test_a_drawing_is_accepted_up_to_six_tenths_of_ink():
    ink = np.zeros((SIDE, SIDE), dtype=np.float32)
    ink[: SIDE * 59 // 100] = 1
    check_ink(ink)
    ink[: SIDE * 61 // 100 + 1] = 1
    with pytest.raises(DrawingError, match="61% of the canvas"):
        check_ink(ink)


def test_a_digit_is_accepted():
    check_ink(stroke())


@pytest.mark.parametrize("name", PREPARATIONS)
def test_each_preparation_goes_from_the_drawing_to_a_stored_image(name):
    ink = stroke()
    kept = ink.copy()

    preparation = PREPARATIONS[name](ink)

    np.testing.assert_array_equal(ink, kept)
    np.testing.assert_array_equal(preparation.stages[0].image, ink)
    for stage in preparation.stages:
        assert stage.title
        assert stage.image.dtype == np.float32
        assert stage.image.min() >= 0
        assert stage.image.max() <= 1
    last = preparation.stages[-1].image
    assert last.shape == (28, 28)
    assert preparation.pixels.dtype == np.uint8
    np.testing.assert_array_equal(preparation.pixels, np.floor(last * 255 + 0.5))


def test_the_stages_of_each_preparation():
    lesson, mnist = prepare_as_lesson(stroke()).stages, prepare_as_mnist(stroke()).stages
    assert [s.title for s in lesson] == [
        "Your drawing",
        "Shrunk to 28×28",
        "Blurred, sigma 0.5: the input",
    ]
    assert [s.image.shape for s in lesson] == [(280, 280), (28, 28), (28, 28)]
    assert [s.title for s in mnist] == [
        "Your drawing",
        "Cropped to the ink",
        "Fitted into 20×20",
        "Centred by mass in 28×28: the input",
    ]
    assert [s.image.shape for s in mnist] == [(280, 280), (140, 100), (20, 14), (28, 28)]


def test_the_lesson_s_preparation_is_a_mean_and_a_gaussian():
    ink = np.random.default_rng(3).uniform(0, 1, (56, 56)).astype(np.float32)

    small = np.asarray(Image.fromarray(ink).reduce(2))  # the mean of each 2x2 block
    bell = np.exp(-0.5 * (np.arange(-2, 3) / 0.5) ** 2)
    bell /= bell.sum()
    blurred = ndimage.convolve(small, np.outer(bell, bell), mode="reflect")

    stages = prepare_as_lesson(ink).stages
    np.testing.assert_allclose(stages[1].image, small, atol=1e-6)
    np.testing.assert_allclose(stages[2].image, blurred, atol=1e-6)
    np.testing.assert_allclose(small[3, 5], ink[6:8, 10:12].mean(), atol=1e-6)


def test_the_lesson_s_blur_of_one_pixel():
    ink = np.zeros((28, 28), dtype=np.float32)
    ink[10, 12] = 1
    e2 = np.exp(-2.0)  # one pixel is two sigma
    middle = 1 / (1 + 2 * e2 + 2 * np.exp(-8.0))

    blurred = prepare_as_lesson(ink).stages[2].image

    assert blurred[10, 12] == pytest.approx(middle**2, abs=1e-6)
    assert blurred[10, 13] == pytest.approx(middle**2 * e2, abs=1e-6)
    assert blurred[9, 11] == pytest.approx((middle * e2) ** 2, abs=1e-6)


def test_mnist_s_preparation_of_a_rectangle_is_exact():
    ink = np.zeros((SIDE, SIDE), dtype=np.float32)
    ink[20:220, 30:130] = 1  # 200 high, 100 wide
    expected = np.zeros((28, 28), dtype=np.uint8)
    expected[4:24, 10:20] = 255  # 20 high, 10 wide, mass at 13.5 and 14.5

    np.testing.assert_array_equal(prepare_as_mnist(ink).pixels, expected)


@pytest.mark.parametrize("shift", [(0, 60), (60, 0), (-55, -70), (75, 90)])
def test_mnist_s_preparation_moves_with_nothing_when_the_drawing_is_shifted(shift):
    shifted = np.roll(stroke(), shift, axis=(0, 1))
    assert not np.array_equal(shifted, stroke())
    np.testing.assert_array_equal(
        prepare_as_mnist(shifted).pixels, prepare_as_mnist(stroke()).pixels
    )


def test_the_lesson_s_preparation_does_move_with_the_drawing():
    shifted = np.roll(stroke(), (60, 0), axis=(0, 1))
    np.testing.assert_array_equal(
        prepare_as_lesson(shifted).pixels, np.roll(prepare_as_lesson(stroke()).pixels, 6, axis=0)
    )


def test_mnist_s_preparation_hardly_sees_the_size_of_the_drawing():
    small = np.zeros((SIDE, SIDE), dtype=np.float32)
    small[:140, :140] = stroke()[::2, ::2]
    difference = (
        prepare_as_mnist(small).stages[-1].image - prepare_as_mnist(stroke()).stages[-1].image
    )
    assert np.abs(difference).mean() < 0.01


def test_soft_edges_do_not_widen_mnist_s_box():
    soft = stroke()
    soft[30:40] = 0.05
    np.testing.assert_array_equal(prepare_as_mnist(soft).pixels, prepare_as_mnist(stroke()).pixels)


def test_mnist_s_preparation_refuses_an_empty_canvas():
    with pytest.raises(DrawingError, match="The canvas is empty"):
        prepare_as_mnist(np.zeros((SIDE, SIDE), dtype=np.float32))
