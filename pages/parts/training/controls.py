"""The settings of a run, and the buttons that start, pause, step and stop it."""

from __future__ import annotations

import streamlit as st

from mnist_core.data.datasets import Dataset
from mnist_core.nn import architectures
from mnist_core.nn.optimisers import OPTIMISERS
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training.configs import ENGINES, LESSON, PRESETS, TrainingConfig, default_epochs
from mnist_core.training.job import Job
from mnist_core.training.status import ACTIVE
from pages.parts.session import offers, state
from pages.parts.session.choices import Choices
from pages.parts.session.visitor import visitor
from pages.parts.training import job_buttons

__all__ = ["begin", "buttons", "settings", "take_settings"]

WIDTH = 164  # pixels
STEP_SIZES = ("1 batch", "1 epoch", "up to step …")
WIDGETS = {  # key of the widget: setting; the model's and the epochs' are looked after below
    "training_optimiser": "optimiser",
    "training_learning_rate": "learning_rate",
    "training_schedule": "schedule",
    "training_batch_size": "batch_size",
    "training_seed": "seed",
    "training_augment": "augment",
    "training_engine": "engine",
}


def take_settings(config: TrainingConfig, epochs: int) -> None:
    """Put a configuration into the settings' widgets; only from a callback."""
    visitor().choices.architecture = config.architecture
    state.set_widget("training_epochs", epochs)
    for key, name in WIDGETS.items():
        state.set_widget(key, getattr(config, name))


def _presets(n_images: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="training_presets"):
        st.markdown("Ready-made:", width="content")
        for number, (title, config) in enumerate(PRESETS.items()):
            st.button(
                title,
                key=f"training_preset_{number}",
                on_click=take_settings,
                args=(config, default_epochs(n_images, config.epochs)),
            )


def settings(dataset: Dataset) -> TrainingConfig | None:
    """Show the settings; return them as a configuration, or None (and why) if they cannot be."""
    n_images = len(dataset.train_images)
    state.settle_epochs(dataset.name, default_epochs(n_images))
    _presets(n_images)
    with st.container(horizontal=True, vertical_alignment="bottom"):  # two abreast on a phone
        values = {
            "architecture": state.choose(
                st.selectbox,
                "Model",
                list(architectures.ARCHITECTURES),
                visitor().choices.architecture,
                Choices.architecture.set,
                "training_model",
                format_func=lambda n: architectures.ARCHITECTURES[n].title,
                width=WIDTH,
            ),
            "optimiser": _choice("Optimiser", "training_optimiser", list(OPTIMISERS)),
            "learning_rate": st.number_input(
                "Learning rate",
                value=LESSON.learning_rate,
                step=0.001,
                format="%.6g",
                key="training_learning_rate",
                persist_state="session",
                width=WIDTH,
            ),
            "batch_size": _whole_number("Batch size", "training_batch_size", LESSON.batch_size),
            "epochs": _whole_number("Epochs", "training_epochs", None),
            "seed": _whole_number("Seed", "training_seed", LESSON.seed),
            "schedule": _choice("Schedule", "training_schedule", list(SCHEDULES)),
            "engine": _choice("Engine", "training_engine", list(ENGINES), format_func=ENGINES.get),
            "augment": _switch("Change images a little", "training_augment"),
        }
    few = default_epochs(n_images) > LESSON.epochs
    why = ": few, so it takes more epochs to come as far as with MNIST" if few else ""
    st.caption(f"{n_images:,} training images of {dataset.title}{why}.")
    try:
        config = TrainingConfig(dataset.name, **values)
        config.total_steps(n_images)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return config


def _choice(label: str, key: str, options: list[str], **arguments: object) -> str:
    return st.selectbox(label, options, key=key, persist_state="session", width=WIDTH, **arguments)


def _switch(label: str, key: str) -> bool:
    with st.container(width=220):
        return st.toggle(label, key=key, persist_state="session")


def _whole_number(label: str, key: str, default: int | None) -> int:
    """Show a field for a whole number; without a default its value is in the state already."""
    value = {} if default is None else {"value": default}
    return st.number_input(label, step=1, key=key, persist_state="session", width=WIDTH, **value)


def buttons(dataset: Dataset, config: TrainingConfig | None) -> None:
    """Show Start, Pause or Resume, Step and Stop; each is off when it would do nothing."""
    _carry_out(state.take_press(), dataset, config)
    job = offers.current_run()
    status = job.status if job else None
    active, paused = status in ACTIVE, status == "paused"
    with st.container(horizontal=True, vertical_alignment="bottom", key="training_buttons"):
        start = "Start a new run" if paused else "Start"
        job_buttons.show("training", job, start, config is not None)
        may_step = paused or (job is None and config is not None)
        job_buttons.button("training", "step", "Step", "skip_next", off=not may_step)
        if may_step:
            _step_size(job)
        if job and (active or paused):
            _learning_rate(job)


def _step_size(job: Job | None) -> None:
    size = st.selectbox(
        "Step by",
        STEP_SIZES,
        key="training_step_size",
        persist_state="session",
        width=140,
        label_visibility="collapsed",
    )
    if size == STEP_SIZES[2]:
        step, total = (job.run.history.step, job.run.total_steps) if job else (0, None)
        st.number_input(
            "Step number",
            min_value=1,
            max_value=total,
            value=min(step + 100, total) if total else 100,
            key="training_step_to",
            width=140,
            label_visibility="collapsed",
        )


def _learning_rate(job: Job) -> None:
    with st.popover("Learning rate", icon=":material/tune:", key="training_rate"):
        rate = st.number_input(
            "From the next step on",
            value=job.run.history.learning_rates[-1][1],
            format="%.6g",
            step=0.001,
            key="training_new_rate",
        )
        if st.button("Use it", key="training_use_rate"):
            try:
                job.set_learning_rate(rate)
            except ValueError as error:
                st.error(str(error), icon=":material/error:")


def begin(config: TrainingConfig, dataset: Dataset) -> Job:
    """Make a new run and let it be this session's current one; another stays as it is."""
    job = visitor().runs.start(config, dataset)
    visitor().choices.run_id = job.id
    visitor().choices.model = None  # the new run is what Evaluation and Drawing offer first
    return job


def _carry_out(wish: str, dataset: Dataset, config: TrainingConfig | None) -> None:
    """Do what a button was pressed for, with the settings as they are now."""
    job = offers.current_run()
    if wish == "training_start" and config and not (job and job.status in ACTIVE):
        begin(config, dataset).resume()
    elif wish == "training_step" and (job or config):
        _take_step(job or begin(config, dataset))
    elif job:
        job_buttons.obey("training", wish, job)


def _take_step(job: Job) -> None:
    size, run = state.widget("training_step_size"), job.run
    if size == STEP_SIZES[1]:
        job.step(run.steps_per_epoch - run.history.step % run.steps_per_epoch)
    elif size == STEP_SIZES[2]:
        job.run_to(state.widget("training_step_to") or run.history.step + 1)
    else:
        job.step()
