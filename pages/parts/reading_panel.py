"""The pad and, next to it, what every model says of the drawing while it is being drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core import drawing, models
from mnist_core.drawing import DrawingError
from mnist_core.figures.classes import confidence_bars
from mnist_core.pads import Drawn
from mnist_core.reading import Answer, Reader, Reading, read_drawing
from pages.parts import caches, canvas, current, frame, photo_pad, state
from pages.parts.current import ModelOnOffer

__all__ = ["LESSON", "OURS", "Shown", "explained", "measured_table", "pad_and_answer"]

OURS, LESSON = drawing.PREPARATIONS
PADS = {**canvas.PADS, "photo": "Photo"}


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
    state.keep("drawing_whole_page", True)
    _follow_the_pen()
    return state.kept("drawing_shown", None)


def explained(shown: Shown) -> None:
    """Note that the page below has been drawn to its end for this."""
    state.keep("drawing_explained", _about(shown))


@st.fragment
def _follow_the_pen() -> None:
    """Read the drawing again with every report of the pad, without running the whole page.

    Once the pen is up, and there is something new to explain, the whole page runs.
    """
    pad = frame.pick("Draw with", PADS, "drawing_pad", "live", format_func=PADS.__getitem__)
    left, right = st.columns([1, 1], gap="large")
    with left:
        drawn = photo_pad.drawn() if pad == "photo" else canvas.drawn(pad)
    with right:
        place = st.container()  # the answer stands above the choices: on a phone below the pad
        offered = current.on_offer()
        offer = current.model_choice("drawing_model", offered=offered)
        way = frame.pick("Preparation", drawing.PREPARATIONS, "drawing_preparation", OURS)
    offers = {one.key: one for one in current.compared(offer, offered)}
    readers = {key: Reader(one.model, caches.calibration_of(one)) for key, one in offers.items()}
    reading: Reading | None = None
    with place:
        try:
            reading = read_drawing(drawn.ink, readers)
        except DrawingError as problem:
            st.info(str(problem), icon=":material/draw:")
        else:
            _answer(reading.answers[offer.key][way], offer)
    if reading:
        _all_models(reading, offers)
    with st.container(key="drawing_answered"):
        st.caption(f"Answer {drawn.revision}: {_effort(reading, len(offers))}")
    shown = Shown(drawn, offer, offers, way, reading)
    state.keep("drawing_shown", shown)
    whole_page = state.kept("drawing_whole_page", False)
    state.keep("drawing_whole_page", False)
    explained_now = state.kept("drawing_explained", None) == _about(shown)
    if not (whole_page or drawn.moving or explained_now):
        st.rerun()


def _about(shown: Shown) -> tuple[object, ...]:
    """Return what the page below depends on."""
    drawn = shown.drawn
    return drawn.beginning, shown.offer.version, shown.way


def _answer(answer: Answer, offer: ModelOnOffer) -> None:
    names = offer.class_names
    said = names[answer.said]
    if offer.class_names != current.DIGITS:
        st.info(
            "This model knows clothes, not digits: it will call your drawing one of them.",
            icon=":material/checkroom:",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(key="drawing_prediction", width="content"):
            st.title(str(answer.said), anchor=False)
        with st.container(key="drawing_sentence"):
            if answer.sure:
                st.markdown(f"The model reads **{said}** and is {answer.confidence:.0%} sure.")
            else:
                st.markdown(
                    f"**I am not sure.** It looks most like **{said}** ({answer.confidence:.0%}), "
                    f"and below {answer.threshold:.0%} this model had better say so."
                )
    with st.container(key="drawing_confidence"):
        st.echarts_chart(
            confidence_bars(answer.p, names),
            height=300,
            key="drawing_bars",
            alt=f"Ten confidences; the largest is {said} with {answer.confidence:.1%}.",
        )
    state.mark_done("drawing", f"a drawing read as {said}")


def _effort(reading: Reading | None, n_models: int) -> str:
    if reading is None:
        return "there is nothing to read yet."
    return f"prepared twice and read by {n_models} models in {reading.took_ms:.0f} ms."


def _all_models(reading: Reading, offers: dict[str, ModelOnOffer]) -> None:
    """Show what each model says, prepared in either way; Markdown is updated in place."""
    rows = [f"| Model | {OURS} | {LESSON} |", "|:--|:--|:--|"]
    for key, offer in offers.items():
        cells = [_cell(reading.answers[key][way], offer) for way in (OURS, LESSON)]
        rows.append(f"| {offer.label} | {cells[0]} | {cells[1]} |")
    with st.container(key="drawing_models"):
        st.markdown("**Every model on this drawing**, prepared in either way")
        st.markdown("\n".join(rows))


def _cell(answer: Answer, offer: ModelOnOffer) -> str:
    doubt = "" if answer.sure else " (not sure)"
    return f"**{offer.class_names[answer.said]}** {answer.confidence:.0%}{doubt}"


def measured_table() -> None:
    """Show what the bundled models read of real pen digits, as their model card has it."""
    columns = {
        models.ARCHITECTURES[name].title: {
            "MNIST's own test set": f"{entry['test_accuracy']:.2%}",
            **{what: f"{share:.1%}" for what, share in entry.get("pen_digits", {}).items()},
        }
        for name, entry in models.pretrained_card().items()
    }
    st.table(pd.DataFrame(columns))
