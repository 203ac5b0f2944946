import numpy as np
import pytest
import torch

from mnist_core.concepts import losses
from mnist_core.concepts.losses import loss_of, naive_softmax, stable_softmax
from tests.small_data import finite_differences

KINDS = pytest.mark.parametrize("kind", ["cross-entropy", "squared error"])
Z = np.array([0.5, -1.0, 2.0, 0.0, 3.0, -2.5, 1.5, 0.25, -0.75, 1.0])
Y = np.eye(10)


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("label", range(10))
def test_uniform_logits_cost_log_10(label, dtype):
    result = loss_of("cross-entropy", np.full(10, 0.7, dtype=dtype), label)
    for value in (result.in_torch, result.in_two_parts, result.in_numpy):
        assert value == pytest.approx(np.log(10), abs=1e-6)
    np.testing.assert_allclose(result.p, 0.1, atol=1e-7)
    np.testing.assert_allclose(result.log_p, -np.log(10), atol=1e-6)
    assert result.check.matches


def test_uniform_logits_cost_nine_hundredths_of_squared_error():
    result = loss_of("squared error", np.zeros(10), 3)
    assert result.in_numpy == pytest.approx(0.09, abs=1e-15)  # (0.9^2 + 9 x 0.1^2) / 10
    assert result.in_torch == result.in_two_parts == pytest.approx(0.09, abs=1e-15)


def test_a_tiny_case_is_exact():
    z = np.log([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    p = np.arange(1, 11) / 55
    result = loss_of("cross-entropy", z, 9)
    np.testing.assert_allclose(result.p, p, atol=1e-15)
    np.testing.assert_allclose(result.log_p, np.log(p), atol=1e-14)
    assert result.in_numpy == pytest.approx(np.log(5.5), abs=1e-14)
    squared = loss_of("squared error", z, 9)
    assert squared.in_numpy == pytest.approx(((p - Y[9]) ** 2).mean(), abs=1e-15)


@pytest.mark.parametrize("label", [0, 4, 9])
def test_the_gradient_of_cross_entropy_is_p_minus_y(label):
    result = loss_of("cross-entropy", Z, label)
    np.testing.assert_allclose(result.by_hand, softmax(Z) - Y[label], atol=1e-14)
    np.testing.assert_allclose(result.by_autograd, softmax(Z) - Y[label], atol=1e-14)
    assert result.by_hand.sum() == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("label", [0, 4, 9])
@KINDS
def test_the_gradient_by_hand_is_autograd_s(kind, label):
    logits = torch.from_numpy(Z.copy()).requires_grad_()
    p, y = torch.softmax(logits, dim=0), torch.from_numpy(Y[label])
    loss = -p[label].log() if kind == "cross-entropy" else ((p - y) ** 2).mean()
    loss.backward()

    result = loss_of(kind, Z, label)

    assert result.in_numpy == pytest.approx(loss.item(), abs=1e-14)
    np.testing.assert_allclose(result.by_hand, logits.grad, rtol=0, atol=1e-14)
    np.testing.assert_allclose(result.by_autograd, logits.grad, rtol=0, atol=1e-14)


@pytest.mark.parametrize("label", [0, 4, 9])
@KINDS
def test_the_gradient_by_hand_is_a_finite_difference(kind, label):
    by_hand = loss_of(kind, Z, label).by_hand
    expected = finite_differences(lambda z: loss_of(kind, z, label).in_numpy, Z)
    np.testing.assert_allclose(by_hand, expected, rtol=0, atol=1e-9)


@KINDS
def test_all_ways_agree_in_float32(kind):
    result = loss_of(kind, Z.astype(np.float32), 2)
    assert result.check.matches
    assert result.by_hand.dtype == result.by_autograd.dtype == result.p.dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "function"),
    [("cross-entropy", "cross_entropy_in_numpy"), ("squared error", "squared_error_in_numpy")],
)
@pytest.mark.parametrize("part", [0, 1])
def test_the_check_notices_a_wrong_value_and_a_wrong_gradient(kind, function, part, monkeypatch):
    right = getattr(losses, function)

    def wrong(z, label):
        result = list(right(z, label))
        result[part] = result[part] + 0.01
        return tuple(result)

    monkeypatch.setattr(losses, function, wrong)
    result = loss_of(kind, Z, 2)
    assert not result.check.matches
    assert result.check.largest_difference == pytest.approx(0.01, abs=1e-9)


@KINDS
def test_the_logits_are_not_changed(kind):
    z = Z.copy()
    loss_of(kind, z, 0)
    np.testing.assert_array_equal(z, Z)


def test_naive_softmax_overflows_at_1000_and_the_stable_one_does_not():
    z = np.array([1000.0, 999.0, -1000.0])
    assert np.isnan(naive_softmax(z)[:2]).all()
    with np.errstate(all="raise", under="ignore"):
        p = stable_softmax(z)
    np.testing.assert_allclose(p, [np.e / (np.e + 1), 1 / (np.e + 1), 0], atol=1e-15)


def test_both_softmaxes_agree_without_overflow():
    np.testing.assert_allclose(naive_softmax(Z), stable_softmax(Z), rtol=1e-14)
    np.testing.assert_allclose(stable_softmax(Z), softmax(Z), rtol=1e-14)


@KINDS
def test_huge_logits_still_give_numbers(kind):
    z = np.zeros(10, dtype=np.float32)
    z[1], z[2] = 1000, -1000
    result = loss_of(kind, z, 2)
    expected = 2000 if kind == "cross-entropy" else 0.2
    assert result.in_numpy == pytest.approx(expected, rel=1e-6)
    assert result.in_torch == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(result.by_hand).all()
    assert result.check.matches


@pytest.mark.parametrize(
    "bad", [np.zeros(9), np.zeros((1, 10)), np.full(10, np.nan), np.full(10, np.inf)]
)
@KINDS
def test_anything_but_ten_finite_logits_is_refused(kind, bad):
    with pytest.raises(ValueError, match="expected ten finite logits"):
        loss_of(kind, bad, 0)


def test_an_unknown_loss_is_refused_by_name():
    with pytest.raises(ValueError, match="got 'hinge'"):
        loss_of("hinge", Z, 0)
