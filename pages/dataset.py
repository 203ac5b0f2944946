import streamlit as st

from mnist_core import loaders
from mnist_core.datasets import NAMES, TITLES
from mnist_core.figures.classes import counts_figure
from mnist_core.figures.pictures import enlarged
from mnist_core.summary import class_counts
from pages.parts import caches, data_panel, frame, gallery, state, texts

BATCH_SIZE = 32

frame.header("dataset")

state.choose(
    st.selectbox,
    "Data set",
    NAMES,
    state.chosen_dataset() or caches.current_dataset_name(),
    state.choose_dataset,
    "dataset_name",
    format_func=TITLES.__getitem__,
)
data_panel.show("dataset_data")
dataset = caches.current_dataset()
frame.numbers(
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
    counts_figure(*counts, dataset.class_names), key="dataset_counts", config=frame.STILL
)

texts.show("dataset", "means")
means = caches.mean_images()
frame.pictures([enlarged(m, 84) for m in means], dataset.class_names, 60, "dataset_means")

texts.show("dataset", "batch")
seed = frame.again("Another batch", "dataset_another_batch", "dataset_batch")
times = loaders.time_batches(dataset.train_images, dataset.train_labels, BATCH_SIZE, seed)
with st.container(key="dataset_batch"):
    st.markdown(
        f"images `{tuple(times.x.shape)}` {times.x.dtype} from {times.x.min():g} to "
        f"{times.x.max():g} · labels `{tuple(times.labels.shape)}` {times.labels.dtype}"
    )
    st.caption(f"Time for {times.n_batches} batches, measured just now:")
    frame.numbers(
        {"DataLoader": f"{times.loader_ms:.1f} ms", "By index": f"{times.index_ms:.1f} ms"}
    )
frame.code(loaders.batch_by_loader, loaders.batch_by_index)
frame.footer("dataset")
