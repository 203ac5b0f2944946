"""A race of both engines: from the same start, by turns of equal time."""

from __future__ import annotations

import streamlit as st

from mnist_core.data.datasets import Dataset
from mnist_core.figures.compare import race_figure, race_stream
from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.training.configs import ENGINES, IN_NUMPY, TrainingConfig, default_epochs
from mnist_core.training.history import running_mean
from mnist_core.training.job import Job
from mnist_core.training.status import ACTIVE
from mnist_core.workspace.run_registry import RunUnavailableError
from pages.parts.session import state
from pages.parts.session.visitor import visitor
from pages.parts.training import job_buttons
from pages.parts.training.training_panel import POLL_S, status_line
from pages.parts.widgets import elements

__all__ = ["buttons", "settings", "show"]


def settings(dataset: Dataset) -> TrainingConfig:
    """Show which model races; the rest is the lesson's."""
    architecture = elements.pick(
        "Model", IN_NUMPY, "race_model", IN_NUMPY[0], format_func=lambda n: ARCHITECTURES[n].title
    )
    epochs = default_epochs(len(dataset.train_images))
    return TrainingConfig(dataset.name, architecture, epochs=epochs)


def _job() -> Job | None:
    """Return the workspace's race, if one was begun."""
    runs = visitor().runs
    race_id = runs.newest("race")
    try:
        return runs.open(race_id) if race_id else None
    except RunUnavailableError:
        return None


def buttons(dataset: Dataset, config: TrainingConfig) -> Job | None:
    """Show Start, Pause or Resume, and Stop; return the race as it is after what was pressed."""
    job = _after(state.take_press(), _job(), dataset, config)
    with st.container(horizontal=True, key="race_buttons"):
        job_buttons.show("race", job)
    return job


def _after(wish: str, job: Job | None, dataset: Dataset, config: TrainingConfig) -> Job | None:
    """Do what a button was pressed for; return the race there is then."""
    if wish == "race_start":
        if job:
            job.stop()
        job = visitor().runs.start_race(config, dataset)
        job.resume()
    elif job:
        job_buttons.obey("race", wish, job)
    return job


def show(job: Job | None) -> None:
    """Show the race, twice a second while it goes."""
    if job is None:
        with st.container(key="race_status"):
            st.info("No race yet: press Start, and both curves appear here.")
        return
    live = job.status in ACTIVE
    st.fragment(_panel, run_every=POLL_S if live else None)(job, live)


def _panel(job: Job, live: bool) -> None:
    job.watch()
    if live and job.status not in ACTIVE:
        st.rerun()
    status_line(job, "race_status")
    st.caption(str(job.run.config))
    lanes = job.run.lanes
    differences = job.run.differences()
    rates = {name: run.history.steps_per_s for name, run in lanes.items()}
    elements.numbers(
        {f"{ENGINES[name].split(',')[0]}, steps a second": f"{r:,.0f}" for name, r in rates.items()}
        | {
            "NumPy is faster by": f"{rates['numpy'] / rates['autograd']:.2f} ×"
            if all(rates.values())
            else "–",
        },
        "race_numbers",
    )
    with st.container(key="race_difference"):
        largest = f"{differences.max():.1e}" if len(differences) else "–"
        st.metric(f"Largest difference in {len(differences):,} common steps", largest)
    log_axis = st.toggle("Logarithmic loss axis", True, key="race_log", persist_state="session")
    curves = [running_mean(r.history.losses[: r.history.step]) for r in lanes.values()]
    with st.container(key="race_loss"):
        st.echarts_chart(
            race_stream(*curves, job.run.total_steps, log_axis),
            height=380,
            key="race_stream",
            alt="The loss of both engines; the curves lie on each other",
        )
    if not live and len(differences):
        st.plotly_chart(
            race_figure(differences), config=elements.STILL, alt="The largest difference so far"
        )
