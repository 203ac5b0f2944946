import copy
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.nn import architectures, numpy_network
from mnist_core.nn.numpy_network import Network, NumpyEngine, cross_entropy, log_softmax
from mnist_core.nn.optimisers import SGD
from mnist_core.training.configs import LESSON
from mnist_core.training.engine import AutogradEngine, training_step, training_steps
from mnist_core.training.run import TrainingRun
from tests.small_data import (
    cycling_labels,
    digits,
    finite_differences,
    global_generators_untouched,
    mnist_in,
    random_images,
)

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
    """A layer in torch and in NumPy, an input, and dL/dy of the loss L = sum(y dy)."""

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

    def loss(self, x):
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

    np.testing.assert_allclose(dx, finite_differences(case.loss, case.x), atol=1e-8)
    for name, gradient in gradients.items():

        def loss(weight, name=name):
            case.layer.weights[name] = weight
            return case.loss(case.x)

        weight = case.layer.weights[name]
        np.testing.assert_allclose(gradient, finite_differences(loss, weight), atol=1e-8)
        case.layer.weights[name] = weight


def test_relu_s_gradient_at_zero_is_zero_as_in_torch():
    layer = numpy_network.ReLU()
    np.testing.assert_array_equal(layer.forward(np.array([[-2.0, 0.0, 3.0]])), [[0, 0, 3]])
    np.testing.assert_array_equal(layer.backward(np.array([[5.0, 5.0, 5.0]])), [[0, 0, 5]])


def test_max_pooling_takes_the_first_of_equal_pixels_as_torch_does():
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 2:, 2:] = [[1, 2], [2, 2]]
    tensor = torch.from_numpy(x).requires_grad_()
    nn.MaxPool2d(2)(tensor).sum().backward()
    layer = numpy_network.MaxPool2d(2)

    np.testing.assert_array_equal(layer.forward(x), [[[[0, 0], [0, 2]]]])
    dx = layer.backward(np.ones((1, 1, 2, 2)))

    np.testing.assert_array_equal(dx, tensor.grad)
    assert dx[0, 0, 2, 3] == 1


def a_batch(n, dtype=np.float64):
    return to_input(random_images(n)).numpy().astype(dtype), cycling_labels(n)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_a_network_s_gradients_are_autograd_s(name):
    model = architectures.build(name, 2).double()
    x, labels = a_batch(3)
    network = Network.copy_of(model, np.float64)

    logits = network.forward(x)
    network.backward(cross_entropy(logits, labels)[1])
    in_torch = model(torch.from_numpy(x))
    nn.functional.cross_entropy(in_torch, torch.from_numpy(labels)).backward()

    np.testing.assert_allclose(logits, in_torch.detach(), atol=1e-12)
    for layer, module in zip(network.layers.values(), model.children(), strict=True):
        assert set(layer.gradients) == {n for n, _ in module.named_parameters()}
        for key, parameter in module.named_parameters():
            np.testing.assert_allclose(layer.gradients[key], parameter.grad, atol=1e-12)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_a_network_s_gradients_are_finite_differences(name):
    network = Network.copy_of(architectures.build(name, 2), np.float64)
    x, labels = a_batch(2)
    network.backward(cross_entropy(network.forward(x), labels)[1])
    gradients = {n: dict(layer.gradients) for n, layer in network.layers.items()}
    rng, h, largest = np.random.default_rng(0), 1e-6, 0.0
    for layer_name, layer in network.layers.items():
        for key, weight in layer.weights.items():
            for position in rng.choice(weight.size, size=min(8, weight.size), replace=False):
                index = np.unravel_index(position, weight.shape)
                before, losses = weight[index], []
                for moved in (before + h, before - h):
                    weight[index] = moved
                    losses.append(cross_entropy(network.forward(x), labels)[0])
                weight[index] = before
                slope = (losses[0] - losses[1]) / (2 * h)
                gradient = gradients[layer_name][key][index]
                assert gradient == pytest.approx(slope, abs=1e-8), (layer_name, key, index)
                largest = max(largest, abs(slope))
    assert largest > 1e-3  # not all of the compared gradients are nearly zero


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_training_steps_are_torch_s_in_float32(name):
    model = architectures.build(name, 0)
    network = Network.copy_of(model)
    optimiser = SGD(model.parameters(), 0.1)
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


def test_an_update_moves_every_weight_in_place_against_its_gradient():
    layer = numpy_network.Linear(np.array([[1.0, -2.0]]), np.array([0.5]))
    weights = dict(layer.weights)
    layer.gradients = {"weight": np.array([[4.0, 8.0]]), "bias": np.array([-1.0])}
    layer.update(0.25)
    assert layer.weights["weight"].tolist() == [[0.0, -4.0]]
    assert layer.weights["bias"].tolist() == [0.75]
    assert all(layer.weights[name] is weight for name, weight in weights.items())


def test_training_a_copy_does_not_change_the_model():
    model = architectures.build("linear", 0)
    before = copy.deepcopy(model.state_dict())
    Network.copy_of(model).training_step(*a_batch(4, np.float32), 0.1)
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())


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
    loss, gradient = cross_entropy(logits, labels)
    assert isinstance(loss, float)
    assert loss == pytest.approx((np.log(4) + np.log(2)) / 2, abs=1e-15)
    np.testing.assert_allclose(
        gradient,
        np.array([[1 / 8, -3 / 4, 5 / 8], [1 / 4, 1 / 4, -1 / 2]]) / 2,
        atol=1e-15,
    )


def test_cross_entropy_s_gradient_is_a_finite_difference():
    logits, labels = np.random.default_rng(0).normal(size=(3, 10)), np.array([0, 9, 4])
    expected = finite_differences(lambda z: cross_entropy(z, labels)[0], logits)
    np.testing.assert_allclose(cross_entropy(logits, labels)[1], expected, atol=1e-9)


def test_cross_entropy_of_a_hopeless_prediction_is_finite():
    logits = np.array([[1000.0, -1000.0]])
    loss, gradient = cross_entropy(logits, np.array([1]))
    assert loss == 2000
    np.testing.assert_array_equal(gradient, [[1, -1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_preserves_the_type_and_its_input(dtype):
    logits = np.random.default_rng(0).normal(size=(3, 10)).astype(dtype)
    before = logits.copy()
    _, gradient = cross_entropy(logits, np.array([0, 9, 4]))
    assert gradient.dtype == dtype
    np.testing.assert_array_equal(logits, before)


def test_an_unknown_layer_is_refused_by_name():
    with pytest.raises(ValueError, match=r"got Dropout\(p=0.5"):
        Network.copy_of(nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)))


def test_backward_stops_at_the_lowest_layer_that_has_weights(monkeypatch):
    network = Network.copy_of(architectures.build("mlp", 0))
    x, labels = a_batch(3, np.float32)
    _, gradient = cross_entropy(network.forward(x), labels)

    def refuse(self, dy):
        raise AssertionError("dL/dx of the image is not needed")

    monkeypatch.setattr(numpy_network.Flatten, "backward", refuse)
    monkeypatch.setattr(network.layers["l1"], "backward", lambda dy: refuse(None, dy))
    network.backward(gradient)
    assert network.layers["l1"].gradients["weight"].any()


def fixed(rate):
    return lambda _: rate


def both_engines(architecture, seed=0):
    model = architectures.build(architecture, seed)
    by_hand = NumpyEngine(model)  # a copy
    return AutogradEngine(model, SGD(model.parameters(), 0.1)), by_hand


def steps_of(engine, n_steps, **changes):
    images, labels = digits().train_images, digits().train_labels
    options = {"batch_size": 32, "seed": 1, "learning_rate": fixed(0.1)} | changes
    return engine.numbers(list(islice(training_steps(engine, images, labels, **options), n_steps)))


@pytest.mark.parametrize("architecture", ["linear", "mlp"])
def test_both_engines_give_the_same_losses_over_hundreds_of_steps(architecture):
    with_autograd, by_hand = both_engines(architecture)
    expected, losses = steps_of(with_autograd, 300), steps_of(by_hand, 300)
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-5)
    assert losses[-20:].mean() < 0.5 < 2 < losses[0]  # it learnt
    for name, tensor in with_autograd.weights().items():
        np.testing.assert_allclose(by_hand.weights()[name], tensor, rtol=0, atol=1e-5)


def test_both_engines_agree_with_changing_rates_and_changed_images():
    changes = {"learning_rate": lambda step: 0.2 / (1 + step), "augment": True}
    expected, losses = (steps_of(engine, 60, **changes) for engine in both_engines("mlp"))
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-5)
    plain = steps_of(both_engines("mlp")[1], 60, learning_rate=fixed(0.2))
    assert np.abs(losses - plain).max() > 0.01


def run_to_the_end(run):
    while not run.finished:
        run.advance(1_000)
    return run


def test_both_engines_give_the_same_losses_over_the_whole_lesson(mnist_dir):
    mnist = mnist_in(mnist_dir)
    by_autograd = run_to_the_end(TrainingRun(LESSON, mnist)).history
    by_hand = run_to_the_end(TrainingRun(replace(LESSON, engine="numpy"), mnist)).history
    assert by_hand.step == 9_375
    np.testing.assert_allclose(by_hand.losses, by_autograd.losses, rtol=0, atol=1e-5)
    for one, other in zip(by_hand.epoch_metrics, by_autograd.epoch_metrics, strict=True):
        assert one.test_accuracy == pytest.approx(other.test_accuracy, abs=2e-4)
    assert by_hand.epoch_metrics[-1].test_accuracy > 0.9


def test_an_engine_s_losses_are_floats_and_convert_to_an_array():
    by_hand = both_engines("linear")[1]
    x, labels = a_batch(4, np.float32)
    loss = by_hand.train(torch.from_numpy(x), torch.from_numpy(labels), 0.1)
    assert isinstance(loss, float)
    values = by_hand.numbers([0.5, 2.25])
    assert values.dtype == np.float32
    assert values.tolist() == [0.5, 2.25]


def test_an_engine_trains_its_own_weights_and_has_no_state():
    with_autograd, by_hand = both_engines("mlp")
    weights = by_hand.weights()
    assert list(weights) == list(with_autograd.weights())
    before = copy.deepcopy(weights)
    steps_of(by_hand, 2)
    for name, array in by_hand.weights().items():
        assert array is weights[name]
        assert not np.array_equal(array, before[name])
        assert np.array_equal(with_autograd.weights()[name], before[name])  # not the model
    assert by_hand.optimiser_state() == {}


def test_a_restored_engine_continues_as_the_other_and_shares_nothing_with_it():
    one, other = both_engines("mlp")[1], both_engines("mlp", seed=5)[1]
    steps_of(one, 3)
    weights = {name: torch.tensor(array) for name, array in one.weights().items()}
    before = copy.deepcopy(weights)

    other.restore(weights, {})

    rest = {"first_step": 3}
    np.testing.assert_array_equal(steps_of(one, 5, **rest), steps_of(other, 5, **rest))
    for name, array in one.weights().items():
        np.testing.assert_array_equal(array, other.weights()[name])
        assert torch.equal(weights[name], before[name])


@pytest.mark.parametrize(
    "changes", [{"extra": torch.zeros(1)}, {"l1.weight": torch.zeros(784, 10)}], ids=list
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(changes):
    by_hand = both_engines("linear")[1]
    before = copy.deepcopy(by_hand.weights())
    ones = {name: torch.ones(array.shape) for name, array in before.items()}
    with pytest.raises(ValueError, match="saved weights do not fit"):
        by_hand.restore(ones | changes, {})
    with pytest.raises(ValueError, match="saved weights do not fit"):
        by_hand.restore({"l1.weight": ones["l1.weight"]}, {})
    with pytest.raises(ValueError, match="saved weights do not fit"):
        by_hand.restore(ones, {"steps": torch.tensor(1)})
    for name, array in by_hand.weights().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_step_by_hand_draws_no_random_numbers():
    by_hand = both_engines("linear")[1]
    with global_generators_untouched():
        steps_of(by_hand, 2)
