"""The dataset page's parts: a grid of images, one of them large, and a random batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.concepts.batching import time_batches
from mnist_core.data.datasets import Dataset
from mnist_core.data.statistics import indices_of
from mnist_core.evaluation.metrics import probabilities
from mnist_core.figures.classes import confidence_bars
from mnist_core.figures.pictures import as_url, enlarged
from pages.parts.session import caches, offers
from pages.parts.widgets import elements

__all__ = ["batch", "grid", "one_image"]

PER_PAGE, BATCH_SIZE = 40, 32
SPLITS = {"train": "Training set", "test": "Test set"}


def grid(dataset: Dataset) -> tuple[str, int]:
    """Show a page of a split's images, filtered by class; return the split and the first index."""
    left, right = st.columns([2, 3])
    with left:
        split = elements.pick(
            "Split", SPLITS, "dataset_split", "train", format_func=SPLITS.__getitem__
        )
    wanted = right.selectbox(
        "Class",
        ["all", *range(10)],
        format_func=lambda c: "all classes" if c == "all" else dataset.class_names[c],
        key="dataset_class",
        persist_state="session",
    )
    images, labels = dataset.split(split)
    indices = indices_of(labels, None if wanted == "all" else wanted)
    if not len(indices):
        st.info(f"The {SPLITS[split].lower()} holds no image of this class: choose another.")
        return split, 0
    n_pages = -(-len(indices) // PER_PAGE)
    key = f"dataset_page_{dataset.name}_{split}_{wanted}"
    page = st.pagination(n_pages, key=key, persist_state="session")
    shown = indices[(page - 1) * PER_PAGE : page * PER_PAGE]
    elements.pictures(
        [enlarged(images[i], 56) for i in shown],
        [f"{dataset.class_names[labels[i]]} · #{i}" for i in shown],
        66,
        "dataset_grid",
    )
    return split, int(shown[0])


def one_image(dataset: Dataset, split: str, first: int) -> None:
    """Show one image large and as numbers, with the prediction of a chosen model."""
    images, labels = dataset.split(split)
    index = st.number_input(
        f"Number of the image in the {SPLITS[split].lower()}, 0 to {len(images) - 1:,}",
        0,
        len(images) - 1,
        first,
        key=f"dataset_index_{dataset.name}_{split}_{first}",
        persist_state="session",
    )
    image, label = images[index], int(labels[index])
    picture, prediction = st.columns([2, 3])
    with picture:
        st.image(as_url(enlarged(image, 280)), width=280, alt=f"a {dataset.class_names[label]}")
        st.markdown(f"Label: **{dataset.class_names[label]}** (class {label})")
    with prediction:
        question = "What does this model say about it?"
        offer = offers.model_choice("dataset_model", question, dataset)
        p = probabilities(caches.model_of(offer), image[None])[0]
        right = label if offer.class_names == dataset.class_names else None
        st.echarts_chart(
            confidence_bars(p, offer.class_names, right),
            height=300,
            key="dataset_bars",
            alt=f"The model says {offer.class_names[int(p.argmax())]} with {p.max():.1%}.",
        )
    with st.expander("The image as 28×28 numbers", expanded=True):
        _matrix(image)


def batch(dataset: Dataset) -> None:
    """Show the shapes of a random batch, and the time that each way to get batches takes."""
    seed = elements.again("Another batch", "dataset_another_batch", "dataset_batch")
    times = time_batches(dataset.train_images, dataset.train_labels, BATCH_SIZE, seed)
    with st.container(key="dataset_batch"):
        st.markdown(
            f"images `{tuple(times.x.shape)}` {times.x.dtype} from {times.x.min():g} to "
            f"{times.x.max():g} · labels `{tuple(times.labels.shape)}` {times.labels.dtype}"
        )
        st.caption(f"Time for {times.n_batches} batches, measured just now:")
        elements.numbers(
            {"DataLoader": f"{times.loader_ms:.1f} ms", "By index": f"{times.index_ms:.1f} ms"}
        )


def _matrix(image: np.ndarray) -> None:
    columns = [str(i) for i in range(image.shape[1])]
    table = pd.DataFrame(image, columns=columns)
    st.dataframe(
        table.style.map(_cell_style),
        column_config={
            column: st.column_config.NumberColumn(column, width=25) for column in columns
        },
        height=28 * 24 + 40,
        row_height=24,
        key="dataset_matrix",
        alt="The image's 28 rows and 28 columns of grey values",
    )


def _cell_style(value: int) -> str:
    text = "#000000" if value > 127 else "#cfd4da"
    return f"background-color: rgb({value},{value},{value}); color: {text}"
