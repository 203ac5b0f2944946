"""The activation functions of the lesson: each in NumPy with its derivative, and in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import erf
from torch import Tensor, nn

from mnist_core.common.comparison import Check, compare

__all__ = ["ACTIVATIONS", "Activation", "ActivationCurve", "Collapse", "collapse", "curve"]

SLOPE = 0.01  # LeakyReLU's slope below 0, PyTorch's default
UNIT_ROUNDOFF = 2.0**-53  # of float64
# Each function and slope calls exp, tanh or erf at most twice, each off by up to 4 ulp (8 unit
# roundoffs) and by the rounding of its argument, and has at most 12 other operations. All their
# results, weighted with how much the outcome depends on them, are at most max(1, |z|).
ROUNDINGS = 32


def relu(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0)


def relu_slope(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, 1.0, 0.0)


def leaky_relu(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, z, SLOPE * z)


def leaky_relu_slope(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, 1.0, SLOPE)


def gelu(z: np.ndarray) -> np.ndarray:
    return z * normal_cdf(z)


def gelu_slope(z: np.ndarray) -> np.ndarray:
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return normal_cdf(z) + z * density


def normal_cdf(z: np.ndarray) -> np.ndarray:
    return (1 + erf(z / np.sqrt(2))) / 2


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z: np.ndarray) -> np.ndarray:
    return sigmoid(z) * (1 - sigmoid(z))


def tanh(z: np.ndarray) -> np.ndarray:
    return np.tanh(z)


def tanh_slope(z: np.ndarray) -> np.ndarray:
    return 1 - np.tanh(z) ** 2


def elu(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)


def elu_slope(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))


def silu(z: np.ndarray) -> np.ndarray:
    return z * sigmoid(z)


def silu_slope(z: np.ndarray) -> np.ndarray:
    return sigmoid(z) * (1 + z * (1 - sigmoid(z)))


def softmax_first(z: np.ndarray) -> np.ndarray:
    rows = np.stack([z, np.zeros_like(z), np.zeros_like(z)], axis=1)  # three logits: z, 0, 0
    p = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)
    return p[:, 0]


def softmax_first_slope(z: np.ndarray) -> np.ndarray:
    return softmax_first(z) * (1 - softmax_first(z))


def softmax_first_in_torch(z: Tensor) -> Tensor:
    rows = torch.stack([z, torch.zeros_like(z), torch.zeros_like(z)], dim=1)
    return nn.Softmax(dim=1)(rows)[:, 0]


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation function.

    Attributes
    ----------
    formula : str
        LaTeX.
    in_numpy, slope : callable
        (N,) float64 -> (N,) float64: the function and its derivative.
    in_torch : callable
        The same function on tensors.
    """

    name: str
    formula: str
    in_numpy: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    in_torch: Callable[[Tensor], Tensor]


ACTIVATIONS = {
    row.name: row
    for row in (
        Activation("ReLU", r"\max(0, z)", relu, relu_slope, nn.ReLU()),
        Activation(
            "LeakyReLU",
            r"z \text{ if } z > 0, \text{ else } 0.01\,z",
            leaky_relu,
            leaky_relu_slope,
            nn.LeakyReLU(SLOPE),
        ),
        Activation("GELU", r"z\,\Phi(z)", gelu, gelu_slope, nn.GELU()),
        Activation("sigmoid", r"\frac{1}{1 + e^{-z}}", sigmoid, sigmoid_slope, nn.Sigmoid()),
        Activation("tanh", r"\frac{e^z - e^{-z}}{e^z + e^{-z}}", tanh, tanh_slope, nn.Tanh()),
        Activation("ELU", r"z \text{ if } z > 0, \text{ else } e^z - 1", elu, elu_slope, nn.ELU()),
        Activation("SiLU", r"\frac{z}{1 + e^{-z}}", silu, silu_slope, nn.SiLU()),
        Activation(
            "softmax",
            r"\frac{e^{z_i}}{\sum_j e^{z_j}}",
            softmax_first,
            softmax_first_slope,
            softmax_first_in_torch,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class ActivationCurve:
    """An activation and its derivative over a range of z: (N,) float64 arrays."""

    z: np.ndarray
    value: np.ndarray
    slope: np.ndarray
    value_check: Check
    slope_check: Check


def curve(activation: Activation, z: np.ndarray) -> ActivationCurve:
    """Compute an activation and its derivative, and compare them with PyTorch and autograd.

    Parameters
    ----------
    z : (N,) float64
    """
    value, slope = activation.in_numpy(z), activation.slope(z)
    tensor = torch.from_numpy(z).requires_grad_()
    in_torch = activation.in_torch(tensor)
    (gradient,) = torch.autograd.grad(in_torch.sum(), tensor)
    explained = 2 * ROUNDINGS * UNIT_ROUNDOFF * np.maximum(1, np.abs(z))
    value_check = compare(value, in_torch.detach(), explained)
    return ActivationCurve(z, value, slope, value_check, compare(slope, gradient, explained))


@dataclass(frozen=True, slots=True)
class Collapse:
    """The output of two layers and of the best single layer, for inputs x from -3 to 3.

    Attributes
    ----------
    x, two_layers, one_layer : (N,) float64
    largest_gap : float
        max |two_layers - one_layer|.
    """

    x: np.ndarray
    two_layers: np.ndarray
    one_layer: np.ndarray
    largest_gap: float


def collapse(activation: Activation | None, seed: int, hidden: int = 8) -> Collapse:
    """Replace a network 1 -> hidden -> 1 by the best single linear layer.

    Without an activation the single layer is exact: W = W2 W1, b = W2 b1 + b2. With one it is the
    line with the least squared error.
    """
    rng = np.random.default_rng(seed)
    W1, b1 = rng.normal(size=(hidden, 1)), rng.normal(size=(hidden, 1))
    W2, b2 = rng.normal(size=(1, hidden)), rng.normal(size=(1, 1))
    x = np.linspace(-3, 3, 121)[None, :]  # (1, N)
    h = W1 @ x + b1  # (hidden, N)
    if activation is None:
        W, b = W2 @ W1, W2 @ b1 + b2
    else:
        h = activation.in_numpy(h.ravel()).reshape(h.shape)
        slope, intercept = np.polyfit(x[0], (W2 @ h + b2)[0], deg=1)
        W, b = np.array([[slope]]), np.array([[intercept]])
    two, one = (W2 @ h + b2)[0], (W @ x + b)[0]
    return Collapse(x[0], two, one, float(np.abs(two - one).max()))
