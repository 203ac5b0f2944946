"""The lesson's training run: ours against the notebook's way.

    python -m benchmarks.lesson_run [--rounds 3] [--epochs 5] [--mlp]

Linear(784, 10), SGD 0.01, batches of 32, shuffled, five epochs of MNIST, in three ways by turns:

- notebook: ``DataLoader(num_workers=2)`` over torchvision's MNIST with ``ToTensor``, and
  ``loss.item()`` at each step, as in many lessons
- autograd: `TrainingRun` with PyTorch's automatic differentiation, evaluated after each epoch
- numpy: the same with the NumPy engine

All begin with the same weights and see the images in the same shuffled order (it is the sampler of
the notebook's loader), so their loss curves must be equal. Prints times, ratios and the largest
differences between the curves. ``--mlp`` adds the MLP with the two engines.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn, optim
from torch.utils.data import DataLoader

from benchmarks.machine import describe, report
from mnist_core.common.settings import settings
from mnist_core.data import datasets
from mnist_core.data.torchvision_compat import RAW_ONLY
from mnist_core.evaluation import metrics
from mnist_core.nn import architectures
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.engine import epoch_order
from mnist_core.training.run import TrainingRun

Result = tuple[np.ndarray, float]  # losses of all steps, accuracy on the test set


def notebook(dataset: datasets.Dataset, epochs: int) -> Result:
    from torchvision.transforms import ToTensor

    train = RAW_ONLY["MNIST"](settings().data_dir, train=True, transform=ToTensor())
    model = architectures.build("linear", seed=0)
    criterion, optimiser = nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for epoch in range(epochs):
        order = epoch_order(len(train), 0, epoch).tolist()
        for x, y in DataLoader(train, batch_size=32, sampler=order, num_workers=2):
            optimiser.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return np.array(losses), metrics.accuracy(model, dataset.test_images, dataset.test_labels)


def ours(dataset: datasets.Dataset, epochs: int, engine: str, model: str = "linear") -> Result:
    config = TrainingConfig(architecture=model, engine=engine, epochs=epochs)
    run = TrainingRun(config, dataset)
    while not run.finished:
        run.advance(200)
    return run.history.losses, run.history.accuracies[-1][1]


def race(
    ways: Mapping[str, Callable[..., Result]], dataset: datasets.Dataset, rounds: int, epochs: int
) -> None:
    """Run all ways by turns; print times, and ratios and differences against the first way."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    curves: dict[str, np.ndarray] = {}
    for _ in range(rounds):
        for name, work in ways.items():
            started = time.perf_counter()
            losses, accuracy = work(dataset, epochs)
            seconds = time.perf_counter() - started
            times[name].append(seconds)
            curves[name] = losses
            print(
                f"{name:9} {seconds:6.2f} s   {len(losses) / seconds:6,.0f} steps/s   "
                f"loss of the last 100 steps {losses[-100:].mean():.4f}   "
                f"test accuracy {accuracy:.4f}",
                flush=True,
            )
    medians = report(times)
    first, *others = ways
    for name in others:
        difference = np.abs(curves[first] - curves[name]).max()
        print(
            f"{name}: ratio {medians[first] / medians[name]:.1f}, largest difference between the "
            f"loss curves {difference:.1e}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="The lesson's run against the notebook's way.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--mlp", action="store_true")
    options = parser.parse_args()
    dataset = datasets.load("mnist", settings().data_dir)
    torch.set_num_threads(1)  # faster for all at this batch size
    threadpool_limits(1, "blas")
    linear = {engine: partial(ours, engine=engine) for engine in ("autograd", "numpy")}
    race({"notebook": notebook, **linear}, dataset, options.rounds, options.epochs)
    if options.mlp:
        mlp = {engine: partial(way, model="mlp") for engine, way in linear.items()}
        race(mlp, dataset, options.rounds, options.epochs)
    print(describe())


if __name__ == "__main__":
    main()
