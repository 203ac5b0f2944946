"""The controls of the loss page: ten logits from sliders or from a model and a test image."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from mnist_core.common.formatting import name_of
from mnist_core.data.datasets import class_names
from mnist_core.data.inputs import to_input
from mnist_core.figures.pictures import as_url, enlarged
from pages.parts.session import caches, current_data, offers, state
from pages.parts.widgets import elements

__all__ = ["logits_and_label"]

LAST = "The sliders stay as you set them while you visit other pages. A reload sets them back."
START = [0.0, -1.0, 0.5, 2.0, 0.0, 1.0, -2.0, 0.0, 1.5, 0.0]


Place = st.delta_generator.DeltaGenerator
Example = tuple[np.ndarray, int, tuple[str, ...]]


def logits_and_label(top: Place, place: Place) -> Example:
    """Show the controls; return ten logits, (10,) float32, the right class and the class names.

    Parameters
    ----------
    top : container
        For the source of the logits, and the right class.
    place : container
        For the sliders, or the image.
    """
    with top:
        source = elements.pick(
            "Logits from", ["sliders", "a real image"], "loss_source", "sliders", help=LAST
        )
    if source == "sliders":
        return _from_sliders(top, place)
    with place:
        return _from_image()


def _from_sliders(top: Place, place: Place) -> Example:
    label = top.selectbox(
        "Right class", range(10), 3, key="loss_label", persist_state="session", width=112
    )
    with place.container(horizontal=True, gap="xsmall"):  # four in a row, also on a phone
        values = [_slider(i) for i in range(10)]
    return np.array(values, dtype=np.float32), label, class_names("mnist")


def _slider(i: int) -> float:
    return st.slider(
        name_of("z", i - 1),
        -10.0,
        10.0,
        START[i],
        0.5,
        format="%.1f",
        key=f"loss_z{i}",
        persist_state="session",
        width=80,
    )


def _from_image() -> Example:
    dataset = current_data.dataset()
    offer = offers.model_choice("loss_model", dataset=dataset)
    index = state.counter("loss_image") * 7919 % len(dataset.test_images)  # a prime: no pattern
    image, label = dataset.test_images[index], int(dataset.test_labels[index])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(as_url(enlarged(image, 112)), caption=f"test image {index}", width=112)
        with st.container(width=200):
            st.markdown(f"Its label is **{dataset.class_names[label]}** (class {label}).")
            elements.again("Another image", "loss_another", "loss_image")
    with torch.inference_mode():
        logits = caches.model_of(offer)(to_input(image[None]))[0].numpy()
    return logits, label, offer.class_names
