"""Attribution: how much each pixel of an image adds to the logit of a class.

All functions take a model of `mnist_core.nn.architectures` in ``eval`` mode and change none of its
weights, gradients or modes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.data.inputs import to_input
from mnist_core.explain.layer_outputs import finite, kind_of
from mnist_core.explain.sums import WrittenSum

__all__ = [
    "LinearAttribution",
    "gradient_times_input",
    "is_linear",
    "linear_attribution",
    "occlusion",
]


@dataclass(frozen=True, slots=True)
class LinearAttribution:
    """The logit of one class of a linear model, as the sum of what every pixel adds to it.

    Attributes
    ----------
    map : (28, 28) float64
        Weight x pixel, in units of the logit; positive values speak for the class.
    bias : float
    logit : float
        The model's own, in float32.
    """

    map: np.ndarray
    bias: float
    logit: float

    @property
    def total_for(self) -> float:
        """The sum of the positive values."""
        return float(self.map[self.map > 0].sum())

    @property
    def total_against(self) -> float:
        """The sum of the negative values."""
        return float(self.map[self.map < 0].sum())

    def written(self) -> WrittenSum:
        """Return the logit as the sum of the pixels for, the pixels against and the bias."""
        return WrittenSum.of(
            [
                ("pixels for", self.total_for),
                ("pixels against", self.total_against),
                ("bias", self.bias),
            ],
            self.logit,
        )


def linear_attribution(model: nn.Sequential, image: np.ndarray, label: int) -> LinearAttribution:
    """Split the logit of a linear model exactly: sum(weight x pixel) + bias.

    Parameters
    ----------
    model : nn.Sequential
        One ``nn.Linear(784, 10)``, with or without bias; see `is_linear`.
    image : (28, 28) uint8, 0 to 255
    label : int, 0 to 9
        The class of the logit.

    Raises
    ------
    ValueError
        If the model has other layers, or the image or label is not valid.
    DivergedModelError
    """
    if not is_linear(model):
        raise ValueError(
            "expected a model of one linear layer on 784 pixels, got "
            f"{', '.join(kind_of(layer) for layer in model)}: use gradient_times_input."
        )
    x = _input(image, label)
    (layer,) = (layer for layer in model if isinstance(layer, nn.Linear))
    with torch.inference_mode():
        logit = finite(model(x)[0, label])
        weight = layer.weight[label].double().numpy()  # (784,)
        bias = 0.0 if layer.bias is None else float(layer.bias[label])
    products = weight * x.double().numpy().ravel()  # (784,), exact in float64
    return LinearAttribution(products.reshape(28, 28), bias, float(logit))


def is_linear(model: nn.Sequential) -> bool:
    """Return whether a model is one linear layer on the 784 pixels and nothing else."""
    rest = [layer for layer in model if not isinstance(layer, nn.Flatten)]
    return len(rest) == 1 and isinstance(rest[0], nn.Linear) and rest[0].in_features == 28 * 28


def gradient_times_input(model: nn.Sequential, image: np.ndarray, label: int) -> np.ndarray:
    """Multiply every pixel by the derivative of the logit with respect to it.

    For a linear model this is weight x pixel. For a network of ReLUs without biases the map still
    sums to the logit. It ignores biases and every ReLU that switches between paper and ink.

    Source: Shrikumar et al., "Not Just a Black Box", 2016 (arXiv 1605.01713).

    Parameters
    ----------
    image : (28, 28) uint8, 0 to 255
    label : int, 0 to 9

    Returns
    -------
    (28, 28) float32, in units of the logit; 0 where the image is 0.

    Raises
    ------
    ValueError
        If the image or label is not valid.
    DivergedModelError
    """
    x = _input(image, label).requires_grad_()
    with torch.enable_grad():
        logit = finite(model(x)[0, label])
        (gradient,) = torch.autograd.grad(logit, x)  # (1, 1, 28, 28); no weight gets one
    return (gradient * x).detach()[0, 0].numpy()


def occlusion(
    model: nn.Sequential, image: np.ndarray, label: int, size: int = 5, stride: int = 1
) -> np.ndarray:
    """Cover each place of the image with a patch of zeros and measure how far the logit drops.

    A positive value speaks for the class: without these pixels the logit is lower. The logit is
    used because the probability hardly changes while the network is sure. A patch without ink
    changes nothing, so it is not tried.

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014
    (arXiv 1311.2901), section 4.2; they use grey patches on photographs.

    Parameters
    ----------
    image : (28, 28) uint8, 0 to 255
    label : int, 0 to 9
    size : int, 1 to 28
        Side of the patch in pixels.
    stride : int, 1 to size
        Pixels from one patch to the next; the last patch always touches the border.

    Returns
    -------
    (28, 28) float32: for each pixel the mean drop over the patches that cover it.

    Raises
    ------
    ValueError
        If the image, label, size or stride is not valid.
    DivergedModelError
    """
    x, patches = _input(image, label), _patches(size, stride)
    with_ink = [patch for patch in patches if image[patch].any()]

    batch = x.repeat(1 + len(with_ink), 1, 1, 1)  # the first image stays whole
    for covered, patch in zip(batch[1:, 0], with_ink, strict=True):
        covered[patch] = 0
    with torch.inference_mode():
        logits = finite(model(batch)[:, label]).numpy()

    total, count = np.zeros((28, 28)), np.zeros((28, 28))
    for patch in patches:
        count[patch] += 1
    for patch, logit in zip(with_ink, logits[1:], strict=True):
        total[patch] += logits[0] - logit
    return (total / count).astype(np.float32)


def _patches(size: int, stride: int) -> list[tuple[slice, slice]]:
    """Return squares that together cover the image, the last ones flush with its border."""
    if not 1 <= stride <= size <= 28:
        raise ValueError(f"expected 1 <= stride <= size <= 28, got size {size}, stride {stride}.")
    starts = sorted({*range(0, 29 - size, stride), 28 - size})
    return [np.s_[top : top + size, left : left + size] for top in starts for left in starts]


def _input(image: np.ndarray, label: int) -> Tensor:
    """Turn an image of (28, 28) uint8 into a batch of one: (1, 1, 28, 28) float32, 0 to 1."""
    if not 0 <= label <= 9:
        raise ValueError(f"expected a class from 0 to 9, got {label}.")
    return to_input(image[None])
