"""The command that trains the bundled models: its data, recipes and measurements."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mnist_core.pretrained import __main__ as command
from mnist_core.pretrained import bundled
from mnist_core.pretrained.bundled import pretrained_card
from tests.small_data import digits, mnist_in


def test_the_card_has_the_recipes_of_the_command():
    for name, recipe in command.RECIPES.items():
        assert pretrained_card()[name]["recipe"] == str(recipe)
        assert pretrained_card()[name]["seed"] == command.SEED


def test_the_command_measures_the_results_of_the_card(mnist_dir):
    """For the linear model, the fastest one."""
    mnist, entry = mnist_in(mnist_dir), pretrained_card()["linear"]
    others = {
        kind: images
        for kind, images in command.unseen_non_digits(mnist).items()
        if kind in entry["doubted"]
    }
    weights = bundled.load_pretrained("linear").state_dict()
    found = command.describe("linear", weights, mnist, others)
    assert set(found) <= set(entry)
    for key, tolerance in (
        ("test_accuracy", 3e-4),
        ("train_accuracy", 3e-4),
        ("calibration", 0.02),
        ("doubted", 0.05),
    ):
        assert found[key] == pytest.approx(entry[key], abs=tolerance), key


def test_the_targets_of_the_material_add_up_to_1(monkeypatch):
    monkeypatch.setattr(command, "FORMS_EACH", 3)
    monkeypatch.setattr(command, "NON_DIGITS", 12)
    monkeypatch.setattr(command, "N_VALIDATION", 100)
    n = len(digits().train_images) - 100
    images, targets = command.material(digits(), with_non_digits=True)
    assert images.shape == (n + 4 * 3 + 12, 28, 28)
    assert images.dtype == np.uint8
    assert targets.shape == (len(images), 10)
    assert targets.dtype == torch.float32
    np.testing.assert_allclose(targets.sum(dim=1), 1, atol=1e-6)
    np.testing.assert_array_equal(targets[:n].argmax(dim=1), digits().train_labels[:n])
    european = targets[n : n + 12]
    np.testing.assert_array_equal(european.argmax(dim=1), np.repeat([1, 4, 7, 9], 3))
    np.testing.assert_allclose(targets[n + 12 :], 0.1)
    without, _ = command.material(digits(), with_non_digits=False)
    assert np.array_equal(without, images[: n + 12])
