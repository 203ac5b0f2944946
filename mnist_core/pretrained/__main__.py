"""Train the bundled models on MNIST and write their weights and model card.

    python -m mnist_core.pretrained

The command reads MNIST from the data folder (``MNIST_DATA_DIR``) and writes one ``.safetensors``
file per model, ``card.json`` and ``MODEL_CARD.md`` into this folder. It does not train on the last
5,000 training images, but fits the temperature and the threshold on them.
"""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import asdict

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mnist_core.common.settings import settings
from mnist_core.data import datasets
from mnist_core.data.datasets import Dataset
from mnist_core.evaluation import metrics
from mnist_core.evaluation.calibration import Calibration, calibrate, expected_calibration_error
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from mnist_core.pretrained.card import write_card
from mnist_core.pretrained.european_forms import forms
from mnist_core.pretrained.nondigits import KINDS, drawings, non_digits, pairs, printed_letters
from mnist_core.pretrained.training import Recipe, train

SEED, N_VALIDATION = 0, 5_000
FORMS_EACH, NON_DIGITS = 2_000, 12_000
TEACHER = "deep"
RECIPES = {
    "linear": Recipe(
        epochs=10, learning_rate=0.002, strength=0, normalised=False, non_digits=False
    ),
    "mlp": Recipe(epochs=30, learning_rate=0.004, strength=0.6, last_strength=0.6),
    TEACHER: Recipe(epochs=16, learning_rate=0.006),
    "cnn": Recipe(epochs=40, learning_rate=0.006, last_strength=0.6, taught=True),
}


def material(dataset: Dataset, with_non_digits: bool) -> tuple[np.ndarray, Tensor]:
    """Return what the models are trained on: (N, 28, 28) uint8 images, (N, 10) float32 targets."""
    rng = np.random.default_rng(SEED)
    digits = dataset.train_images[:-N_VALIDATION]
    european, labels = forms(FORMS_EACH, rng)
    targets = np.eye(10)[np.concatenate([dataset.train_labels[:-N_VALIDATION], labels])]
    images = [digits, european]
    if with_non_digits:
        others = non_digits(digits, NON_DIGITS, rng)
        images.append(others)
        targets = np.concatenate([targets, np.full((len(others), 10), 0.1)])
    return np.concatenate(images), torch.from_numpy(targets.astype(np.float32))


def unseen_non_digits(dataset: Dataset) -> dict[str, np.ndarray]:
    """Return new drawings that are not digits, by kind. No model was trained on them."""
    rng = np.random.default_rng(SEED + 1)
    made = {kind: drawings(kind, 300, rng) for kind in KINDS}
    return {
        **made,
        "two digits at once": pairs(dataset.test_images, 300, rng),
        "printed letters": printed_letters()[0],
    }


def describe(
    name: str, weights: dict[str, Tensor], dataset: Dataset, others: dict[str, np.ndarray]
) -> dict[str, object]:
    """Return the measured part of a model's card entry: accuracy, calibration, doubt."""
    model = architectures.with_weights(name, weights)
    validation = dataset.train_images[-N_VALIDATION:], dataset.train_labels[-N_VALIDATION:]
    fitted_on = np.concatenate([images for kind, images in others.items() if kind in KINDS])
    fitted: Calibration = calibrate(model, *validation, fitted_on)
    p = metrics.probabilities(model, dataset.test_images, fitted.temperature)
    plain = metrics.probabilities(model, dataset.test_images)
    confidences = {
        kind: metrics.probabilities(model, images, fitted.temperature).max(axis=1)
        for kind, images in others.items()
    }
    labels = dataset.test_labels
    return {
        "parameters": architectures.count_parameters(model),
        "test_accuracy": round(float((p.argmax(axis=1) == labels).mean()), 5),
        "train_accuracy": round(
            metrics.accuracy(model, dataset.train_images, dataset.train_labels), 5
        ),
        "calibration": {what: round(value, 4) for what, value in asdict(fitted).items()},
        "calibration_error": round(expected_calibration_error(p, labels), 5),
        "calibration_error_at_temperature_1": round(expected_calibration_error(plain, labels), 5),
        "test_digits_doubted": round(float((p.max(axis=1) < fitted.threshold).mean()), 4),
        "doubted": {
            kind: round(float((confidence < fitted.threshold).mean()), 4)
            for kind, confidence in confidences.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the bundled models.")
    parser.add_argument("--only", choices=RECIPES, help="train only this model")
    only = parser.parse_args().only
    dataset = datasets.load("mnist", settings().data_dir)
    if dataset.differs:
        raise SystemExit(
            f"The bundled models are trained on the published MNIST. {dataset.differs}"
        )
    torch.set_num_threads(1)  # like a run on the Training page
    plain, with_others = material(dataset, False), material(dataset, True)
    others = unseen_non_digits(dataset)
    card = bundled.pretrained_card() if only else {}
    teacher: nn.Module | None = None
    for name, recipe in RECIPES.items():
        wanted = only in (None, name)
        if not (wanted or (name == TEACHER and RECIPES[only].taught)):
            continue
        print(f"{name}: {recipe}")
        started = time.perf_counter()
        images, targets = with_others if recipe.non_digits else plain
        trained = train(name, recipe, images, targets, SEED, teacher if recipe.taught else None)
        teacher = trained.network if name == TEACHER else teacher
        if not wanted:
            continue
        save_file(trained.weights, bundled.FOLDER / f"{name}.safetensors")
        card[name] = {
            "recipe": str(recipe),
            "seed": SEED,
            "training_s": round(time.perf_counter() - started),
            "made_with": f"torch {torch.__version__}, numpy {np.__version__}, "
            f"Python {platform.python_version()}, one CPU thread",
            **describe(name, trained.weights, dataset, others),
        }
        print(name, card[name])
        write_card({known: card[known] for known in architectures.ARCHITECTURES if known in card})


if __name__ == "__main__":
    main()
