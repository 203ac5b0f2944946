"""Predictions of calibrated models for a drawing, prepared in each of the ways."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

from mnist_core.drawing.preprocessing import PREPARATIONS, Preparation, check_ink
from mnist_core.evaluation.calibration import Calibration
from mnist_core.evaluation.metrics import probabilities

__all__ = ["CalibratedModel", "DrawingPredictions", "Prediction", "predict_drawing"]


@dataclass(frozen=True, slots=True)
class CalibratedModel:
    """A model and the calibration of its confidence."""

    model: nn.Module
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's prediction for a prepared drawing.

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
    def predicted(self) -> int:
        """The most probable class, 0 to 9."""
        return int(self.p.argmax())

    @property
    def confidence(self) -> float:
        """The probability of the predicted class, 0 to 1."""
        return float(self.p.max())

    @property
    def sure(self) -> bool:
        """Whether the confidence reaches the threshold."""
        return self.confidence >= self.threshold


@dataclass(frozen=True, slots=True)
class DrawingPredictions:
    """A drawing prepared in each way, and each model's predictions for it.

    Attributes
    ----------
    prepared : dict of way to Preparation
        See `preprocessing.PREPARATIONS`.
    by_model : dict of model to (dict of way to Prediction)
    took_ms : float
        Milliseconds for all of it.
    """

    prepared: Mapping[str, Preparation]
    by_model: Mapping[str, Mapping[str, Prediction]]
    took_ms: float


def predict_drawing(ink: np.ndarray, models: Mapping[str, CalibratedModel]) -> DrawingPredictions:
    """Prepare a drawing in each way and predict its class with each model.

    Parameters
    ----------
    ink : (H, W) float32, 0 (paper) to 1 (ink)
    models : dict of name to CalibratedModel

    Raises
    ------
    DrawingError
        If the ink cannot be a digit, see `preprocessing.check_ink`.
    """
    started = time.perf_counter()
    check_ink(ink)
    prepared = {way: prepare(ink) for way, prepare in PREPARATIONS.items()}
    images = np.stack([preparation.pixels for preparation in prepared.values()])
    by_model = {}
    for name, one in models.items():
        rows = probabilities(one.model, images, one.calibration.temperature)
        by_model[name] = {
            way: Prediction(p, one.calibration.threshold)
            for way, p in zip(prepared, rows, strict=True)
        }
    return DrawingPredictions(prepared, by_model, 1e3 * (time.perf_counter() - started))
