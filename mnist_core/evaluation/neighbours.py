"""Which stored images are most like a drawing, by their pixels or by what a network sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mnist_core.data.inputs import to_input

__all__ = [
    "ClassDistance",
    "Index",
    "Nearest",
    "class_distance",
    "features",
    "index_of",
    "nearest",
    "own_distances",
    "pixel_rows",
    "reads_pixels",
]

_BATCH = 1_000
# Rows in one matrix product. As float32 they fit the processor's cache: over MNIST's 60,000 x 784
# pixels 512 rows at a time take 11 ms, 16,384 take 23 ms, and nowhere is there a float copy of all.
_CHUNK = 512
_MARGIN = 16  # more candidates than asked for: float32 may swap two that are nearly as far


@dataclass(frozen=True, slots=True)
class Index:
    """Rows to search in, with what can be known before there is a question.

    Attributes
    ----------
    rows : (N, D) uint8 or float32
        As given, not copied.
    norms : (N,) float32
        The squared length of each row, in the rows' own unit.
    """

    rows: np.ndarray
    norms: np.ndarray


@dataclass(frozen=True, slots=True)
class Nearest:
    """The rows next to a query, the nearest first.

    Attributes
    ----------
    indices : (k,) int64
    distances : (k,) float64
        Euclidean; bytes count as 0 to 1, so that a pixel of paper is 1 from a pixel of ink.
    """

    indices: np.ndarray
    distances: np.ndarray


def pixel_rows(images: np.ndarray) -> np.ndarray:
    """Lay images of (N, 28, 28) uint8 out as rows of pixels, (N, 784), without a copy."""
    return images.reshape(len(images), 28 * 28)


def features(model: nn.Sequential, images: np.ndarray) -> np.ndarray:
    """Return what the last linear layer of a model reads: for a linear model, the pixels.

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
        for start in range(0, max(len(images), 1), _BATCH):  # once for no images: the width
            parts.append(body(to_input(images[start : start + _BATCH])).numpy())
    return np.concatenate(parts)


def reads_pixels(model: nn.Sequential) -> bool:
    """Return whether the last linear layer reads the pixels themselves, as in a linear model."""
    return all(isinstance(layer, nn.Flatten) for layer in list(model)[: _last_linear(model)])


def _last_linear(model: nn.Sequential) -> int:
    places = [i for i, layer in enumerate(model) if isinstance(layer, nn.Linear)]
    if not places:
        raise ValueError("expected a model with a linear layer, got one without.")
    return places[-1]


def index_of(rows: np.ndarray) -> Index:
    """Make rows ready to search in.

    Parameters
    ----------
    rows : (N, D) uint8 or float32, at least one

    Raises
    ------
    ValueError
        If the rows are of another shape or type, or not all numbers are finite.
    """
    if rows.ndim != 2 or not rows.size or rows.dtype not in (np.uint8, np.float32):
        raise ValueError(
            f"expected at least one row, (N, D) uint8 or float32, got {rows.dtype} of shape "
            f"{rows.shape}."
        )
    norms = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _CHUNK):
        chunk = _as_float(rows[start : start + _CHUNK])
        norms[start : start + _CHUNK] = np.einsum("nd,nd->n", chunk, chunk)
    if not np.isfinite(norms).all():
        raise ValueError(
            "expected finite numbers, got NaN or infinity, as a model gives that diverged while "
            "it was trained: choose another."
        )
    return Index(rows, norms)


def nearest(query: np.ndarray, index: Index, k: int) -> Nearest:
    """Find the k rows nearest to a query, by Euclidean distance.

    All are compared through |q - r|² = |q|² - 2 q·r + |r|², one matrix product in float32. That
    loses digits where q and r are close, so the best candidates are measured again as they are.

    Parameters
    ----------
    query : (D,) of the type of the index's rows
    k : int
        At least 1; with fewer rows, all of them are returned. Rows equally far come in order.

    Raises
    ------
    ValueError
        If the query is of another shape or type, or k is not positive.
    """
    rows = index.rows
    if query.shape != rows.shape[1:] or query.dtype != rows.dtype or k < 1:
        raise ValueError(
            f"expected k of at least 1 and a query of shape {rows.shape[1:]} and type "
            f"{rows.dtype}, as the rows are, got k = {k}, shape {query.shape}, type {query.dtype}."
        )
    q, squared = _as_float(query), index.norms.copy()
    for start in range(0, len(rows), _CHUNK):
        squared[start : start + _CHUNK] -= 2 * (_as_float(rows[start : start + _CHUNK]) @ q)
    candidates = np.arange(len(rows))
    if k + _MARGIN < len(rows):
        candidates = np.sort(np.argpartition(squared, k + _MARGIN)[: k + _MARGIN])
    distances = _distances(query, rows[candidates])
    order = np.argsort(distances, kind="stable")[:k]
    return Nearest(candidates[order], distances[order])


def _as_float(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float32, copy=False)


def _distances(query: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how far a few rows, (M, D), are from one, (D,), or each from its own, in float64."""
    unit = 255 if rows.dtype == np.uint8 else 1
    return np.linalg.norm(rows.astype(np.float64) - query, axis=1) / unit


def own_distances(
    images: np.ndarray, labels: np.ndarray, label: int, sample: int = 500
) -> np.ndarray:
    """Measure how close together the images of a class lie: the scale for `class_distance`.

    Parameters
    ----------
    images : (N, 28, 28) uint8
    labels : (N,) int64
    label : int
    sample : int
        How many images of the class are measured, from the first on; against all of the class.

    Returns
    -------
    (at most sample,) float64: the distance of each to its nearest other image of the class.
    Empty if the class has fewer than two images.
    """
    rows = pixel_rows(images[labels == label])
    if len(rows) < 2:
        return np.empty(0)
    index, measured = index_of(rows), np.arange(min(sample, len(rows)))
    queries = _as_float(rows[measured])
    least, other = np.full(len(measured), np.inf, np.float32), np.zeros_like(measured)
    for start in range(0, len(rows), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        squared = index.norms[chunk] - 2 * (queries @ _as_float(rows[chunk]).T)  # without |q|²
        itself = measured[chunk]
        squared[itself, itself - start] = np.inf
        found = squared.argmin(axis=1)
        smaller = squared[measured, found] < least
        least[smaller] = squared[measured, found][smaller]
        other[smaller] = start + found[smaller]
    return _distances(rows[measured], rows[other])


@dataclass(frozen=True, slots=True)
class ClassDistance:
    """How far an image is from the stored ones of a class.

    Attributes
    ----------
    nearest : float
        Euclidean distance, pixels from 0 to 1, to the nearest image of the class. Two images that
        differ in one pixel, paper here and ink there, are 1 apart.
    index : int
        Which image that is.
    share_farther : float
        Of the class's own images, the share (0 to 1) that is farther from its nearest other image
        of the class. 0.5: as close as the class is to itself. 0: farther off than any of them.
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
    own : (S,) float64
        What `own_distances` returns for the same images and class.

    Raises
    ------
    ValueError
        If the class has fewer than two images: then nothing can be said.
    """
    places = np.flatnonzero(labels == label)
    if not len(own) or len(places) < 2:
        raise ValueError(
            f"expected at least two images of class {label}, got {len(places)}: choose data with "
            "more of it."
        )
    found = nearest(image.ravel(), index_of(pixel_rows(images[places])), 1)
    distance = float(found.distances[0])
    return ClassDistance(distance, int(places[found.indices[0]]), float((own > distance).mean()))
