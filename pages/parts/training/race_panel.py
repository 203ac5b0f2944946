"""A race of both engines: same start, equal computing time for each."""

from __future__ import annotations

import streamlit as st

from mnist_core.data.datasets import Dataset
from mnist_core.figures.compare import lanes_chart, race_figure, race_stream
from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.training.configs import IN_NUMPY, TrainingConfig, default_epochs
from mnist_core.training.history import running_mean
from mnist_core.training.job import Job
from mnist_core.training.race import Race
from mnist_core.training.status import ACTIVE
from mnist_core.workspace.run_registry import RunUnavailableError
from pages.parts.session import state
from pages.parts.session.visitor import visitor
from pages.parts.training import job_buttons
from pages.parts.training.training_panel import POLL_S, status_line
from pages.parts.widgets import elements

__all__ = ["buttons", "settings", "show"]


def settings(dataset: Dataset) -> TrainingConfig:
    """Show the choice of the model; the other settings are the lesson's."""
    architecture = elements.pick(
        "Model", IN_NUMPY, "race_model", IN_NUMPY[0], format_func=lambda n: ARCHITECTURES[n].title
    )
    epochs = default_epochs(len(dataset.train_images))
    return TrainingConfig(dataset.name, architecture, epochs=epochs)


def _race() -> Job[Race] | None:
    """Return the visitor's race, if there is one."""
    runs = visitor().runs
    race_id = runs.newest("race")
    try:
        return runs.open(race_id) if race_id else None
    except RunUnavailableError:
        return None


def buttons(dataset: Dataset, config: TrainingConfig) -> Job[Race] | None:
    """Show Start, Pause or Resume, and Stop; act on the one pressed and return the race."""
    job = _act_on(state.take_press(), _race(), dataset, config)
    with st.container(horizontal=True, key="race_buttons"):
        job_buttons.show("race", job)
    return job


def _act_on(
    pressed: str, job: Job[Race] | None, dataset: Dataset, config: TrainingConfig
) -> Job[Race] | None:
    """Do what a button was pressed for; return the current race."""
    if pressed == "race_start":
        if job:
            job.stop()
        job = visitor().runs.start_race(config, dataset)
        job.resume()
    elif job:
        job_buttons.act_on("race", pressed, job)
    return job


def show(job: Job[Race] | None, dataset: Dataset, config: TrainingConfig) -> None:
    """Show the race, twice a second while it runs; before the first one, two empty lanes."""
    if job is None:
        with st.container(key="race_status"):
            st.caption("Press Start, and both engines run.")
        _lanes((0, 0), (0.0, 0.0), config.total_steps(len(dataset.train_images)))
        return
    live = job_buttons.is_live("race", job)
    st.fragment(_panel, run_every=POLL_S if live else None)(job, live)


def _panel(job: Job[Race], live: bool) -> None:
    job.watch()
    if live and job.status not in ACTIVE:
        st.rerun()
    status_line(job, "race_status")
    in_torch, in_numpy = (run.history for run in job.run.lanes.values())
    rates = in_torch.steps_per_s, in_numpy.steps_per_s
    step_s = tuple(1 / rate if rate else 0.0 for rate in rates)
    _lanes((in_torch.step, in_numpy.step), (step_s[0], step_s[1]), job.run.total_steps)
    differences = job.run.differences()
    with st.container(horizontal=True):
        lead = f"{rates[1] / rates[0]:.2f} ×" if all(rates) else "–"
        elements.numbers({"NumPy is faster by": lead}, "race_numbers")
        with st.container(key="race_difference"):
            largest = f"{differences.max():.1e}" if len(differences) else "–"
            st.metric(f"Largest difference in {len(differences):,} common steps", largest)
    _curves(job)
    if not live and len(differences):
        st.plotly_chart(
            race_figure(differences), config=elements.STILL, alt="The largest difference so far"
        )


def _lanes(steps: tuple[int, int], step_s: tuple[float, float], total_steps: int) -> None:
    with st.container(key="race_lanes"):
        st.echarts_chart(
            lanes_chart(steps, step_s, total_steps),
            height=120,
            key="race_lanes_chart",
            alt=f"PyTorch is at step {steps[0]:,} and NumPy at {steps[1]:,} of {total_steps:,}",
        )


def _curves(job: Job[Race]) -> None:
    log_axis = st.toggle("Logarithmic loss axis", True, key="race_log", persist_state="session")
    in_torch, in_numpy = (
        running_mean(run.history.losses[: run.history.step]) for run in job.run.lanes.values()
    )
    with st.container(key="race_loss"):
        st.echarts_chart(
            race_stream(in_torch, in_numpy, job.run.total_steps, log_axis),
            height=380,
            key="race_stream",
            alt="The loss of both engines; the curves lie on each other",
        )
    st.caption(str(job.run.config))
