"""The settings of a run, and the buttons that start, pause, step and stop it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mnist_core.common.formatting import counted
from mnist_core.data.datasets import Dataset
from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.nn.optimisers import OPTIMISERS
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training.configs import ENGINES, LESSON, PRESETS, TrainingConfig, default_epochs
from mnist_core.training.job import Job
from mnist_core.training.run import TrainingRun
from mnist_core.training.status import ACTIVE
from pages.parts.session import offers, state
from pages.parts.session.choices import Choices
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.training import job_buttons

__all__ = ["begin", "show"]

WIDTH = 154  # pixels
ONE_BATCH, ONE_EPOCH, UP_TO = STEP_SIZES = ("1 batch", "1 epoch", "up to step …")
PRESET_WIDGETS = (  # settings whose widget has the key training_SETTING and that presets fill in
    "optimiser",
    "learning_rate",
    "schedule",
    "batch_size",
    "seed",
    "augment",
    "engine",
)


def show(dataset: Dataset) -> TrainingConfig | None:
    """Show the ready-made settings, the buttons and the folded settings; act on a pressed button.

    Returns
    -------
    TrainingConfig or None
        The settings, or None if they are not valid; the page then says why.
    """
    _presets(len(dataset.train_images))
    place = st.container(horizontal=True, gap="xsmall", key="training_buttons")
    config = _settings(dataset)
    _act_on(state.take_press(), dataset, config)
    with place:
        _buttons(config)
    return config


def _settings(dataset: Dataset) -> TrainingConfig | None:
    """Show the settings, folded; return them, or say why they are not valid and return None."""
    n_images = len(dataset.train_images)
    default = default_epochs(n_images)
    state.settle("training_epochs", default, dataset.name)
    title = f"Settings: {_summary(_current_values())}"
    key = "training_settings"
    state.set_widget(key, bool(state.widget(key)))  # a new title would fold them
    with st.expander(title, key=key, icon=":material/tune:", on_change="rerun"):
        values = _fields()
        more = default > LESSON.epochs
        why = ": few, so it takes more epochs to come as far as with MNIST" if more else ""
        st.caption(f"{n_images:,} training images of {dataset.title}{why}.")
    try:
        config = TrainingConfig(dataset.name, **values)
        config.total_steps(n_images)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return config


def _presets(n_images: int) -> None:
    with st.container(horizontal=True, gap="xsmall", key="training_presets"):
        for number, (title, config) in enumerate(PRESETS.items()):
            epochs = default_epochs(n_images, config.epochs)
            st.button(
                title,
                key=f"training_preset_{number}",
                help=f"Fills in: {_summary(config.to_json() | {'epochs': epochs})}.",
                on_click=_fill_in,
                args=(config, epochs),
            )


def _fill_in(config: TrainingConfig, epochs: int) -> None:
    """Set the settings' widgets to a configuration; only from a callback."""
    visitor().choices.architecture = config.architecture
    state.set_widget("training_epochs", epochs)
    for name in PRESET_WIDGETS:
        state.set_widget(f"training_{name}", getattr(config, name))


def _current_values() -> dict[str, Any]:
    """Return the settings as the visitor last left them, before their fields are shown."""
    values = {"architecture": visitor().choices.architecture}
    for name in ("epochs", *PRESET_WIDGETS):
        value = state.widget(f"training_{name}")
        values[name] = getattr(LESSON, name) if value is None else value
    return values


def _summary(values: dict[str, Any]) -> str:
    """Write settings in one line: Linear, SGD 0.01, batches of 32, 5 epochs."""
    parts = [
        ARCHITECTURES[values["architecture"]].title,
        f"{values['optimiser']} {values['learning_rate']:g}",
        *(["one-cycle"] if values["schedule"] == "one-cycle" else []),
        f"batches of {values['batch_size']:,}",
        counted(values["epochs"], "epoch"),
        *(["images changed a little"] if values["augment"] else []),
        *(["NumPy"] if values["engine"] == "numpy" else []),
    ]
    return ", ".join(parts)


def _help(name: str) -> str:
    """Return the help of a setting: its section in the page's text."""
    return texts.section("training", name)


def _fields() -> dict[str, Any]:
    """Show a field for each setting; return {setting: value} without the data set."""
    with st.container(horizontal=True, gap="xsmall"):  # two in a row on a phone
        return {
            "architecture": state.choose(
                st.selectbox,
                "Model",
                list(ARCHITECTURES),
                visitor().choices.architecture,
                Choices.architecture.set,
                "training_model",
                format_func=lambda name: ARCHITECTURES[name].title,
                help=_help("architecture"),
                width=WIDTH,
            ),
            "optimiser": _choice("Optimiser", "optimiser", list(OPTIMISERS)),
            "learning_rate": st.number_input(
                "Learning rate",
                value=LESSON.learning_rate,
                step=0.001,
                format="%.6g",
                help=_help("learning_rate"),
                key="training_learning_rate",
                persist_state="session",
                width=WIDTH,
            ),
            "batch_size": _whole_number("Batch size", "batch_size", value=LESSON.batch_size),
            "epochs": _whole_number("Epochs", "epochs"),  # its value is in the state already
            "seed": _whole_number("Seed", "seed", value=LESSON.seed),
            "schedule": _choice("Schedule", "schedule", list(SCHEDULES)),
            "engine": _choice("Engine", "engine", list(ENGINES), format_func=ENGINES.get),
            "augment": _switch("Change images a little", "augment"),
        }


def _choice(label: str, name: str, options: list[str], **arguments: Any) -> str:
    return st.selectbox(
        label,
        options,
        key=f"training_{name}",
        help=_help(name),
        persist_state="session",
        width=WIDTH,
        **arguments,
    )


def _switch(label: str, name: str) -> bool:
    with st.container(width=220):
        key = f"training_{name}"
        return st.toggle(label, key=key, help=_help(name), persist_state="session")


def _whole_number(label: str, name: str, **arguments: Any) -> int:
    return st.number_input(
        label,
        step=1,
        key=f"training_{name}",
        help=_help(name),
        persist_state="session",
        width=WIDTH,
        **arguments,
    )


def _buttons(config: TrainingConfig | None) -> None:
    """Show Start, Pause or Resume, Step and Stop; a button without effect is disabled."""
    job = offers.current_run()
    status = job.status if job else None
    active, paused = status in ACTIVE, status == "paused"
    start = "Start a new run" if paused else "Start"
    job_buttons.show("training", job, start, config is not None)
    may_step = paused or (job is None and config is not None)
    job_buttons.button("training", "step", "Step", "skip_next", disabled=not may_step)
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
    if size == UP_TO:
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


def _act_on(pressed: str, dataset: Dataset, config: TrainingConfig | None) -> None:
    """Do what a button was pressed for, with the current settings."""
    job = offers.current_run()
    if pressed == "training_start" and config and not (job and job.status in ACTIVE):
        begin(config, dataset).resume()
    elif pressed == "training_step":
        if job is None and config:
            job = begin(config, dataset)
        if job:
            _take_step(job)
    elif job:
        job_buttons.act_on("training", pressed, job)


def begin(config: TrainingConfig, dataset: Dataset) -> Job[TrainingRun]:
    """Create a run and make it the session's current one; an earlier one goes on."""
    job, choices = visitor().runs.start(config, dataset), visitor().choices
    choices.run_id = job.id
    choices.model = None  # Evaluation and Drawing offer the new run first
    return job


def _take_step(job: Job[TrainingRun]) -> None:
    size, run = state.widget("training_step_size"), job.run
    if size == ONE_EPOCH:
        job.step(run.steps_per_epoch - run.history.step % run.steps_per_epoch)
    elif size == UP_TO:
        job.run_to(state.widget("training_step_to") or run.history.step + 1)
    else:
        job.step()
