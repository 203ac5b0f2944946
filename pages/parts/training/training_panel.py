"""The current run: status, progress, loss, accuracy, and the weights as pictures."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from torch import Tensor

from mnist_core.data import augmentation
from mnist_core.figures.pictures import WEIGHTS_WIDTH, as_url, weight_picture
from mnist_core.figures.training import loss_figure, loss_stream
from mnist_core.nn import architectures, numpy_network, optimisers
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training import doctor, engine
from mnist_core.training.configs import LESSON, TrainingConfig
from mnist_core.training.history import History, progress_of, running_mean
from mnist_core.training.job import Job
from mnist_core.training.run import TrainingRun
from mnist_core.training.status import ACTIVE
from pages.parts.session import offers
from pages.parts.shell import texts
from pages.parts.widgets import code_box, elements

__all__ = ["code", "findings", "show", "status_line", "weights"]

POLL_S, WEIGHTS_S = 0.5, 2.0
_COLOURS = {
    "queued": "gray",
    "running": "blue",
    "paused": "orange",
    "finished": "green",
    "stopped": "gray",
    "failed": "red",
}
_ICONS = {"problem": ":red[:material/error:]", "hint": ":material/lightbulb:"}


def show(config: TrainingConfig | None) -> None:
    """Show the visitor's current run; while it trains, update this part twice a second.

    Parameters
    ----------
    config : TrainingConfig or None
        The settings on the page, which may differ from the run's.
    """
    job = offers.current_run()
    if job is None:
        with st.container(key="training_status"):
            st.info("No run yet: press Start, and the loss appears here.")
        return
    live = job.status in ACTIVE
    st.fragment(_panel, run_every=POLL_S if live else None)(job, config, live)
    st.fragment(_weights, run_every=WEIGHTS_S if live else None)(job)


def _panel(job: Job[TrainingRun], config: TrainingConfig | None, live: bool) -> None:
    job.watch()
    if live and job.status not in ACTIVE:
        st.rerun()  # the whole page: the buttons change, and this fragment stops polling
    _status(job, config)
    _chart(job)
    run = job.run
    findings(run.config, run.history, run.total_steps)


def _weights(job: Job[TrainingRun]) -> None:
    weights(job.run.snapshot.weights, job.run.dataset.class_names)


def weights(tensors: Mapping[str, Tensor], class_names: tuple[str, ...]) -> None:
    """Show a linear model's weights as ten pictures; show nothing for another model."""
    weight = tensors.get("l1.weight")
    if weight is not None and weight.shape == (10, 784):
        texts.show("training", "weights")
        st.image(
            as_url(weight_picture(weight.numpy(), class_names)),
            width=WEIGHTS_WIDTH,
            alt="The weights of the ten classes as pictures",
        )


def status_line(job: Job, key: str) -> None:
    """Show a job's status in a container of this key, with its reason and problem if any."""
    with st.container(key=key, gap="xsmall"):
        st.markdown(
            f":{_COLOURS[job.status]}-badge[{job.status}] "
            f"step {job.run.history.step} of {job.run.total_steps}"
        )
        if job.reason:
            if job.status == "failed":
                st.error(job.reason, icon=":material/error:")
            else:
                st.info(job.reason, icon=":material/info:")
    if job.status == "queued":
        ahead = f"{job.place} wait before you" if job.place else "you are next"
        st.caption(f"Others are training: {ahead}. Pause or Stop takes the run out of the queue.")
    if job.problem:
        st.warning(job.problem, icon=":material/hard_drive:")


def _status(job: Job[TrainingRun], config: TrainingConfig | None) -> None:
    run, history = job.run, job.run.history
    status_line(job, "training_status")
    changed = "" if config in (None, run.config) else " The settings above are for the next run."
    st.caption(f"{run.config}.{changed}")
    st.progress(history.step / run.total_steps)
    progress = progress_of(history, run.total_steps)
    unfinished = job.status in (*ACTIVE, "paused")
    epochs = len(history.epoch_metrics)
    elements.numbers(
        {
            "Loss, last 100 steps": progress.loss,
            f"Test accuracy, epoch {epochs}" if epochs else "Test accuracy": progress.accuracy,
            "Steps a second": progress.speed,
            **({"Time left": progress.left} if unfinished else {"Took": progress.spent}),
        },
        "training_numbers",
    )


def _chart(job: Job[TrainingRun]) -> None:
    history = job.run.history
    losses, rates = history.losses[: history.step], history.learning_rates
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
                loss_stream(running_mean(losses), job.run.total_steps, log_axis, rates[1:]),
                height=400,
                key="training_stream",
                alt=f"Loss so far, now {losses[-1]:.3g}",
            )
        else:
            st.plotly_chart(
                loss_figure(losses, running_mean(losses), history.accuracies, log_axis, rates[1:]),
                key="training_figure",
                config={"displaylogo": False},
                alt=f"Loss of the whole run, at the end {losses[-1]:.3g}",
            )


def code(config: TrainingConfig | None) -> None:
    """Show the code that the current run, or else one with these settings, executes."""
    job = offers.current_run()
    config = job.run.config if job else config or LESSON
    if config.engine == "numpy":
        code_box.code(numpy_network.Network.training_step, numpy_network.cross_entropy)
    else:
        code_box.code(engine.training_step, *optimisers.rules(config.optimiser))
    layers = numpy_network.Layer, numpy_network.Linear, numpy_network.ReLU
    by_hand = layers if config.engine == "numpy" else (optimisers.Optimiser,)
    schedule = (SCHEDULES[config.schedule],) if config.schedule != "constant" else ()
    changes = (augmentation.augmented, augmentation.generator_for) if config.augment else ()
    loop = engine.training_steps, engine.epoch_order, engine.batches
    start = architectures.build, architectures.initialise
    code_box.code(*by_hand, *schedule, *changes, *loop, *start, folded=True)


def findings(config: TrainingConfig, history: History, total_steps: int) -> None:
    """Show the training doctor's findings about a run, each with evidence and one advice."""
    found = doctor.examine(config, history, total_steps)
    with st.container(key="training_doctor", border=True, gap="xsmall"):
        st.markdown("**The training doctor**")
        for finding in found:
            icon = _ICONS.get(finding.severity, ":green[:material/check_circle:]")
            st.markdown(f"{icon} **{finding.title}.** {finding.evidence} {finding.advice}")
