"""The pen's width, measured and brought to the usual one, and stray dots."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.data.normalisation import BOX, bounding_box, fit, scaled
from mnist_core.drawing.pen import VISIBLE, WIDTHS, pen_width, with_usual_width, without_dots
from tests.pen_strokes import LOOPS, SHAPES, drawn, holes, parts
from tests.small_data import digits, mnist_in


def cropped(ink):
    return ink[bounding_box(ink, VISIBLE)]


def width_in_box(ink):
    """Return the pen's width when the longer side is 20 pixels, measured as the module does."""
    mask = scaled(cropped(ink), 120) > 0.5
    return pen_width(mask) * BOX / max(mask.shape)


def test_the_width_of_tiny_masks_is_four_mean_distances_less_one():
    assert pen_width(np.ones((1, 1), dtype=bool)) == 2
    assert pen_width(np.ones((3, 3), dtype=bool)) == pytest.approx(4 * (8 * 1 + 2) / 9 - 2)
    assert pen_width(np.ones((1, 50), dtype=bool)) == 2


@pytest.mark.parametrize("width", [4, 9, 10, 20, 31])
def test_the_width_of_a_long_bar_is_one_pixel_more_than_its_own_at_most(width):
    bar = np.ones((40 * width, width), dtype=bool)
    assert pen_width(bar) == pytest.approx(width, abs=0.35)
    assert pen_width(bar.T) == pen_width(bar)


@pytest.mark.parametrize("name", SHAPES)
def test_outside_the_picture_there_is_paper(name):
    """A vertical stroke that is cut tightly is all ink: without a frame it would have no width."""
    mask = cropped(drawn(SHAPES[name], 18)) > 0.5
    assert pen_width(mask) == pen_width(np.pad(mask, 7))


@pytest.mark.parametrize("pen", [6, 12, 18, 26])
@pytest.mark.parametrize("name", SHAPES)
def test_the_width_of_a_drawn_digit_is_that_of_its_pen(name, pen):
    assert pen_width(drawn(SHAPES[name], pen) > 0.5) == pytest.approx(pen, abs=0.1 * pen + 1.3)


def test_nine_in_ten_of_mnist_s_pens_are_as_wide_as_documented(mnist_dir):
    images = mnist_in(mnist_dir).train_images[:3_000]
    widths = [width_in_box((image / 255).astype(np.float32)) for image in images]
    found = np.percentile(widths, [5, 25, 75, 95])
    np.testing.assert_allclose(found, [1.6, 2.0, 2.9, 4.0], atol=0.1)


@pytest.mark.parametrize("name", SHAPES)
def test_a_usual_pen_is_not_changed(name):
    ink = cropped(drawn(SHAPES[name], 20))
    assert WIDTHS[0] < width_in_box(ink) < WIDTHS[1]
    assert with_usual_width(ink) is ink


def test_a_picture_without_ink_above_one_half_is_not_changed():
    pale = np.full((30, 20), 0.4, dtype=np.float32)
    assert with_usual_width(pale) is pale


@pytest.mark.parametrize("pen", [6, 9, 12, 18, 26, 32, 40])
@pytest.mark.parametrize("name", SHAPES)
def test_any_pen_becomes_a_usual_one(name, pen):
    ink = cropped(drawn(SHAPES[name], pen))
    before = ink.copy()

    evened = with_usual_width(ink)

    np.testing.assert_array_equal(ink, before)
    assert evened.dtype == np.float32
    assert evened.min() >= 0
    assert evened.max() <= 1
    # In the box of 20 pixels; corners of the stroke and whole pixels make it inexact.
    assert WIDTHS[0] - 0.25 <= width_in_box(evened) <= WIDTHS[1] + 0.15
    assert WIDTHS[0] - 0.25 <= width_in_box(fit(evened)) <= WIDTHS[1] + 0.6


@pytest.mark.parametrize("pen", [3, 6, 12, 18, 26, 32, 40, 50])
@pytest.mark.parametrize("name", SHAPES)
def test_no_loop_closes_and_nothing_breaks(name, pen):
    ink = drawn(SHAPES[name], pen)
    assert holes(ink > 0.5) == LOOPS.get(name, 0)
    evened = with_usual_width(cropped(ink))
    assert holes(evened > 0.5) == LOOPS.get(name, 0)
    assert parts(evened > 0.5) == parts(ink > 0.5) == 1
    small = scaled(fit(evened), 120) > 0.5  # the model's input, enlarged to count loops
    assert holes(small) == LOOPS.get(name, 0)
    assert parts(small) == 1


def in_the_middle(small):
    """Centre a picture that was fitted into the box in 24x24."""
    field = np.zeros((24, 24))
    top, left = ((24 - side) // 2 for side in small.shape)
    field[top : top + small.shape[0], left : left + small.shape[1]] = small
    return field


@pytest.mark.parametrize("limit", WIDTHS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_thin_or_thick_pen_gives_what_the_pen_at_the_limit_would_have_drawn(name, limit):
    pens = np.arange(8, 44)
    widths = [width_in_box(drawn(SHAPES[name], pen)) for pen in pens]
    usual = float(np.interp(limit, widths, pens))
    unusual = 6 if limit == WIDTHS[0] else 1.4 * usual
    wanted = in_the_middle(fit(cropped(drawn(SHAPES[name], usual))))

    ink = cropped(drawn(SHAPES[name], unusual))

    apart = {
        "plain": np.sqrt(((in_the_middle(fit(ink)) - wanted) ** 2).mean()),
        "evened": np.sqrt(((in_the_middle(fit(with_usual_width(ink))) - wanted) ** 2).mean()),
    }
    if limit == WIDTHS[0]:
        assert apart["evened"] < 0.065 < 0.1 < apart["plain"]
    else:  # one column of pixels more or less: a fifth of a thick one
        assert apart["evened"] < 0.2


def test_a_filled_disc_stays_a_filled_disc():
    """It is not a digit, but it must not vanish."""
    disc = cropped(drawn([[(140, 140)]], 120))
    assert np.abs(fit(with_usual_width(disc)) - fit(disc)).mean() < 0.05


@pytest.mark.parametrize("change", [0.5, 2.0, 3.0])
def test_the_size_of_the_drawing_does_not_matter(change):
    small = drawn(SHAPES["two"], 8)
    large = drawn(
        [[(x * change, y * change) for x, y in s] for s in SHAPES["two"]],
        8 * change,
        int(280 * change),
    )
    one, other = (fit(with_usual_width(cropped(ink))) for ink in (small, large))
    assert one.shape == other.shape
    assert np.sqrt(((one - other) ** 2).mean()) < 0.08  # 0.45 from an empty box


# --- stray dots


@pytest.mark.parametrize("pen", [6, 12, 18])
@pytest.mark.parametrize("places", [[(20, 20)], [(250, 30), (30, 250)]], ids=["one", "two"])
@pytest.mark.parametrize("name", SHAPES)
def test_only_stray_dots_are_removed(name, places, pen):
    ink = drawn(SHAPES[name], pen)
    dotted = np.maximum(ink, drawn([[place] for place in places], pen))
    before = dotted.copy()

    alone = without_dots(dotted)

    np.testing.assert_array_equal(dotted, before)
    assert alone.dtype == np.float32
    assert parts(dotted > VISIBLE) == 1 + len(places)
    np.testing.assert_array_equal(alone > VISIBLE, ink > VISIBLE)
    np.testing.assert_array_equal(alone[ink > VISIBLE], ink[ink > VISIBLE])


@pytest.mark.parametrize(
    "strokes",
    [
        [*SHAPES["seven"], [(95, 145), (120, 145)]],  # a loose bar, left of the stem
        [*SHAPES["seven"], [(190, 150), (230, 150)]],
        [  # a five whose top is loose
            [(110, 100), (105, 140), (150, 135), (180, 170), (150, 215), (95, 205)],
            [(150, 65), (205, 60)],
        ],
        [[(90, 60), (80, 150), (140, 150)], [(190, 70), (185, 220)]],  # a four in two pieces
    ],
    ids=["short bar", "long bar", "five", "four"],
)
@pytest.mark.parametrize("pen", [6, 12, 18])
def test_separate_strokes_stay(strokes, pen):
    ink = drawn(strokes, pen)
    assert without_dots(ink) is ink


def test_a_digit_in_one_piece_and_an_empty_canvas_are_not_changed():
    ink, empty = drawn(SHAPES["two"], 12), np.zeros((280, 280), dtype=np.float32)
    assert without_dots(ink) is ink
    assert without_dots(empty) is empty


@pytest.mark.parametrize("gap", [8, 14, 24])
def test_a_broken_thin_stroke_stays(gap):
    pieces = [[(140, 40 + i * (40 + gap)), (140, 80 + i * (40 + gap))] for i in range(3)]
    ink = drawn(pieces, 6)
    assert parts(ink > VISIBLE) == (1 if gap <= 6 else 3)
    assert without_dots(ink) is ink


def test_a_dot_within_the_pen_s_width_stays_and_a_farther_one_is_removed():
    ink = np.zeros((100, 100), dtype=np.float32)
    ink[10:90, 40:50] = 1  # a stem, 10 wide
    assert 9 < pen_width(ink > 0.5) < 10
    for column, goes in [(58, False), (59, True)]:  # 9 and 10 pixels from column 49
        dotted = ink.copy()
        dotted[45:50, column : column + 5] = 1
        expected = ink if goes else dotted
        np.testing.assert_array_equal(without_dots(dotted), expected)


@pytest.mark.parametrize(("side", "goes"), [(8, True), (9, False)])
def test_a_dot_of_more_than_a_tenth_of_the_ink_stays(side, goes):
    ink = np.zeros((100, 100), dtype=np.float32)
    ink[10:74, 10:20] = 1  # 640 pixels; a tenth of all ink is 64 / 0.9 = 71
    dotted = ink.copy()
    dotted[10 : 10 + side, 80 : 80 + side] = 1
    np.testing.assert_array_equal(without_dots(dotted), ink if goes else dotted)


@pytest.mark.parametrize(("length", "goes"), [(19, True), (24, False)])
def test_a_short_stroke_is_a_dot_up_to_twice_the_pen_s_width(length, goes):
    ink = np.zeros((200, 100), dtype=np.float32)
    ink[10:190, 10:20] = 1
    dotted = ink.copy()
    dotted[10 : 10 + length, 80:84] = 1
    np.testing.assert_array_equal(without_dots(dotted), ink if goes else dotted)


def test_a_dotted_digit_is_not_changed():
    spots = [(80, 60), (110, 60), (140, 60), (170, 60), (190, 60), (180, 85), (170, 110)]
    spots += [(160, 135), (150, 160), (140, 185), (130, 210)]
    ink = drawn([[spot] for spot in spots], 12)
    assert parts(ink > VISIBLE) == len(spots)
    assert without_dots(ink) is ink


def test_thousands_of_specks_are_searched_quickly():
    """Each speck is compared with its neighbourhood; with the whole canvas it would take 10 s."""
    noise = np.random.default_rng(0).random((280, 280)) < 0.01
    specked = np.maximum(drawn(SHAPES["two"], 12), noise.astype(np.float32))
    assert parts(specked > VISIBLE) > 500
    started = time.thread_time()
    without_dots(specked)
    assert time.thread_time() - started < 2


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(list(SHAPES)),
    pen=st.integers(4, 30),
    dots=st.lists(
        st.tuples(st.integers(0, 279), st.integers(0, 279), st.integers(2, 40)), max_size=6
    ),
)
def test_the_rest_is_unchanged_and_at_least_half_of_the_ink(name, pen, dots):
    ink = drawn(SHAPES[name], pen)
    for x, y, size in dots:
        ink = np.maximum(ink, drawn([[(x, y)]], size))
    alone = without_dots(ink)
    assert set(np.unique((alone == ink) | (alone == 0))) == {True}
    assert (alone > VISIBLE).sum() >= (ink > VISIBLE).sum() / 2
    assert without_dots(alone) is alone


def test_stored_digits_have_no_dots():
    for image in digits().test_images:
        ink = (image / 255).astype(np.float32)
        assert without_dots(ink) is ink


def test_mnist_s_digits_have_hardly_any_dots(mnist_dir):
    images = mnist_in(mnist_dir).test_images[:3_000]
    inks = [(image / 255).astype(np.float32) for image in images]
    dotted = [ink for ink in inks if without_dots(ink) is not ink]
    assert len(dotted) <= 3
