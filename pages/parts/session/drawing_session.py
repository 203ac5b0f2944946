"""The visitor's drawing: what the drawing page shows of it, and what other pages use of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mnist_core.drawing.pad_reports import Drawing
from mnist_core.drawing.prediction import DrawingPredictions, Prediction
from pages.parts.session import state
from pages.parts.session.model_offer import ModelOnOffer

__all__ = ["DrawingSession", "ShownDrawing", "Subject", "drawing_session"]

Subject = tuple[str, str, str]  # id of the picture, version of the model, preparation


@dataclass(frozen=True, slots=True)
class ShownDrawing:
    """A drawing and its predictions, as the page shows them.

    Attributes
    ----------
    drawing : Drawing
    offer : ModelOnOffer
        The chosen model.
    offers : dict of key to ModelOnOffer
        All models that predicted, including the chosen one.
    way : str
        The chosen preparation.
    predictions : DrawingPredictions or None
        None if the drawing cannot be a digit.
    """

    drawing: Drawing
    offer: ModelOnOffer
    offers: dict[str, ModelOnOffer]
    way: str
    predictions: DrawingPredictions | None

    @property
    def subject(self) -> Subject:
        """What the page below the pad explains."""
        return self.drawing.picture_id, self.offer.version, self.way

    @property
    def prediction(self) -> Prediction | None:
        """The chosen model's prediction for the chosen preparation."""
        return self.predictions.by_model[self.offer.key][self.way] if self.predictions else None

    @property
    def pixels(self) -> np.ndarray | None:
        """The chosen model's input: (28, 28) uint8."""
        return self.predictions.prepared[self.way].pixels if self.predictions else None


@dataclass(slots=True)
class DrawingSession:
    """The drawing page of one visitor: a fragment with pad and predictions, and the page below it.

    Every report of the pad runs the fragment alone. The page below explains one subject. It has to
    run again once the pen rests and the subject is another one.

    Attributes
    ----------
    shown : ShownDrawing or None
        What the fragment showed last.
    explained : Subject or None
        What the page below explained when it last ran to its end.
    page_running : bool
        The next run of the fragment is part of a run of the whole page.
    """

    shown: ShownDrawing | None = None
    explained: Subject | None = None
    page_running: bool = False

    def begin_page(self) -> None:
        """Note that the whole page runs; call it just before the fragment."""
        self.page_running = True

    def end_page(self, shown: ShownDrawing) -> None:
        """Note that the page below has explained a drawing to its end."""
        self.explained = shown.subject

    def page_must_run(self, subject: Subject, resting: bool) -> bool:
        """Tell whether the whole page must run for a subject; call it once in each fragment run."""
        part_of_page, self.page_running = self.page_running, False
        return resting and not part_of_page and subject != self.explained

    def is_shown(self, subject: Subject) -> bool:
        """Tell whether the fragment already shows the predictions for a subject."""
        return self.shown is not None and self.shown.subject == subject

    @property
    def pixels(self) -> np.ndarray | None:
        """The model's input for the last drawing: (28, 28) uint8, or None without a digit."""
        return self.shown.pixels if self.shown else None


def drawing_session() -> DrawingSession:
    """Return this visitor's drawing session; it lasts as long as the browser's session."""
    session = state.stored("drawing", None)
    if session is None:
        session = DrawingSession()
        state.store("drawing", session)
    return session
