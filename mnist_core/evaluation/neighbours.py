"""The stored images most like an image, by their pixels or by a network's features.

These are plain searches over all rows. scikit-learn's take several times as long on MNIST's bytes
and copy all of them to floats (benchmarks/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mnist_core.data.inputs import to_input

__all__ = [
    "ClassDistance",
    "Nearest",
    "class_distance",
    "features",
    "nearest",
    "own_distances",
    "pixel_rows",
    "reads_pixels",
]

_BATCH = 1_000
_CHUNK = 256  # rows converted to float32 at a time: they fit the processor's cache


@dataclass(frozen=True, slots=True)
class Nearest:
    """The rows nearest to a query, the nearest first.

    Attributes
    ----------
    indices : (k,) int64
    distances : (k,) float32
        Euclidean; bytes count as 0 to 1, so that a pixel of paper is 1 from a pixel of ink.
    """

    indices: np.ndarray
    distances: np.ndarray


def pixel_rows(images: np.ndarray) -> np.ndarray:
    """View images of (N, 28, 28) uint8 as rows of pixels, (N, 784)."""
    return images.reshape(len(images), 28 * 28)


def features(model: nn.Sequential, images: np.ndarray) -> np.ndarray:
    """Return the inputs of a model's last linear layer: for a linear model, the pixels.

    Parameters
    ----------
    images : (N, 28, 28) uint8, 0 to 255

    Returns
    -------
    (N, D) float32, D the number of inputs of the last linear layer.

    Raises
    ------
    ValueError
        If the model has no linear layer.
    """
    body = nn.Sequential(*list(model)[: _last_linear(model)])
    parts = []
    with torch.inference_mode():
        for start in range(0, max(len(images), 1), _BATCH):  # once without images, for the width
            parts.append(body(to_input(images[start : start + _BATCH])).numpy())
    return np.concatenate(parts)


def reads_pixels(model: nn.Sequential) -> bool:
    """Return whether the inputs of the last linear layer are the pixels, as in a linear model."""
    return all(isinstance(layer, nn.Flatten) for layer in list(model)[: _last_linear(model)])


def _last_linear(model: nn.Sequential) -> int:
    places = [i for i, layer in enumerate(model) if isinstance(layer, nn.Linear)]
    if not places:
        raise ValueError("expected a model with a linear layer, got one without.")
    return places[-1]


def nearest(query: np.ndarray, rows: np.ndarray, k: int) -> Nearest:
    """Find the k rows nearest to a query, by Euclidean distance.

    Parameters
    ----------
    query : (D,) uint8 or float32
    rows : (N, D) of the query's type, at least one
    k : int
        At least 1; with fewer rows, all of them are returned. Equally near rows stay in order.

    Raises
    ------
    ValueError
        If a shape, a type or k is another, or not all numbers are finite.
    """
    fits = rows.size and query.ndim == 1 and rows.shape == (len(rows), len(query))
    if not fits or not rows.dtype == query.dtype in (np.uint8, np.float32) or k < 1:
        raise ValueError(
            "expected k of at least 1, and a query (D,) and rows (N, D), both uint8 or both "
            f"float32, got k = {k}, {query.dtype} {query.shape} and {rows.dtype} {rows.shape}."
        )
    squared = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _CHUNK):
        difference = rows[start : start + _CHUNK].astype(np.float32)  # a copy
        difference -= query
        squared[start : start + _CHUNK] = np.vecdot(difference, difference)
    if not np.isfinite(squared).all():
        raise ValueError(
            "expected finite numbers, got NaN or infinity: the model diverged in training, choose "
            "another."
        )
    order = np.argsort(squared, kind="stable")[:k]
    return Nearest(order, np.sqrt(squared[order]) / (255 if rows.dtype == np.uint8 else 1))


def own_distances(
    images: np.ndarray, labels: np.ndarray, label: int, sample: int = 500
) -> np.ndarray:
    """Measure how close together the images of a class lie: the scale for `class_distance`.

    All distances come from one matrix product: |a - b|² = |a|² - 2 a·b + |b|². It loses digits
    where a and b are close, so the distance to the nearest one is then measured directly.

    Parameters
    ----------
    images : (N, 28, 28) uint8
    labels : (N,) int64
    label : int
    sample : int
        How many images of the class are measured, from the first on; against all of the class.

    Returns
    -------
    (at most sample,) float32: the distance of each to its nearest other image of the class.
    Empty if the class has fewer than two images.
    """
    rows = pixel_rows(images[labels == label]).astype(np.float32) / 255  # (M, 784)
    if len(rows) < 2:
        return np.empty(0, dtype=np.float32)
    measured = rows[:sample]  # (S, 784)
    squared = np.vecdot(rows, rows) - 2 * measured @ rows.T  # (S, M), without the own |a|²
    np.fill_diagonal(squared, np.inf)
    return np.linalg.norm(measured - rows[squared.argmin(axis=1)], axis=1)


@dataclass(frozen=True, slots=True)
class ClassDistance:
    """How far an image is from the stored images of a class.

    Attributes
    ----------
    nearest : float
        Euclidean distance, pixels from 0 to 1, to the nearest image of the class. Two images that
        differ in one pixel, paper in one and ink in the other, are 1 apart.
    index : int
        The index of that image.
    share_farther : float
        The share of the class's images, 0 to 1, that are farther than this from their nearest
        other image of the class. At 0.5 the image is as near to the class as a typical image of
        it, at 0 it is farther away than all of them.
    """

    nearest: float
    index: int
    share_farther: float


def class_distance(
    image: np.ndarray, images: np.ndarray, labels: np.ndarray, label: int, own: np.ndarray
) -> ClassDistance:
    """Measure how far an image is from those of a class, and whether that is far for the class.

    Parameters
    ----------
    image : (28, 28) uint8
    images : (N, 28, 28) uint8
    labels : (N,) int64
    label : int
    own : (S,) float32
        The result of `own_distances` for the same images and class.

    Raises
    ------
    ValueError
        If the class has fewer than two images, so that there is nothing to compare with.
    """
    places = np.flatnonzero(labels == label)
    if not len(own) or len(places) < 2:
        raise ValueError(
            f"expected at least two images of class {label}, got {len(places)}: choose data with "
            "more of it."
        )
    found = nearest(image.ravel(), pixel_rows(images[places]), 1)
    distance = float(found.distances[0])
    return ClassDistance(distance, int(places[found.indices[0]]), float((own > distance).mean()))
