"""Why a network says what it says of one image: evidence by pixel, and every layer's output.

All functions take a model of `mnist_core.nn.architectures`, ready to predict (``model.eval()``),
and change none of its weights, gradients or modes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.data.inputs import to_input

__all__ = [
    "Activation",
    "ExplanationError",
    "LinearEvidence",
    "activations",
    "gradient_times_input",
    "is_linear",
    "linear_evidence",
    "occlusion",
]


class ExplanationError(ValueError):
    """There is nothing to explain; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class LinearEvidence:
    """The logit of one class, taken apart: what every pixel adds to it.

    Attributes
    ----------
    map : (28, 28) float64
        Weight x pixel, in units of the logit. Positive speaks for the class.
    bias : float
        What the class gets whatever the image.
    logit : float
        As the model itself gives it, in float32.
    """

    map: np.ndarray
    bias: float
    logit: float

    @property
    def total_for(self) -> float:
        """The sum of all that speaks for the class, 0 or more."""
        return float(self.map[self.map > 0].sum())

    @property
    def total_against(self) -> float:
        """The sum of all that speaks against it, 0 or less."""
        return float(self.map[self.map < 0].sum())

    @property
    def remainder(self) -> float:
        """What the model's logit has beyond the sum: its float32 arithmetic rounds."""
        return self.logit - (self.total_for + self.total_against + self.bias)

    def rounded(self, decimals: int = 5) -> tuple[float, float, float, float, float]:
        """Return for, against, bias, remainder and logit as they can be printed.

        Each is a whole number of ``10**-decimals`` and the first four add up to the logit exactly:
        what rounding them one by one would lose is part of the remainder.
        """
        unit = 10**decimals
        parts = [round(x * unit) for x in (self.total_for, self.total_against, self.bias)]
        logit = round(self.logit * unit)
        whole = (*parts, logit - sum(parts), logit)
        return tuple(n / unit for n in whole)  # type: ignore[return-value]


def linear_evidence(model: nn.Sequential, image: np.ndarray, label: int) -> LinearEvidence:
    """Take the logit of a linear model apart, exactly: sum(weight x pixel) + bias.

    Parameters
    ----------
    model : nn.Sequential
        Of one ``nn.Linear(784, 10)``, with or without bias; see `is_linear`.
    image : (28, 28) uint8, 0 to 255
    label : int, 0 to 9
        The class whose logit it is.

    Raises
    ------
    ValueError
        If the model has other layers, or the image or label is of another kind.
    ExplanationError
        If the model has diverged, so that its logits are no numbers.
    """
    if not is_linear(model):
        raise ValueError(
            "expected a model of one linear layer on 784 pixels, got "
            f"{', '.join(kind_of(layer) for layer in model)}: use gradient_times_input."
        )
    x = _input(image, label)
    (layer,) = (layer for layer in model if isinstance(layer, nn.Linear))
    with torch.inference_mode():
        logit = _finite(model(x)[0, label])
        weight = layer.weight[label].double().numpy()  # (784,)
        bias = 0.0 if layer.bias is None else float(layer.bias[label])
    evidence = weight * x.double().numpy().ravel()  # (784,), exact in float64
    return LinearEvidence(evidence.reshape(28, 28), bias, float(logit))


def is_linear(model: nn.Sequential) -> bool:
    """Return whether a model is one linear layer on the 784 pixels and nothing else."""
    rest = [layer for layer in model if not isinstance(layer, nn.Flatten)]
    return len(rest) == 1 and isinstance(rest[0], nn.Linear) and rest[0].in_features == 28 * 28


def gradient_times_input(model: nn.Sequential, image: np.ndarray, label: int) -> np.ndarray:
    """Multiply every pixel with how fast the logit grows with it: a straight line through here.

    For a linear model it is weight x pixel. For a network of ReLUs without biases the map still
    sums to the logit; biases, and the bends on the way from paper to ink, it does not see.

    Source: Shrikumar et al., "Not Just a Black Box", 2016 (arXiv 1605.01713).

    Parameters
    ----------
    image : (28, 28) uint8, 0 to 255
    label : int, 0 to 9

    Returns
    -------
    (28, 28) float32, in units of the logit; 0 wherever the image is paper.

    Raises
    ------
    ValueError
        If the image or label is of another kind.
    ExplanationError
        If the model has diverged.
    """
    x = _input(image, label).requires_grad_()
    with torch.enable_grad():
        logit = _finite(model(x)[0, label])
        (gradient,) = torch.autograd.grad(logit, x)  # (1, 1, 28, 28); no weight gets one
    return (gradient * x).detach()[0, 0].numpy()


def occlusion(
    model: nn.Sequential, image: np.ndarray, label: int, size: int = 5, stride: int = 1
) -> np.ndarray:
    """Lay a patch of paper over every place and see how far the logit of a class drops.

    Positive: what is there speaks for the class, for without it the logit is lower. The logit, not
    the probability: that hardly moves while the network is sure. A patch that covers no ink changes
    nothing and is not tried.

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014
    (arXiv 1311.2901), section 4.2, who lay grey patches over photographs.

    Parameters
    ----------
    image : (28, 28) uint8, 0 to 255
    label : int, 0 to 9
    size : int, 1 to 28
        Side of the patch in pixels.
    stride : int, 1 to size
        How many pixels from one patch to the next; the last always reaches the border.

    Returns
    -------
    (28, 28) float32: for each pixel the mean drop over the patches that cover it.

    Raises
    ------
    ValueError
        If the image, label, size or stride is of another kind.
    ExplanationError
        If the model has diverged.
    """
    x, patches = _input(image, label), _patches(size, stride)
    with_ink = [patch for patch in patches if image[patch].any()]

    batch = x.repeat(1 + len(with_ink), 1, 1, 1)  # first the whole image
    for covered, patch in zip(batch[1:, 0], with_ink, strict=True):
        covered[patch] = 0
    with torch.inference_mode():
        logits = _finite(model(batch)[:, label]).numpy()

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


@dataclass(frozen=True, slots=True)
class Activation:
    """What one layer gives for one image.

    Attributes
    ----------
    name : str
        The layer's name in the model.
    kind : str
        What it is, such as "Conv2d 5×5, stride 2".
    maps : (C, H, W) or (N,) float32
        A stack of feature maps, or a vector.
    kernels : (C, C_in, k, k) float32 or None
        What a convolution slides over its input, one for each map; None for any other layer.
    """

    name: str
    kind: str
    maps: np.ndarray
    kernels: np.ndarray | None = None


def activations(model: nn.Sequential, image: np.ndarray) -> tuple[Activation, ...]:
    """Run an image of (28, 28) uint8 through a model and keep what every layer gives.

    Raises
    ------
    ValueError
        If the image is of another kind.
    ExplanationError
        If the model has diverged.
    """
    kept = []
    with torch.inference_mode():
        x = _input(image)
        for name, layer in model.named_children():
            x = layer(x)  # (1, C, H, W) or (1, N)
            kernels = layer.weight.numpy().copy() if isinstance(layer, nn.Conv2d) else None
            kept.append(Activation(name, kind_of(layer), x[0].numpy().copy(), kernels))
        _finite(x)
    return tuple(kept)


def kind_of(layer: nn.Module) -> str:
    """Say what a layer is: its class, and the sizes that matter."""
    name = type(layer).__name__
    if isinstance(layer, nn.Conv2d):
        return f"{name} {_window(layer.kernel_size)}{_stride(layer.stride, 1)}"
    if isinstance(layer, nn.MaxPool2d):
        return f"{name} {_window(layer.kernel_size)}{_stride(layer.stride, layer.kernel_size)}"
    if isinstance(layer, nn.Linear):
        return f"{name} {layer.in_features:,} to {layer.out_features:,}"
    return name


def _window(size: int | tuple[int, ...]) -> str:
    height, width = size if isinstance(size, tuple) else (size, size)
    return f"{height}×{width}"


def _stride(stride: int | tuple[int, ...], usual: int | tuple[int, ...]) -> str:
    """Return ", stride 2", or nothing where it is what one expects."""
    if _window(stride) == _window(usual):
        return ""
    return f", stride {stride[0] if isinstance(stride, tuple) else stride}"


def _input(image: np.ndarray, label: int = 0) -> Tensor:
    """Turn an image of (28, 28) uint8 into a batch of one: (1, 1, 28, 28) float32, 0 to 1."""
    if not 0 <= label <= 9:
        raise ValueError(f"expected a class from 0 to 9, got {label}.")
    return to_input(image[None])


def _finite(logits: Tensor) -> Tensor:
    if not torch.isfinite(logits).all():
        raise ExplanationError(
            "This model's outputs are no longer numbers: it diverged while it was trained. "
            "Choose another model."
        )
    return logits
