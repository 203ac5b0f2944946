import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from mnist_core.data.normalisation import BOX, bounding_box, centre, fit, lay_out, scaled
from mnist_core.drawing.pen import VISIBLE, WIDTHS, pen_width
from mnist_core.drawing.preprocessing import (
    PREPARATIONS,
    DrawingError,
    check_ink,
    ink_of,
    prepare_as_lesson,
    prepare_as_mnist,
)
from mnist_core.evaluation.metrics import accuracy
from mnist_core.pretrained.bundled import load_pretrained
from tests.pen_strokes import (
    SHAPES,
    distance,
    drawn,
    enlarged,
    nearest_distance,
    thickened,
    turned,
)
from tests.small_data import digits, mnist_in

SIDE = 280  # pixels, the page's canvas


def rgba(*pixels):
    return np.array([pixels], dtype=np.uint8)  # (1, n, 4)


def stroke(side=SIDE):
    """Return a seven with a pen of 18 pixels: (side, side) float32, well inside the canvas."""
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
def test_a_picture_of_another_shape_or_type_is_refused(picture):
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
    before = ink.copy()

    preparation = PREPARATIONS[name](ink)

    np.testing.assert_array_equal(ink, before)
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
    ink[20:220, 30:60] = 1  # 200 high, 30 wide
    expected = np.zeros((28, 28), dtype=np.uint8)
    expected[4:24, 13:16] = 255  # 20 high, 3 wide, mass at 13.5 and 14

    np.testing.assert_array_equal(prepare_as_mnist(ink).pixels, expected)


@pytest.mark.parametrize("shift", [(0, 60), (60, 0), (-55, -70), (75, 90)])
def test_mnist_s_preparation_does_not_change_when_the_drawing_is_shifted(shift):
    shifted = np.roll(stroke(), shift, axis=(0, 1))
    assert not np.array_equal(shifted, stroke())
    np.testing.assert_array_equal(
        prepare_as_mnist(shifted).pixels, prepare_as_mnist(stroke()).pixels
    )


def test_the_lesson_s_preparation_shifts_with_the_drawing():
    shifted = np.roll(stroke(), (60, 0), axis=(0, 1))
    np.testing.assert_array_equal(
        prepare_as_lesson(shifted).pixels, np.roll(prepare_as_lesson(stroke()).pixels, 6, axis=0)
    )


def test_mnist_s_preparation_hardly_depends_on_the_size_of_the_drawing():
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


# --- the way of MNIST, on MNIST's own images and on pen strokes
#
# Distances are root mean squares over the 784 pixels, ink going from 0 to 1. The images of MNIST
# whose pens are usual are 0.31 away from an empty one on the average. Where it says "moved by a
# pixel at most", the nearest of the nine places that centring may round to counts.


def as_ink(image):
    return (image / 255).astype(np.float32)


def prepared(image):
    return prepare_as_mnist(as_ink(image)).pixels


def titles(ink):
    return [stage.title for stage in prepare_as_mnist(ink).stages]


def width_of(image):
    """Return the width of the pen of a (28, 28) uint8 image, in its pixels."""
    ink = as_ink(image)
    mask = scaled(ink[bounding_box(ink, VISIBLE)], 120) > 0.5
    return pen_width(mask) * BOX / max(mask.shape)


def with_a_usual_pen(images):
    return [image for image in images if WIDTHS[0] <= width_of(image) <= WIDTHS[1]]


def has_a_stable_box(image):
    """Tell whether cutting off faint edges does not change the box, and the digit is 20 long."""
    box = bounding_box(as_ink(image), VISIBLE)
    return box == bounding_box(image) and max(part.stop - part.start for part in box) == BOX


def moved_by_whole_pixels(image, other):
    return any(
        np.array_equal(image, np.roll(other, (down, right), axis=(0, 1)))
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    )


def test_a_bundled_digit_with_a_usual_pen_is_not_changed():
    images = with_a_usual_pen(digits().test_images)
    assert len(images) > 50
    for image in images:
        assert nearest_distance(prepared(image), image) < 0.02
        if has_a_stable_box(image):
            np.testing.assert_array_equal(prepared(image), image)


def test_mnist_s_own_images_are_not_changed(mnist_dir):
    images = mnist_in(mnist_dir).test_images[:1_000]
    again = [prepared(image) for image in images]
    widths = np.array([width_of(image) for image in images])
    usual = np.flatnonzero((widths >= WIDTHS[0]) & (widths <= WIDTHS[1]))

    assert len(usual) > 0.8 * len(images)  # measured: 82 %
    for i in usual:
        assert nearest_distance(again[i], images[i]) < 0.02
        if has_a_stable_box(images[i]):
            assert moved_by_whole_pixels(again[i], images[i])
    apart = np.array([distance(*pair) for pair in zip(again, images, strict=True)])
    assert np.mean(apart == 0) > 0.62
    assert np.mean(apart < 0.01) > 0.78


def test_preparing_mnist_s_images_twice_is_preparing_them_once(mnist_dir):
    once = [prepared(image) for image in mnist_in(mnist_dir).test_images[:1_000]]
    apart = np.array([nearest_distance(prepared(image), image) for image in once])
    assert np.mean(apart == 0) > 0.87  # measured: 88 %
    assert np.quantile(apart, 0.99) < 0.06
    assert apart.max() < 0.2


@pytest.mark.parametrize("pen", [6, 12, 18, 26, 34, 40])
@pytest.mark.parametrize("name", SHAPES)
def test_preparing_a_drawing_twice_is_preparing_it_once(name, pen):
    once = prepare_as_mnist(drawn(SHAPES[name], pen)).pixels
    assert nearest_distance(prepared(once), once) < 0.05


@pytest.mark.parametrize("side", [60, 112, 196, 280])
def test_a_moved_and_enlarged_mnist_digit_comes_back_close_to_itself(side, mnist_dir):
    images = with_a_usual_pen(mnist_in(mnist_dir).test_images[:150])
    rng = np.random.default_rng(side)
    apart = []
    for image in images:
        top, left = rng.integers(0, SIDE - side + 1, 2)
        copy = prepare_as_mnist(enlarged(image, side, top, left)).pixels
        apart.append(nearest_distance(copy, image))
        corner = prepare_as_mnist(enlarged(image, side)).pixels
        np.testing.assert_array_equal(copy, corner)  # the place does not matter
    assert np.median(apart) < 0.09  # enlarging blurs
    assert max(apart) < 0.15


@pytest.mark.parametrize("side", [60, 112, 280])
def test_a_moved_and_enlarged_bundled_digit_comes_back_close_to_itself(side):
    images = with_a_usual_pen(digits().test_images)[:60]
    apart = [
        nearest_distance(prepare_as_mnist(enlarged(image, side, 3, SIDE - side)).pixels, image)
        if side < SIDE
        else nearest_distance(prepare_as_mnist(enlarged(image, side)).pixels, image)
        for image in images
    ]
    assert np.median(apart) < 0.09
    assert max(apart) < 0.15


# Canvas pixels on either side, of a copy ten times as large as the image: 10 are one of its pixels.
@pytest.mark.parametrize(
    ("pixels", "mean", "gain"), [(-6, 0.14, 0.8), (4, 0.13, 1.0), (8, 0.18, 0.92), (12, 0.19, 0.8)]
)
def test_a_thinner_or_thicker_mnist_digit_comes_back_closer_to_itself(
    pixels, mean, gain, mnist_dir
):
    images = with_a_usual_pen(mnist_in(mnist_dir).test_images[:120])
    apart, without, widths = [], [], []
    for image in images:
        copy = thickened(enlarged(image, SIDE), pixels)
        if copy.max() < 0.5:
            continue  # so thin that nothing is left of it
        evened = prepare_as_mnist(copy).pixels
        plain = np.rint(centre(fit(copy[bounding_box(copy, VISIBLE)])) * 255)
        apart.append(nearest_distance(evened, image))
        without.append(nearest_distance(plain, image))
        widths.append(width_of(evened))
    assert len(apart) > 90
    assert np.mean(apart) < mean
    assert np.mean(apart) <= gain * np.mean(without)
    assert np.quantile(widths, 0.05) > WIDTHS[0] - 0.15
    assert np.quantile(widths, 0.9) < WIDTHS[1] + 0.3  # except where a loop is filled


@pytest.mark.parametrize("degrees", [-12, -6, 6, 12])
def test_a_slightly_turned_mnist_digit_is_still_recognised(degrees, mnist_dir):
    mnist = mnist_in(mnist_dir)
    images, labels = mnist.test_images[:150], mnist.test_labels[:150]
    copies = [turned(enlarged(image, 200, 40, 40), degrees) for image in images]
    pixels = np.stack([prepare_as_mnist(copy).pixels for copy in copies])
    assert accuracy(load_pretrained("cnn"), pixels, labels) > 0.96


@pytest.mark.parametrize("pen", [12, 18, 26])
@pytest.mark.parametrize("degrees", [-10, 0, 10])
def test_drawn_digits_are_recognised_slightly_turned_and_with_any_pen(degrees, pen):
    words = ["zero", "one", "two", None, "four", None, None, "seven", "eight"]
    labels = np.array([words.index(name) for name in SHAPES])
    inks = [turned(drawn(strokes, pen), degrees) for strokes in SHAPES.values()]
    pixels = np.stack([prepare_as_mnist(ink).pixels for ink in inks])
    assert accuracy(load_pretrained("cnn"), pixels, labels) == 1


@pytest.mark.parametrize("pen", [6, 18, 32])
@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_drawing_that_touches_the_border_is_prepared_as_one_that_does_not(name, side, pen):
    ink = drawn(SHAPES[name], pen)
    rows, columns = bounding_box(ink)
    move = {
        "top": (-rows.start, 0),
        "bottom": (SIDE - rows.stop, 0),
        "left": (0, -columns.start),
        "right": (0, SIDE - columns.stop),
    }[side]
    touching = np.roll(ink, move, axis=(0, 1))
    edge = {"top": touching[0], "bottom": touching[-1], "left": touching[:, 0]}
    assert edge.get(side, touching[:, -1]).any()
    np.testing.assert_array_equal(prepare_as_mnist(touching).pixels, prepare_as_mnist(ink).pixels)


@pytest.mark.parametrize("strength", [0.15, 0.3, 0.6, 0.89])
@pytest.mark.parametrize("name", SHAPES)
def test_pale_ink_is_prepared_as_full_ink(name, strength):
    ink = drawn(SHAPES[name], 18)
    pale = np.float32(strength) * ink
    assert titles(pale)[1] == "Ink made full"
    difference = prepare_as_mnist(pale).pixels.astype(int) - prepare_as_mnist(ink).pixels
    assert np.abs(difference).max() <= 1


def test_ink_that_is_full_somewhere_is_not_changed():
    ink = drawn(SHAPES["two"], 18)
    ink[:140] *= 0.5  # drawn with less pressure
    assert "Ink made full" not in titles(ink)
    assert "Ink made full" not in titles(np.float32(0.9) * drawn(SHAPES["two"], 18))


@pytest.mark.parametrize("name", SHAPES)
def test_noise_on_the_paper_hardly_changes_the_result(name):
    ink = drawn(SHAPES[name], 18)
    noise = np.random.default_rng(0).uniform(0, 0.09, ink.shape).astype(np.float32)
    noisy = prepare_as_mnist(np.maximum(ink, noise)).pixels
    assert nearest_distance(noisy, prepare_as_mnist(ink).pixels) < 0.06


def test_only_stages_that_change_something_are_shown():
    usual, thin = drawn(SHAPES["two"], 20), drawn(SHAPES["two"], 6)
    dotted = np.maximum(thin, drawn([[(20, 20)]], 6))
    ends = ["Fitted into 20×20", "Centred by mass in 28×28: the input"]
    wide = "Pen as wide as MNIST's"
    assert titles(usual) == ["Your drawing", "Cropped to the ink", *ends]
    assert titles(thin) == ["Your drawing", "Cropped to the ink", wide, *ends]
    assert titles(np.float32(0.5) * dotted) == [
        "Your drawing",
        "Ink made full",
        "Stray dots gone",
        "Cropped to the ink",
        wide,
        *ends,
    ]


@pytest.mark.parametrize("pen", [6, 12, 18])
@pytest.mark.parametrize("name", SHAPES)
def test_a_stray_dot_changes_nothing(name, pen):
    ink = drawn(SHAPES[name], pen)
    dotted = np.maximum(ink, drawn([[(265, 15)]], pen))
    np.testing.assert_array_equal(prepare_as_mnist(dotted).pixels, prepare_as_mnist(ink).pixels)
    assert distance(np.rint(lay_out(dotted) * 255), prepare_as_mnist(ink).pixels) > 0.15


@pytest.mark.parametrize("name", SHAPES)
def test_preparing_changes_neither_the_ink_nor_what_was_prepared_before(name):
    ink = np.float32(0.5) * np.maximum(drawn(SHAPES[name], 6), drawn([[(265, 15)]], 6))
    ink.setflags(write=False)
    one, other = prepare_as_mnist(ink), prepare_as_mnist(ink)
    for a, b in zip(one.stages, other.stages, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
