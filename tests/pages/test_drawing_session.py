"""When the page below the pad runs: the states of a drawing session, without Streamlit."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.drawing.pad_reports import Drawing
from mnist_core.drawing.prediction import DrawingPredictions, Prediction
from mnist_core.drawing.preprocessing import Preparation, Stage
from pages.parts.session.drawing_session import DrawingSession, ShownDrawing
from pages.parts.session.model_offer import ModelOnOffer

OFFER = ModelOnOffer("cnn", "Small CNN", "cnn", "mnist", "cnn")
PREPARED = Preparation((Stage("Input", np.full((28, 28), 0.5, dtype=np.float32)),))
SURE = Prediction(np.eye(10, dtype=np.float32)[7], 0.5)
ONE, OTHER = ("one", "cnn", "Like MNIST"), ("other", "cnn", "Like MNIST")


def shown(picture_id: str, digit: bool = True) -> ShownDrawing:
    drawing = Drawing(np.zeros((280, 280), dtype=np.float32), True, picture_id, 1)
    both = DrawingPredictions({"Like MNIST": PREPARED}, {"cnn": {"Like MNIST": SURE}}, 1.0)
    return ShownDrawing(drawing, OFFER, {"cnn": OFFER}, "Like MNIST", both if digit else None)


@pytest.fixture
def session() -> DrawingSession:
    """Return a session whose page has explained ONE."""
    session = DrawingSession()
    session.begin_page()
    assert not session.page_must_run(ONE, resting=True)
    session.shown = shown("one")
    session.end_page(session.shown)
    return session


def test_the_page_s_own_run_of_the_fragment_never_asks_for_another(session):
    session.begin_page()
    assert not session.page_must_run(OTHER, resting=True)


def test_nothing_runs_while_the_pen_moves_and_the_page_once_it_rests(session):
    assert not session.page_must_run(OTHER, resting=False)
    session.shown = shown("other")
    assert session.page_must_run(OTHER, resting=True)
    session.begin_page()
    assert not session.page_must_run(OTHER, resting=True)
    session.end_page(session.shown)
    assert not session.page_must_run(OTHER, resting=True)


def test_what_is_explained_already_runs_nothing(session):
    assert not session.page_must_run(ONE, resting=True)


@pytest.mark.parametrize(
    "subject", [OTHER, ("one", "mine 90", "Like MNIST"), ("one", "cnn", "Whole canvas")]
)
def test_another_picture_model_or_preparation_is_another_subject(session, subject):
    assert session.page_must_run(subject, resting=True)
    assert not session.is_shown(subject)


def test_a_page_that_was_interrupted_runs_again(session):
    session.shown = shown("other")
    session.begin_page()
    assert not session.page_must_run(OTHER, resting=True)  # and the run does not reach end_page
    assert session.page_must_run(OTHER, resting=True)
    assert session.is_shown(OTHER)


def test_shown_predictions_are_those_of_the_subject(session):
    assert session.is_shown(ONE)
    assert not session.is_shown(OTHER)
    assert not DrawingSession().is_shown(ONE)


def test_the_model_s_input_is_that_of_the_last_drawing(session):
    assert session.pixels is not None
    assert (session.pixels == 128).all()
    assert session.shown.prediction.predicted == 7
    session.shown = shown("a dot", digit=False)
    assert (session.pixels, session.shown.prediction) == (None, None)
    assert DrawingSession().pixels is None
