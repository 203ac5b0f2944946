"""The models on offer to evaluate and draw for: the visitor's own run first, then the bundled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.data.datasets import TITLES, Dataset, class_names
from mnist_core.nn import architectures
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.job import Job
from mnist_core.training.status import ACTIVE, ENDED
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.run_registry import RunUnavailableError
from mnist_core.workspace.tuning import is_tuned
from pages.parts.session import caches, state

__all__ = ["DIGITS", "ModelOnOffer", "compared", "drawing", "job", "model_choice", "on_offer"]

DIGITS = class_names("mnist")
MOST = 12  # of the visitor's own models: a list to choose from, not an archive


@dataclass(frozen=True, slots=True)
class ModelOnOffer:
    """A model that can predict.

    Attributes
    ----------
    key : str
        "mine" for the visitor's current run, else a run's id or the name of an architecture.
    version : str
        Changes when the weights do.
    dataset : str
        Name of the data set it was trained on.
    architecture : str
    going : bool
        Whether it is being trained right now.
    load : callable
        Builds the model; only the chosen one is built.
    """

    key: str
    label: str
    version: str
    dataset: str
    architecture: str
    going: bool
    load: Callable[[], nn.Sequential]

    @property
    def model(self) -> nn.Sequential:
        return caches.model_of(self)

    @property
    def bundled(self) -> bool:
        return self.key in architectures.ARCHITECTURES

    @property
    def class_names(self) -> tuple[str, ...]:
        """What it tells apart: clothes if it was trained on FashionMNIST, else digits."""
        return class_names(self.dataset)


def job() -> Job | None:
    """Return the training run this visitor works with: the one last begun or opened."""
    workspace, work = state.workspace(), caches.run_registry()
    run_id = state.job_id()
    if run_id is None:  # a new session in an old workspace
        run_id = work.newest(workspace)
        if run_id is None:
            return None
        state.set_job_id(run_id)
    try:
        return work.open(workspace, run_id)
    except RunUnavailableError:
        return None  # the Runs page says why


def drawing() -> np.ndarray | None:
    """Return what the visitor last drew, as the model read it: (28, 28) uint8."""
    shown = state.stored("drawing_shown", None)
    return None if shown is None else shown.pixels


def on_offer() -> list[ModelOnOffer]:
    """List the models: the visitor's own, the current and then the newest first; the bundled."""
    bundled = [
        ModelOnOffer(
            name,
            f"{row.title}, trained beforehand on MNIST",
            name,
            "mnist",
            name,
            False,
            partial(caches.pretrained, name),
        )
        for name, row in architectures.ARCHITECTURES.items()
    ]
    mine = job()
    records = [
        r for r in caches.run_registry().records(state.workspace()) if r.step or r.status in ENDED
    ]
    records.sort(key=lambda r: mine is None or r.id != mine.id)  # stable: the others stay in order
    return [_own(r, mine is not None and r.id == mine.id) for r in records[:MOST]] + bundled


def compared(chosen: ModelOnOffer, offers: list[ModelOnOffer]) -> list[ModelOnOffer]:
    """List the models that stand side by side: the chosen one, the visitor's own, the bundled."""
    others = [offer for offer in offers if offer.key == "mine" or offer.bundled]
    return [chosen] + [offer for offer in others if offer.key != chosen.key]


def _own(record: RunRecord, mine: bool) -> ModelOnOffer:
    config = TrainingConfig.from_json(record.config)
    title = architectures.ARCHITECTURES[config.architecture].title
    work = caches.run_registry()
    live = work.jobs.get(record.id)
    step = live.run.snapshot.step if live else record.step
    steps = "1 step" if step == 1 else f"{step:,} steps"
    if not step:
        steps = "tuned on drawings" if is_tuned(record) else "weights from a file"
    return ModelOnOffer(
        "mine" if mine else record.id,
        f"{'Your own' if mine else 'Your earlier one'}: {title}, {steps}, {TITLES[config.dataset]}",
        f"{record.id} {step}",
        config.dataset,
        config.architecture,
        live is not None and live.status in ACTIVE,
        partial(_load, state.workspace(), record.id),
    )


def _load(workspace: str, run_id: str) -> nn.Sequential:
    run = caches.run_registry().open(workspace, run_id).run
    return architectures.with_weights(run.config.architecture, run.snapshot.weights)


def model_choice(
    key: str,
    label: str = "Model",
    dataset: Dataset | None = None,
    offered: Sequence[ModelOnOffer] = (),
) -> ModelOnOffer:
    """Show the choice of a model and return the chosen one.

    With a data set, say so if the model was trained on another. What is `on_offer` can be given by
    whoever has asked already: it looks at the visitor's files.
    """
    offers = {offer.key: offer for offer in offered or on_offer()}
    chosen = state.chosen_model()
    first = "mine" if "mine" in offers else "deep"
    current = chosen if chosen in offers else first
    state.choose(
        st.selectbox,
        label,
        list(offers),
        current,
        state.choose_model,
        key,
        format_func=lambda offer: offers[offer].label,
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
