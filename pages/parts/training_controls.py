"""The settings of a run, and the buttons that start, pause, step and stop it."""

from __future__ import annotations

import streamlit as st

from mnist_core import engine, models
from mnist_core.datasets import Dataset
from mnist_core.job import ACTIVE
from mnist_core.configs import LESSON, TrainingConfig, default_epochs
from mnist_core.optimisers import OPTIMISERS
from mnist_core.runs import TrainingRun
from pages.parts import caches, current, state

__all__ = ["buttons", "settings"]

WIDTH = 164  # pixels


def settings(dataset: Dataset) -> TrainingConfig | None:
    """Show the settings; return them as a configuration, or None (and why) if they cannot be."""
    state.settle_epochs(dataset.name, default_epochs(len(dataset.train_images)))
    with st.container(horizontal=True):  # on a phone two fit side by side
        architecture = state.choose(
            st.selectbox,
            "Model",
            list(models.ARCHITECTURES),
            state.architecture(),
            state.choose_architecture,
            "training_model",
            format_func=lambda n: models.ARCHITECTURES[n].title,
            width=WIDTH,
        )
        optimiser = st.selectbox(
            "Optimiser",
            list(OPTIMISERS),
            key="training_optimiser",
            persist_state="session",
            width=WIDTH,
        )
        learning_rate = st.number_input(
            "Learning rate",
            value=LESSON.learning_rate,
            step=0.001,
            format="%.6g",
            key="training_learning_rate",
            persist_state="session",
            width=WIDTH,
        )
        batch_size = _whole_number("Batch size", "training_batch_size", LESSON.batch_size)
        epochs = _whole_number("Epochs", "training_epochs", None)
        seed = _whole_number("Seed", "training_seed", LESSON.seed)
    n_images = len(dataset.train_images)
    few = default_epochs(n_images) > LESSON.epochs
    why = ": few, so it takes more epochs to come as far as with MNIST" if few else ""
    st.caption(f"{n_images:,} training images of {dataset.title}{why}.")
    try:
        config = TrainingConfig(
            dataset.name, architecture, optimiser, learning_rate, batch_size, epochs, seed
        )
        config.total_steps(n_images)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return config


def _whole_number(label: str, key: str, default: int | None) -> int:
    """Show a field for a whole number; without a default its value is in the state already."""
    value = {} if default is None else {"value": default}
    return st.number_input(label, step=1, key=key, persist_state="session", width=WIDTH, **value)


def buttons(dataset: Dataset, config: TrainingConfig | None) -> None:
    """Show Start, Pause or Resume, Step and Stop; each is off when it would do nothing."""
    job = current.job()
    status = job.status if job else None
    active, paused = status in ACTIVE, status == "paused"
    with st.container(horizontal=True, key="training_buttons"):
        st.button(
            "Start a new run" if paused else "Start",
            key="training_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=config is None or active,
            on_click=_start,
            args=(dataset, config),
        )
        st.button(
            "Resume" if paused else "Pause",
            key="training_pause",
            icon=":material/resume:" if paused else ":material/pause:",
            disabled=not (active or paused),
            on_click=_pause_or_resume,
        )
        st.button(
            "Step",
            key="training_step",
            icon=":material/skip_next:",
            disabled=not (paused or (job is None and config)),
            on_click=_step,
            args=(dataset, config),
        )
        st.button(
            "Stop",
            key="training_stop",
            icon=":material/stop:",
            disabled=not (active or paused),
            on_click=_stop,
        )


def _create(dataset: Dataset, config: TrainingConfig) -> None:
    job = caches.jobs().create(state.owner(), TrainingRun(config, dataset))
    state.set_job_id(job.id)
    state.choose_model(None)  # the new run is what Evaluation and Drawing offer first


def _start(dataset: Dataset, config: TrainingConfig) -> None:
    old = current.job()
    if old:
        old.stop()
    _create(dataset, config)
    current.job().resume()


def _pause_or_resume() -> None:
    job = current.job()
    if job and job.status == "paused":
        job.resume()
    elif job:
        job.pause()


def _step(dataset: Dataset, config: TrainingConfig | None) -> None:
    job = current.job()
    if job is None and config:
        _create(dataset, config)
    current.job().step()


def _stop() -> None:
    job = current.job()
    if job:
        job.stop()
