"""A drawing read by models, prepared in each of the ways."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

from mnist_core.drawing.preprocessing import PREPARATIONS, Preparation, check_ink
from mnist_core.evaluation.calibration import Calibration
from mnist_core.evaluation.metrics import probabilities

__all__ = ["Answer", "Reader", "Reading", "read_drawing"]


@dataclass(frozen=True, slots=True)
class Reader:
    """A model and how to read its confidence."""

    model: nn.Module
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of a prepared drawing.

    Attributes
    ----------
    p : (10,) float32
        The calibrated probability of each class.
    threshold : float
        Confidence below which the model is not sure.
    """

    p: np.ndarray
    threshold: float

    @property
    def said(self) -> int:
        """The most probable class, 0 to 9."""
        return int(self.p.argmax())

    @property
    def confidence(self) -> float:
        """The probability of that class, 0 to 1."""
        return float(self.p.max())

    @property
    def sure(self) -> bool:
        return self.confidence >= self.threshold


@dataclass(frozen=True, slots=True)
class Reading:
    """A drawing prepared in each way, and what each model says of it.

    Attributes
    ----------
    prepared : dict of way to Preparation
        See `drawing.PREPARATIONS`.
    answers : dict of model to (dict of way to Answer)
    took_ms : float
        Milliseconds for all of it.
    """

    prepared: Mapping[str, Preparation]
    answers: Mapping[str, Mapping[str, Answer]]
    took_ms: float


def read_drawing(ink: np.ndarray, readers: Mapping[str, Reader]) -> Reading:
    """Prepare a drawing in each way and let each model read it.

    Parameters
    ----------
    ink : (H, W) float32, 0 (paper) to 1 (ink)
    readers : dict of name to Reader

    Raises
    ------
    DrawingError
        If there is no digit to read.
    """
    started = time.perf_counter()
    check_ink(ink)
    prepared = {way: prepare(ink) for way, prepare in PREPARATIONS.items()}
    images = np.stack([preparation.pixels for preparation in prepared.values()])
    answers = {}
    for name, reader in readers.items():
        rows = probabilities(reader.model, images, reader.calibration.temperature)
        threshold = reader.calibration.threshold
        answers[name] = {way: Answer(p, threshold) for way, p in zip(prepared, rows, strict=True)}
    return Reading(prepared, answers, 1e3 * (time.perf_counter() - started))
