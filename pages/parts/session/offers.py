"""The models on offer to evaluate and draw for: the visitor's own runs first, then the bundled."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core.common.formatting import counted
from mnist_core.data.datasets import TITLES, Dataset, class_names
from mnist_core.nn import architectures
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.job import Job
from mnist_core.training.run import TrainingRun
from mnist_core.training.status import ACTIVE, ENDED
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.run_registry import RunUnavailableError
from pages.parts.session import state
from pages.parts.session.choices import Choices
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor

__all__ = ["DIGITS", "compared", "current_run", "model_choice", "on_offer"]

DIGITS = class_names("mnist")
MOST = 12  # of the visitor's own models: a list to choose from, not an archive


def current_run() -> Job[TrainingRun] | None:
    """Return the training run this visitor works with: the one last begun or opened."""
    runs, choices = visitor().runs, visitor().choices
    run_id = choices.run_id or runs.newest()  # None in a new session of an old workspace
    if run_id is None:
        return None
    choices.run_id = run_id
    try:
        return runs.open(run_id)
    except RunUnavailableError:
        return None  # the Runs page says why


def on_offer() -> list[ModelOnOffer]:
    """List the models: the visitor's current run, the newest others, then the bundled ones."""
    current = current_run()
    current_id = current.id if current else None
    records = [r for r in visitor().runs.records() if r.step or r.status in ENDED]
    records.sort(key=lambda r: r.id != current_id)  # stable: the others stay in order
    return [_own(r, r.id == current_id) for r in records[:MOST]] + [
        ModelOnOffer(name, f"{row.title}, trained beforehand on MNIST", name, "mnist", name)
        for name, row in architectures.ARCHITECTURES.items()
    ]


def compared(chosen: ModelOnOffer, offers: list[ModelOnOffer]) -> list[ModelOnOffer]:
    """List the models shown side by side: the chosen, the visitor's current, the bundled."""
    others = [offer for offer in offers if offer.key == "mine" or offer.bundled]
    return [chosen] + [offer for offer in others if offer.key != chosen.key]


def _own(record: RunRecord, current: bool) -> ModelOnOffer:
    config = TrainingConfig.from_json(record.config)
    title = architectures.ARCHITECTURES[config.architecture].title
    job = visitor().runs.live(record.id)
    step = job.run.snapshot.step if job else record.step
    untrained = {"tuned": "tuned on drawings", "imported": "weights from a file"}
    learnt = untrained.get(record.origin, counted(step, "step"))
    return ModelOnOffer(
        "mine" if current else record.id,
        f"{'Your own' if current else 'Your earlier one'}: {title}, {learnt}, "
        f"{TITLES[config.dataset]}",
        f"{record.id} {step}",
        config.dataset,
        config.architecture,
        visitor().id,
        record.id,
        training=job is not None and job.status in ACTIVE,
    )


def model_choice(
    key: str,
    label: str = "Model",
    dataset: Dataset | None = None,
    offered: Sequence[ModelOnOffer] = (),
    first: str = "",
) -> ModelOnOffer:
    """Show the choice of a model and return the chosen one.

    Parameters
    ----------
    dataset : Dataset or None
        What it is to be used on; a sentence says so if the model was trained on other data.
    offered : sequence of ModelOnOffer
        The result of `on_offer`, which reads files, if the caller has it already.
    first : str
        The key of the model that is shown until the visitor chooses; "" for their own, or the best.
    """
    offers = {offer.key: offer for offer in offered or on_offer()}
    choices = visitor().choices
    first = first or ("mine" if "mine" in offers else "deep")
    current = choices.model if choices.model in offers else first
    state.choose(
        st.selectbox,
        label,
        list(offers),
        current,
        Choices.model.set,
        key,
        format_func=lambda key: offers[key].label,
    )
    offer = offers[current]
    if dataset and offer.dataset != dataset.name:
        st.info(_foreign(offer, dataset), icon=":material/info:")
    return offer


def _foreign(offer: ModelOnOffer, dataset: Dataset) -> str:
    trained_on = TITLES[offer.dataset]
    if offer.class_names != dataset.class_names:
        return (
            f"This model was trained on {trained_on} and knows nothing of {dataset.title}. "
            "Train one on the Training page, and it is offered here."
        )
    return (
        f"This model was trained on {trained_on}; {dataset.title} are other images of the same "
        "classes, so expect more mistakes."
    )
