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
from pages.parts.session import state
from pages.parts.session.drawing_session import drawing_session
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.training.training_panel import weights
from pages.parts.widgets import confusion_matrix, elements

__all__ = ["show"]

FRAME_S = 0.4  # how long a snapshot is shown while the replay plays
PLAYING = "replay_playing"  # slot: the run that plays, or None
IMAGES = 2_000  # of the test set: quick enough to follow the slider
Networks = dict[int, nn.Sequential]


def show(job: Job[TrainingRun]) -> None:
    """Show the run's snapshots one after another: Play advances, the slider chooses.

    While it plays, only this part of the page is updated.
    """
    playing = state.stored(PLAYING, None) == job.id
    st.fragment(_panel, run_every=FRAME_S if playing else None)(job, playing)


def _panel(job: Job[TrainingRun], live: bool) -> None:
    playing = state.stored(PLAYING, None) == job.id
    if playing != live:
        st.rerun()  # the whole page, once: this part begins or stops to update itself
    folder = visitor().runs.folder(job.id)
    try:
        networks = _networks(folder, job.run.config.architecture)
    except (OSError, ValueError) as error:
        st.error(f"The snapshots of this run cannot be read: {error}", icon=":material/error:")
        return
    if len(networks) < 2:
        st.info("There is only one snapshot of this run yet: look again in a few seconds.")
        return
    step = _step(job, list(networks), playing)
    names = job.run.dataset.class_names
    test = _evaluation(job, step, networks)
    left, right = st.columns([2, 3])
    with left:
        elements.numbers(
            {"Step": f"{step:,}", f"Right, of {test.total:,} test images": f"{test.accuracy:.1%}"},
            "replay_numbers",
        )
    with right, st.container(key="replay_confusion"):
        confusion_matrix.show(
            test.confusion,
            names,
            names,
            "replay_confusion_figure",
            f"test images at step {step}",
            height=360,
        )
    with right:
        texts.show("replay", "confusion")
    weights(networks[step].state_dict(), names)
    _one_image(job, networks, step)


def _step(job: Job[TrainingRun], steps: list[int], playing: bool) -> int:
    """Show Play and the slider; while it plays, Pause and how far it is, one snapshot further.

    The slider is away while it plays: the browser would send back its old place.
    """
    slot, key = f"replay_step_{job.id}", f"replay_slider_{job.id}_{len(steps)}"
    place = max((i for i, step in enumerate(steps) if step <= state.stored(slot, 0)), default=0)
    if playing:
        place = min(place + 1, len(steps) - 1)
    with st.container(horizontal=True, vertical_alignment="bottom", key="replay_step"):
        st.button(
            "Pause" if playing else "Play",
            key="replay_play",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            type="primary",
            on_click=_play_or_pause,
            args=(job.id, steps),
        )
        if playing:
            st.progress(place / (len(steps) - 1), f"Step {steps[place]:,} of {steps[-1]:,}")
            step = steps[place]
            state.set_widget(key, step)  # where the slider begins when it is back
        else:
            if state.widget(key) not in steps:
                state.set_widget(key, steps[place])
            step = st.select_slider("Step", steps, key=key, format_func=lambda s: f"{s:,}")
    state.store(slot, step)
    if playing and step == steps[-1]:
        state.store(PLAYING, None)
        st.rerun()
    return step


def _play_or_pause(run_id: str, steps: list[int]) -> None:
    """Begin to play, from the start if the last snapshot is shown; or stop playing."""
    if state.stored(PLAYING, None) == run_id:
        state.store(PLAYING, None)
        return
    state.store(PLAYING, run_id)
    slot = f"replay_step_{run_id}"
    if state.stored(slot, 0) == steps[-1]:
        state.store(slot, steps[0])


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
