"""The data set's images, one of them opened, and a random batch."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from mnist_core.concepts.batching import batch_by_index, batch_by_loader, time_batches
from mnist_core.data.datasets import NAMES, TITLES, Dataset
from mnist_core.data.statistics import indices_of
from mnist_core.evaluation.metrics import probabilities
from pages.parts.dataset import opened_image
from pages.parts.session import caches, current_data, offers, state
from pages.parts.session.choices import Choices
from pages.parts.session.visitor import visitor
from pages.parts.widgets import code_box, elements, image_grid

__all__ = ["batch", "show"]

PER_PAGE, BATCH_SIZE = 20, 32
SPLITS = {"train": "Training set", "test": "Test set"}
PRESSES = "dataset_presses"


def show(dataset: Dataset) -> None:
    """Show the choice of the images, a page of them, and the one that is open."""
    _images(dataset, visitor().choices.dataset)


@st.fragment
def _images(dataset: Dataset, chosen: str | None) -> None:
    if visitor().choices.dataset != chosen:
        st.rerun()  # another data set: the rest of the page changes too
    with st.container(horizontal=True, vertical_alignment="bottom", key="dataset_controls"):
        _choose_dataset()
        wanted = st.selectbox(
            "Class",
            ["all", *range(10)],
            format_func=lambda c: "all classes" if c == "all" else dataset.class_names[c],
            key="dataset_class",
            persist_state="session",
            width=128,
        )
        split = elements.pick(
            "Split", SPLITS, "dataset_split", "train", format_func=SPLITS.__getitem__
        )
    labels = dataset.split(split)[1]
    indices = indices_of(labels, None if wanted == "all" else wanted)
    if not len(indices):
        st.info(f"The {SPLITS[split].lower()} holds no image of this class: choose another.")
        return
    grid = st.container(key="dataset_grid")
    n_pages = -(-len(indices) // PER_PAGE)
    key = f"dataset_page_{dataset.name}_{split}_{wanted}"
    page = st.pagination(n_pages, key=key, persist_state="session")
    with grid:
        index_key = _grid(dataset, split, indices[(page - 1) * PER_PAGE : page * PER_PAGE])
    _opened(dataset, split, index_key)


def _choose_dataset() -> None:
    state.choose(
        st.selectbox,
        "Data set",
        NAMES,
        visitor().choices.dataset or current_data.dataset_name(),
        Choices.dataset.set,
        "dataset_name",
        format_func=TITLES.__getitem__,
        width=200,
    )


def _grid(dataset: Dataset, split: str, shown: np.ndarray) -> str:
    """Show the images of these indices; return the key that holds the index of the open one.

    When other images are shown, the first of them opens.
    """
    images, labels = dataset.split(split)
    key = f"dataset_index_{dataset.name}_{split}"
    index = state.settle(key, int(shown[0]), f"{len(images)} {shown.tolist()}")
    places = np.flatnonzero(shown == index)
    image_grid.show(
        "dataset_images",
        images[shown],
        [dataset.class_names[label] for label in labels[shown]],
        f"Images of the {SPLITS[split].lower()} with their labels",
        opened=int(places[0]) if len(places) else None,
        open_it=lambda place: _open(key, int(shown[place])),
    )
    return key


def _open(key: str, index: int) -> None:
    state.set_widget(key, index)
    state.count_up(PRESSES)


def _opened(dataset: Dataset, split: str, key: str) -> None:
    """Show one image as a picture and as numbers, with the prediction of a chosen model."""
    images, labels = dataset.split(split)
    which, model = st.columns([1, 3])
    last = len(images) - 1
    label = f"Image, 0 to {last:,}"
    index = which.number_input(label, 0, last, key=key, persist_state="session")
    with model:
        offer = offers.model_choice("dataset_model", "The model that reads it", dataset)
    p = np.nan_to_num(probabilities(caches.model_of(offer), images[index][None])[0])
    st.markdown(
        f"**Image {index:,}** of the {SPLITS[split].lower()}. "
        f"Label: **{dataset.class_names[labels[index]]}**. "
        f"The model predicts **{offer.class_names[p.argmax()]}** with {p.max():.1%}."
    )
    with st.container(key="dataset_opened"):
        presses = state.counter(PRESSES)
        opened_image.show("dataset_matrix", images[index], p, offer.class_names, presses)


def batch(dataset: Dataset) -> None:
    """Show a random batch, its shapes, and the time that each way to get batches takes."""
    st.fragment(partial(_batch, dataset))()


def _batch(dataset: Dataset) -> None:
    seed = elements.again("Another batch", "dataset_another_batch", "dataset_batch")
    times = time_batches(dataset.train_images, dataset.train_labels, BATCH_SIZE, seed)
    with st.container(key="dataset_batch"):
        image_grid.show(
            "dataset_batch_images",
            np.rint(255 * times.x[:, 0].numpy()).astype(np.uint8),
            [dataset.class_names[label] for label in times.labels],
            "The images of the batch with their labels",
            columns=(8, 16),
        )
        st.markdown(
            f"images `{tuple(times.x.shape)}` {times.x.dtype} from {times.x.min():g} to "
            f"{times.x.max():g} · labels `{tuple(times.labels.shape)}` {times.labels.dtype}"
        )
        st.caption(
            f"Time for {times.n_batches} batches, measured just now: {times.loader_ms:.1f} ms "
            f"with the DataLoader, {times.index_ms:.1f} ms by index."
        )
    code_box.code(
        batch_by_loader, batch_by_index, title="The code that made the batches", folded=True
    )
