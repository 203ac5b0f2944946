"""Which network and which image to open up, on the pages that open one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.data.datasets import Dataset
from mnist_core.evaluation.metrics import probabilities
from mnist_core.figures.pictures import as_url, enlarged
from pages.parts.explain import walk_panel, zoom_panel
from pages.parts.session import caches, offers, state
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["Subject", "choose", "show"]

TRAINED, FRESH = "A trained one", "This page's, with fresh weights"
TEST, DRAWN = "A test image", "Your drawing"
BATCH = 8


@dataclass(frozen=True, slots=True)
class Subject:
    """What is opened.

    Attributes
    ----------
    model : nn.Sequential
    architecture : str
    names : sequence of 10 str
        The classes it tells apart.
    images : (B, 28, 28) uint8
        The chosen one, then those that make a batch with it.
    labels : (B,) int64 or None
        None where the images' classes are not the model's.
    """

    model: nn.Sequential
    architecture: str
    names: Sequence[str]
    images: np.ndarray
    labels: np.ndarray | None


def show(dataset: Dataset, fresh: nn.Sequential, architecture: str) -> None:
    """Show a network opened up on an image, and one training step through it.

    Parameters
    ----------
    dataset : Dataset
        Where the images come from.
    fresh : nn.Sequential
        A network that has learnt nothing yet, which may be opened instead of a trained one.
    architecture : str
        What it is.
    """
    texts.show("zoom", "intro")
    subject = choose(dataset, (fresh, architecture), "model")
    zoom_panel.show(subject.model, subject.architecture, subject.images[0], subject.names, "model")
    if subject.labels is not None:
        walk_panel.show(subject.model, subject.images, subject.labels, subject.names)


def choose(dataset: Dataset, fresh: tuple[nn.Sequential, str] | None, key: str) -> Subject:
    """Let the visitor choose a network and an image; handles begin with ``key``."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        model, architecture, names = _network(dataset, fresh, key)
        drawn = offers.drawing()
        kind = TEST
        if drawn is not None:
            kind = elements.pick("Image", (TEST, DRAWN), f"{key}_image_kind", TEST)
        if drawn is not None and kind == DRAWN:
            images = drawn[None]
            labels = _label_of_drawing(model, drawn, names, key)
        else:
            images, labels = _test_images(dataset, key)
            if names != dataset.class_names:
                labels = None
    with right:
        title = "" if labels is None else f"Label: {names[int(labels[0])]}"
        st.image(as_url(enlarged(images[0], 140)), width=140, caption=title, alt="The image")
    return Subject(model, architecture, names, images, labels)


def _network(
    dataset: Dataset, fresh: tuple[nn.Sequential, str] | None, key: str
) -> tuple[nn.Sequential, str, tuple[str, ...]]:
    weights = TRAINED
    if fresh:
        weights = elements.pick("Network", (TRAINED, FRESH), f"{key}_weights", TRAINED)
    if fresh and weights == FRESH:
        return *fresh, dataset.class_names
    offer = offers.model_choice(f"{key}_offer", dataset=dataset)
    return caches.model_of(offer), offer.architecture, offer.class_names


def _test_images(dataset: Dataset, key: str) -> tuple[np.ndarray, np.ndarray]:
    images, labels = dataset.test_images, dataset.test_labels
    number = st.number_input(
        f"Number of the test image, 0 to {len(images) - 1:,}",
        0,
        len(images) - 1,
        0,
        key=f"{key}_image_{dataset.name}",
        persist_state="session",
        width=280,
    )
    batch = (number + np.arange(min(BATCH, len(images)))) % len(images)
    return images[batch], labels[batch]


def _label_of_drawing(
    model: nn.Sequential, image: np.ndarray, names: Sequence[str], key: str
) -> np.ndarray:
    """Ask what was drawn; until that is said it is what the model reads."""
    slot = f"{key}_drawn_label"
    said = str(int(np.nan_to_num(probabilities(model, image[None])[0]).argmax()))
    kept = state.stored(slot, said)
    options = [str(i) for i in range(len(names))]
    label = state.choose(
        st.selectbox,
        "What it is",
        options,
        kept,
        partial(state.store, slot),
        slot,
        format_func=lambda i: names[int(i)],
        width=280,
    )
    return np.array([int(label)])
