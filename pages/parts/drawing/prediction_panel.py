"""The pad and, beside it, every model's prediction for the drawing while it is being drawn."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from mnist_core.drawing.pad_reports import Drawing
from mnist_core.drawing.prediction import CalibratedModel, DrawingPredictions, predict_drawing
from mnist_core.drawing.preprocessing import PREPARATIONS, DrawingError
from mnist_core.figures.predictions import bars_html, models_html, note_html
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from pages.parts.drawing.pads import PADS
from pages.parts.session import caches
from pages.parts.session import offers as model_offers
from pages.parts.session.drawing_session import ShownDrawing, drawing_session
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["domain", "measured_table", "pad_and_predictions"]

LIKE_MNIST, _ = PREPARATIONS
STYLE = Path(__file__).with_name("prediction.css")


def pad_and_predictions() -> ShownDrawing:
    """Show the pad and the predictions, which follow the pen; return what the page explains."""
    pad = elements.pick(
        "Draw with", PADS, "drawing_pad", "live", format_func=lambda name: PADS[name].title
    )
    with st.container(horizontal=True):
        offered = model_offers.on_offer()
        offer = model_offers.model_choice("drawing_model", offered=offered)
        way = elements.pick("Preparation", PREPARATIONS, "drawing_preparation", LIKE_MNIST)
    offers = {one.key: one for one in model_offers.compared(offer, offered)}
    st.html(STYLE)
    drawing_session().begin_page()
    return _follow_the_pen(pad, offer, offers, way)


@st.fragment
def _follow_the_pen(
    pad: str, offer: ModelOnOffer, offers: dict[str, ModelOnOffer], way: str
) -> ShownDrawing:
    """Predict again with every report of the pad, without a run of the whole page.

    The whole page runs once the pen rests and there is something new to explain.
    """
    session = drawing_session()
    drawing, show_pad = PADS[pad].held()
    subject = drawing.picture_id, offer.version, way
    page_must_run = session.page_must_run(subject, drawing.resting)
    if page_must_run and session.is_shown(subject):
        st.rerun()
    predictions, problem = _predict(drawing, offers)
    shown = ShownDrawing(drawing, offer, offers, way, predictions)
    # Everything is computed: what follows reaches the browser in one piece.
    left, right = st.columns(2, gap="large")
    with left, st.container(key="drawing_canvas"):
        show_pad()
    with right:
        if predictions:
            _show_predictions(shown, predictions)
        else:
            st.info(problem, icon=":material/draw:")
            st.html(note_html(f"Update {drawing.revision}: there is nothing to read yet."))
    session.shown = shown
    if page_must_run:
        st.rerun()
    return shown


def _predict(
    drawing: Drawing, offers: dict[str, ModelOnOffer]
) -> tuple[DrawingPredictions | None, str]:
    """Return each model's predictions, or None and the reason why there are none."""
    some = offers if drawing.picture_id else {}  # an empty pad does not wait for models to load
    models = {
        key: CalibratedModel(caches.model_of(one), caches.calibration_of(one))
        for key, one in some.items()
    }
    try:
        return predict_drawing(drawing.ink, models), ""
    except DrawingError as problem:
        return None, str(problem)


def _show_predictions(shown: ShownDrawing, predictions: DrawingPredictions) -> None:
    prediction = predictions.by_model[shown.offer.key][shown.way]
    names = shown.offer.class_names
    predicted, sure_from = names[prediction.predicted], f"{prediction.threshold:.0%}"
    if names != model_offers.DIGITS:
        st.info(
            "This model knows clothes, not digits: it will call your drawing one of them.",
            icon=":material/checkroom:",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(key="drawing_prediction", width="content"):
            st.title(str(prediction.predicted), anchor=False)
        if prediction.sure:
            st.markdown(f"The model reads **{predicted}** and is {prediction.confidence:.0%} sure.")
        else:
            st.markdown(
                f"**I am not sure.** It looks most like **{predicted}** "
                f"({prediction.confidence:.0%}), and this model is sure only from {sure_from} on."
            )
    with st.container(key="drawing_confidence"):
        titles = {key: one.label.partition(",")[0] for key, one in shown.offers.items()}
        classes = {key: one.class_names for key, one in shown.offers.items()}
        took = f"{len(titles)} models in {predictions.took_ms:.0f} ms"
        st.html(
            bars_html(prediction, names)
            + note_html(f"The dotted line: from {sure_from} on the model calls itself sure.")
            + models_html(predictions.by_model, classes, titles)
            + note_html(f"Update {shown.drawing.revision}: prepared twice and read by {took}.")
        )
    visitor().choices.mark_done("drawing", f"a drawing read as {predicted}")


def domain() -> None:
    """Explain the change of domain with the figures of the bundled linear model."""
    entry = bundled.pretrained_card()["linear"]
    pen_digits = entry["pen_digits"]
    prepared, whole = (
        next(share for what, share in pen_digits.items() if what.startswith(f"{way}, all"))
        for way in PREPARATIONS
    )
    texts.show("drawing", "domain", test=entry["test_accuracy"], whole=whole, prepared=prepared)


def measured_table() -> None:
    """Show how many real pen digits the bundled models read, as their model card has it."""
    columns = {
        architectures.ARCHITECTURES[name].title: {
            "MNIST's own test set": f"{entry['test_accuracy']:.2%}",
            **{what: f"{share:.1%}" for what, share in entry.get("pen_digits", {}).items()},
        }
        for name, entry in bundled.pretrained_card().items()
    }
    st.table(pd.DataFrame(columns))
