"""One linear layer, computed by PyTorch and by NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mnist_core.common.comparison import Check, judge
from mnist_core.concepts.rounding import sum_bound
from mnist_core.nn.architectures import initialise

__all__ = [
    "LayerResult",
    "apply_layer",
    "check_lesson",
    "fresh_layer",
    "layer_in_numpy",
    "layer_in_torch",
    "lesson_in_numpy",
    "lesson_in_torch",
]


def fresh_layer(n_in: int, n_out: int, bias: bool, seed: int) -> nn.Linear:
    """Make an ``nn.Linear`` with weights drawn from a seed, not from torch's global generator."""
    layer = nn.utils.skip_init(nn.Linear, n_in, n_out, bias=bias)
    initialise(layer, torch.Generator().manual_seed(seed))
    return layer


def lesson_in_torch(seed: int) -> tuple[nn.Linear, torch.Tensor]:
    layer = fresh_layer(4, 1, bias=False, seed=seed)  # nn.Linear(4, 1, bias=False)
    return layer, layer(torch.ones(4))


def lesson_in_numpy(layer: nn.Linear) -> np.ndarray:
    W = layer.weight.detach().numpy()  # (1, 4)
    x = np.ones(4, dtype=np.float32)
    return W.dot(x)


def check_lesson(layer: nn.Linear, in_torch: torch.Tensor, in_numpy: np.ndarray) -> Check:
    W, x = layer.weight.detach().numpy(), np.ones(4, dtype=np.float32)
    return _check(W, None, x, in_torch.detach().numpy(), in_numpy)


def layer_in_torch(W: np.ndarray, b: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    bias = None if b is None else torch.tensor(b)
    y = nn.functional.linear(torch.tensor(x), torch.tensor(W), bias)  # what nn.Linear calls
    return y.numpy()  # (n_out,)


def layer_in_numpy(W: np.ndarray, b: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    y = W.dot(x)  # (n_out, n_in) times (n_in,) -> (n_out,)
    return y if b is None else y + b


@dataclass(frozen=True, slots=True)
class LayerResult:
    """The output of a layer, (n_out,) float32, computed by PyTorch and by NumPy."""

    in_torch: np.ndarray
    in_numpy: np.ndarray
    check: Check


def apply_layer(W: np.ndarray, b: np.ndarray | None, x: np.ndarray) -> LayerResult:
    """Compute y = Wx + b with PyTorch and with NumPy.

    Parameters
    ----------
    W : (n_out, n_in) float32
    b : (n_out,) float32 or None
    x : (n_in,) float32

    Raises
    ------
    ValueError
        If the shapes do not fit or a number is not finite.
    """
    if W.ndim != 2 or x.shape != W.shape[1:] or (b is not None and b.shape != W.shape[:1]):
        raise ValueError(
            f"W of shape {W.shape} needs x of shape ({W.shape[-1]},) and b of shape "
            f"({W.shape[0]},), got x {x.shape} and b {None if b is None else b.shape}."
        )
    if not all(np.isfinite(a).all() for a in (W, x, *([] if b is None else [b]))):
        raise ValueError("Every cell of W, b and x needs a finite number: fill the empty ones.")
    in_torch, in_numpy = layer_in_torch(W, b, x), layer_in_numpy(W, b, x)
    return LayerResult(in_torch, in_numpy, _check(W, b, x, in_torch, in_numpy))


def _check(
    W: np.ndarray, b: np.ndarray | None, x: np.ndarray, in_torch: np.ndarray, in_numpy: np.ndarray
) -> Check:
    """Compare two float32 results of Wx + b with the float64 one: see `rounding.sum_bound`."""
    bias = None if b is None else b.astype(np.float64)
    exact = layer_in_numpy(W.astype(np.float64), bias, x.astype(np.float64))
    absolute = layer_in_numpy(np.abs(W), None if b is None else np.abs(b), np.abs(x))
    return judge(in_torch, in_numpy, exact, sum_bound(absolute, len(x) + (b is not None)))
