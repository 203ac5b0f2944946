"""The way from a drawing to 28x28 pixels, prepared in each way, picture by picture."""

from __future__ import annotations

import streamlit as st

from mnist_core.drawing.preprocessing import PREPARATIONS
from mnist_core.evaluation import neighbours
from mnist_core.figures.pictures import ink_picture
from pages.parts.drawing.prediction_panel import Shown
from pages.parts.session import caches, current_data, offers
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["show"]


def show(shown: Shown) -> None:
    """Show every stage of both preparations, what comes of either, and how far it is from MNIST."""
    texts.show("drawing", "preparation")
    if shown.reading is None:
        return
    names = shown.offer.class_names
    with st.container(key="drawing_stages"):
        for way in PREPARATIONS:
            answer = shown.reading.answers[shown.offer.key][way]
            chosen = " · *chosen*" if way == shown.way else ""
            st.markdown(
                f"**{way}**: read as **{names[answer.said]}**, {answer.confidence:.0%} sure{chosen}"
            )
            stages = shown.reading.prepared[way].stages
            elements.pictures(
                [ink_picture(s.image) for s in stages], [s.title for s in stages], 140
            )
    if names == offers.DIGITS:
        _distances(shown)


def _distances(shown: Shown) -> None:
    """Say how far either picture is from the training digits of the class that was named."""
    dataset = current_data.dataset_of(shown.offer)
    if shown.reading is None or shown.answer is None or dataset.class_names != offers.DIGITS:
        return
    said = shown.answer.said
    own = caches.own_distances(dataset, said)
    lines = []
    for way, preparation in shown.reading.prepared.items():
        far = neighbours.class_distance(
            preparation.pixels, dataset.train_images, dataset.train_labels, said, own
        )
        lines.append(
            f"- *{way}*: the nearest {said} in {dataset.title} is **{far.nearest:.1f}** away; "
            f"**{far.share_farther:.0%}** of its own {said}s are farther from their nearest other."
        )
    with st.container(key="drawing_distance"):
        st.markdown("How close is it to what the network learnt from?\n" + "\n".join(lines))
