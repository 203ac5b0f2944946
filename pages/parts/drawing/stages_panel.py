"""The stages of each preparation, from the drawing to 28x28 pixels."""

from __future__ import annotations

import streamlit as st

from mnist_core.drawing.preprocessing import PREPARATIONS
from mnist_core.evaluation import neighbours
from mnist_core.figures.pictures import ink_picture
from pages.parts.session import caches, current_data, offers
from pages.parts.session.drawing_session import ShownDrawing
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["show"]


def show(shown: ShownDrawing) -> None:
    """Show both preparations: every stage, the prediction, and the distance from MNIST."""
    texts.show("drawing", "preparation")
    if shown.predictions is None:
        return
    names = shown.offer.class_names
    with st.container(key="drawing_stages"):
        for way in PREPARATIONS:
            prediction = shown.predictions.by_model[shown.offer.key][way]
            chosen = " · *chosen*" if way == shown.way else ""
            st.markdown(
                f"**{way}**: read as **{names[prediction.predicted]}**, "
                f"{prediction.confidence:.0%} sure{chosen}"
            )
            stages = shown.predictions.prepared[way].stages
            elements.pictures(
                [ink_picture(s.image) for s in stages], [s.title for s in stages], 140
            )
    if names == offers.DIGITS:
        _distances(shown)


def _distances(shown: ShownDrawing) -> None:
    """Show the distance of either input from the training digits of the predicted class."""
    dataset = current_data.dataset_of(shown.offer)
    if shown.predictions is None or dataset.class_names != offers.DIGITS:
        return
    digit = shown.predictions.by_model[shown.offer.key][shown.way].predicted
    own = caches.own_distances(dataset, digit)
    lines = []
    for way, preparation in shown.predictions.prepared.items():
        far = neighbours.class_distance(
            preparation.pixels, dataset.train_images, dataset.train_labels, digit, own
        )
        lines.append(
            f"- *{way}*: the nearest {digit} in {dataset.title} is **{far.nearest:.1f}** away; "
            f"for **{far.share_farther:.0%}** of the {digit}s there, the nearest other is farther."
        )
    with st.container(key="drawing_distance"):
        st.markdown("How close is it to what the network learnt from?\n" + "\n".join(lines))
