"""The run as it goes: status, progress, loss, accuracy, and the weights as pictures."""

from __future__ import annotations

import streamlit as st

from mnist_core.figures.pictures import WEIGHTS_WIDTH, as_url, weight_picture
from mnist_core.figures.training import loss_figure, loss_stream
from mnist_core.job import ACTIVE, Job
from mnist_core.configs import TrainingConfig
from mnist_core.records import progress_of, running_mean
from pages.parts import current, frame, texts

__all__ = ["show"]

POLL_S = 0.5
_COLOURS = {
    "queued": "gray",
    "running": "blue",
    "paused": "orange",
    "finished": "green",
    "stopped": "gray",
    "failed": "red",
}


def show(config: TrainingConfig | None) -> None:
    """Show the visitor's run; while it goes, twice a second, without touching the rest.

    Parameters
    ----------
    config : TrainingConfig or None
        The settings on the page now, which may not be the run's.
    """
    job = current.job()
    if job is None:
        with st.container(key="training_status"):
            st.info("No run yet: press Start, and the loss appears here.")
        return
    live = job.status in ACTIVE
    st.fragment(_panel, run_every=POLL_S if live else None)(job, config, live)


def _panel(job: Job, config: TrainingConfig | None, live: bool) -> None:
    if live and job.status not in ACTIVE:
        st.rerun()  # the whole page once more: buttons change, and the polling ends
    _status(job, config)
    _chart(job)
    weight = job.run.snapshot.weights.get("l1.weight")
    if weight is not None and weight.shape == (10, 784):
        texts.show("training", "weights")
        st.image(
            as_url(weight_picture(weight.numpy(), job.run.dataset.class_names)),
            width=WEIGHTS_WIDTH,
            alt="The weights of the ten classes as pictures",
        )


def _status(job: Job, config: TrainingConfig | None) -> None:
    run, history = job.run, job.run.history
    with st.container(key="training_status"):
        st.markdown(
            f":{_COLOURS[job.status]}-badge[{job.status}] step {history.step} of {run.total_steps}"
        )
    changed = "" if config in (None, run.config) else " The settings above are for the next run."
    st.caption(f"{run.config}.{changed}")
    if job.status == "queued":
        st.caption(f"Others are training; {job.place} more wait before you.")
    if job.status == "failed":
        st.error(job.reason, icon=":material/error:")
    st.progress(history.step / run.total_steps)
    progress = progress_of(history, run.total_steps)
    unfinished = job.status in (*ACTIVE, "paused")
    epochs = len(history.accuracies)
    frame.numbers(
        {
            "Loss, last 100 steps": progress.loss,
            f"Test accuracy, epoch {epochs}" if epochs else "Test accuracy": progress.accuracy,
            "Steps a second": progress.speed,
            "Time left" if unfinished else "Took": (
                progress.left if unfinished else progress.spent
            ),
        },
        "training_numbers",
    )


def _chart(job: Job) -> None:
    history = job.run.history
    losses = history.losses[: history.step]
    place = st.container(key="training_loss")
    log_axis = st.toggle(
        "Logarithmic loss axis", value=True, key="training_log", persist_state="session"
    )
    texts.show("training", "chart")
    with place:
        if not len(losses):
            st.caption("The curve begins with the first step.")
        elif job.status in (*ACTIVE, "paused"):
            st.echarts_chart(
                loss_stream(running_mean(losses), job.run.total_steps, log_axis),
                height=400,
                key="training_stream",
                alt=f"Loss so far, now {losses[-1]:.3g}",
            )
        else:
            st.plotly_chart(
                loss_figure(losses, running_mean(losses), history.accuracies, log_axis),
                key="training_figure",
                config={"displaylogo": False},
                alt=f"Loss of the whole run, at its end {losses[-1]:.3g}",
            )
