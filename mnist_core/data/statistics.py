"""Statistics of a data set: counts, mean images, and the images of a class."""

from __future__ import annotations

import numpy as np

__all__ = ["class_counts", "indices_of", "mean_images"]


def class_counts(labels: np.ndarray) -> np.ndarray:
    """Count the images of each class: (N,) int64 -> (10,) int64."""
    return np.bincount(labels, minlength=10)


def indices_of(labels: np.ndarray, chosen: int | None) -> np.ndarray:
    """Return the indices of a class in the labels (of all classes for None): (M,) int64."""
    return np.arange(len(labels)) if chosen is None else np.flatnonzero(labels == chosen)


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
