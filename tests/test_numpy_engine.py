import copy

import numpy as np
import pytest
import torch
from torch import nn, optim

from mnist_core import models, numpy_engine
from mnist_core.engine import training_step
from mnist_core.numpy_engine import Network, cross_entropy, cross_entropy_gradient, log_softmax
from mnist_core.pixels import to_input
from tests.small_data import cycling_labels, finite_differences, random_images

LAYERS = {
    "Flatten": (nn.Flatten, (2, 3, 2, 2)),
    "ReLU": (nn.ReLU, (3, 7)),
    "Linear": (lambda: nn.Linear(5, 3), (4, 5)),
    "Conv2d": (lambda: nn.Conv2d(2, 3, kernel_size=3), (2, 2, 5, 6)),
    "Conv2d, padded": (lambda: nn.Conv2d(2, 3, kernel_size=3, padding=1), (2, 2, 4, 5)),
    "Conv2d, as the CNN's first": (
        lambda: nn.Conv2d(1, 2, kernel_size=5, stride=2, padding=2),
        (2, 1, 8, 6),
    ),
    "Conv2d, a row left over": (lambda: nn.Conv2d(1, 2, kernel_size=3, stride=2), (2, 1, 6, 8)),
    "Conv2d, stride above the kernel": (
        lambda: nn.Conv2d(1, 2, kernel_size=2, stride=3),
        (2, 1, 8, 8),
    ),
    "MaxPool2d(2)": (lambda: nn.MaxPool2d(2), (2, 2, 4, 6)),
    "MaxPool2d(3)": (lambda: nn.MaxPool2d(3), (1, 2, 6, 3)),
}


class Case:
    """A layer in torch and in NumPy, an input, and random weights that make one number of y."""

    def __init__(self, name):
        make, shape = LAYERS[name]
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.in_torch = nn.Sequential()
            self.in_torch.add_module("layer", make())
            self.in_torch.double()
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=shape)
        self.layer = Network.copy_of(self.in_torch, np.float64).layers["layer"]
        self.dy = rng.normal(size=self.layer.forward(self.x).shape)

    def number(self, x):
        return float((self.layer.forward(x) * self.dy).sum())


@pytest.fixture(params=LAYERS)
def case(request):
    return Case(request.param)


def test_a_layer_s_output_is_torch_s(case):
    expected = case.in_torch(torch.from_numpy(case.x)).detach().numpy()
    np.testing.assert_allclose(case.layer.forward(case.x), expected, atol=1e-12)


def test_a_layer_s_gradients_are_autograd_s(case):
    x = torch.from_numpy(case.x).requires_grad_()
    case.in_torch(x).backward(torch.from_numpy(case.dy))

    case.layer.forward(case.x)
    dx = case.layer.backward(case.dy)

    np.testing.assert_allclose(dx, x.grad, atol=1e-12)
    expected = {n: p.grad for n, p in case.in_torch.layer.named_parameters()}
    assert set(case.layer.gradients) == set(expected)
    for name, gradient in case.layer.gradients.items():
        np.testing.assert_allclose(gradient, expected[name], atol=1e-12, err_msg=name)


def test_a_layer_s_gradients_are_finite_differences(case):
    case.layer.forward(case.x)
    dx = case.layer.backward(case.dy)
    gradients = dict(case.layer.gradients)

    np.testing.assert_allclose(dx, finite_differences(case.number, case.x), atol=1e-8)
    for name, gradient in gradients.items():

        def number(weight, name=name):
            case.layer.weights[name] = weight
            return case.number(case.x)

        weight = case.layer.weights[name]
        np.testing.assert_allclose(gradient, finite_differences(number, weight), atol=1e-8)
        case.layer.weights[name] = weight


def test_relu_lets_nothing_through_at_zero_as_in_torch():
    layer = numpy_engine.ReLU()
    np.testing.assert_array_equal(layer.forward(np.array([[-2.0, 0.0, 3.0]])), [[0, 0, 3]])
    np.testing.assert_array_equal(layer.backward(np.array([[5.0, 5.0, 5.0]])), [[0, 0, 5]])


def test_of_equal_pixels_the_first_wins_as_in_torch():
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 2:, 2:] = [[1, 2], [2, 2]]
    tensor = torch.from_numpy(x).requires_grad_()
    nn.MaxPool2d(2)(tensor).sum().backward()
    layer = numpy_engine.MaxPool2d(2)

    np.testing.assert_array_equal(layer.forward(x), [[[[0, 0], [0, 2]]]])
    dx = layer.backward(np.ones((1, 1, 2, 2)))

    np.testing.assert_array_equal(dx, tensor.grad)
    assert dx[0, 0, 2, 3] == 1


def a_batch(n, dtype=np.float64):
    return to_input(random_images(n)).numpy().astype(dtype), cycling_labels(n)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_a_network_s_gradients_are_autograd_s(name):
    model = models.build(name, 2).double()
    x, labels = a_batch(3)
    network = Network.copy_of(model, np.float64)

    logits = network.forward(x)
    network.backward(cross_entropy_gradient(logits, labels))
    in_torch = model(torch.from_numpy(x))
    nn.functional.cross_entropy(in_torch, torch.from_numpy(labels)).backward()

    np.testing.assert_allclose(logits, in_torch.detach(), atol=1e-12)
    for layer, module in zip(network.layers.values(), model.children(), strict=True):
        assert set(layer.gradients) == {n for n, _ in module.named_parameters()}
        for key, parameter in module.named_parameters():
            np.testing.assert_allclose(layer.gradients[key], parameter.grad, atol=1e-12)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_a_network_s_gradients_are_finite_differences(name):
    network = Network.copy_of(models.build(name, 2), np.float64)
    x, labels = a_batch(2)
    network.backward(cross_entropy_gradient(network.forward(x), labels))
    gradients = {n: dict(layer.gradients) for n, layer in network.layers.items()}
    rng, h, largest = np.random.default_rng(0), 1e-6, 0.0
    for layer_name, layer in network.layers.items():
        for key, weight in layer.weights.items():
            for position in rng.choice(weight.size, size=min(8, weight.size), replace=False):
                index = np.unravel_index(position, weight.shape)
                kept, losses = weight[index], []
                for moved in (kept + h, kept - h):
                    weight[index] = moved
                    losses.append(cross_entropy(network.forward(x), labels))
                weight[index] = kept
                slope = (losses[0] - losses[1]) / (2 * h)
                gradient = gradients[layer_name][key][index]
                assert gradient == pytest.approx(slope, abs=1e-8), (layer_name, key, index)
                largest = max(largest, abs(slope))
    assert largest > 1e-3  # not everything that was compared is nearly zero


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_training_steps_are_torch_s_in_float32(name):
    model = models.build(name, 0)
    network = Network.copy_of(model)
    optimiser = optim.SGD(model.parameters(), lr=0.1)
    x, labels = a_batch(16, np.float32)
    start = copy.deepcopy(network.weights())
    for _ in range(3):
        loss = network.training_step(x, labels, 0.1)
        in_torch = training_step(model, optimiser, torch.from_numpy(x), torch.from_numpy(labels))
        assert isinstance(loss, float)
        assert loss == pytest.approx(in_torch.item(), abs=1e-5)
    assert list(network.weights()) == list(model.state_dict())
    for key, tensor in model.state_dict().items():
        weight = network.weights()[key]
        assert weight.dtype == np.float32
        np.testing.assert_allclose(weight, tensor, rtol=0, atol=1e-5, err_msg=key)
        assert np.abs(weight - start[key]).max() > 1e-4


def test_a_copy_s_training_leaves_the_model_alone():
    model = models.build("linear", 0)
    kept = copy.deepcopy(model.state_dict())
    Network.copy_of(model).training_step(*a_batch(4, np.float32), 0.1)
    assert all(torch.equal(kept[key], tensor) for key, tensor in model.state_dict().items())


def test_log_softmax_is_exact_on_a_tiny_input():
    logits = np.log(np.array([[1.0, 2.0, 5.0], [3.0, 3.0, 6.0]]))
    np.testing.assert_allclose(
        log_softmax(logits), np.log([[1 / 8, 1 / 4, 5 / 8], [1 / 4, 1 / 4, 1 / 2]]), atol=1e-15
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_softmax_neither_overflows_nor_underflows(dtype):
    logits = np.array([[1000, -1000, 0], [-1000, -1000, -1000], [1000, 1000, -1000]], dtype=dtype)
    with np.errstate(all="raise", under="ignore"):
        result = log_softmax(logits)
    log2, log3 = np.log(2), np.log(3)
    expected = [[0, -2000, -1000], [-log3, -log3, -log3], [-log2, -log2, -2000 - log2]]
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_cross_entropy_is_exact_on_a_tiny_input():
    logits = np.log(np.array([[1.0, 2.0, 5.0], [3.0, 3.0, 6.0]]))
    labels = np.array([1, 2])  # probabilities 1/4 and 1/2
    assert cross_entropy(logits, labels) == pytest.approx((np.log(4) + np.log(2)) / 2, abs=1e-15)
    np.testing.assert_allclose(
        cross_entropy_gradient(logits, labels),
        np.array([[1 / 8, -3 / 4, 5 / 8], [1 / 4, 1 / 4, -1 / 2]]) / 2,
        atol=1e-15,
    )


def test_cross_entropy_s_gradient_is_a_finite_difference():
    logits, labels = np.random.default_rng(0).normal(size=(3, 10)), np.array([0, 9, 4])
    expected = finite_differences(lambda z: cross_entropy(z, labels), logits)
    np.testing.assert_allclose(cross_entropy_gradient(logits, labels), expected, atol=1e-9)


def test_cross_entropy_of_a_hopeless_answer_is_a_number():
    logits = np.array([[1000.0, -1000.0]])
    assert cross_entropy(logits, np.array([1])) == 2000
    np.testing.assert_array_equal(cross_entropy_gradient(logits, np.array([1])), [[1, -1]])


def test_a_layer_that_is_not_written_out_is_refused_by_name():
    with pytest.raises(ValueError, match=r"got Dropout\(p=0.5"):
        Network.copy_of(nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)))
