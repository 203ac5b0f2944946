"""The controls of the loss page: ten logits from sliders or from a model and a test image."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from mnist_core.data.datasets import class_names
from mnist_core.data.inputs import to_input
from mnist_core.figures.pictures import as_url, enlarged
from pages.parts.session import caches, current_data, offers, state
from pages.parts.widgets import elements

__all__ = ["logits_and_label"]

START = [0.0, -1.0, 0.5, 2.0, 0.0, 1.0, -2.0, 0.0, 1.5, 0.0]


Example = tuple[np.ndarray, int, tuple[str, ...]]


def logits_and_label() -> Example:
    """Show the controls; return ten logits, (10,) float32, the right class and the class names."""
    source = elements.pick("Logits from", ["sliders", "a real image"], "loss_source", "sliders")
    return _from_sliders() if source == "sliders" else _from_image()


def _from_sliders() -> Example:
    label = elements.pick("Right class", range(10), "loss_label", 3)
    values = []
    for row in range(0, 10, 5):
        with st.container(horizontal=True):  # five in a row, two on a phone
            values += [_slider(i) for i in range(row, row + 5)]
    return np.array(values, dtype=np.float32), label, class_names("mnist")


def _slider(i: int) -> float:
    key = f"loss_z{i}"
    return st.slider(
        f"z{i}", -10.0, 10.0, START[i], 0.1, key=key, persist_state="session", width=132
    )


def _from_image() -> Example:
    dataset = current_data.dataset()
    offer = offers.model_choice("loss_model", dataset=dataset)
    index = state.counter("loss_image") * 7919 % len(dataset.test_images)  # a prime: no pattern
    image, label = dataset.test_images[index], int(dataset.test_labels[index])
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.image(as_url(enlarged(image, 140)), caption=f"test image {index}", width=140)
    with right:
        st.markdown(f"Its label is **{dataset.class_names[label]}** (class {label}).")
        elements.again("Another image", "loss_another", "loss_image")
    with torch.inference_mode():
        logits = caches.model_of(offer)(to_input(image[None]))[0].numpy()
    return logits, label, offer.class_names
