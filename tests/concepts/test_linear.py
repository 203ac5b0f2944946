import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.concepts import linear
from mnist_core.concepts.linear import (
    apply_layer,
    check_lesson,
    fresh_layer,
    lesson_in_numpy,
    lesson_in_torch,
)
from tests.small_data import global_generators_untouched

W = np.array([[1, 2, 3], [-1, 0, 0.5]], dtype=np.float32)
B = np.array([10, 20], dtype=np.float32)
X = np.array([1, -1, 2], dtype=np.float32)


def test_a_layer_is_w_x_plus_b():
    result = apply_layer(W, B, X)
    np.testing.assert_array_equal(result.in_torch, [15, 20])
    np.testing.assert_array_equal(result.in_numpy, [15, 20])
    assert result.in_torch.dtype == result.in_numpy.dtype == np.float32
    assert result.check.largest_difference == 0
    n, sum_of_absolute_terms = 4, 10 + 1 + 2 + 6  # the bias is a term
    per_result = result.check.explained / 2
    assert per_result == pytest.approx((n + 1) * 2.0**-24 * sum_of_absolute_terms, rel=1e-5)


def test_a_layer_without_bias_is_w_x():
    result = apply_layer(W, None, X)
    np.testing.assert_array_equal(result.in_torch, [5, 0])
    np.testing.assert_array_equal(result.in_numpy, [5, 0])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("n_out", "n_in"), [(1, 1), (1, 8), (5, 3), (10, 784)])
def test_torch_and_numpy_agree_on_any_layer(n_out, n_in, bias):
    rng = np.random.default_rng(n_in)
    W, x = (rng.normal(size=shape).astype(np.float32) for shape in ((n_out, n_in), (n_in,)))
    b = rng.normal(size=n_out).astype(np.float32) if bias else None
    result = apply_layer(W, b, x)
    exact = W.astype(np.float64) @ x + (0 if b is None else b)
    np.testing.assert_allclose(result.in_torch, exact, atol=1e-4)
    np.testing.assert_allclose(result.in_numpy, exact, atol=1e-4)
    assert result.check.matches


def test_the_check_notices_a_forgotten_bias(monkeypatch):
    monkeypatch.setattr(linear, "layer_in_numpy", lambda W, _, x: W.dot(x))
    result = apply_layer(W, B, X)
    assert not result.check.matches
    assert result.check.largest_difference == 20


def test_the_arguments_are_not_changed():
    given = [a.copy() for a in (W, B, X)]
    apply_layer(*given)
    for a, b in zip(given, (W, B, X), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("w", "b", "x", "named"),
    [
        (W, B, X[:2], r"x \(2,\)"),
        (W, B[:1], X, r"b \(1,\)"),
        (W, None, X[None], r"x \(1, 3\) and b None"),
        (W[0], None, X, r"W of shape \(3,\)"),
    ],
    ids=["x too short", "b too short", "x a matrix", "W a vector"],
)
def test_shapes_that_do_not_fit_are_refused(w, b, x, named):
    with pytest.raises(ValueError, match=named):
        apply_layer(w, b, x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_number_that_is_not_finite_is_refused(where, bad):
    arrays = [W.copy(), B.copy(), X.copy()]
    arrays[where].flat[0] = bad
    with pytest.raises(ValueError, match="needs a finite number"):
        apply_layer(*arrays)


@pytest.mark.parametrize("bias", [True, False])
def test_a_fresh_layer_equals_torch_s_for_the_same_seed(bias):
    with torch.random.fork_rng():
        torch.manual_seed(6)
        expected = nn.Linear(7, 4, bias=bias)
    with global_generators_untouched():
        layer = fresh_layer(7, 4, bias, seed=6)
    assert torch.equal(layer.weight, expected.weight)
    assert (layer.bias is None) is not bias
    assert not bias or torch.equal(layer.bias, expected.bias)


@pytest.mark.parametrize("seed", range(5))
def test_the_lesson_s_layer_of_ones_is_the_sum_of_its_weights(seed):
    layer, in_torch = lesson_in_torch(seed)
    in_numpy = lesson_in_numpy(layer)
    assert str(layer) == "Linear(in_features=4, out_features=1, bias=False)"
    assert in_torch.shape == in_numpy.shape == (1,)
    assert in_torch.item() == pytest.approx(layer.weight.sum().item(), abs=1e-6)
    assert check_lesson(layer, in_torch, in_numpy).matches
    assert not check_lesson(layer, in_torch, in_numpy + 1e-5).matches
