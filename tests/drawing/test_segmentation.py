"""The digit in photos of paper, boards and screens, under uneven light and among other marks."""

import numpy as np
import pytest

from mnist_core.drawing.segmentation import digit_of, even_out, is_light_on_dark, otsu
from tests.photo_files import agreement, gradient, ink, on_paper, squared

SHAPE = (360, 480)
PLACES = np.mgrid[: SHAPE[0], : SHAPE[1]]


def found(grey):
    """Return the digit in a picture, and check its shape, type and range."""
    result = digit_of(even_out(grey))
    assert result is not None
    assert result.shape == grey.shape
    assert result.dtype == np.float32
    assert result.min() == 0
    assert result.max() <= 1
    return result


def test_otsu_separates_two_values_exactly():
    threshold, eta = otsu(np.array([0.0, 0.0, 0.0, 1.0]))
    assert 0 < threshold < 1
    assert eta == pytest.approx(1)


def test_otsu_of_an_even_spread_is_the_middle_with_eta_three_quarters():
    threshold, eta = otsu(np.linspace(0, 1, 128 * 8))
    assert threshold == pytest.approx(0.5, abs=0.01)
    assert eta == pytest.approx(0.75, abs=0.001)


def test_otsu_of_a_bell_curve_cut_in_two_has_eta_two_over_pi():
    _, eta = otsu(np.random.default_rng(0).normal(0, 1, 100_000))
    assert eta == pytest.approx(2 / np.pi, abs=0.01)


def test_otsu_of_one_value_separates_nothing():
    assert otsu(np.full(5, 0.3)) == (0.3, 0.0)


def test_empty_paper_evens_out_to_nothing():
    np.testing.assert_allclose(even_out(np.full((60, 80), 0.7, np.float32)), 0, atol=1e-6)


def test_a_black_picture_evens_out_to_nothing():
    np.testing.assert_allclose(even_out(np.zeros((60, 80), np.float32)), 0, atol=1e-6)


@pytest.mark.parametrize("paper", [0.3, 0.9])
def test_depth_is_the_share_of_the_papers_brightness(paper):
    evened = even_out(on_paper(ink(width=20), paper, depth=0.6))
    assert evened.max() == pytest.approx(0.6, abs=0.01)
    assert np.median(evened) == pytest.approx(0, abs=1e-6)


def test_depth_is_the_same_in_the_bright_and_in_the_dark():
    evened = even_out(on_paper(ink(width=20), gradient(), depth=0.6))
    full = ink(width=20) > 0.99
    assert evened[full].min() > 0.55
    assert evened[full].max() < 0.65


def test_a_hard_shadow_is_paper():
    shadow = np.where(PLACES[1] + PLACES[0] / 3 < 200, 0.4, 1).astype(np.float32)
    assert np.abs(even_out(shadow)).max() < 0.02


@pytest.mark.parametrize("width", [3, 14, 50])
def test_light_ink_is_recognised_for_thin_and_thick_strokes(width):
    grey = on_paper(ink(width=width))
    assert not is_light_on_dark(grey)
    assert is_light_on_dark(1 - grey)


@pytest.mark.parametrize("width", [3, 14, 50])
@pytest.mark.parametrize("digit", ["2", "4", "5", "7"])
def test_a_digit_is_found(digit, width):
    strokes = ink(digit, width=width)
    least = 0.75 if width == 3 else 0.9  # half a pixel of rim is a sixth of a line of three
    assert agreement(found(on_paper(strokes)), strokes) > least
    assert agreement(found(1 - on_paper(strokes)), strokes) > least


def test_edges_stay_soft_and_paper_is_exactly_empty():
    result = found(on_paper(ink(blur=1.5)))
    assert ((result > 0.2) & (result < 0.8)).sum() > 200
    assert (result[:60] == 0).all()


@pytest.mark.parametrize(
    "paper",
    [
        gradient(),
        np.full(SHAPE, 0.15),
        np.where(PLACES[1] > 250, 0.4, 0.95),
        1 - ((PLACES[0] / 360 - 0.5) ** 2 + (PLACES[1] / 480 - 0.5) ** 2),
    ],
    ids=["gradient", "dim", "hard shadow through the digit", "vignette"],
)
def test_uneven_light_does_not_matter(paper):
    strokes = ink()
    assert agreement(found(on_paper(strokes, paper.astype(np.float32))), strokes) > 0.85


@pytest.mark.parametrize("noise", [0.02, 0.08])
def test_noise_is_not_ink(noise):
    strokes = ink()
    result = found(on_paper(strokes, noise=noise))
    assert agreement(result, strokes) > 0.8
    assert result[strokes < 0.01].mean() < 0.001


@pytest.mark.parametrize(("width", "depth"), [(1.5, 0.7), (2, 0.4), (3, 0.3)])
def test_thin_pencil_and_ballpoint_lines_survive(width, depth):
    strokes = ink(shape=(450, 600), width=width, blur=0.3)
    result = found(on_paper(strokes, depth=depth, noise=0.01))
    middle = strokes > 0.9 * strokes.max()
    assert (result[middle] > 0.3).mean() > 0.97


@pytest.mark.parametrize("columns", [True, False], ids=["squared", "ruled"])
@pytest.mark.parametrize("depth", [0.1, 0.3])
@pytest.mark.parametrize("width", [5, 14])
def test_ruling_fainter_than_the_pen_is_not_ink(columns, depth, width):
    strokes = ink(width=width)
    paper = 0.9 * squared(depth=depth, columns=columns) * gradient(low=0.5)
    result = found(on_paper(strokes, paper, noise=0.01))
    assert agreement(result, strokes) > 0.7
    far = np.ones(SHAPE, dtype=bool)
    far[60:300, 130:370] = False
    assert (result[far] == 0).all()


@pytest.mark.parametrize("noise", [0, 0.01, 0.05, 0.15])
@pytest.mark.parametrize("paper", [0.02, 0.3, 0.9])
def test_paper_without_writing_has_no_digit(noise, paper):
    light = paper * gradient()
    assert digit_of(even_out(on_paper(np.zeros(SHAPE, np.float32), light, noise=noise))) is None


@pytest.mark.parametrize("columns", [True, False], ids=["squared", "ruled"])
@pytest.mark.parametrize("depth", [0.15, 0.4])
def test_a_ruled_sheet_without_writing_has_no_digit(columns, depth):
    paper = 0.9 * squared(depth=depth, columns=columns)
    grey = on_paper(np.zeros(SHAPE, np.float32), paper, noise=0.01)
    assert digit_of(even_out(grey)) is None


def with_finger(grey):
    finger = ((PLACES[1] - 30) / 50) ** 2 + ((PLACES[0] - 340) / 70) ** 2 < 1
    return np.where(finger, 0.45, grey).astype(np.float32)


def with_table(grey, dark):
    y, x = PLACES
    sheet = (x + 0.1 * y > 60) & (x + 0.1 * y < 460) & (y - 0.08 * x > 10) & (y - 0.08 * x < 315)
    return np.where(sheet, grey, dark).astype(np.float32)


@pytest.mark.parametrize(
    "surround",
    [
        with_finger,
        lambda grey: with_table(grey, 0.15),
        lambda grey: with_table(grey * 0.7, 0.95),
        lambda grey: np.where(PLACES[1] < 12, 0.05, grey).astype(np.float32),
    ],
    ids=["finger", "dark table", "light table", "strip"],
)
def test_ink_that_touches_the_edge_is_removed(surround):
    strokes = ink(box=(190, 100, 150))
    result = found(surround(on_paper(strokes, noise=0.01)))
    assert agreement(result, strokes) > 0.85


def test_a_pencil_digit_beside_a_much_darker_finger_is_found():
    strokes = ink()
    grey = on_paper(strokes, depth=0.3)
    finger = ((PLACES[1] - 30) / 50) ** 2 + ((PLACES[0] - 340) / 70) ** 2 < 1
    assert agreement(found(np.where(finger, 0.02, grey).astype(np.float32)), strokes) > 0.8


def test_a_digit_at_the_edge_is_found_if_it_is_the_only_ink():
    strokes = ink("7", box=(150, -5, 300), width=20)
    assert agreement(found(on_paper(strokes)), strokes) > 0.85


def test_specks_are_removed():
    strokes = ink()
    spots = strokes.copy()
    for row, column in ((20, 30), (340, 440), (100, 420), (180, 220)):
        spots[row : row + 5, column : column + 5] = 1
    result = found(on_paper(spots))
    assert (result[(spots > 0) & (strokes == 0)] < 0.01).mean() > 0.95
    assert agreement(result, strokes) > 0.9


def test_the_bar_of_a_five_belongs_to_it():
    strokes = np.maximum(ink("5"), ink("5's bar"))
    assert agreement(found(on_paper(strokes)), strokes) > 0.9


def test_of_two_digits_the_larger_and_more_central_is_found():
    main = ink("2", box=(160, 90, 170))
    other = ink("5", box=(350, 110, 130))
    assert agreement(found(on_paper(np.maximum(main, other))), main) > 0.9


@pytest.mark.parametrize("size", [0.25, 0.5, 1.0])
def test_the_digit_is_found_at_every_resolution(size):
    shape = (round(360 * size), round(480 * size))
    strokes = ink(shape=shape, box=(150 * size, 80 * size, 200 * size), width=20 * size)
    assert agreement(found(on_paper(strokes)), strokes) > 0.85


def test_the_picture_is_not_changed():
    grey = on_paper(ink())
    before = grey.copy()
    digit_of(even_out(grey))
    np.testing.assert_array_equal(grey, before)
