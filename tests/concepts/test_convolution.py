"""Convolution by hand: PyTorch as the oracle, small numbers checked exactly."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from mnist_core.concepts import convolution
from mnist_core.concepts.convolution import (
    KERNEL_SIDES,
    KERNELS,
    convolution_in_numpy,
    convolution_parameters,
    convolve,
    kernel_from,
    kernel_named,
    kernel_text,
    linear_parameters,
    output_side,
    pool,
    window_at,
)
from mnist_core.nn import architectures, numpy_network

IMAGE = np.random.default_rng(0).random((28, 28), np.float32)


@pytest.mark.parametrize("side", KERNEL_SIDES)
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2)])
def test_a_feature_map_matches_numpy_and_has_the_size_of_the_formula(name, side, stride, padding):
    result = convolve(IMAGE, kernel_named(name, side), stride, padding)
    n = output_side(28, side, stride, padding)
    assert result.in_torch.shape == result.in_numpy.shape == (n, n)
    assert result.check.matches, str(result.check)


def test_a_kernel_of_ones_sums_the_window():
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    y = convolve(x, np.ones((3, 3), np.float32), 1, 0)
    np.testing.assert_array_equal(y.in_torch, [[45, 54], [81, 90]])
    padded = convolve(x, np.ones((3, 3), np.float32), 3, 1)
    np.testing.assert_array_equal(padded.in_torch, [[10, 18], [42, 50]])


def test_the_check_fails_if_the_kernel_is_mirrored(monkeypatch):
    mirrored = kernel_named("Vertical edges", 3)[:, ::-1].copy()
    monkeypatch.setattr(
        convolution,
        "convolution_in_torch",
        lambda x, _, stride, padding: convolution_in_numpy(x, mirrored, stride, padding),
    )
    result = convolve(IMAGE, kernel_named("Vertical edges", 3), 1, 0)
    assert not result.check.matches


def test_the_network_written_in_numpy_computes_the_same_map():
    kernel = kernel_named("Sharpen", 5)
    layer = numpy_network.Conv2d(kernel[None, None], np.zeros(1, np.float32), 2, 2)
    expected = layer.forward(IMAGE[None, None])[0, 0]
    np.testing.assert_allclose(convolve(IMAGE, kernel, 2, 2).in_torch, expected, atol=1e-5)


@pytest.mark.parametrize("side", KERNEL_SIDES)
def test_ready_kernels_do_what_their_names_say(side):
    flat = np.full((8, 8), 0.5, np.float32)
    for name in ("Horizontal edges", "Vertical edges"):
        np.testing.assert_allclose(convolve(flat, kernel_named(name, side), 1, 0).in_torch, 0)
    for name in ("Blur", "Sharpen", "Identity"):
        same = convolve(flat, kernel_named(name, side), 1, 0).in_torch
        np.testing.assert_allclose(same, 0.5, rtol=1e-5)
    upper = np.zeros((8, 8), np.float32)
    upper[4:] = 1  # dark above, bright below: a horizontal edge
    assert convolve(upper, kernel_named("Horizontal edges", side), 1, 0).in_torch.max() >= 1
    assert not convolve(upper, kernel_named("Vertical edges", side), 1, 0).in_torch.any()
    identity = convolve(IMAGE, kernel_named("Identity", side), 1, side // 2).in_torch
    np.testing.assert_array_equal(identity, IMAGE)


@pytest.mark.parametrize("side", KERNEL_SIDES)
@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_survives_being_written_and_read(name, side):
    kernel = kernel_named(name, side)
    np.testing.assert_allclose(kernel_from(kernel_text(kernel), side), kernel, atol=5e-5)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs 3 lines, one for each row; it got 0"),
        ("1 2 3\n4 5 6", "needs 3 lines, one for each row; it got 2"),
        ("1 2 3\n4 5\n6 7 8", "Row 2 needs 3 numbers with spaces between them; it got 2"),
        ("1 2 3\n4 5 6\n7 8 abc", "Row 3, column 3, needs a number from −100 to 100"),
        ("1,5 2 3\n4 5 6\n7 8 9", "Write the decimal point as a dot."),
        ("1 2 3\n4 1e9 6\n7 8 9", "Row 2, column 2, needs a number"),
        ("1 2 3\n4 nan 6\n7 8 9", "Row 2, column 2, needs a number"),
    ],
)
def test_junk_in_a_kernel_is_refused_in_words(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        kernel_from(text, 3)


@pytest.mark.parametrize(
    ("arguments", "side"), [((28, 3, 1, 0), 26), ((28, 5, 1, 2), 28), ((28, 5, 2, 2), 14)]
)
def test_the_size_of_the_map_follows_the_formula(arguments, side):
    assert output_side(*arguments) == side


@pytest.mark.parametrize("arguments", [(28, 3, 0, 0), (28, 3, 1, -1), (4, 7, 1, 1), (4, 0, 1, 0)])
def test_sizes_that_do_not_fit_are_refused(arguments):
    with pytest.raises(ValueError, match="expected a stride"):
        output_side(*arguments)


@pytest.mark.parametrize("place", [(0, 0), (3, 9), (13, 13)])
def test_a_window_sums_to_the_number_on_the_map(place):
    kernel = kernel_named("Sharpen", 5)
    window = window_at(IMAGE, kernel, place, 2, 2)
    assert window.corner == (2 * place[0] - 2, 2 * place[1] - 2)
    assert window.total == pytest.approx(convolve(IMAGE, kernel, 2, 2).in_torch[place], abs=1e-5)
    np.testing.assert_array_equal(window.products, window.inputs.astype(np.float64) * kernel)


def test_a_place_off_the_map_is_refused():
    with pytest.raises(ValueError, match="count from 0"):
        window_at(IMAGE, kernel_named("Blur", 3), (26, 0), 1, 0)


def test_pooling_takes_the_largest_of_each_square_and_leaves_an_odd_edge_out():
    y = np.array([[1, 5, 9], [2, -3, 9], [9, 9, 9]], np.float32)
    pooled = pool(y)
    np.testing.assert_array_equal(pooled.in_torch, [[5]])
    assert pooled.check.matches
    assert pool(IMAGE).in_torch.shape == (14, 14)
    assert pool(IMAGE).check.largest_difference == 0


def test_parameters_are_counted_as_pytorch_does():
    conv, linear = nn.Conv2d(1, 16, 5), nn.Linear(784, 20)
    assert convolution_parameters(5, 1, 16) == sum(p.numel() for p in conv.parameters()) == 416
    assert linear_parameters(784, 20) == sum(p.numel() for p in linear.parameters())
    first = architectures.build("cnn", 0).conv1
    assert sum(p.numel() for p in first.parameters()) == convolution_parameters(5, 1, 16)
