"""Train the bundled models on MNIST and write their weights and model card.

    python -m mnist_core.pretrained

reads MNIST from the data folder (``MNIST_DATA_DIR``), takes about two minutes on two cores, and
writes one ``.safetensors`` file a model and ``card.json`` into this folder. The linear model is the
lesson's own run; the other two see each digit a little rotated, scaled and shifted, because people
do not draw in the middle of a canvas.
"""

from __future__ import annotations

import json
import math
import platform
import time

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn, optim
from torch.nn import functional

from mnist_core import datasets, engine, evaluation, models
from mnist_core.datasets import Dataset
from mnist_core.runs import TrainingConfig, TrainingRun
from mnist_core.settings import settings

SEED = 0
EPOCHS = {"mlp": 20, "cnn": 10}
BATCH_SIZE = 128
MAX_LR, WEIGHT_DECAY = 4e-3, 1e-2
DEGREES, SCALE, SHIFT = 12.0, 0.12, 0.08  # +-; the shift is a share of the image's side


def lesson_run(dataset: Dataset) -> nn.Module:
    """Train the linear model as the lesson does: SGD, 0.01, batches of 32, five epochs."""
    run = TrainingRun(TrainingConfig(dataset=dataset.name, seed=SEED), dataset)
    while not run.finished:
        run.advance(run.steps_per_epoch)
    return run.model


def augmented(x: Tensor, generator: torch.Generator) -> Tensor:
    """Rotate, scale and shift each image of a batch at random: (B, 1, 28, 28) -> the same."""
    n = len(x)
    angle, zoom, dx, dy = (torch.rand(4, n, generator=generator) * 2 - 1).unbind()
    angle, zoom = angle * math.radians(DEGREES), 1 + zoom * SCALE
    rows = [
        torch.stack([zoom * angle.cos(), -zoom * angle.sin(), 2 * SHIFT * dx], dim=1),
        torch.stack([zoom * angle.sin(), zoom * angle.cos(), 2 * SHIFT * dy], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)


def augmented_run(name: str, dataset: Dataset) -> nn.Module:
    """Train with AdamW on a one-cycle schedule (Smith and Topin, 2017), images augmented."""
    model = models.build(name, SEED)
    images, labels = dataset.train_images, dataset.train_labels
    optimiser = optim.AdamW(model.parameters(), lr=MAX_LR, weight_decay=WEIGHT_DECAY)
    steps = math.ceil(len(images) / BATCH_SIZE) * EPOCHS[name]
    schedule = optim.lr_scheduler.OneCycleLR(optimiser, max_lr=MAX_LR, total_steps=steps)
    generator = torch.Generator().manual_seed(SEED)
    for epoch in range(EPOCHS[name]):
        order = engine.epoch_order(len(images), SEED, epoch)
        for x, y in engine.batches(images, labels, order, BATCH_SIZE):
            engine.training_step(model, optimiser, augmented(x, generator), y)
            schedule.step()
        test = evaluation.accuracy(model, dataset.test_images, dataset.test_labels)
        print(f"{name}: epoch {epoch + 1} of {EPOCHS[name]}, test accuracy {test:.4f}", flush=True)
    return model


def describe(name: str, model: nn.Module, dataset: Dataset, seconds: float) -> dict[str, object]:
    """Return the model card's entry: how it was trained and what it reaches."""
    recipe = (
        "SGD, learning rate 0.01, batches of 32, 5 epochs: the lesson's run"
        if name == "linear"
        else f"AdamW, one-cycle learning rate up to {MAX_LR}, batches of {BATCH_SIZE}, "
        f"{EPOCHS[name]} epochs, each digit a little rotated, scaled and shifted"
    )
    test = evaluation.evaluate(model, dataset.test_images, dataset.test_labels)
    train = evaluation.evaluate(model, dataset.train_images, dataset.train_labels)
    return {
        "parameters": models.count_parameters(model),
        "trained_on": "MNIST, 60,000 images",
        "recipe": recipe,
        "seed": SEED,
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
    card = {}
    for name in models.ARCHITECTURES:
        started = time.perf_counter()
        model = lesson_run(dataset) if name == "linear" else augmented_run(name, dataset)
        seconds = time.perf_counter() - started
        save_file(model.state_dict(), models.PRETRAINED / f"{name}.safetensors")
        card[name] = describe(name, model, dataset, seconds)
        print(f"{name}: {card[name]['test_accuracy']} on the test set, {seconds:.0f} s")
    (models.PRETRAINED / "card.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
