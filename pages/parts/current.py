"""The models on offer to evaluate and draw for: the visitor's own run first, then the bundled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st
from torch import nn

from mnist_core import models
from mnist_core.datasets import TITLES, Dataset, class_names
from mnist_core.job import Job
from pages.parts import caches, state

__all__ = ["ModelOnOffer", "job", "model_choice", "on_offer"]


@dataclass(frozen=True, slots=True)
class ModelOnOffer:
    """A model that can predict.

    Attributes
    ----------
    key : str
        "mine" for the visitor's newest run, else a run's id or the name of an architecture.
    version : str
        Changes when the weights do.
    dataset : str
        Name of the data set it was trained on.
    load : callable
        Builds the model; only the chosen one is built.
    """

    key: str
    label: str
    version: str
    dataset: str
    load: Callable[[], nn.Sequential]

    @property
    def model(self) -> nn.Sequential:
        return self.load()

    @property
    def class_names(self) -> tuple[str, ...]:
        """What it tells apart: clothes if it was trained on FashionMNIST, else digits."""
        return class_names(self.dataset)


def job() -> Job | None:
    """Return this visitor's latest training run."""
    job_id = state.job_id()
    return caches.jobs().get(job_id) if job_id else None


def on_offer() -> list[ModelOnOffer]:
    """List the models: the visitor's own, the newest first, then the bundled ones."""
    bundled = [
        ModelOnOffer(
            name,
            f"{row.title}, trained beforehand on MNIST",
            name,
            "mnist",
            partial(caches.pretrained, name),
        )
        for name, row in models.ARCHITECTURES.items()
    ]
    if state.job_id() is None:
        return bundled
    trained = [job for job in caches.jobs().of(state.owner()) if job.run.snapshot.step]
    return [_own(job, newest=i == 0) for i, job in enumerate(trained)] + bundled


def _own(job: Job, newest: bool) -> ModelOnOffer:
    run, snapshot = job.run, job.run.snapshot
    title = models.ARCHITECTURES[run.config.architecture].title
    steps = "1 step" if snapshot.step == 1 else f"{snapshot.step:,} steps"
    return ModelOnOffer(
        "mine" if newest else job.id,
        f"{'Your own' if newest else 'Your earlier one'}: {title}, {steps} on {run.dataset.title}",
        f"{job.id} {snapshot.step}",
        run.config.dataset,
        partial(models.with_weights, run.config.architecture, snapshot.weights),
    )


def model_choice(key: str, label: str = "Model", dataset: Dataset | None = None) -> ModelOnOffer:
    """Show the choice of a model and return the chosen one.

    With a data set, say so if the model was trained on another.
    """
    offers = {offer.key: offer for offer in on_offer()}
    chosen = state.chosen_model()
    first = "mine" if "mine" in offers else "cnn"
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
