"""What the visitor reached in the lesson, and a picture of it to take away."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mnist_core.data.datasets import TITLES, DatasetUnavailableError
from mnist_core.figures.keepsake import keepsake_png
from mnist_core.figures.pictures import enlarged
from mnist_core.lesson.outcome import LessonOutcome, Mistake
from mnist_core.workspace.run_record import RunRecord
from pages.parts.session import caches, offers
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts

__all__ = ["outcome", "show"]


def show() -> None:
    """Show the visitor's own numbers, or what to do to have some."""
    mine = outcome()
    with st.container(key="conclusions_outcome"):
        if mine.is_empty:
            texts.show("conclusions", "nothing")
            st.page_link(
                "pages/training.py", label="Train a model", icon=":material/model_training:"
            )
            return
        _numbers(mine)
        st.download_button(
            "Take a picture of it with you",
            lambda: keepsake_png(mine),
            "what-is-a-neural-network.png",
            "image/png",
            key="conclusions_picture",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )


def _numbers(mine: LessonOutcome) -> None:
    words, picture = st.columns([3, 2]) if mine.mistake else (st.container(), None)
    with words:
        for what, how_much in mine.rows():
            st.markdown(f"{what}  \n**{how_much}**")
        if mine.accuracy is None:
            texts.show("conclusions", "no_run")
        if not mine.n_drawings:
            texts.show("conclusions", "no_drawings")
    if picture and mine.mistake:
        with picture, st.container(key="conclusions_mistake"):
            st.image(enlarged(255 - mine.mistake.pixels, 168), width=168)
            st.caption(f"Its surest mistake. {mine.mistake.in_words()}.")


def outcome() -> LessonOutcome:
    """Return what the visitor reached; PyTorch is loaded only if they trained or drew."""
    answers = visitor().choices.answers.values()
    mine = LessonOutcome(right=sum(right for _, right in answers), predictions=len(answers))
    best = _best_run()
    if best is not None and best.config:
        mine = _with_run(mine, best)
    drawings = visitor().handwriting.load().handwriting
    if len(drawings):
        mine = replace(mine, drawings=drawings.images)
    if visitor().choices.run_id is not None or best is not None:
        mine = _with_tuning(mine)
    return mine


def _best_run() -> RunRecord | None:
    runs = [r for r in visitor().run_records() if r.kind == "run" and r.test_accuracy is not None]
    return max(runs, key=lambda run: run.test_accuracy or 0.0, default=None)


def _with_run(mine: LessonOutcome, best: RunRecord) -> LessonOutcome:
    """Add the run's accuracy, and its surest mistake if its data is on this machine."""
    from mnist_core.evaluation.metrics import surest  # loads torch, as the models do
    from mnist_core.nn.architectures import ARCHITECTURES

    offer = next((o for o in offers.on_offer() if o.run_id == best.id), None)
    config = best.config or {}
    title = ARCHITECTURES[str(config["architecture"])].title
    mine = replace(
        mine, model=f"{title} on {TITLES[str(config['dataset'])]}", accuracy=best.test_accuracy
    )
    if offer is None:  # there are many newer runs
        return mine
    try:
        dataset = caches.dataset_named(offer.dataset)
    except DatasetUnavailableError:
        return mine
    test = caches.evaluation_of(offer, dataset, "test")
    wrong = surest(test)
    if not len(wrong):
        return mine
    i = wrong[0]
    names = dataset.class_names
    mistake = Mistake(
        dataset.test_images[i],
        names[test.labels[i]],
        names[test.predicted[i]],
        float(test.confidence[i]),
    )
    return replace(mine, mistake=mistake)


def _with_tuning(mine: LessonOutcome) -> LessonOutcome:
    job = visitor().runs.tuning()
    if job is None or job.run.before is None or job.run.after is None:
        return mine
    return replace(mine, before=job.run.before.left_out, after=job.run.after.left_out)
