"""The choice of a network and an image, and both opened up: the zoom and one training step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.data.datasets import Dataset
from mnist_core.evaluation.metrics import probabilities, surest
from mnist_core.explain.zoom_path import ZoomPath
from mnist_core.figures.pictures import as_url, enlarged
from mnist_core.nn.architectures import build
from pages.parts.explain import walk_panel, zoom_panel
from pages.parts.session import caches, offers
from pages.parts.session.drawing_session import drawing_session
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.widgets import elements

__all__ = ["open_network"]

TRAINED, FRESH = "Trained", "With fresh weights"
TEST, DRAWN = "A test image", "Your drawing"
BATCH = 8


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is opened.

    Attributes
    ----------
    model : nn.Sequential
    architecture : str
    names : sequence of 10 str
        The model's classes.
    images : (B, 28, 28) uint8
        The chosen image, then the others of its batch.
    labels : (B,) int64 or None
        None if the images have other classes than the model.
    """

    model: nn.Sequential
    architecture: str
    names: Sequence[str]
    images: np.ndarray
    labels: np.ndarray | None


def open_network(dataset: Dataset) -> None:
    """Show a network at work on an image, to be opened, and one training step through it.

    It starts with the linear model, an image that the model gets wrong, and the unit of the right
    class.

    Parameters
    ----------
    dataset : Dataset
        The source of the images.
    """
    subject = _choose(dataset)
    start = None
    if subject.architecture == "linear" and subject.labels is not None:
        start = ZoomPath("l1", int(subject.labels[0]))
    zoom_panel.show(
        subject.model, subject.architecture, subject.images[0], subject.names, "network", start
    )
    if subject.labels is not None:
        walk_panel.show(subject.model, subject.images, subject.labels, subject.names)


def _choose(dataset: Dataset) -> _Subject:
    left, right = st.columns([3, 1], gap="large")
    labels: np.ndarray | None
    with left:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            weights = elements.pick("Network", (TRAINED, FRESH), "network_weights", TRAINED)
            offer = offers.model_choice("network_model", dataset=dataset, first="linear")
            model, names = caches.model_of(offer), offer.class_names
            if weights == FRESH:
                model, names = build(offer.architecture, seed=0), dataset.class_names
        drawn, kind = drawing_session().pixels, TEST
        if drawn is not None:
            kind = elements.pick("Image", (TEST, DRAWN), "network_image_kind", TEST)
        if drawn is not None and kind == DRAWN:
            images, labels = drawn[None], _label_of_drawing(model, drawn, names)
        else:
            images, labels = _test_images(dataset, offer)
            if names != dataset.class_names:
                labels = None
    with right:
        title = "" if labels is None else f"Label: {names[int(labels[0])]}"
        st.image(as_url(enlarged(images[0], 112)), width=112, caption=title, alt="The image")
    return _Subject(model, offer.architecture, names, images, labels)


def _test_images(dataset: Dataset, offer: ModelOnOffer) -> tuple[np.ndarray, np.ndarray]:
    """Show the choice of a test image, which starts at one that the model gets wrong."""
    images, labels = dataset.split("test")
    wrong = surest(caches.evaluation_of(offer, dataset, "test"))
    number = st.number_input(
        f"Number of the test image, 0 to {len(images) - 1:,}",
        0,
        len(images) - 1,
        int(wrong[0]) if len(wrong) else 0,
        key=f"network_image_{dataset.name}_{offer.key}",
        persist_state="session",
        width=280,
    )
    batch = (number + np.arange(min(BATCH, len(images)))) % len(images)
    return images[batch], labels[batch]


def _label_of_drawing(model: nn.Sequential, image: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Show the choice of the drawing's label, which starts at the prediction."""
    predicted = int(np.nan_to_num(probabilities(model, image[None])[0]).argmax())
    label = elements.stored_choice(
        st.selectbox,
        "What it is",
        [str(i) for i in range(len(names))],
        "network_drawn_label",
        str(predicted),
        format_func=lambda i: names[int(i)],
        width=280,
    )
    return np.array([int(label)])
