"""Tune the chosen model on the visitor's drawings: start, watch, stop, and the result."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mnist_core.common.formatting import duration, signed
from mnist_core.data.datasets import TITLES, Dataset, DatasetUnavailableError, class_names
from mnist_core.drawing.handwriting import Handwriting
from mnist_core.training import finetuning
from mnist_core.training.finetuning import FineTuning
from mnist_core.training.job import Job
from mnist_core.training.status import ACTIVE
from mnist_core.workspace.archive import architecture_of
from pages.parts.session import caches, offers
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.training import job_buttons
from pages.parts.training.training_panel import POLL_S, status_line
from pages.parts.widgets import code_box

__all__ = ["show", "test_set_of", "tuned_models"]


def test_set_of(offer: ModelOnOffer) -> Dataset:
    """Return the data a model was trained on, or the bundled digits if it is not here."""
    try:
        return caches.dataset_named(offer.dataset)
    except DatasetUnavailableError:
        return caches.dataset_named("digits")


def tuned_models() -> set[str]:
    """Return the keys of the visitor's models that were tuned on drawings."""
    mine = offers.current_run()
    records = visitor().runs.records()
    return {
        "mine" if mine is not None and r.id == mine.id else r.id
        for r in records
        if r.origin == "tuned"
    }


def show(pressed: str, drawings: Handwriting, offer: ModelOnOffer) -> None:
    """Show the visitor's tuning, and do what one of its buttons was pressed for."""
    texts.show("handwriting", "tuning")
    n_left_out = int(drawings.left_out.sum())
    lacking = finetuning.too_few(len(drawings) - n_left_out, n_left_out)
    if offer.class_names != class_names("mnist"):
        lacking = "The chosen model knows clothes, not digits: choose another one to tune."
    if pressed == "drawing_tune_start" and not lacking:
        _start(drawings, offer)
    job = visitor().runs.tuning()
    if job is not None:
        _act(pressed, job)
    live = job is not None and _is_live(job)
    _buttons(job, offer, live, off=bool(lacking))
    if lacking:
        st.info(lacking, icon=":material/info:")
    if job is not None:
        st.fragment(_progress, run_every=POLL_S if live else None)(job, live)
    code_box.code(finetuning.FineTuning.advance, finetuning.mixed_batch, folded=True)


def _start(drawings: Handwriting, offer: ModelOnOffer) -> None:
    weights = caches.model_of(offer).state_dict()
    try:
        begun = FineTuning(
            architecture_of(weights),
            weights,
            drawings.labelled(left_out=False),
            drawings.labelled(left_out=True),
            test_set_of(offer),
            source=offer.label,
        )
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    visitor().runs.begin_tuning(begun)


def _act(pressed: str, job: Job) -> None:
    saved = _saved_run(job)
    if pressed == "drawing_tune_stop":
        job.stop()
    elif pressed == "drawing_tune_use" and saved is not None:
        mine = offers.current_run()
        visitor().choices.model = "mine" if mine is not None and mine.id == saved.id else saved.id
        st.rerun()  # the choice of the model is outside this fragment
    elif pressed == "drawing_tune_again" and saved is not None:
        saved.save()


def _saved_run(job: Job) -> Job | None:
    """Return the run that holds the tuned weights, if it is in memory."""
    return visitor().runs.live(job.run.saved_as)


def _is_live(job: Job) -> bool:
    """Return whether it is queued, running, or its result is being saved."""
    saving = job.status == "finished" and not job.run.saved_as and not job.problem
    return job.status in ACTIVE or saving


def _buttons(job: Job | None, offer: ModelOnOffer, active: bool, off: bool) -> None:
    paused = job is not None and job.status == "paused"
    st.caption(f"Chosen: {offer.label}. It stays as it is; the tuned one is added to your models.")
    with st.container(horizontal=True):
        name = "Go on" if paused else "Tune this model"
        job_buttons.button(
            "drawing_tune", "start", name, "tune", disabled=off or active, primary=True
        )
        job_buttons.button("drawing_tune", "stop", "Stop", "stop", disabled=not (active or paused))


def _progress(job: Job, live: bool) -> None:
    """Show the progress; as a fragment, twice a second while the tuning is active."""
    job.watch()
    if live and not _is_live(job):
        st.rerun()  # the page offers the new model, and the polling ends
    run = job.run
    status_line(job, "drawing_tune_status")
    if job.status in ACTIVE:
        st.progress(run.history.step / run.total_steps)
        left = run.seconds_left
        st.caption(f"About {duration(left)} left." if left else "The time left is not known yet.")
    elif _is_live(job):
        st.caption("The tuned model is being saved.")
    if run.before is not None:
        _scores(run)
    if job.status == "stopped":
        st.caption("It was stopped, so no model was saved.")
    if not live:
        _result(job)


def _scores(run: FineTuning) -> None:
    before, after = run.before, run.after
    rows = {
        f"Your drawings, test half ({len(run.left_out[1])})": "left_out",
        f"Your drawings, tune half ({len(run.drawings[1])})": "tuned_on",
        f"{TITLES[run.dataset.name]}, test set ({len(run.dataset.test_labels):,})": "test",
    }
    table = []
    for title, name in rows.items():
        then, now = getattr(before, name), getattr(after, name) if after else None
        table.append(
            {
                "Right answers": title,
                "Before": f"{then:.2%}",
                "After": "–" if now is None else f"{now:.2%}",
                "Change": "–" if now is None else f"{signed(100 * (now - then), 2)} points",
            }
        )
    with st.container(key="drawing_tune_scores"):
        st.table(
            pd.DataFrame(table), hide_index=True, alt="Right answers before and after the tuning"
        )


def _result(job: Job) -> None:
    """Show where the tuned model is, or why it could not be saved."""
    saved = _saved_run(job)
    if saved is not None and saved.problem:
        st.warning(saved.problem, icon=":material/hard_drive:")
        job_buttons.button("drawing_tune", "again", "Try to write it again", "save", disabled=False)
    elif job.run.saved_as:
        st.success(
            f"{job.run.reason} It is one of your models now, on every page.",
            icon=":material/check:",
        )
        job_buttons.button(
            "drawing_tune", "use", "Draw for the tuned model", "draw", disabled=False
        )
