"""Shuffled batches in two ways: with PyTorch's DataLoader, and by indexing an array."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from mnist_core.data.inputs import to_input

__all__ = [
    "BatchTimes",
    "Images",
    "batch_by_index",
    "batch_by_loader",
    "random_images",
    "time_batches",
]

Batch = tuple[Tensor, Tensor]


class Images(TorchDataset[Batch]):
    """Stored images as a torch data set, which converts one image at a time."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Batch:
        return to_input(self.images[index : index + 1])[0], torch.tensor(self.labels[index])


def batch_by_loader(
    images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, n_batches: int = 1
) -> Batch:
    loader = DataLoader(
        Images(images, labels),
        batch_size=batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
    )
    batches = iter(loader)
    for _ in range(n_batches):
        x, y = next(batches)
    return x, y  # (B, 1, 28, 28), (B,)


def batch_by_index(
    images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, n_batches: int = 1
) -> Batch:
    order = np.random.default_rng(seed).permutation(len(images))
    for i in range(n_batches):
        chosen = order[i * batch_size : (i + 1) * batch_size]
        x, y = to_input(images[chosen]), torch.from_numpy(labels[chosen])
    return x, y  # (B, 1, 28, 28), (B,)


@dataclass(frozen=True, slots=True)
class BatchTimes:
    """The DataLoader's last batch, and the milliseconds that each way took for all batches."""

    x: Tensor
    labels: Tensor
    n_batches: int
    loader_ms: float
    index_ms: float


def time_batches(
    images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, n_batches: int = 20
) -> BatchTimes:
    """Measure how long each way takes to make a number of shuffled batches.

    Parameters
    ----------
    images : (N, 28, 28) uint8
    labels : (N,) int64
    """
    n_batches = max(1, min(n_batches, len(images) // batch_size))
    arguments = (images, labels, batch_size, seed, n_batches)
    (x, y), loader_ms = _timed(lambda: batch_by_loader(*arguments))
    _, index_ms = _timed(lambda: batch_by_index(*arguments))
    return BatchTimes(x, y, n_batches, loader_ms, index_ms)


def _timed(work: Callable[[], Batch]) -> tuple[Batch, float]:
    started = time.perf_counter()
    result = work()
    return result, 1000 * (time.perf_counter() - started)


def random_images(
    images: np.ndarray, labels: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pick images at random, without repetition: (count, 28, 28) uint8 and (count,) int64."""
    chosen = np.random.default_rng(seed).choice(len(images), min(count, len(images)), replace=False)
    return images[chosen], labels[chosen]
