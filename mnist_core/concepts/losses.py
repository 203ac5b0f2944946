"""Losses of ten logits and their gradients, in NumPy and in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mnist_core.common.comparison import Check, compare
from mnist_core.concepts.rounding import cross_entropy_bounds, squared_error_bounds
from mnist_core.nn.numpy_network import cross_entropy, log_softmax

__all__ = [
    "LossResult",
    "cross_entropy_in_numpy",
    "cross_entropy_in_torch",
    "loss_of",
    "naive_softmax",
    "squared_error_in_numpy",
    "squared_error_in_torch",
    "stable_softmax",
]


def naive_softmax(z: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(z) / np.exp(z).sum()


def stable_softmax(z: np.ndarray) -> np.ndarray:
    shifted = z - z.max()  # the largest becomes 0, so exp never overflows
    return np.exp(shifted) / np.exp(shifted).sum()


def cross_entropy_in_numpy(z: np.ndarray, label: int) -> tuple[float, np.ndarray]:
    rows, labels = z[None, :], np.array([label])  # a batch of one
    loss, gradient = cross_entropy(rows, labels)
    return loss, gradient[0]


def cross_entropy_in_torch(z: np.ndarray, label: int) -> tuple[float, float, np.ndarray]:
    logits = torch.from_numpy(z)[None, :].requires_grad_()
    target = torch.tensor([label])
    loss = nn.CrossEntropyLoss()(logits, target)
    in_two_parts = nn.NLLLoss()(nn.LogSoftmax(dim=1)(logits), target)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.item(), in_two_parts.item(), gradient[0].numpy()


def squared_error_in_numpy(z: np.ndarray, label: int) -> tuple[float, np.ndarray]:
    p, y = stable_softmax(z), np.eye(len(z), dtype=z.dtype)[label]
    gradient_p = 2 * (p - y) / len(z)
    gradient_z = p * (gradient_p - (gradient_p * p).sum())  # through softmax
    return float(((p - y) ** 2).mean()), gradient_z


def squared_error_in_torch(z: np.ndarray, label: int) -> tuple[float, np.ndarray]:
    logits = torch.from_numpy(z).requires_grad_()
    y = torch.eye(len(z), dtype=logits.dtype)[label]
    loss = nn.MSELoss()(torch.softmax(logits, dim=0), y)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.item(), gradient.numpy()


@dataclass(frozen=True, slots=True)
class LossResult:
    """A loss computed in several ways; arrays are (10,) float32.

    Attributes
    ----------
    p, log_p : (10,)
        softmax(z) and its logarithm.
    in_torch, in_two_parts, in_numpy : float
        By CrossEntropyLoss; by LogSoftmax and NLLLoss; by NumPy. For the squared error the first
        two are the same.
    by_hand, by_autograd : (10,)
        d loss / d z.
    check : Check
        Of the results of the different ways. Each is within its bound of `concepts.rounding`, so
        two differ by at most twice the bound.
    """

    p: np.ndarray
    log_p: np.ndarray
    in_torch: float
    in_two_parts: float
    in_numpy: float
    by_hand: np.ndarray
    by_autograd: np.ndarray
    check: Check


def loss_of(kind: str, z: np.ndarray, label: int) -> LossResult:
    """Compute a loss and its gradient for ten logits and the right class, in every way.

    Parameters
    ----------
    kind : {"cross-entropy", "squared error"}
        The squared error is the mean of (softmax(z) - one-hot)^2.
    z : (10,) float32
    label : int, 0 to 9

    Raises
    ------
    ValueError
        If the kind or label is unknown or the logits are not ten finite numbers.
    """
    if z.shape != (10,) or not np.isfinite(z).all():
        raise ValueError(f"expected ten finite logits, got {z}.")
    if not 0 <= label < len(z):
        raise ValueError(f"expected a label from 0 to 9, got {label}.")
    if kind == "cross-entropy":
        in_torch, in_two_parts, by_autograd = cross_entropy_in_torch(z, label)
        in_numpy, by_hand = cross_entropy_in_numpy(z, label)
        bounds = cross_entropy_bounds(z[None, :], np.array([label]), z.dtype)
    elif kind == "squared error":
        in_torch, by_autograd = squared_error_in_torch(z, label)
        in_numpy, by_hand = squared_error_in_numpy(z, label)
        in_two_parts = in_torch
        bounds = squared_error_bounds(z, label, z.dtype)
    else:
        raise ValueError(f"expected 'cross-entropy' or 'squared error', got {kind!r}.")
    check = compare(
        np.concatenate([[in_torch, in_torch], by_autograd]),
        np.concatenate([[in_numpy, in_two_parts], by_hand]),
        2 * np.concatenate([[bounds.loss, bounds.loss], bounds.gradient.ravel()]),
    )
    log_p = log_softmax(z[None, :])[0]
    return LossResult(
        stable_softmax(z), log_p, in_torch, in_two_parts, in_numpy, by_hand, by_autograd, check
    )
