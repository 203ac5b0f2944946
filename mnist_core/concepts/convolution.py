"""One convolution by hand: a window slides over an image, computed by PyTorch and by NumPy.

Source: V. Dumoulin, F. Visin, A guide to convolution arithmetic for deep learning (2016),
arXiv:1603.07285, relationship 6, for the sizes. As in ``nn.Conv2d``, the kernel is not mirrored:
the operation is called cross-correlation in mathematics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mnist_core.common.comparison import Check, compare, judge
from mnist_core.common.formatting import plain
from mnist_core.concepts.rounding import sum_bound
from mnist_core.concepts.written_layer import number_of

__all__ = [
    "KERNELS",
    "KERNEL_SIDES",
    "Convolution",
    "Window",
    "convolution_in_numpy",
    "convolution_in_torch",
    "convolution_parameters",
    "convolve",
    "kernel_from",
    "kernel_named",
    "kernel_text",
    "linear_parameters",
    "max_pool_in_numpy",
    "max_pool_in_torch",
    "output_side",
    "pool",
    "window_at",
]

KERNEL_SIDES = (3, 5)
KERNELS = ("Horizontal edges", "Vertical edges", "Blur", "Sharpen", "Identity")
DECIMALS = 4  # of a kernel's numbers as text


def kernel_named(name: str, side: int) -> np.ndarray:
    """Return a ready kernel, (side, side) float32.

    The edge kernels are Sobel's: a difference in one direction, (-1, 0, 1) or (-1, -2, 0, 2, 1),
    times a smoothing (binomial) in the other. Blur is the mean of the window. Sharpen is the pixel
    plus its difference from that mean.

    Raises
    ------
    ValueError
        If there is no such kernel.
    """
    if name not in KERNELS or side not in KERNEL_SIDES:
        raise ValueError(f"expected a kernel out of {KERNELS} of side 3 or 5, got {name}, {side}.")
    smooth = np.array([1, 2, 1] if side == 3 else [1, 4, 6, 4, 1], np.float32)
    smooth /= smooth.sum()
    slope = np.array([-1, 0, 1] if side == 3 else [-1, -2, 0, 2, 1], np.float32)
    identity = np.zeros((side, side), np.float32)
    identity[side // 2, side // 2] = 1
    blur = np.full((side, side), 1 / side**2, np.float32)
    kernels = {
        "Horizontal edges": np.outer(slope, smooth),
        "Vertical edges": np.outer(smooth, slope),
        "Blur": blur,
        "Sharpen": 2 * identity - blur,
        "Identity": identity,
    }
    return kernels[name].astype(np.float32)


def kernel_text(kernel: np.ndarray) -> str:
    """Write a kernel as text: a line for each row, numbers separated by spaces."""
    rows = [[plain(value, DECIMALS).rstrip("0").rstrip(".") for value in row] for row in kernel]
    width = max(len(text) for row in rows for text in row)
    return "\n".join(" ".join(text.rjust(width) for text in row) for row in rows)


def kernel_from(text: str, side: int) -> np.ndarray:
    """Read a kernel from text, as `kernel_text` writes it: (side, side) float32.

    Raises
    ------
    ValueError
        If the text has another number of rows or of numbers in a row, or if an entry is not a
        decimal number from -100 to 100. The sentence is Markdown.
    """
    rows = [line.split() for line in text.strip().splitlines() if line.strip()]
    if len(rows) != side:
        raise ValueError(f"The kernel needs {side} lines, one for each row; it got {len(rows)}.")
    for i, row in enumerate(rows, 1):
        if len(row) != side:
            raise ValueError(
                f"Row {i} needs {side} numbers with spaces between them; it got {len(row)}."
            )
    numbers = [
        [number_of(entry, f"Row {i}, column {j},") for j, entry in enumerate(row, 1)]
        for i, row in enumerate(rows, 1)
    ]
    return np.array(numbers, np.float32)


def output_side(side: int, kernel_side: int, stride: int, padding: int) -> int:
    """Return the side of the feature map: (n + 2p - k) / s + 1, the fraction rounded down.

    Raises
    ------
    ValueError
        If the stride is below 1, the padding below 0, or the window larger than the padded image.
    """
    if stride < 1 or padding < 0 or not 1 <= kernel_side <= side + 2 * padding:
        raise ValueError(
            f"expected a stride of 1 or more, padding of 0 or more and a window inside the padded "
            f"image, got side {side}, kernel {kernel_side}, stride {stride}, padding {padding}."
        )
    return (side + 2 * padding - kernel_side) // stride + 1


def convolution_in_torch(
    x: np.ndarray, kernel: np.ndarray, stride: int, padding: int
) -> np.ndarray:
    """(H, W) float32 -> (H', W') float32."""
    image, weight = torch.tensor(x)[None, None], torch.tensor(kernel)[None, None]
    y = nn.functional.conv2d(image, weight, stride=stride, padding=padding)  # as nn.Conv2d calls
    return y[0, 0].numpy()


def convolution_in_numpy(
    x: np.ndarray, kernel: np.ndarray, stride: int, padding: int
) -> np.ndarray:
    """(H, W) -> (H', W'), of the dtype of both."""
    padded = np.pad(x, padding)  # zeros on all four sides
    k = len(kernel)
    height = (padded.shape[0] - k) // stride + 1
    width = (padded.shape[1] - k) // stride + 1
    y = np.empty((height, width), x.dtype)
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            window = padded[top : top + k, left : left + k]
            y[row, column] = (window * kernel).sum()
    return y


def max_pool_in_torch(y: np.ndarray) -> np.ndarray:
    """(H, W) float32 -> (H // 2, W // 2): the largest number of each 2x2 square."""
    return nn.functional.max_pool2d(torch.tensor(y)[None, None], 2)[0, 0].numpy()


def max_pool_in_numpy(y: np.ndarray) -> np.ndarray:
    """(H, W) -> (H // 2, W // 2): the largest number of each 2x2 square."""
    height, width = y.shape[0] // 2, y.shape[1] // 2
    squares = y[: 2 * height, : 2 * width].reshape(height, 2, width, 2)
    return squares.max(axis=(1, 3))


@dataclass(frozen=True, slots=True)
class Convolution:
    """A feature map, (H', W') float32, computed by PyTorch and by NumPy."""

    in_torch: np.ndarray
    in_numpy: np.ndarray
    check: Check


def convolve(x: np.ndarray, kernel: np.ndarray, stride: int, padding: int) -> Convolution:
    """Slide a kernel over an image with PyTorch and with NumPy, and compare both.

    Each is compared with the float64 result, by the bound for a sum of k x k float32 products.

    Parameters
    ----------
    x : (H, W) float32
    kernel : (k, k) float32
    stride : int
        By how many pixels the window moves, 1 or more.
    padding : int
        How many zeros are put around the image on each side, 0 or more.

    Raises
    ------
    ValueError
        If the window does not fit into the padded image.
    """
    for side in x.shape:
        output_side(side, len(kernel), stride, padding)
    in_torch = convolution_in_torch(x, kernel, stride, padding)
    in_numpy = convolution_in_numpy(x, kernel, stride, padding)
    wide, wide_kernel = x.astype(np.float64), kernel.astype(np.float64)
    exact = convolution_in_numpy(wide, wide_kernel, stride, padding)
    absolute = convolution_in_numpy(np.abs(wide), np.abs(wide_kernel), stride, padding)
    bound = sum_bound(absolute, kernel.size)
    return Convolution(in_torch, in_numpy, judge(in_torch, in_numpy, exact, bound))


@dataclass(frozen=True, slots=True)
class Pooling:
    """A feature map after max pooling with 2x2 squares, by PyTorch and by NumPy."""

    in_torch: np.ndarray
    in_numpy: np.ndarray
    check: Check


def pool(y: np.ndarray) -> Pooling:
    """Pool a feature map, (H, W) float32, to (H // 2, W // 2). Both results are copies: equal."""
    in_torch, in_numpy = max_pool_in_torch(y), max_pool_in_numpy(y)
    return Pooling(in_torch, in_numpy, compare(in_torch, in_numpy))


@dataclass(frozen=True, slots=True)
class Window:
    """The window at one place of the feature map.

    Attributes
    ----------
    corner : (row, column)
        Of the window on the image; negative in the padding.
    inputs, kernel, products : (k, k) float32, float32, float64
    """

    corner: tuple[int, int]
    inputs: np.ndarray
    kernel: np.ndarray
    products: np.ndarray

    @property
    def total(self) -> float:
        """The sum of the products: the number on the feature map."""
        return float(self.products.sum())


def window_at(
    x: np.ndarray, kernel: np.ndarray, place: tuple[int, int], stride: int, padding: int
) -> Window:
    """Open one number of the feature map.

    Parameters
    ----------
    x : (H, W) float32
    kernel : (k, k) float32
    place : (row, column)
        On the feature map, counted from 0.

    Raises
    ------
    ValueError
        If the place is not on the feature map.
    """
    k = len(kernel)
    sides = [output_side(side, k, stride, padding) for side in x.shape]
    if not all(0 <= at < side for at, side in zip(place, sides, strict=True)):
        raise ValueError(f"expected a place on a map of {sides}, got {place}: count from 0.")
    top, left = (at * stride for at in place)
    inputs = np.pad(x, padding)[top : top + k, left : left + k]
    products = inputs.astype(np.float64) * kernel
    return Window((top - padding, left - padding), inputs, kernel, products)


def convolution_parameters(kernel_side: int, maps_in: int, maps_out: int) -> int:
    """Count the weights and biases of an ``nn.Conv2d``: the image's size does not matter."""
    return maps_out * maps_in * kernel_side**2 + maps_out


def linear_parameters(n_in: int, n_out: int) -> int:
    """Count the weights and biases of an ``nn.Linear``."""
    return n_out * n_in + n_out
