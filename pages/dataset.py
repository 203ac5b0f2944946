import streamlit as st

from mnist_core.data.statistics import class_counts
from mnist_core.figures.classes import counts_figure
from pages.parts.dataset import gallery
from pages.parts.session import caches, current_data
from pages.parts.shell import data_panel, frame, texts
from pages.parts.widgets import elements, image_grid, questions_panel

frame.header("dataset")

if current_data.status().kind != "ok":  # else the sidebar says enough
    data_panel.show("dataset_data")
dataset = current_data.dataset()
gallery.show(dataset)
texts.show("dataset", "one")
if dataset.name == "mnist":
    with st.expander("Why no network gets 100 % on MNIST"):
        texts.show("dataset", "labels")

sets, question = st.columns(2, gap="large")
with sets:
    texts.show("dataset", "grid")
    elements.numbers(
        {
            "Training images": f"{len(dataset.train_images):,}",
            "Test images": f"{len(dataset.test_images):,}",
            "Pixels of an image": "28×28",
            "Classes": str(len(dataset.class_names)),
        },
        "dataset_sizes",
    )
    st.caption(dataset.provenance)
with question:
    questions_panel.ask("dataset_exam")

train, test = class_counts(dataset.train_labels), class_counts(dataset.test_labels)
words, chart = st.columns([2, 3], gap="large")
words.markdown(texts.section("dataset", "counts").format(smallest=train.min(), largest=train.max()))
chart.plotly_chart(
    counts_figure(train, test, dataset.class_names), key="dataset_counts", config=elements.STILL
)

texts.show("dataset", "means")
means = caches.mean_images(dataset)
image_grid.show("dataset_means", list(means), dataset.class_names, "The mean image of each class")

texts.show("dataset", "batch")
gallery.batch(dataset)
frame.footer("dataset")
