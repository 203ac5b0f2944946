"""The colours of all figures."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.figures import style


@pytest.mark.parametrize(
    ("value", "largest", "colour"),
    [
        (2, 2, "rgba(47,116,208,1.00)"),
        (-2, 2, "rgba(224,112,26,1.00)"),
        (0, 2, "rgba(47,116,208,0.15)"),
        (-1, 2, "rgba(224,112,26,0.57)"),
        (9, 2, "rgba(47,116,208,1.00)"),
        (0, 0, "rgba(47,116,208,0.15)"),
    ],
)
def test_signed_colour_is_blue_above_and_orange_below_zero(value, largest, colour):
    assert style.signed_colour(value, largest) == colour


def test_signed_rgb_goes_from_orange_over_white_to_blue():
    result = style.signed_rgb(np.array([[-3.0, -1.5, 0.0, 3.0, 30.0]]), 3.0)
    assert result.dtype == np.uint8
    assert result[0].tolist() == [
        [224, 112, 26],
        [240, 184, 140],
        [255, 255, 255],
        [47, 116, 208],
        [47, 116, 208],
    ]


def test_each_class_has_another_colour():
    assert len(set(style.CLASS_COLOURS)) == 10
