import streamlit as st

from mnist_core.concepts import batching
from mnist_core.data.datasets import NAMES, TITLES
from mnist_core.data.statistics import class_counts
from mnist_core.figures.classes import counts_figure
from mnist_core.figures.pictures import enlarged
from pages.parts.session import caches, current_data, state
from pages.parts.session.choices import Choices
from pages.parts.session.visitor import visitor
from pages.parts.shell import data_panel, frame, texts
from pages.parts.widgets import code_box, elements, gallery

frame.header("dataset")

state.choose(
    st.selectbox,
    "Data set",
    NAMES,
    visitor().choices.dataset or current_data.dataset_name(),
    Choices.dataset.set,
    "dataset_name",
    format_func=TITLES.__getitem__,
)
data_panel.show("dataset_data")
dataset = current_data.dataset()
elements.numbers(
    {
        "Training images": f"{len(dataset.train_images):,}",
        "Test images": f"{len(dataset.test_images):,}",
        "Pixels an image": "28×28",
        "Classes": str(len(dataset.class_names)),
    },
    "dataset_sizes",
)
st.caption(dataset.provenance)

texts.show("dataset", "grid")
split, index = gallery.grid(dataset)

texts.show("dataset", "one")
gallery.one_image(dataset, split, index)
if dataset.name == "mnist":
    texts.show("dataset", "labels")

texts.show("dataset", "counts")
counts = class_counts(dataset.train_labels), class_counts(dataset.test_labels)
st.plotly_chart(
    counts_figure(*counts, dataset.class_names), key="dataset_counts", config=elements.STILL
)

texts.show("dataset", "means")
means = caches.mean_images(dataset)
elements.pictures([enlarged(m, 84) for m in means], dataset.class_names, 60, "dataset_means")

texts.show("dataset", "batch")
st.fragment(gallery.batch)(dataset)
code_box.code(batching.batch_by_loader, batching.batch_by_index)
frame.footer("dataset")
