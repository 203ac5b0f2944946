import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.concepts.activations import ACTIVATIONS, Activation, collapse, curve

Z = np.linspace(-6, 6, 241)  # includes 0, the kink of ReLU, LeakyReLU and ELU
ROWS = pytest.mark.parametrize("row", ACTIVATIONS.values(), ids=lambda row: row.name)


def in_torch(row):
    """Return value and slope by PyTorch and autograd, in float64."""
    z = torch.from_numpy(Z.copy()).requires_grad_()
    value = row.in_torch(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach().numpy(), slope.numpy()


@ROWS
def test_value_and_slope_are_torch_s_and_autograd_s(row):
    value, slope = in_torch(row)
    np.testing.assert_allclose(row.in_numpy(Z), value, rtol=0, atol=1e-12)
    np.testing.assert_allclose(row.slope(Z), slope, rtol=0, atol=1e-12)


@ROWS
def test_the_slope_is_a_finite_difference(row):
    away = Z[np.abs(Z) > 1e-3]  # from the kink
    h = 1e-6
    expected = (row.in_numpy(away + h) - row.in_numpy(away - h)) / (2 * h)
    np.testing.assert_allclose(row.slope(away), expected, rtol=0, atol=1e-8)


@ROWS
def test_a_curve_has_the_values_and_slopes_of_its_activation(row):
    z = Z.copy()
    result = curve(row, z)
    np.testing.assert_array_equal(z, Z)
    np.testing.assert_array_equal(result.z, Z)
    np.testing.assert_array_equal(result.value, row.in_numpy(Z))
    np.testing.assert_array_equal(result.slope, row.slope(Z))
    assert result.value_check.matches
    assert result.slope_check.matches
    assert result.value_check.largest_difference < 1e-12
    assert result.slope_check.largest_difference < 1e-12


def test_the_checks_of_a_curve_notice_a_wrong_value_and_a_wrong_slope():
    wrong = Activation("wrong", "", np.sin, np.sin, nn.Tanh())
    assert not curve(wrong, Z).value_check.matches
    half_right = Activation("half right", "", np.tanh, np.tanh, nn.Tanh())
    assert curve(half_right, Z).value_check.matches
    assert not curve(half_right, Z).slope_check.matches


@pytest.mark.parametrize(
    ("name", "z", "value"),
    [
        ("ReLU", [-2, 0, 3], [0, 0, 3]),
        ("LeakyReLU", [-2, 0, 3], [-0.02, 0, 3]),
        ("sigmoid", [0, np.log(3)], [0.5, 0.75]),
        ("tanh", [0, np.log(2)], [0, 0.6]),
        ("ELU", [np.log(0.25), 0, 3], [-0.75, 0, 3]),
        ("SiLU", [0, np.log(3)], [0, 0.75 * np.log(3)]),
        ("softmax", [0, np.log(2), np.log(6)], [1 / 3, 0.5, 0.75]),
        ("GELU", [0, 40, -40], [0, 40, 0]),
    ],
)
def test_exact_values(name, z, value):
    result = ACTIVATIONS[name].in_numpy(np.array(z, dtype=np.float64))
    np.testing.assert_allclose(result, value, rtol=0, atol=1e-15)


def test_each_activation_is_found_by_its_name():
    assert {name: row.name for name, row in ACTIVATIONS.items()} == {n: n for n in ACTIVATIONS}
    assert all(row.formula for row in ACTIVATIONS.values())


@pytest.mark.parametrize("seed", range(5))
def test_without_an_activation_two_layers_are_one(seed):
    result = collapse(None, seed)
    assert result.largest_gap < 1e-12
    assert np.ptp(result.two_layers) > 0.1  # although they are not flat
    assert (result.x[0], result.x[-1]) == (-3, 3)


@pytest.mark.parametrize("seed", range(5))
@ROWS
def test_with_an_activation_no_single_layer_is_exact(row, seed):
    result = collapse(row, seed)
    assert result.largest_gap > 1e-3
    assert result.largest_gap == np.abs(result.two_layers - result.one_layer).max()


def test_the_single_layer_is_the_best_line():
    result = collapse(ACTIVATIONS["tanh"], seed=0)
    rest = result.two_layers - result.one_layer
    np.testing.assert_allclose(np.diff(result.one_layer, n=2), 0, atol=1e-12)  # a line
    assert abs(rest.sum()) < 1e-9  # the normal equations of least squares
    assert abs(rest @ result.x) < 1e-9


def test_collapse_is_the_same_for_the_same_seed():
    one, same, other = (collapse(ACTIVATIONS["tanh"], seed).two_layers for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
