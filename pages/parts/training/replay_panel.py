"""Replay of a run: the network at a chosen step, and its predictions then."""

from __future__ import annotations

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.evaluation.metrics import Evaluation, evaluate
from mnist_core.figures.classes import confidence_bars
from mnist_core.figures.compare import confidence_figure
from mnist_core.figures.pictures import ink_picture
from mnist_core.training.job import Job
from mnist_core.training.run import TrainingRun
from mnist_core.workspace import replay
from mnist_core.workspace.checkpoints import RunFolder
from pages.parts.session.drawing_session import drawing_session
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.training.training_panel import weights
from pages.parts.widgets import confusion_matrix, elements

__all__ = ["show"]

IMAGES = 2_000  # of the test set: quick enough to follow the slider
Networks = dict[int, nn.Sequential]


def show(job: Job[TrainingRun]) -> None:
    """Show the slider through the run's snapshots, and the network at the chosen one."""
    folder = visitor().runs.folder(job.id)
    try:
        networks = _networks(folder, job.run.config.architecture)
    except (OSError, ValueError) as error:
        st.error(f"The snapshots of this run cannot be read: {error}", icon=":material/error:")
        return
    if len(networks) < 2:
        st.info("There is only one snapshot of this run yet: look again in a few seconds.")
        return
    steps = list(networks)
    with st.container(key="replay_step"):
        key = f"replay_slider_{job.id}_{len(steps)}"
        step = st.select_slider("Step", steps, steps[-1], key=key, format_func=lambda s: f"{s:,}")
    names = job.run.dataset.class_names
    test = _evaluation(job, step, networks)
    elements.numbers(
        {"Step": f"{step:,}", f"Right, of {test.total:,} test images": f"{test.accuracy:.1%}"},
        "replay_numbers",
    )
    weights(networks[step].state_dict(), names)
    _one_image(job, networks, step)
    texts.show("replay", "confusion")
    with st.container(key="replay_confusion"):
        confusion_matrix.show(
            test.confusion, names, names, "replay_confusion_figure", f"test images at step {step}"
        )


@st.cache_resource(
    max_entries=4,
    show_spinner=False,
    hash_funcs={RunFolder: lambda folder: (str(folder.folder), folder.snapshot_steps())},
)
def _networks(folder: RunFolder, architecture: str) -> Networks:
    return replay.models_of(folder, architecture)


@st.cache_resource(max_entries=200, show_spinner=False, hash_funcs={Job: lambda job: job.id})
def _evaluation(job: Job[TrainingRun], step: int, _networks: Networks) -> Evaluation:
    images, labels = job.run.dataset.split("test")
    return evaluate(_networks[step], images[:IMAGES], labels[:IMAGES])


def _one_image(job: Job[TrainingRun], networks: Networks, step: int) -> None:
    texts.show("replay", "answers")
    image, caption = _image(job)
    names = job.run.dataset.class_names
    every = replay.predictions(list(networks.values()), image)  # (snapshots, 10)
    p = every[list(networks).index(step)]
    predicted = names[p.argmax()]
    left, right = st.columns([1, 2])
    with left:
        st.image(ink_picture(image / 255.0), width=168, caption=caption)
        st.markdown(f"At step {step:,} the network predicted **{predicted}**, {p.max():.0%} sure.")
    with right, st.container(key="replay_answer"):
        st.echarts_chart(
            confidence_bars(p, names),
            height=280,
            key="replay_bars",
            alt=f"Ten confidences at step {step}; the largest is {predicted}",
        )
    st.plotly_chart(
        confidence_figure(list(networks), every, names, step),
        key="replay_answers",
        config=elements.STILL,
        alt="The network's prediction for this image at every snapshot",
    )


def _image(job: Job[TrainingRun]) -> tuple[np.ndarray, str]:
    """Show the choice of an image; return it as (28, 28) uint8, and its caption."""
    dataset = job.run.dataset
    drawn = drawing_session().pixels
    options = ["A test image", *(["Your drawing"] if drawn is not None else [])]
    asked = elements.pick("Ask about", options, "replay_ask", options[0])
    if drawn is not None and asked == "Your drawing":
        return drawn, "Your drawing"
    last = len(dataset.test_images) - 1
    index = st.number_input(
        f"Test image, 0 to {last:,}", 0, last, 0, key="replay_image", persist_state="session"
    )
    label = dataset.class_names[dataset.test_labels[index]]
    return dataset.test_images[index], f"Test image {index:,}: {label}"
