"""A convolution in figures: every number of a window, and the padding around the image."""

from __future__ import annotations

import re

import numpy as np

from mnist_core.concepts.convolution import kernel_named, window_at
from mnist_core.figures.convolution import padded_picture, window_html

IMAGE = np.zeros((6, 6), np.float32)
IMAGE[2:] = 1


def test_the_padding_is_grey_and_outside_the_image():
    picture = padded_picture(IMAGE, 2)
    assert picture.shape == (10, 10, 3)
    np.testing.assert_array_equal(picture[0, 0], picture[9, 5])
    assert (picture[2, 2] == 255).all()  # zero is white
    assert picture[0, 0].tolist() != picture[2, 2].tolist() != picture[5, 5].tolist()
    np.testing.assert_array_equal(padded_picture(IMAGE, 0), picture[2:8, 2:8])


def test_a_window_is_three_tables_of_numbers_and_their_sum():
    html = window_html(window_at(IMAGE, kernel_named("Horizontal edges", 3), (0, 1), 1, 0))
    captions = re.findall(r"<caption>(.*?)</caption>", html)
    assert captions == ["Under the window", "Kernel", "Products"]
    cells = re.findall(r'<td style="background:([^"]+)">([^<]+)</td>', html)
    assert len(cells) == 27
    assert " ".join(text for _, text in cells[9:18]) == "−0.25 −0.5 −0.25 0 0 0 0.25 0.5 0.25"
    assert "Sum of the products: <b>1.000</b>" in html
    assert cells[9][0].startswith("rgba(224,112,26")  # negative is orange
    assert cells[15][0].startswith("rgba(47,116,208")
    assert cells[12][0] == "transparent"


def test_an_empty_kernel_has_no_colour():
    html = window_html(window_at(IMAGE, np.zeros((3, 3), np.float32), (3, 3), 1, 0))
    assert html.count("transparent") == 18
    assert "Sum of the products: <b>0.000</b>" in html
