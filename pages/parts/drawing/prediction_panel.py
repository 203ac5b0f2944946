"""The pad and, next to it, what every model says of the drawing while it is being drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.drawing import preprocessing
from mnist_core.drawing.pad_reports import Drawn
from mnist_core.drawing.prediction import Answer, Reader, Reading, read_drawing
from mnist_core.drawing.preprocessing import DrawingError
from mnist_core.figures.answers import bars_html, models_html, note_html
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from pages.parts.drawing import pads, photo_pad
from pages.parts.session import caches, state
from pages.parts.session import offers as model_offers
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor
from pages.parts.widgets import elements

__all__ = ["LESSON", "OURS", "Shown", "explained", "measured_table", "pad_and_answer"]

OURS, LESSON = preprocessing.PREPARATIONS
STYLE = Path(__file__).with_name("answer.css")
PADS = {**pads.PADS, "photo": "Photo"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the rest of the page is about.

    Attributes
    ----------
    drawn : Drawn
    offer : ModelOnOffer
        The chosen model.
    offers : dict of key to ModelOnOffer
        All that have read the drawing, the chosen one among them.
    way : str
        The chosen preparation.
    reading : Reading or None
        None if there is no digit to read.
    """

    drawn: Drawn
    offer: ModelOnOffer
    offers: dict[str, ModelOnOffer]
    way: str
    reading: Reading | None

    @property
    def answer(self) -> Answer | None:
        """What the chosen model says, prepared in the chosen way."""
        return self.reading.answers[self.offer.key][self.way] if self.reading else None

    @property
    def pixels(self) -> np.ndarray | None:
        """What it read: (28, 28) uint8."""
        return self.reading.prepared[self.way].pixels if self.reading else None


def pad_and_answer() -> Shown:
    """Show the pad and the answers, which follow the pen; return what the page is to explain."""
    pad = elements.pick("Draw with", PADS, "drawing_pad", "live", format_func=PADS.__getitem__)
    with st.container(horizontal=True):
        offered = model_offers.on_offer()
        offer = model_offers.model_choice("drawing_model", offered=offered)
        way = elements.pick("Preparation", preprocessing.PREPARATIONS, "drawing_preparation", OURS)
    offers = {one.key: one for one in model_offers.compared(offer, offered)}
    st.html(STYLE)
    state.store("drawing_whole_page", True)
    _follow_the_pen(pad, offer, offers, way)
    return state.stored("drawing_shown", None)


def explained(shown: Shown) -> None:
    """Note that the page below has been drawn to its end for this."""
    state.store("drawing_explained", _about(shown.drawn, shown.offer, shown.way))


@st.fragment
def _follow_the_pen(
    pad: str, offer: ModelOnOffer, offers: dict[str, ModelOnOffer], way: str
) -> None:
    """Read the drawing again with every report of the pad, without running the whole page.

    Once the pen rests, and there is something new to explain, the whole page runs.
    """
    if pad == "photo":
        left, right = st.columns(2, gap="large")
        with left:
            drawn = photo_pad.drawn()
    else:
        held = pads.held(pad)
        drawn = held.drawn
    whole_page = state.stored("drawing_whole_page", False)
    state.store("drawing_whole_page", False)
    about = _about(drawn, offer, way)
    explained_now = whole_page or state.stored("drawing_explained", None) == about
    to_explain = drawn.resting and not explained_now
    last: Shown | None = state.stored("drawing_shown", None)
    if to_explain and last and _about(last.drawn, last.offer, last.way) == about:
        st.rerun()  # it has been answered
    reading, problem = _read(drawn.ink, offers)
    if pad != "photo":  # all is known: what is shown from here reaches the browser in one piece
        left, right = st.columns(2, gap="large")
        with left, st.container(key="drawing_canvas"):
            held.show()
    with right:
        if reading:
            _answer(reading, drawn.revision, offers, offer, way)
        else:
            st.info(problem, icon=":material/draw:")
            st.html(note_html(f"Answer {drawn.revision}: there is nothing to read yet."))
    state.store("drawing_shown", Shown(drawn, offer, offers, way, reading))
    if to_explain:
        st.rerun()


def _read(ink: np.ndarray, offers: dict[str, ModelOnOffer]) -> tuple[Reading | None, str]:
    """Return what each model says of the ink, or None and why there is nothing to read."""
    try:
        preprocessing.check_ink(ink)  # an empty pad waits for no model
        readers = {
            key: Reader(caches.model_of(one), caches.calibration_of(one))
            for key, one in offers.items()
        }
        return read_drawing(ink, readers), ""
    except DrawingError as problem:
        return None, str(problem)


def _about(drawn: Drawn, offer: ModelOnOffer, way: str) -> tuple[object, ...]:
    """Return what the page below depends on."""
    return drawn.beginning, offer.version, way


def _answer(
    reading: Reading,
    revision: int,
    offers: dict[str, ModelOnOffer],
    offer: ModelOnOffer,
    way: str,
) -> None:
    answer, names = reading.answers[offer.key][way], offer.class_names
    said = names[answer.said]
    if names != model_offers.DIGITS:
        st.info(
            "This model knows clothes, not digits: it will call your drawing one of them.",
            icon=":material/checkroom:",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(key="drawing_prediction", width="content"):
            st.title(str(answer.said), anchor=False)
        if answer.sure:
            st.markdown(f"The model reads **{said}** and is {answer.confidence:.0%} sure.")
        else:
            st.markdown(
                f"**I am not sure.** It looks most like **{said}** ({answer.confidence:.0%}), "
                f"and below {answer.threshold:.0%} this model had better say so."
            )
    with st.container(key="drawing_confidence"):
        titles = {key: one.label.partition(",")[0] for key, one in offers.items()}
        classes = {key: one.class_names for key, one in offers.items()}
        took = f"{len(offers)} models in {reading.took_ms:.0f} ms"
        st.html(
            bars_html(answer, names)
            + note_html(f"The dotted line: from {answer.threshold:.0%} on it calls itself sure.")
            + models_html(reading.answers, classes, titles)
            + note_html(f"Answer {revision}: prepared twice and read by {took}.")
        )
    visitor().choices.mark_done("drawing", f"a drawing read as {said}")


def measured_table() -> None:
    """Show what the bundled models read of real pen digits, as their model card has it."""
    columns = {
        architectures.ARCHITECTURES[name].title: {
            "MNIST's own test set": f"{entry['test_accuracy']:.2%}",
            **{what: f"{share:.1%}" for what, share in entry.get("pen_digits", {}).items()},
        }
        for name, entry in bundled.pretrained_card().items()
    }
    st.table(pd.DataFrame(columns))
