"""Nearest neighbours: ours against scikit-learn's brute-force search, by turns.

    python -m benchmarks.neighbours [--rounds 7]

- query: the 8 training images of MNIST, (60000, 784) uint8, nearest to a test image. scikit-learn
  searches the bytes, and as a second way a float32 copy of them that was made before
- class: how far each of the first 500 images of a class is from its nearest other image of it

With one thread. Prints times, ratios, the most memory allocated by a call, and the largest
difference between the distances found.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable, Mapping

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from benchmarks.machine import describe, report
from mnist_core.common.settings import settings
from mnist_core.data import datasets
from mnist_core.evaluation.neighbours import nearest, own_distances, pixel_rows

K = 8
Way = Callable[[int], np.ndarray]  # the number of the round -> distances


def query_ways(dataset: datasets.Dataset) -> dict[str, Way]:
    rows, queries = pixel_rows(dataset.train_images), pixel_rows(dataset.test_images)
    in_bytes = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(rows)
    in_floats = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(rows.astype(np.float32))

    def by_sklearn(index: NearestNeighbors, i: int, dtype: type) -> np.ndarray:
        return index.kneighbors(queries[i : i + 1].astype(dtype))[0][0] / 255

    return {
        "query, ours": lambda i: nearest(queries[i], rows, K).distances,
        "query, scikit-learn": lambda i: by_sklearn(in_bytes, i, np.uint8),
        "query, scikit-learn, float32 copy": lambda i: by_sklearn(in_floats, i, np.float32),
    }


def class_ways(dataset: datasets.Dataset) -> dict[str, Way]:
    images, labels = dataset.train_images, dataset.train_labels

    def by_sklearn(label: int) -> np.ndarray:
        rows = pixel_rows(images[labels == label]).astype(np.float32) / 255
        index = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(rows)
        return index.kneighbors(rows[:500])[0][:, 1]  # the nearest is the image itself

    return {
        "class, ours": lambda i: own_distances(images, labels, i % 10),
        "class, scikit-learn": lambda i: by_sklearn(i % 10),
    }


def race(ways: Mapping[str, Way], rounds: int) -> None:
    """Run all ways by turns; print what the module says, the ratios against the first way."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    peaks_mib, differences = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0.0)
    for i in range(rounds + 1):
        expected = next(iter(ways.values()))(i)
        for name, way in ways.items():
            started = time.perf_counter()
            found = way(i)
            times[name].append(time.perf_counter() - started)
            differences[name] = max(differences[name], float(np.abs(found - expected).max()))
    for name, way in ways.items():
        tracemalloc.start()
        way(0)
        peaks_mib[name] = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    medians = report({name: values[1:] for name, values in times.items()})  # without the warm-up
    first = next(iter(medians.values()))
    for name, median in medians.items():
        print(
            f"{name}: ratio {median / first:.1f}, allocates {peaks_mib[name]:.1f} MiB, largest "
            f"difference {differences[name]:.1e}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Nearest neighbours against scikit-learn.")
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    dataset = datasets.load("mnist", settings().data_dir)
    with threadpool_limits(1):
        race(query_ways(dataset), rounds)
        race(class_ways(dataset), rounds)
    print(describe("scikit-learn"))


if __name__ == "__main__":
    main()
