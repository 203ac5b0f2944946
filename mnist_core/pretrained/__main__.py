"""Train the bundled models on MNIST and write their weights and model card.

    python -m mnist_core.pretrained

reads MNIST from the data folder (``MNIST_DATA_DIR``), takes a minute and a half, and
writes one ``.safetensors`` file a model and ``card.json`` into this folder. The linear model is the
lesson's own run; the other two see each digit a little rotated, scaled and shifted, because people
do not draw in the middle of a canvas.
"""

from __future__ import annotations

import json
import platform
import time
from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from mnist_core import datasets, evaluation, models
from mnist_core.configs import LESSON, PRESETS, TrainingConfig
from mnist_core.datasets import Dataset
from mnist_core.runs import TrainingRun
from mnist_core.settings import settings

HANDWRITING = PRESETS["Ready for handwriting"]
RECIPES = {
    "linear": LESSON,
    "mlp": replace(HANDWRITING, architecture="mlp", epochs=20),
    "cnn": HANDWRITING,
}


def trained(config: TrainingConfig, dataset: Dataset) -> nn.Module:
    """Train as the Training page does; print the accuracy after each epoch."""
    run = TrainingRun(config, dataset)
    for epoch in range(1, config.epochs + 1):
        while run.history.step < epoch * run.steps_per_epoch:
            run.advance(run.steps_per_epoch)
        test = run.history.checkups[-1].test_accuracy
        print(f"{config.architecture}: epoch {epoch} of {config.epochs}, test accuracy {test:.4f}")
    return run.model


def describe(
    config: TrainingConfig, model: nn.Module, dataset: Dataset, seconds: float
) -> dict[str, object]:
    """Return the model card's entry: how it was trained and what it reaches."""
    test = evaluation.evaluate(model, dataset.test_images, dataset.test_labels)
    train = evaluation.evaluate(model, dataset.train_images, dataset.train_labels)
    return {
        "parameters": models.count_parameters(model),
        "trained_on": "MNIST, 60,000 images",
        "recipe": str(config),
        "seed": config.seed,
        "test_accuracy": round(test.accuracy, 5),
        "train_accuracy": round(train.accuracy, 5),
        "training_s": round(seconds),
        "made_with": f"torch {torch.__version__}, numpy {np.__version__}, "
        f"Python {platform.python_version()}, CPU",
    }


def main() -> None:
    dataset = datasets.load("mnist", settings().data_dir)
    if dataset.differs:
        raise SystemExit(
            f"The bundled models are trained on the published MNIST. {dataset.differs}"
        )
    torch.set_num_threads(1)  # as a run on the Training page
    card = {}
    for name, config in RECIPES.items():
        started = time.perf_counter()
        model = trained(config, dataset)
        seconds = time.perf_counter() - started
        weights = {n: t.contiguous() for n, t in model.state_dict().items()}
        save_file(weights, models.PRETRAINED / f"{name}.safetensors")
        card[name] = describe(config, model, dataset, seconds)
        print(f"{name}: {card[name]['test_accuracy']} on the test set, {seconds:.0f} s")
    (models.PRETRAINED / "card.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
