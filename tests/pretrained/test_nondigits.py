"""Drawings that are not digits: distinct, prepared and reproducible."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mnist_core.drawing.preprocessing import check_ink
from mnist_core.pretrained.nondigits import (
    KINDS,
    LETTERS,
    drawings,
    non_digits,
    pairs,
    printed_letters,
)
from mnist_core.pretrained.strokes import drawn
from tests.small_data import digits, global_generators_untouched


def rng(seed=0):
    return np.random.default_rng(seed)


def distinct(images):
    return len({image.tobytes() for image in images})


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_of_a_kind_are_prepared_and_distinct(kind):
    with global_generators_untouched():
        images = drawings(kind, 25, rng())
    assert images.shape == (25, 28, 28)
    assert images.dtype == np.uint8
    assert distinct(images) == 25
    assert ((images > 128).sum(axis=(1, 2)) > 20).all()  # some ink
    assert ((images > 128).mean(axis=(1, 2)) < 0.5).all()  # less ink than paper


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_random_numbers_make_the_same_drawings(kind):
    one, other, third = (drawings(kind, 4, rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, other)
    assert distinct([*one, *third]) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_of_each_kind_would_be_accepted_on_the_page(kind):
    generator = rng(3)
    for _ in range(10):
        check_ink(drawn(KINDS[kind](generator), generator))


def test_every_shape_is_drawn():
    shape, generator = KINDS["shapes"], rng()
    made = [tuple(stroke.shape for stroke in shape(generator)) for _ in range(200)]
    assert len(set(made)) >= 7


def test_every_letter_can_be_drawn_and_is_no_digit():
    assert not set(LETTERS) & set("0123456789OoISsZzlbgqB")  # these look like digits
    for text in LETTERS.values():
        for part in text.split("|"):
            spots = part.split()
            assert len(spots) >= 2
            assert all(re.fullmatch("[0-4][0-7]", spot) for spot in spots)


def test_pairs_hold_two_digits_side_by_side():
    source = digits().test_images
    one, other = (pairs(source, 12, rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert one.shape == (12, 28, 28)
    assert one.dtype == np.uint8
    assert distinct(one) == 12
    wide, alone = (np.median((i > 0).any(axis=1).sum(axis=1)) for i in (one, source))
    assert wide > alone + 2


def test_non_digits_have_equal_numbers_of_each_kind_and_of_pairs():
    source = digits().test_images
    with global_generators_untouched():
        images = non_digits(source, 37, rng(2))
    each = 37 // (len(KINDS) + 1)
    assert images.shape == (each * (len(KINDS) + 1), 28, 28)
    assert images.dtype == np.uint8
    assert distinct(images) == len(images)
    generator = rng(2)
    expected = [pairs(source, each, generator)]
    expected += [drawings(kind, each, generator) for kind in KINDS]
    np.testing.assert_array_equal(images, np.concatenate(expected))


def test_printed_letters_are_distinct():
    images, text = printed_letters()
    assert images.shape == (len(text), 28, 28)
    assert distinct(images) == len(text) == len(set(text))
    assert ((images > 128).sum(axis=(1, 2)) > 20).all()
