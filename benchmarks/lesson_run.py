"""The lesson's training run: ours against the notebook's way, in one go.

    python -m benchmarks.lesson_run [--rounds 3] [--epochs 5]

Linear(784, 10), SGD 0.01, batches of 32, shuffled, five epochs of MNIST, in three ways by turns:

- notebook: ``DataLoader(num_workers=2)`` over torchvision's MNIST with ``ToTensor``, and
  ``loss.item()`` at each step, as lessons of this kind do it
- autograd: `TrainingRun` with PyTorch's automatic differentiation, check-ups after epochs included
- numpy: `TrainingRun` with the NumPy engine, the same

All begin with the same weights and see the images in the same shuffled order (the notebook's
loader gets it as its sampler), so their learning curves must be the same: the largest differences
between them are printed, with the times and their ratios. ``--mlp`` adds the same for the MLP,
whose two engines are compared with each other.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
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
from mnist_core.training import engine
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.run import TrainingRun

Result = tuple[np.ndarray, float]  # losses of all steps, accuracy on the test set


def notebook(dataset: datasets.Dataset, epochs: int) -> Result:
    from torchvision.transforms import ToTensor

    train = RAW_ONLY["MNIST"](settings().data_dir, train=True, transform=ToTensor())
    model = architectures.build("linear", seed=0)
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
    return np.array(losses), metrics.accuracy(model, dataset.test_images, dataset.test_labels)


def ours(dataset: datasets.Dataset, epochs: int, engine: str, model: str = "linear") -> Result:
    config = TrainingConfig(architecture=model, engine=engine, epochs=epochs)
    run = TrainingRun(config, dataset)
    while not run.finished:
        run.advance(200)
    return run.history.losses, run.history.accuracies[-1][1]


def timed(work: Callable[..., Result], *arguments: object) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - started, result


def race(
    ways: dict[str, Callable[..., Result]], dataset: datasets.Dataset, rounds: int, epochs: int
) -> None:
    """Run each way by turns; print times, ratios and differences, all against the first."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    curves: dict[str, np.ndarray] = {}
    for _ in range(rounds):
        for name, work in ways.items():
            seconds, (losses, accuracy) = timed(work, dataset, epochs)
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
    ways: dict[str, Callable[..., Result]] = {
        "notebook": notebook,
        "autograd": partial(ours, engine="autograd"),
        "numpy": partial(ours, engine="numpy"),
    }
    race(ways, dataset, options.rounds, options.epochs)
    if options.mlp:
        mlp = {e: partial(ours, engine=e, model="mlp") for e in ("autograd", "numpy")}
        race(mlp, dataset, options.rounds, options.epochs)
    print(describe())


if __name__ == "__main__":
    main()
