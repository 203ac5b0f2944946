"""A step by PyTorch and by NumPy: right formulas are within the bounds, wrong ones are not."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.concepts.step_tensors import ComparedStep, compared_step
from mnist_core.data.inputs import to_input
from mnist_core.nn import architectures, numpy_network
from mnist_core.nn.numpy_network import Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU
from mnist_core.pretrained import bundled
from tests.small_data import cycling_labels, digits, mnist_in, random_images

MODELS = pytest.mark.parametrize("name", architectures.ARCHITECTURES)


def step_of(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, rate: float = 0.01
) -> ComparedStep:
    return compared_step(copy.deepcopy(model).requires_grad_(), images, labels, rate)


@MODELS
def test_no_step_of_a_bundled_model_is_red(name):
    model, images, labels = bundled.load_pretrained(name), *digits().split("test")
    for i in range(50):
        assert step_of(model, images[i : i + 1], labels[i : i + 1]).check_all().matches, i
    for i in range(0, 32, 8):
        assert step_of(model, images[i : i + 8], labels[i : i + 8]).check_all().matches, i
    assert step_of(model, images[:32], labels[:32]).check_all().matches


@MODELS
@pytest.mark.parametrize("rate", [0.1, 1.0, 100.0])
def test_no_learning_rate_is_red(name, rate):
    images, labels = (part[:8] for part in digits().split("test"))
    for model in (bundled.load_pretrained(name), architectures.build(name, 0)):
        assert step_of(model, images, labels, rate).check_all().matches


@MODELS
def test_the_images_of_mnist_that_were_red_are_not(name, mnist_dir):
    model, (images, labels) = bundled.load_pretrained(name), mnist_in(mnist_dir).split("test")
    for i in (247, *range(20)):
        assert step_of(model, images[i : i + 1], labels[i : i + 1]).check_all().matches, i


@pytest.fixture
def with_threads():
    yield torch.set_num_threads
    torch.set_num_threads(1)


@MODELS
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("mkldnn", [True, False])
def test_no_kernel_of_pytorch_is_red(name, threads, memory, mkldnn, with_threads):
    with_threads(threads)
    model = architectures.build(name, 3).to(memory_format=memory)
    images, labels = digits().train_images[:32], digits().train_labels[:32]
    with torch.backends.mkldnn.flags(enabled=mkldnn, allow_tf32=None):
        assert step_of(model, images, labels).check_all().matches


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_pytorch_and_numpy_take_the_first_of_equal_numbers(memory):
    rng = np.random.default_rng(0)
    x = rng.integers(-1, 2, size=(4, 16, 14, 14)).clip(0).astype(np.float32)  # many ties
    dy = rng.normal(size=(4, 16, 7, 7)).astype(np.float32)
    tensor = torch.from_numpy(x).to(memory_format=memory).requires_grad_()
    nn.MaxPool2d(2)(tensor).backward(torch.from_numpy(dy))
    layer = MaxPool2d(2)
    layer.forward(x)
    np.testing.assert_array_equal(layer.backward(dy), tensor.grad)


def test_numpy_gets_the_inputs_of_each_layer_from_pytorch():
    model, images, labels = architectures.build("mlp", 1), random_images(3), cycling_labels(3)
    step = step_of(model, images, labels)
    given, found = step.in_torch, step.in_numpy
    W, b = (model.get_parameter(f"l2.{key}").detach().numpy() for key in ("weight", "bias"))
    np.testing.assert_array_equal(found.values[4], given.values[3] @ W.T + b)
    np.testing.assert_array_equal(found.gradients[3], given.gradients[4] @ W)
    np.testing.assert_array_equal(found.values[3], given.values[2] * (given.values[2] > 0))
    np.testing.assert_array_equal(
        found.weight_gradients["l2.weight"], given.gradients[4].T @ given.values[3]
    )


@MODELS
def test_pytorch_s_tensors_are_those_of_its_step(name):
    model, images, labels = architectures.build(name, 1), random_images(3), cycling_labels(3)
    expected = copy.deepcopy(model)
    loss = nn.CrossEntropyLoss()(expected(to_input(images)), torch.from_numpy(labels))
    loss.backward()

    step = compared_step(model, images, labels, 0.1)

    assert step.in_torch.loss == loss.item()
    for key, p in expected.named_parameters():
        np.testing.assert_array_equal(step.in_torch.before[key], p.detach())
        np.testing.assert_array_equal(step.in_torch.weight_gradients[key], p.grad)
        after = model.get_parameter(key).detach()  # the model itself took the step
        np.testing.assert_array_equal(step.in_torch.after[key], after)
        torch.testing.assert_close(after, p.detach() - 0.1 * p.grad, rtol=0, atol=1e-7)
    after = nn.CrossEntropyLoss()(model(to_input(images)), torch.from_numpy(labels))
    assert step.loss_after == after.item()
    assert not any(module._forward_hooks for module in model.modules())


@MODELS
def test_layers_that_only_copy_have_no_bound_and_the_others_a_small_one(name):
    step = step_of(architectures.build(name, 0), *(a[:8] for a in digits().split("test")))
    layers = list(architectures.build(name, 0))
    for i, layer in enumerate(layers):
        bounds = step.bounds.values[i + 1], step.bounds.gradients[i]
        if list(layer.parameters()):
            assert all((bound > 0).all() and bound.max() < 1e-3 for bound in bounds)
        else:
            assert not any(bound.any() for bound in bounds)
    for key, weight in step.in_torch.before.items():
        moved = np.abs(step.in_torch.after[key] - weight).max()
        assert step.bounds.after[key].max() < moved / 10


# The right functions, before a test replaces one.
log_softmax, cross_entropy = numpy_network.log_softmax, numpy_network.cross_entropy
RIGHT = {
    (kind, method): getattr(kind, method)
    for kind in (Flatten, ReLU, Linear, Conv2d, MaxPool2d)
    for method in ("forward", "find_gradients", "backward", "update")
}


def changed(kind, method, change):
    """Let a method of a layer change its right result."""

    def wrong(self, given):
        return change(self, RIGHT[kind, method](self, given))

    return kind, method, wrong


def gradients_changed(kind, change):
    """Let ``find_gradients`` store other gradients, in place."""

    def wrong(self, dy):
        RIGHT[kind, "find_gradients"](self, dy)
        change(self, self.gradients)

    return kind, "find_gradients", wrong


def flipped(W):
    return W[:, :, ::-1, ::-1].copy()


def with_weight(kind, method, change):
    """Let a method compute with another weight."""

    def wrong(self, given):
        weight = self.weights["weight"]
        self.weights["weight"] = change(weight)
        result = RIGHT[kind, method](self, given)
        self.weights["weight"] = weight
        return result

    return kind, method, wrong


def padded_elsewhere(self, x):
    return RIGHT[Conv2d, "forward"](self, np.roll(x, 1, axis=3))


def last_of_equals(self, x):
    y = RIGHT[MaxPool2d, "forward"](self, x)
    k, (b, c, h, w) = self.side, x.shape
    blocks = x.reshape(b, c, h // k, k, w // k, k).transpose(0, 1, 2, 4, 3, 5)
    flat = blocks.reshape(b, c, h // k, w // k, k * k)
    self.winner = k * k - 1 - flat[..., ::-1].argmax(axis=-1)[..., None]
    return y


def loss_changed(change):
    return numpy_network, "cross_entropy", lambda z, labels: change(z, labels)


def without_the_sum(z):
    return z - z.max(axis=1, keepdims=True)


def updated(change):
    return Layer, "update", change


def only_weights(self, rate):
    if self.gradients:
        self.weights["weight"] -= rate * self.gradients["weight"]


def relu(self, x, mask):
    self.positive = mask
    return x * mask


def linear_gradients(self, dy, x):
    self.gradients = {"weight": dy.T @ x, "bias": dy.sum(axis=0)}


WRONG = {
    "Flatten, forward: in reverse": (
        Flatten,
        "forward",
        lambda self, x: RIGHT[Flatten, "forward"](self, x).reshape(len(x), -1)[:, ::-1],
    ),
    "Flatten, backward: columns in reverse": changed(
        Flatten, "backward", lambda _, dx: dx[..., ::-1]
    ),
    "ReLU, forward: shifted": changed(ReLU, "forward", lambda _, y: y - 0.01),
    "ReLU, forward: the other side": (ReLU, "forward", lambda self, x: relu(self, x, x < 0)),
    "ReLU, backward: not masked": (ReLU, "backward", lambda _, dy: dy),
    "ReLU, backward: sign": changed(ReLU, "backward", lambda _, dx: -dx),
    "Linear, forward: no bias": changed(
        Linear, "forward", lambda self, y: y - self.weights["bias"]
    ),
    "Linear, forward: units in reverse": with_weight(Linear, "forward", lambda W: W[::-1]),
    "Linear, forward: inputs in reverse": with_weight(Linear, "forward", lambda W: W[:, ::-1]),
    "Linear, backward: units in reverse": with_weight(Linear, "backward", lambda W: W[::-1]),
    "Linear, backward: sign": changed(Linear, "backward", lambda _, dx: -dx),
    "Linear, dW: transposed": gradients_changed(
        Linear,
        lambda _, g: g.update(weight=g["weight"].T.reshape(g["weight"].shape).copy()),
    ),
    "Linear, dW: of the first image only": (
        Linear,
        "find_gradients",
        lambda self, dy: linear_gradients(self, dy[:1], self.x[:1]),
    ),
    "Linear, db: dropped": gradients_changed(Linear, lambda _, g: g.update(bias=0 * g["bias"])),
    "Linear, db: mean for sum": gradients_changed(
        Linear, lambda self, g: g.update(bias=g["bias"] / len(self.x))
    ),
    "Conv2d, forward: no bias": changed(
        Conv2d, "forward", lambda self, y: y - self.weights["bias"][:, None, None]
    ),
    "Conv2d, forward: kernel flipped": with_weight(Conv2d, "forward", flipped),
    "Conv2d, forward: kernel transposed": with_weight(
        Conv2d, "forward", lambda W: W.swapaxes(2, 3)
    ),
    "Conv2d, forward: padding off by one": (Conv2d, "forward", padded_elsewhere),
    "Conv2d, backward: kernel flipped": with_weight(Conv2d, "backward", flipped),
    "Conv2d, backward: padding off by one": changed(
        Conv2d, "backward", lambda _, dx: np.roll(dx, 1, axis=2)
    ),
    "Conv2d, dW: flipped": gradients_changed(
        Conv2d, lambda _, g: g.update(weight=flipped(g["weight"]))
    ),
    "Conv2d, dW: one place left out": (
        Conv2d,
        "find_gradients",
        lambda self, dy: RIGHT[Conv2d, "find_gradients"](
            self, np.concatenate([0 * dy[:, :, :1], dy[:, :, 1:]], axis=2)
        ),
    ),
    "Conv2d, db: dropped": gradients_changed(Conv2d, lambda _, g: g.update(bias=0 * g["bias"])),
    "MaxPool2d, forward: halved": (
        MaxPool2d,
        "forward",
        lambda self, x: 0.5 * RIGHT[MaxPool2d, "forward"](self, x),
    ),
    "MaxPool2d, backward: the last of equals": (MaxPool2d, "forward", last_of_equals),
    "MaxPool2d, backward: to two places": changed(
        MaxPool2d,
        "backward",
        lambda _, dx: dx + np.roll(dx, 1, axis=3),
    ),
    "loss: not divided by B": loss_changed(
        lambda z, labels: (cross_entropy(z, labels)[0] * len(z), cross_entropy(z, labels)[1])
    ),
    "loss: the label after": loss_changed(
        lambda z, labels: (
            cross_entropy(z, (labels + 1) % 10)[0],
            cross_entropy(z, labels)[1],
        )
    ),
    "softmax: not divided by the sum": (numpy_network, "log_softmax", without_the_sum),
    "loss gradient: not divided by B": loss_changed(
        lambda z, labels: (cross_entropy(z, labels)[0], cross_entropy(z, labels)[1] * len(z))
    ),
    "loss gradient: without the one-hot labels": loss_changed(
        lambda z, labels: (
            cross_entropy(z, labels)[0],
            (np.exp(log_softmax(z)) / len(z)).astype(z.dtype),
        )
    ),
    "loss gradient: sign": loss_changed(
        lambda z, labels: (cross_entropy(z, labels)[0], -cross_entropy(z, labels)[1])
    ),
    "update: sign": updated(lambda self, rate: RIGHT[Linear, "update"](self, -rate)),
    "update: without the rate": updated(lambda self, _: RIGHT[Linear, "update"](self, 1.0)),
    "update: the rate a hundredth too high": updated(
        lambda self, rate: RIGHT[Linear, "update"](self, 1.01 * rate)
    ),
    "update: not the bias": updated(only_weights),
    "update: none": updated(lambda *_: None),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_formula_is_red(wrong, monkeypatch):
    model, (images, labels) = bundled.load_pretrained("cnn"), digits().split("test")
    three = images[:3], labels[:3]
    assert step_of(model, *three).check_all().matches
    monkeypatch.setattr(*WRONG[wrong])
    check = step_of(model, *three).check_all()
    assert not check.matches
    assert str(check).startswith("no match")
