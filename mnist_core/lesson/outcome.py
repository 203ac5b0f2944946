"""What a visitor reached in the lesson: what Conclusions shows, and what its picture holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LessonOutcome", "Mistake"]


@dataclass(frozen=True, slots=True, eq=False)
class Mistake:
    """A test image that a model got wrong.

    Attributes
    ----------
    pixels : (28, 28) uint8, 0 to 255
    true, predicted : str
        Names of classes.
    confidence : float
        The model's confidence in its prediction, 0 to 1.
    """

    pixels: np.ndarray
    true: str
    predicted: str
    confidence: float

    def in_words(self) -> str:
        """Return the mistake as a sentence."""
        sure = "Over 99.9%" if self.confidence >= 0.9995 else f"{self.confidence:.1%}"
        return f"{sure} sure of “{self.predicted}”, but it is “{self.true}”"


@dataclass(frozen=True, slots=True, eq=False)
class LessonOutcome:
    """What a visitor reached; what they did not do is None or 0.

    Attributes
    ----------
    model : str
        The best run's model and data, for example "Linear on MNIST"; "" without a run.
    accuracy : float or None
        The best run's accuracy on the test set, 0 to 1.
    mistake : Mistake or None
        The wrong prediction of which the best run's model is surest.
    right, predictions : int
        Questions of the lesson: predicted rightly, and predicted.
    drawings : (N, 28, 28) uint8
        The visitor's saved drawings.
    before, after : float or None
        Accuracy on drawings left out of the tuning, before and after it.
    """

    model: str = ""
    accuracy: float | None = None
    mistake: Mistake | None = None
    right: int = 0
    predictions: int = 0
    drawings: np.ndarray | None = None
    before: float | None = None
    after: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show yet."""
        return self.accuracy is None and not self.predictions and not self.n_drawings

    @property
    def n_drawings(self) -> int:
        return 0 if self.drawings is None else len(self.drawings)

    def rows(self) -> list[tuple[str, str]]:
        """Return (what, how much) for each thing the visitor did."""
        rows = []
        if self.accuracy is not None:
            rows.append((f"Best run: {self.model}", f"{self.accuracy:.2%} of the test set right"))
        if self.predictions:
            rows.append(("Predictions", f"{self.right} of {self.predictions} right"))
        if self.before is not None and self.after is not None:
            gained = f"{self.before:.0%} before tuning, {self.after:.0%} after"
            rows.append(("Own handwriting, drawings left out", gained))
        elif self.n_drawings:
            rows.append(("Own handwriting", f"{self.n_drawings} drawings saved"))
        return rows
