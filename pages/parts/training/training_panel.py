"""The current run: status, loss, accuracy, the doctor, and the weights as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from mnist_core.data import augmentation
from mnist_core.figures.pictures import WEIGHTS_WIDTH, as_url, weight_picture
from mnist_core.figures.training import loss_chart
from mnist_core.nn import architectures, numpy_network, optimisers
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training import doctor, engine
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.history import progress_of, running_mean
from mnist_core.training.job import Job
from mnist_core.training.run import TRAIN_IMAGES, TrainingRun
from mnist_core.training.status import ACTIVE
from pages.parts.session import offers, state
from pages.parts.shell import texts
from pages.parts.training import job_buttons
from pages.parts.widgets import code_box, elements

__all__ = ["code", "findings", "show", "status_line", "weights"]

POLL_S, WEIGHTS_S = 0.5, 2.0
FIRST_SENTENCE = "Press Start: the loss is drawn here,\nand after each epoch the accuracy."
_COLOURS = {
    "queued": "gray",
    "running": "blue",
    "paused": "orange",
    "finished": "green",
    "stopped": "gray",
    "failed": "red",
}
_ICONS = {"problem": ":red[:material/error:]", "hint": ":material/lightbulb:"}


def show(config: TrainingConfig | None, n_images: int) -> Job[TrainingRun] | None:
    """Show the visitor's current run; while it trains, update this part twice a second.

    Parameters
    ----------
    config : TrainingConfig or None
        The settings on the page, which may differ from the run's.
    n_images : int
        The number of training images, for the empty chart before the first run.

    Returns
    -------
    Job or None
        The run, once it has taken a step.
    """
    job = offers.current_run()
    if job is None:
        with st.container(key="training_status"):
            st.markdown("No run yet.")
        steps = config.total_steps(n_images) if config else 1
        _draw_chart(np.empty(0), steps, FIRST_SENTENCE)
        return None
    live = job_buttons.is_live("training", job)
    st.fragment(_panel, run_every=POLL_S if live else None)(job, config, live)
    st.fragment(_weights, run_every=WEIGHTS_S if live else None)(job)
    return job if job.run.history.step else None


def _panel(job: Job[TrainingRun], config: TrainingConfig | None, live: bool) -> None:
    job.watch()
    if live and job.status not in ACTIVE:
        st.rerun()  # the whole page: the buttons change, and this fragment stops polling
    status_line(job, "training_status")
    _chart(job)
    _numbers(job)
    run = job.run
    changed = "" if config in (None, run.config) else " The settings above are for the next run."
    st.caption(f"{run.config}.{changed}")
    findings(job)
    log_axis = "training_log"
    st.toggle("Logarithmic loss axis", value=True, key=log_axis, persist_state="session")
    texts.show("training", "chart", images=f"{TRAIN_IMAGES:,}")


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
    if job.status == "queued" and job.others_train:
        ahead = f"{job.place} wait before you" if job.place else "you are next"
        st.caption(f"Others are training: {ahead}. Pause or Stop takes the run out of the queue.")
    if job.problem:
        st.warning(job.problem, icon=":material/hard_drive:")


def _numbers(job: Job[TrainingRun]) -> None:
    history = job.run.history
    progress = progress_of(history, job.run.total_steps)
    unfinished = job.status in (*ACTIVE, "paused")
    epochs, last = len(history.epoch_metrics), history.epoch_metrics[-1:]
    after = f", epoch {epochs}" if epochs else ""
    elements.numbers(
        {
            "Loss, last 100 steps": progress.loss,
            f"Test accuracy{after}": progress.accuracy,
            f"Training accuracy{after}": f"{last[0].train_accuracy:.4f}" if last else "–",
            "Steps a second": progress.speed,
            **({"Time left": progress.left} if unfinished else {"Took": progress.spent}),
        },
        "training_numbers",
    )


def _chart(job: Job[TrainingRun]) -> None:
    history = job.run.history
    mean_loss = running_mean(history.losses[: history.step])
    accuracies = [(m.step, m.test_accuracy, m.train_accuracy) for m in history.epoch_metrics]
    _draw_chart(
        mean_loss,
        job.run.total_steps,
        "" if len(mean_loss) else "The curve begins with the first step.",
        new_rates=history.learning_rates[1:],
        accuracies=accuracies,
        ended=job.ended,
    )


def _draw_chart(mean_loss: np.ndarray, total_steps: int, sentence: str, **more: Any) -> None:
    """Draw the one chart of the page: always the same element, so that it changes in place."""
    log_axis = state.widget("training_log") is not False
    with st.container(key="training_loss"):
        st.echarts_chart(
            loss_chart(mean_loss, total_steps, log_axis, sentence=sentence, **more),
            height=300,
            key="training_stream",
            alt=sentence or f"Loss of the run, now {mean_loss[-1]:.3g}",
        )


def code(config: TrainingConfig) -> None:
    """Show the code that a run with these settings has executed."""
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


def findings(job: Job[TrainingRun]) -> None:
    """Show the training doctor's findings about a run, each with evidence and one advice."""
    run = job.run
    found = doctor.examine(run.config, run.history, run.total_steps, job.ended)
    with st.container(key="training_doctor", border=True, gap="xsmall"):
        st.markdown("**The training doctor**")
        for finding in found:
            icon = _ICONS.get(finding.severity, ":green[:material/check_circle:]")
            st.markdown(f"{icon} **{finding.title}.** {finding.evidence} {finding.advice}")
