"""Statistics of a data set: counts, mean images, and the images class by class."""

from __future__ import annotations

import numpy as np

__all__ = ["class_counts", "indices_of", "mean_images"]


def class_counts(labels: np.ndarray) -> np.ndarray:
    """Count the images of each class: (N,) int64 -> (10,) int64."""
    return np.bincount(labels, minlength=10)


def indices_of(labels: np.ndarray, chosen: int | None) -> np.ndarray:
    """Return the indices of a class in order: (M,) int64.

    For None, the first image of each class comes first, then the second of each, and so on: a
    page of ten images shows all ten classes.
    """
    if chosen is not None:
        return np.flatnonzero(labels == chosen)
    rank = np.empty(len(labels), dtype=np.int64)  # how many of its class come before an image
    for label in range(10):
        of_class = labels == label
        rank[of_class] = np.arange(of_class.sum())
    return np.lexsort((labels, rank))


def mean_images(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean image of each class, zeros for a class without images.

    Parameters
    ----------
    images : (N, 28, 28) uint8
    labels : (N,) int64

    Returns
    -------
    (10, 28, 28) uint8, 0 to 255.
    """
    means = np.zeros((10, 28, 28), dtype=np.uint8)
    for label in range(10):
        chosen = images[labels == label]
        if len(chosen):
            means[label] = np.rint(chosen.mean(axis=0, dtype=np.float64))
    return means
