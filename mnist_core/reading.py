"""A drawing read by a model, prepared in each of the ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from mnist_core.drawing import PREPARATIONS, Preparation, check_ink
from mnist_core.evaluation import probabilities

__all__ = ["Reading", "read_drawing"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model says of a drawing.

    Attributes
    ----------
    preparation : Preparation
        The way from the drawing to the model's input.
    p : (10,) float32
        The probability of each class.
    """

    preparation: Preparation
    p: np.ndarray

    @property
    def said(self) -> int:
        """The most probable class, 0 to 9."""
        return int(self.p.argmax())

    @property
    def confidence(self) -> float:
        """The probability of that class, 0 to 1."""
        return float(self.p.max())


def read_drawing(model: nn.Module, ink: np.ndarray) -> dict[str, Reading]:
    """Prepare a drawing in each way of `mnist_core.drawing.PREPARATIONS` and let a model read it.

    Parameters
    ----------
    ink : (H, W) float32, 0 (paper) to 1 (ink)

    Raises
    ------
    DrawingError
        If there is no digit to read.
    """
    check_ink(ink)
    prepared = {way: prepare(ink) for way, prepare in PREPARATIONS.items()}
    p = probabilities(model, np.stack([preparation.pixels for preparation in prepared.values()]))
    return {
        way: Reading(preparation, row)
        for (way, preparation), row in zip(prepared.items(), p, strict=True)
    }
