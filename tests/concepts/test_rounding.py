"""The bounds hold for every order of a sum, and one that is nearly as bad as they allow exists."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.concepts.rounding import (
    cross_entropy_bounds,
    gamma,
    squared_error_bounds,
    sum_bound,
)
from mnist_core.nn.numpy_network import cross_entropy

U = 2.0**-24


def test_gamma_is_a_little_more_than_n_unit_roundoffs():
    assert gamma(1) == U / (1 - U)
    assert gamma(1000) == 1000 * U / (1 - 1000 * U)
    assert gamma(3, np.float64) == pytest.approx(3 * 2.0**-53)
    with pytest.raises(ValueError, match="expected fewer than 16777216 roundings"):
        gamma(2**24)


def in_order(products):
    total = np.float32(0)
    for product in products:
        total = total + product
    return total


@pytest.mark.parametrize("n", [1, 2, 10, 785, 6272])
@pytest.mark.parametrize("order", ["as drawn", "sorted", "largest first", "pairwise"])
def test_a_sum_in_any_order_is_within_its_bound(n, order):
    rng = np.random.default_rng(n)
    for scale in (1e-20, 1.0, 1e15):
        a, b = (rng.normal(size=n).astype(np.float32) * np.float32(scale) for _ in range(2))
        products = a * b  # the first rounding
        if order == "sorted":
            products = np.sort(products)
        if order == "largest first":
            products = products[np.argsort(-np.abs(products))]
        total = products.sum() if order == "pairwise" else in_order(products)
        exact = math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))
        bound = sum_bound(np.abs(a) @ np.abs(b), n)
        assert abs(float(total) - exact) <= bound


@pytest.mark.parametrize("n", [10, 1000, 100_000])
def test_a_sum_can_be_nearly_as_wrong_as_its_bound(n):
    numbers = np.full(n, U, dtype=np.float32)
    numbers[0] = 1
    assert in_order(numbers) == 1  # 1 + u is rounded to 1 every time
    lost = (n - 1) * U
    bound = sum_bound(np.float32(1 + lost), n)
    assert 0.8 * bound < lost <= bound


def test_products_that_underflow_are_within_the_bound():
    a = np.full(4, 2.0**-80, dtype=np.float32)
    assert (a * a).sum() == 0
    assert 4 * 2.0**-160 <= sum_bound(np.abs(a) @ np.abs(a), 4) < 1e-36


def test_numbers_that_are_only_copied_have_no_rounding():
    assert sum_bound(np.ones((2, 3), dtype=np.float32), 0).tolist() == [[0, 0, 0]] * 2


def some_logits(seed):
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-3, 3)
    return (scale * rng.normal(size=(5, 10))).astype(np.float32), rng.integers(0, 10, 5)


@pytest.mark.parametrize("seed", range(100))
def test_pytorch_and_numpy_are_within_the_bounds_of_cross_entropy(seed):
    logits, labels = some_logits(seed)
    bounds = cross_entropy_bounds(logits, labels)
    wide = torch.from_numpy(logits).double().requires_grad_()
    exact = nn.CrossEntropyLoss()(wide, torch.from_numpy(labels))
    exact.backward()

    narrow = torch.from_numpy(logits).requires_grad_()
    in_torch = nn.CrossEntropyLoss()(narrow, torch.from_numpy(labels))
    in_torch.backward()
    loss, gradient = cross_entropy(logits, labels)

    for found in (in_torch.item(), loss):
        assert abs(found - exact.item()) <= bounds.loss
    for found in (narrow.grad.numpy(), gradient):
        assert (np.abs(found - wide.grad.numpy()) <= bounds.gradient).all()
    p = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    assert (np.abs(p - torch.softmax(wide, dim=1).detach().numpy()) <= bounds.p).all()


def test_the_bounds_of_a_loss_are_a_few_millionths():
    logits = np.array([[2.0, -1, 0, 5, 1, -3, 0.5, 4, -2, 1]], dtype=np.float32)
    for bounds in (
        cross_entropy_bounds(logits, np.array([3])),
        squared_error_bounds(logits[0], 3),
    ):
        assert 1e-8 < bounds.loss < 2e-5
        assert 1e-8 < bounds.gradient.max() < 2e-5
        assert 1e-8 < bounds.p.max() < 2e-5


def test_the_bounds_of_float64_are_2_to_the_29_smaller():
    logits, labels = some_logits(3)
    narrow = cross_entropy_bounds(logits, labels)
    wide = cross_entropy_bounds(logits, labels, np.float64)
    assert wide.loss * 2**29 == pytest.approx(narrow.loss, rel=1e-4)
