import numpy as np
import pytest
from scipy import ndimage

from mnist_core.data.normalisation import (
    BOX,
    MIDDLE,
    SIDE,
    bounding_box,
    centre,
    fit,
    lay_out,
    scaled,
)
from tests.small_data import digits, mnist_in


def as_ink(image):
    return (image / 255).astype(np.float32)


def blob(height, width, seed):
    return np.random.default_rng(seed).uniform(0.1, 1, (height, width)).astype(np.float32)


def test_bounding_box_holds_the_ink_above_the_threshold():
    ink = np.zeros((6, 8))
    ink[1, 2], ink[3, 6], ink[5, 7] = 1.0, 0.5, 0.05
    assert bounding_box(ink) == (slice(1, 6), slice(2, 8))
    assert bounding_box(ink, 0.1) == (slice(1, 4), slice(2, 7))
    assert bounding_box(ink, 0.5) == (slice(1, 2), slice(2, 3))
    assert bounding_box(ink, 1.0) is None


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((40, 20), (20, 10)),
        ((20, 40), (10, 20)),
        ((7, 7), (20, 20)),
        ((280, 280), (20, 20)),
        ((100, 37), (20, 7)),
        ((3, 50), (1, 20)),
        ((200, 1), (20, 1)),  # 0.1 pixels wide, but never nothing
        ((1, 1), (20, 20)),
    ],
)
def test_fit_makes_the_longer_side_20_and_preserves_the_proportions(shape, expected):
    small = fit(np.ones(shape, dtype=np.float32))
    assert small.shape == expected
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, 1, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_fit_preserves_proportions_to_half_a_pixel_and_the_range(seed):
    height, width = np.random.default_rng(seed).integers(5, 300, 2)
    small = fit(blob(height, width, seed))
    scale = BOX / max(height, width)
    assert max(small.shape) == BOX
    assert abs(small.shape[0] - height * scale) <= 0.5
    assert abs(small.shape[1] - width * scale) <= 0.5
    assert small.min() >= 0
    assert small.max() <= 1


def test_fit_clips_the_overshoot_of_its_filter():
    step = np.zeros((5, 5), dtype=np.float32)
    step[:, 2:] = 1
    small = fit(step)
    assert small.min() == 0
    assert small.max() == 1


def test_fit_to_another_box():
    assert scaled(np.ones((8, 4)), 6).shape == (6, 3)


@pytest.mark.parametrize("side", [1, 6, 20, 28, 120, 500])
@pytest.mark.parametrize("shape", [(40, 20), (20, 40), (7, 7), (1, 9), (280, 279)])
def test_scaled_makes_the_longer_side_the_given_length(shape, side):
    picture = blob(*shape, seed=1)
    before = picture.copy()

    result = scaled(picture, side)

    factor = side / max(shape)
    assert max(result.shape) == side
    assert result.shape == tuple(max(1, round(length * factor)) for length in shape)
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_array_equal(picture, before)


def test_scaled_to_the_same_side_is_the_same_picture():
    picture = blob(37, 20, seed=2)
    np.testing.assert_allclose(scaled(picture, 37), picture, atol=1e-6)


def test_fit_is_scaled_to_20():
    picture = blob(130, 90, seed=3)
    np.testing.assert_array_equal(fit(picture), scaled(picture, 20))


def test_scaled_accepts_float64_and_views_with_gaps():
    picture = blob(50, 30, seed=4)
    expected = scaled(picture, 20)
    np.testing.assert_array_equal(scaled(picture.astype(np.float64), 20), expected)
    np.testing.assert_array_equal(scaled(np.asfortranarray(picture), 20), expected)


def test_scaling_down_preserves_the_mean_of_a_large_area():
    picture = np.zeros((200, 200), dtype=np.float32)
    picture[50:150, 50:150] = 1
    assert scaled(picture, 20).mean() == pytest.approx(0.25, abs=0.005)


def test_centre_puts_one_pixel_in_the_middle():
    field = centre(np.array([[0.5]]))
    assert field.shape == (SIDE, SIDE)
    assert field.dtype == np.float32
    assert field[14, 14] == 0.5
    assert np.count_nonzero(field) == 1


@pytest.mark.parametrize("seed", range(20))
def test_centre_puts_the_mass_within_half_a_pixel_of_14_and_moves_by_whole_pixels(seed):
    height, width = np.random.default_rng(seed).integers(1, 21, 2)
    ink = blob(height, width, seed)

    field = centre(ink)

    assert np.abs(np.array(ndimage.center_of_mass(field)) - MIDDLE).max() <= 0.5 + 1e-6
    np.testing.assert_array_equal(field[bounding_box(field)], ink)
    assert np.count_nonzero(field) == ink.size


@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
@pytest.mark.parametrize("side", [20, 27, 28])
def test_centre_loses_no_ink_even_if_all_of_it_is_in_a_corner(corner, side):
    ink = np.full((side, side), 0.001, dtype=np.float32)
    ink[corner] = 1

    field = centre(ink)

    np.testing.assert_array_equal(field[bounding_box(field)], ink)


def test_laying_out_a_bundled_digit_again_changes_nothing():
    for image in digits().test_images:
        np.testing.assert_array_equal(lay_out(as_ink(image)), as_ink(image))


def test_laying_out_mnist_s_test_images_again_changes_one_in_a_thousand_at_most(mnist_dir):
    images = mnist_in(mnist_dir).test_images[:3_000]
    distances = np.array([np.abs(lay_out(as_ink(i)) - as_ink(i)).mean() for i in images])
    # A few of MNIST's digits are 19 pixels long instead of 20: those are enlarged.
    assert np.count_nonzero(distances) <= len(images) / 1_000
    assert distances.max() < 0.1


@pytest.mark.parametrize("shift", [(4, 4), (-3, 2), (0, -4), (-4, 0)])
def test_a_shifted_digit_is_restored(shift):
    for image in digits().test_images[:20]:
        ink = as_ink(image)
        canvas = np.zeros((60, 60), dtype=np.float32)
        canvas[16 + shift[0] : 44 + shift[0], 16 + shift[1] : 44 + shift[1]] = ink
        np.testing.assert_array_equal(lay_out(canvas), ink)


@pytest.mark.parametrize("times", [2, 3, 10])
def test_an_enlarged_digit_is_restored_closely(times):
    images = digits().test_images[:50]
    distances = [
        np.abs(lay_out(as_ink(i).repeat(times, axis=0).repeat(times, axis=1)) - as_ink(i)).mean()
        for i in images
    ]
    assert max(distances) < 0.005  # the images' mean ink is 0.15


def test_an_enlarged_mnist_digit_is_restored_closely(mnist_dir):
    images = mnist_in(mnist_dir).test_images[:100]
    distances = [
        np.abs(lay_out(as_ink(i).repeat(5, axis=0).repeat(5, axis=1)) - as_ink(i)).mean()
        for i in images
    ]
    assert max(distances) < 0.02  # the images' mean ink is 0.12


def test_an_empty_picture_is_refused():
    with pytest.raises(ValueError, match="empty one: draw something"):
        lay_out(np.zeros((28, 28)))
