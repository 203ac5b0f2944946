"""Train the bundled models on MNIST and write their weights and model card.

    python -m mnist_core.pretrained

reads MNIST from the data folder (``MNIST_DATA_DIR``), took 20 minutes on one core,
and writes one ``.safetensors`` file a model, ``card.json`` and ``MODEL_CARD.md`` into this folder.
The last 5,000 training images are left out of the training: the temperature is fitted on them.
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
from mnist_core.pretrained.nondigits import KINDS, drawings, letters, non_digits, pairs
from mnist_core.pretrained.training import Recipe, train

SEED, LEFT_OUT = 0, 5_000
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


def material(dataset: Dataset, with_non_digits: bool) -> tuple[Tensor, Tensor]:
    """Return what is learnt from: (N, 1, 28, 28) uint8 images and (N, 10) float32 targets."""
    rng = np.random.default_rng(SEED)
    digits = dataset.train_images[:-LEFT_OUT]
    european, labels = forms(FORMS_EACH, rng)
    wanted = np.eye(10)[np.concatenate([dataset.train_labels[:-LEFT_OUT], labels])]
    images = [digits, european]
    if with_non_digits:
        others = non_digits(digits, NON_DIGITS, rng)
        images.append(others)
        wanted = np.concatenate([wanted, np.full((len(others), 10), 0.1)])
    return (
        torch.from_numpy(np.concatenate(images)).unsqueeze(1),
        torch.from_numpy(wanted.astype(np.float32)),
    )


def to_doubt(dataset: Dataset) -> dict[str, np.ndarray]:
    """Return drawings that are no digit and that no model was trained on, by kind."""
    rng = np.random.default_rng(SEED + 1)
    made = {kind: drawings(kind, 300, rng) for kind in KINDS}
    return {
        **made,
        "two digits at once": pairs(dataset.test_images, 300, rng),
        "printed letters": letters()[0],
    }


def describe(
    name: str, weights: dict[str, Tensor], dataset: Dataset, others: dict[str, np.ndarray]
) -> dict[str, object]:
    """Return the model card's entry: what the model reaches, and how far it can be believed."""
    model = architectures.with_weights(name, weights)
    left_out = dataset.train_images[-LEFT_OUT:], dataset.train_labels[-LEFT_OUT:]
    fitted_on = np.concatenate([images for kind, images in others.items() if kind in KINDS])
    fitted: Calibration = calibrate(model, *left_out, fitted_on)
    p = metrics.probabilities(model, dataset.test_images, fitted.temperature)
    plain = metrics.probabilities(model, dataset.test_images)
    doubted = {}
    for kind, images in others.items():
        confidence = metrics.probabilities(model, images, fitted.temperature).max(axis=1)
        doubted[kind] = round(float((confidence < fitted.threshold).mean()), 4)
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
        "doubted": doubted,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the bundled models.")
    parser.add_argument("--only", choices=RECIPES, help="train one model, keep the others")
    only = parser.parse_args().only
    dataset = datasets.load("mnist", settings().data_dir)
    if dataset.differs:
        raise SystemExit(
            f"The bundled models are trained on the published MNIST. {dataset.differs}"
        )
    torch.set_num_threads(1)  # as a run on the Training page
    plain, with_others = material(dataset, False), material(dataset, True)
    others = to_doubt(dataset)
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
