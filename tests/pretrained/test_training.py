"""Training of the bundled models: reproducible, with a teacher, and folded normalisations."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.evaluation import metrics
from mnist_core.nn.architectures import ARCHITECTURES, build, count_parameters, with_weights
from mnist_core.pretrained.bundled import pretrained_card
from mnist_core.pretrained.training import Recipe, folded, train, with_batch_norm
from tests.small_data import digits, global_generators_untouched, random_images


def tiny():
    data = digits()
    images = data.train_images[:64]
    targets = torch.from_numpy(np.eye(10, dtype=np.float32)[data.train_labels[:64]])
    return images, targets


def trained(name, seed=0, **changes):
    """Train for two epochs; return the weights and the loss of each epoch."""
    lines: list[str] = []
    recipe = Recipe(**{"epochs": 2, "learning_rate": 0.01, "batch_size": 16, **changes})
    weights = train(name, recipe, *tiny(), seed, report=lines.append).weights
    losses = [float(re.search(r"loss ([\d.]+)", line).group(1)) for line in lines]
    return weights, losses


@pytest.mark.parametrize(
    ("strength", "normalised"), [(0.0, False), (0.6, True), (1.0, True)], ids=str
)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_training_is_reproducible_and_its_loss_falls(name, strength, normalised):
    recipe = {"strength": strength, "normalised": normalised}
    with global_generators_untouched():
        weights, losses = trained(name, **recipe)
    again, same = trained(name, **recipe)
    other, _ = trained(name, seed=1, **recipe)

    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert losses == same
    assert all(torch.equal(weights[key], again[key]) for key in weights)
    assert not any(torch.equal(weights[key], other[key]) for key in weights)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_trained_weights_fit_the_architecture(name, normalised):
    weights, _ = trained(name, normalised=normalised)
    assert list(weights) == list(build(name, 0).state_dict())
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    assert not any(tensor.requires_grad for tensor in weights.values())
    model = with_weights(name, weights)
    assert count_parameters(model) == pretrained_card()[name]["parameters"]
    assert model(to_input(random_images(3))).isfinite().all()


def test_pixels_have_the_bits_of_the_division_in_torch():
    images = np.resize(np.arange(256, dtype=np.uint8), (1, 28, 28))  # every value
    assert torch.equal(to_input(images)[:, 0], torch.from_numpy(images).float() / 255)


def test_training_fits_its_images():
    weights, losses = trained("cnn", epochs=25, learning_rate=0.005, strength=0.0)
    assert losses[-1] < 0.1 * losses[0]
    data = digits()
    model = with_weights("cnn", weights)
    reached = metrics.accuracy(model, data.train_images[:64], data.train_labels[:64])
    assert reached > 0.95


def test_training_does_not_change_its_images_and_targets():
    images, targets = tiny()
    before = images.copy(), targets.clone()
    train("mlp", Recipe(1, 0.01, batch_size=16), images, targets, 0, report=[].append)
    assert np.array_equal(images, before[0])
    assert torch.equal(targets, before[1])


def test_uniform_targets_give_low_confidence():
    images, targets = random_images(64), torch.full((64, 10), 0.1)
    recipe = Recipe(20, 0.01, strength=0.0, batch_size=16)
    weights = train("mlp", recipe, images, targets, 0, report=[].append).weights
    p = metrics.probabilities(with_weights("mlp", weights), images)
    assert p.max() < 0.2


def test_a_student_learns_the_predictions_of_its_teacher():
    """Random images and uniform targets: only the teacher gives information."""
    images, targets = random_images(64), torch.full((64, 10), 0.1)
    teacher = build("linear", 3)
    recipe = Recipe(40, 0.01, strength=0.0, taught=True, batch_size=16)
    weights = train("mlp", recipe, images, targets, 0, teacher, [].append).weights
    alone = train("mlp", recipe, images, targets, 0, None, [].append).weights
    x = to_input(images)
    taught = teacher(x).argmax(dim=1)
    agreed = (with_weights("mlp", weights)(x).argmax(dim=1) == taught).float().mean()
    assert agreed > 0.6
    assert agreed > 0.2 + (with_weights("mlp", alone)(x).argmax(dim=1) == taught).float().mean()


@pytest.mark.parametrize(("epoch", "strength"), [(0, 1.0), (5, 0.8), (10, 0.6)])
def test_the_strength_changes_linearly_over_the_epochs(epoch, strength):
    recipe = Recipe(11, 0.01, last_strength=0.6)
    assert recipe.strength_in(epoch) == pytest.approx(strength)


def test_a_recipe_as_text():
    assert str(Recipe(epochs=10, learning_rate=0.002, strength=0, normalised=False)) == (
        "AdamW 0.002, one cycle, weight decay 0.01, 10 epochs in batches of 128, images as they are"
    )
    assert str(Recipe(epochs=60, learning_rate=0.006, last_strength=0.6, taught=True)) == (
        "AdamW 0.006, one cycle, weight decay 0.01, 60 epochs in batches of 128, "
        "images redrawn, strength 1 to 0.6, batch normalisation, folded in, "
        "taught by the Deeper CNN"
    )


def with_random_norms(name, seed=0):
    """Return a network whose batch normalisations do not have their initial values."""
    model = with_batch_norm(build(name, seed))
    generator = torch.Generator().manual_seed(seed)
    for layer in model:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            with torch.no_grad():
                for tensor, low, high in (
                    (layer.weight, 0.3, 2.0),
                    (layer.bias, -1.0, 1.0),
                    (layer.running_mean, -1.0, 1.0),
                    (layer.running_var, 0.1, 3.0),
                ):
                    tensor.uniform_(low, high, generator=generator)
    return model


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_folded_network_computes_the_same(name, seed):
    model = with_random_norms(name, seed).eval()
    tensors = [tensor for pair in folded(model) for tensor in pair]
    plain = with_weights(name, dict(zip(build(name, 0).state_dict(), tensors, strict=True)))
    x = to_input(np.concatenate([random_images(20, seed), digits().test_images[:20]]))
    with torch.inference_mode():
        expected = model(x)
    torch.testing.assert_close(plain(x), expected, rtol=1e-5, atol=1e-5)
    changed = build(name, seed)(x)
    assert name == "linear" or (changed - expected).abs().max() > 0.1


@pytest.mark.parametrize(("name", "norms"), [("linear", 0), ("mlp", 1), ("cnn", 3)])
def test_every_layer_with_weights_except_the_last_is_normalised(name, norms):
    kinds = [type(layer).__name__ for layer in with_batch_norm(build(name, 0))]
    assert sum(kind.startswith("BatchNorm") for kind in kinds) == norms
    for kind, following in zip(kinds, [*kinds[1:], ""], strict=True):
        if kind == "Conv2d":
            assert following == "BatchNorm2d"
        if kind == "Linear":
            assert following == ("BatchNorm1d" if following else "")


def test_folding_a_network_without_normalisation_gives_its_weights():
    model = build("mlp", 3)
    tensors = [tensor for pair in folded(model) for tensor in pair]
    for tensor, expected in zip(tensors, model.state_dict().values(), strict=True):
        assert torch.equal(tensor, expected)
