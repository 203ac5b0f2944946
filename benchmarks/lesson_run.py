"""The lesson's training run: ours against the notebook's way, in one go.

    python -m benchmarks.lesson_run [--rounds 3] [--epochs 5]

Linear(784, 10), SGD 0.01, batches of 32, shuffled, five epochs of MNIST, in two ways by turns:

- notebook: ``DataLoader(num_workers=2)`` over torchvision's MNIST with ``ToTensor``, and
  ``loss.item()`` at each step, as lessons of this kind do it
- ours: `TrainingRun`, with its accuracy on the test set after each epoch

Both begin with the same weights and see the images in the same shuffled order (the notebook's
loader gets it as its sampler), so their learning curves must be the same: the largest difference
between them is printed, with the times and their ratio.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader

from benchmarks.machine import describe, report
from mnist_core import datasets, engine, evaluation, models
from mnist_core.configs import TrainingConfig
from mnist_core.runs import TrainingRun
from mnist_core.settings import settings
from mnist_core.vision import RAW_ONLY

Result = tuple[np.ndarray, float]  # losses of all steps, accuracy on the test set


def notebook(dataset: datasets.Dataset, epochs: int) -> Result:
    from torchvision.transforms import ToTensor

    train = RAW_ONLY["MNIST"](settings().data_dir, train=True, transform=ToTensor())
    model = models.build("linear", seed=0)
    criterion, optimiser = nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for epoch in range(epochs):
        order = engine.epoch_order(len(train), 0, epoch).tolist()
        for x, y in DataLoader(train, batch_size=32, sampler=order, num_workers=2):
            optimiser.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return np.array(losses), evaluation.accuracy(model, dataset.test_images, dataset.test_labels)


def ours(dataset: datasets.Dataset, epochs: int) -> Result:
    run = TrainingRun(TrainingConfig(epochs=epochs), dataset)
    while not run.finished:
        run.advance(200)
    return run.history.losses, run.history.accuracies[-1][1]


def timed(work: Callable[..., Result], *arguments: object) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - started, result


def main() -> None:
    parser = argparse.ArgumentParser(description="The lesson's run against the notebook's way.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    dataset = datasets.load("mnist", settings().data_dir)
    torch.set_num_threads(1)  # faster for both at this batch size
    times: dict[str, list[float]] = {"notebook": [], "ours": []}
    curves: dict[str, np.ndarray] = {}
    for _ in range(options.rounds):
        for name, work in (("notebook", notebook), ("ours", ours)):
            seconds, (losses, accuracy) = timed(work, dataset, options.epochs)
            times[name].append(seconds)
            curves[name] = losses
            print(
                f"{name:9} {seconds:6.2f} s   {len(losses) / seconds:6,.0f} steps/s   "
                f"loss of the last 100 steps {losses[-100:].mean():.4f}   "
                f"test accuracy {accuracy:.4f}",
                flush=True,
            )
    medians = report(times)
    print(f"ratio {medians['notebook'] / medians['ours']:.1f}")
    difference = np.abs(curves["notebook"] - curves["ours"]).max()
    print(f"largest difference between the loss curves {difference:.1e}")
    print(describe())


if __name__ == "__main__":
    main()
