"""One step, tensor by tensor: PyTorch and NumPy agree, and the lines of code do what they claim."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.common.comparison import Check
from mnist_core.data.inputs import to_input
from mnist_core.explain.layer_formulas import formulas_of
from mnist_core.explain.layer_outputs import DivergedModelError
from mnist_core.explain.training_step import STEPS, Pair, StepStage, walk
from mnist_core.nn import architectures, numpy_network
from mnist_core.nn.numpy_network import Network
from mnist_core.nn.optimisers import SGD
from mnist_core.pretrained import bundled
from tests.small_data import (
    cycling_labels,
    digits,
    finite_differences,
    global_generators_untouched,
    random_images,
)


def pair(stage: StepStage, name: str) -> Pair:
    return next(one for one in stage.pairs if one.name == name)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 8])
def test_every_tensor_is_the_same_in_both_but_for_rounding(name, seed, n):
    found = walk(architectures.build(name, seed), random_images(n, seed), cycling_labels(n))
    assert found.check.matches
    assert found.check.largest_difference <= 1e-5
    for stage in found.stages:
        for one in stage.pairs:
            assert one.in_torch.shape == one.in_numpy.shape
            np.testing.assert_allclose(one.in_torch, one.in_numpy, atol=1e-5, err_msg=one.name)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_a_trained_model_s_tensors_are_the_same_in_both(name):
    found = walk(bundled.load_pretrained(name), digits().test_images[:8], digits().test_labels[:8])
    assert found.check.matches
    assert found.loss_after < found.loss_before


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_every_step_has_its_layers_in_order(name):
    model = architectures.build(name, 0)
    found = walk(model, random_images(2), cycling_labels(2))
    layers = [n for n, _ in model.named_children()]
    learning = [n for n, layer in model.named_children() if list(layer.parameters())]
    assert [s.layer for s in found.of("Forward")] == layers
    assert [s.layer for s in found.of("Loss")] == ["loss"]
    assert [s.layer for s in found.of("Backward")] == ["loss", *reversed(layers)]
    assert [s.layer for s in found.of("Update")] == learning
    assert [s.step for s in found.stages] == sorted((s.step for s in found.stages), key=STEPS.index)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_the_lines_of_pytorch_give_the_tensors_beside_them(name):
    model, images, labels = architectures.build(name, 1), random_images(3), cycling_labels(3)
    found = walk(model, images, labels, learning_rate=0.1)
    model = copy.deepcopy(model)
    optimiser = SGD(model.parameters(), 0.1)
    world = {"model": model, "nn": nn, "x": to_input(images), "labels": torch.tensor(labels)}

    for stage in found.of("Forward"):
        exec(stage.line, world)  # noqa: S102  the line is what is tested
        np.testing.assert_array_equal(pair(stage, "input x").in_torch, world["x"].detach())
        np.testing.assert_array_equal(pair(stage, "output y").in_torch, world["y"].detach())
        world["x"] = world["y"]
    world["z"] = world["x"]
    (loss,) = found.of("Loss")
    exec(loss.line, world)  # noqa: S102
    assert float(pair(loss, "loss L").in_torch) == world["loss"].item() == found.loss_before
    exec(found.of("Backward")[0].line, world)  # noqa: S102
    gradients = {n: p.grad.clone() for n, p in model.named_parameters()}
    optimiser.step()
    for stage in found.of("Backward")[1:]:
        for one, kind in (("gradient dL/dW", "weight"), ("gradient dL/db", "bias")):
            if f"{stage.layer}.{kind}" in gradients:
                expected = gradients[f"{stage.layer}.{kind}"]
                np.testing.assert_array_equal(pair(stage, one).in_torch, expected)
    weights = model.state_dict()
    for stage in found.of("Update"):
        after = pair(stage, "weight W, after").in_torch
        np.testing.assert_array_equal(after, weights[f"{stage.layer}.weight"])
        moved = (
            pair(stage, "weight W, before").in_torch - 0.1 * pair(stage, "gradient dL/dW").in_torch
        )
        np.testing.assert_allclose(after, moved, atol=1e-7)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_the_gradient_of_the_image_equals_finite_differences(name):
    model, images, labels = architectures.build(name, 2), random_images(1), cycling_labels(1)
    found = walk(model, images, labels)
    gradient = pair(found.of("Backward")[-1], "gradient dL/dx").in_numpy[0, 0]
    network = Network.copy_of(model, np.float64)
    image = to_input(images).numpy().astype(np.float64)
    rows = image[0, 0, 10:12, 9:14]

    def loss(values: np.ndarray) -> float:
        changed = image.copy()
        changed[0, 0, 10:12, 9:14] = values
        from mnist_core.nn.numpy_network import cross_entropy

        return cross_entropy(network.forward(changed), labels)[0]

    expected = finite_differences(loss, rows)
    np.testing.assert_allclose(gradient[10:12, 9:14], expected, atol=1e-6)
    assert np.abs(expected).max() > 1e-4


def test_the_first_gradient_is_p_minus_one_hot_over_the_batch():
    found = walk(architectures.build("linear", 0), random_images(2), np.array([3, 9]))
    p = pair(found.of("Loss")[0], "probabilities p").in_torch
    gradient = pair(found.of("Backward")[0], "gradient dL/dz").in_torch
    np.testing.assert_allclose(gradient, (p - np.eye(10)[[3, 9]]) / 2, atol=1e-7)


def test_the_weights_of_a_unit_are_drawn_in_the_shape_of_its_input():
    shapes = {
        stage.layer: stage.pictured
        for stage in walk(architectures.build("cnn", 0), random_images(1), cycling_labels(1)).of(
            "Update"
        )
    }
    assert shapes == {"conv1": (1, 5, 5), "conv2": (16, 3, 3), "l1": (64, 7, 7), "l2": (32,)}


def test_formulas_contain_the_layer_s_stride_and_padding():
    conv = formulas_of(nn.Conv2d(1, 2, 5, stride=2, padding=2))
    assert r"x_{m,\,2r+i-2,\,2c+j-2}" in conv.forward
    assert r"x_{m,\,2r+i-2,\,2c+j-2}" in conv.backward
    assert r"x_{m,\,r+i,\,c+j}" in formulas_of(nn.Conv2d(1, 2, 3)).forward
    assert r"\max_{i,j < 3}" in formulas_of(nn.MaxPool2d(3)).forward
    with pytest.raises(ValueError, match="expected a layer of the lesson, got Dropout"):
        formulas_of(nn.Dropout())


@pytest.mark.parametrize(("n", "n_labels"), [(0, 0), (33, 33), (2, 1)])
def test_too_few_or_too_many_images_or_labels_are_refused(n, n_labels):
    with pytest.raises(ValueError, match="expected 1 to 32 images and a label for each"):
        walk(architectures.build("linear", 0), random_images(n), cycling_labels(n_labels))


def test_a_diverged_model_is_refused():
    model = architectures.build("linear", 0)
    with torch.no_grad():
        model.l1.bias.fill_(float("nan"))
    with pytest.raises(DivergedModelError, match="diverged"):
        walk(model, random_images(1), cycling_labels(1))


@pytest.mark.parametrize("frozen", [False, True])
def test_the_model_the_images_and_the_generators_are_not_changed(frozen):
    model = architectures.build("cnn", 0).requires_grad_(not frozen)
    before = {n: w.clone() for n, w in model.state_dict().items()}
    images, labels = random_images(2), cycling_labels(2)
    images.flags.writeable = labels.flags.writeable = False
    with global_generators_untouched():
        walk(model, images, labels)
    assert all(torch.equal(w, before[n]) for n, w in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad != frozen for p in model.parameters())


def test_an_input_of_a_layer_is_the_same_array_in_both():
    found = walk(architectures.build("cnn", 0), random_images(2), cycling_labels(2))
    given = {"Forward": "input x", "Loss": "logits z", "Backward": "gradient dL/dy"}
    for step, name in given.items():
        for stage in found.of(step)[step == "Backward" :]:  # the loss has no dL/dy
            one = pair(stage, name)
            assert one.in_numpy is one.in_torch
            assert one.check == Check(0.0, 0.0)


def test_a_wrong_tensor_is_the_check_of_its_stage_and_of_the_walk(monkeypatch):
    right = numpy_network.Conv2d.find_gradients

    def without_the_bias(self, dy):
        right(self, dy)
        self.gradients["bias"] *= 0

    monkeypatch.setattr(numpy_network.Conv2d, "find_gradients", without_the_bias)
    found = walk(bundled.load_pretrained("cnn"), digits().test_images[:1], np.array([3]))
    wrong = [stage.layer for stage in found.of("Backward") if not stage.check.matches]
    assert wrong == ["conv2", "conv1"]
    assert not found.check.matches
    largest = np.abs(pair(found.of("Backward")[-1], "gradient dL/db").in_torch).max()
    assert largest > 1e3 * found.of("Backward")[-1].check.explained


def test_overflow_in_the_gradients_is_refused_like_a_diverged_model():
    model = architectures.build("mlp", 0)
    with torch.no_grad():
        model.l2.weight.mul_(1e38)
        model.l2.weight[3] = 0
    with pytest.raises(DivergedModelError, match="diverged"):
        walk(model, random_images(1), np.array([3]), learning_rate=1e30)
