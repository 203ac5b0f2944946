"""How far rounding can move a result from the exact one: bounds that are derived, not tuned.

Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002). The model of
arithmetic (section 2.2): an operation returns its exact result times 1 + d with abs(d) <= u, the
unit roundoff; u = 2**-24 for float32. A chain of n such factors is 1 + t with
abs(t) <= gamma_n = n u / (1 - n u) (lemma 3.1). The bounds hold for any order of summation, any
number of threads, and with or without fused multiply-add. They do not hold for convolutions by
Winograd or FFT, which add and subtract other terms: see `mnist_core.common.cpu`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["RoundingOfLoss", "cross_entropy_bounds", "gamma", "squared_error_bounds", "sum_bound"]

# A library's exp or log is off by up to this many ulp, each at most 2 u. The least exact that
# PyTorch and NumPy contain: PyTorch's Vectorized<float>::exp_u20, "ULP=20"; NumPy's log for AVX-512
# has 4, and Sleef, PyTorch's library, has 1.
EXP_ULP, LOG_ULP = 20, 4


def gamma(n: int, dtype: DTypeLike = np.float32) -> float:
    """Return gamma_n: the most by which n roundings change a number, relative to it."""
    nu = n * float(np.finfo(dtype).eps) / 2
    if nu >= 1:
        raise ValueError(f"expected fewer than {round(n / nu)} roundings in {dtype}, got {n}.")
    return nu / (1 - nu)


def sum_bound(absolute: np.ndarray, n: int) -> np.ndarray:
    """Return how far a float32 sum of n products can be from the exact sum.

    Each product is rounded once and takes part in at most n - 1 additions, so the error is at most
    gamma_n times the sum of the absolute products (Higham, section 3.1). That sum is itself rounded
    in float32, so it can be too small by 1 - gamma_n: gamma_n / (1 - gamma_n) = n u / (1 - 2 n u).
    One rounding more in n covers the last two products here and the exact value's float64. A
    product that underflows is off by up to the smallest normal number.

    Parameters
    ----------
    absolute : ndarray of float32
        The sums of the absolute values of the products.
    n : int
        The number of products. 0: the numbers are only copied, and the bound is 0.
    """
    if n == 0:
        return np.zeros_like(absolute)
    bound = absolute * np.float32(gamma(n + 1) / (1 - gamma(n + 1)))
    bound += np.float32(n * np.finfo(np.float32).tiny)
    return bound


@dataclass(frozen=True, slots=True)
class RoundingOfLoss:
    """How far each result can be from the exact one.

    Attributes
    ----------
    p, gradient : ndarray
        For the probabilities and dL / d logits, in their shape.
    loss : float
    """

    p: np.ndarray
    loss: float
    gradient: np.ndarray


def cross_entropy_bounds(
    logits: np.ndarray, labels: np.ndarray, dtype: DTypeLike = np.float32
) -> RoundingOfLoss:
    """Bound the rounding of softmax, of the mean cross-entropy and of its gradient.

    With s = z - max(z), T = sum(exp(s)) >= 1 and log p = s - log(T), relative to the exact value:

    1. s has 1 rounding, so it is off by u abs(s), and exp(s) by exp(u abs(s)) (1 + E) - 1, where E
       is the error of the library's exp.
    2. T is off by the mean of this, weighted with p, and by the roundings of 9 additions: r.
    3. log(T) is off by -log(1 - r), absolutely, and by the error of the library's log.
    4. log p is off by the sum of 1 and 3, and by 1 rounding of the subtraction.
    5. p, as exp(s) / T, exp(s) (1 / T) or exp(log p), is off by exp(error of log p + E + 2 u) - 1.
    6. The loss has B - 1 additions and 1 division. The gradient (p - y) / B has 2 roundings in
       NumPy, and 3 in PyTorch: 1 / B, the product with it, the subtraction.

    Parameters
    ----------
    logits : (B, 10) float32 or float64
    labels : (B,) int64
    dtype : dtype
        That of the arithmetic.
    """
    u, tiny = float(np.finfo(dtype).eps) / 2, float(np.finfo(dtype).tiny)
    exp_error, log_error = 2 * u * EXP_ULP, 2 * u * LOG_ULP
    s = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_t = np.log(np.exp(s).sum(axis=1, keepdims=True))
    p, log_p = np.exp(s - log_t), s - log_t

    of_exp = np.expm1(u * np.abs(s)) * (1 + exp_error) + exp_error
    r = (p * of_exp).sum(axis=1, keepdims=True) + 10 * tiny
    r += gamma(9, dtype) * (1 + r)
    of_log_t = -np.log1p(-r)
    of_log_t += log_error * (log_t + of_log_t)
    of_log_p = u * np.abs(s) + of_log_t
    of_log_p += u * (np.abs(log_p) + of_log_p)
    of_p = p * np.expm1(of_log_p + exp_error + 2 * u) + tiny

    batch, rows = len(labels), np.arange(len(labels))
    terms, errors = np.abs(log_p[rows, labels]), of_log_p[rows, labels]
    loss = errors.mean() + gamma(batch, dtype) * (terms + errors).mean()
    y = np.eye(logits.shape[1])[labels]
    gradient = (of_p + gamma(3, dtype) * (p + of_p + y)) / batch + tiny
    return RoundingOfLoss(of_p, float(loss), gradient)


def squared_error_bounds(
    logits: np.ndarray, label: int, dtype: DTypeLike = np.float32
) -> RoundingOfLoss:
    """Bound the rounding of the mean of (softmax(z) - y)^2 and of its gradient.

    By the same count as `cross_entropy_bounds`, from the error of p on: d = p - y,
    L = mean(d d), g = 2 d / 10, dL/dz = p (g - t) with t = sum(g p). For a product or sum of two
    numbers that are off, the error is the largest that their errors allow, and 1 rounding.

    Parameters
    ----------
    logits : (10,) float32 or float64
    """
    u = float(np.finfo(dtype).eps) / 2
    of_p = cross_entropy_bounds(logits[None], np.array([label]), dtype).p[0]
    p = np.exp(logits - logits.max().astype(np.float64))
    p /= p.sum()
    n, d = len(p), p - np.eye(len(p))[label]
    of_d = of_p + u * (np.abs(d) + of_p)
    squares = (np.abs(d) + of_d) ** 2  # at most
    loss = ((squares - d**2) + gamma(n + 1, dtype) * squares).mean()

    g = 2 * d / n
    of_g = 2 * of_d / n + gamma(3, dtype) * 2 * (np.abs(d) + of_d) / n
    largest_g, largest_p = np.abs(g) + of_g, p + of_p
    t = (g * p).sum()
    of_t = (largest_g * largest_p - np.abs(g) * p).sum()
    of_t += gamma(n, dtype) * (largest_g * largest_p).sum()
    of_h = of_g + of_t + u * (largest_g + abs(t) + of_t)  # of g - t
    largest_h = np.abs(g - t) + of_h
    gradient = largest_h * largest_p - np.abs(g - t) * p + u * largest_h * largest_p
    return RoundingOfLoss(of_p, float(loss), gradient + n * float(np.finfo(dtype).tiny))
