"""Small data for the tests, finite differences, and a check of the global generators."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from mnist_core.data import datasets
from mnist_core.data.datasets import Dataset

torch.set_num_threads(1)  # the batches are too small for a second thread
torch.backends.nnpack.set_flags(False)  # as in the app: see mnist_core.common.cpu
threadpool_limits(1, "blas")


def random_images(n: int, seed: int = 0) -> np.ndarray:
    """Return noise: (n, 28, 28) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def cycling_labels(n: int) -> np.ndarray:
    """Return 0, 1, ..., 9, 0, 1, ...: (n,) int64."""
    return np.arange(n, dtype=np.int64) % 10


def tiny_dataset(n_train: int = 64, n_test: int = 20) -> Dataset:
    """Return a data set of noise, with a name that a configuration accepts."""
    return Dataset(
        name="digits",
        title="Noise",
        train_images=random_images(n_train, seed=1),
        train_labels=cycling_labels(n_train),
        test_images=random_images(n_test, seed=2),
        test_labels=cycling_labels(n_test),
        class_names=tuple("0123456789"),
        provenance="Drawn for a test.",
    )


digits = datasets.bundled_digits


@cache
def mnist_in(folder: Path) -> Dataset:
    """Return the real MNIST from the folder of the fixture ``mnist_dir``."""
    return datasets.load("mnist", folder)


def finite_differences(
    function: Callable[[np.ndarray], float], at: np.ndarray, h: float = 1e-6
) -> np.ndarray:
    """Return d function / d entry for every entry of a float64 array, by central differences."""
    slopes = np.empty_like(at)
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += h
        down[index] -= h
        slopes[index] = (function(up) - function(down)) / (2 * h)
    return slopes


@contextmanager
def global_generators_untouched() -> Iterator[None]:
    """Assert that the block draws nothing from the generators that all visitors share."""

    def states() -> tuple[object, ...]:
        kind, key, position, *rest = np.random.get_state()  # noqa: NPY002
        numpy_state = (kind, key.tobytes(), position, *rest)
        return torch.get_rng_state().numpy().tobytes(), numpy_state, random.getstate()

    before = states()
    yield
    assert states() == before


def layer_shapes(model: nn.Sequential) -> list[tuple[str, tuple[int, ...]]]:
    """Return the output shape of each layer for a batch of one, ``input`` first."""
    shapes: list[tuple[str, tuple[int, ...]]] = [("input", (1, 1, 28, 28))]
    x = torch.zeros(1, 1, 28, 28)
    with torch.inference_mode():
        for name, layer in model.named_children():
            x = layer(x)
            shapes.append((name, tuple(x.shape)))
    return shapes
