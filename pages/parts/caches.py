"""What all visitors share. What these return is never changed by a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from mnist_core import idx
from mnist_core.datastatus import DataStatus, data_status, in_use, wished_for
from mnist_core.downloads import Downloads
from mnist_core.settings import settings
from mnist_core.workspaces import Workspaces
from pages.parts import state

if TYPE_CHECKING:  # torch stays out until a page needs it
    import numpy as np
    from torch import nn

    from mnist_core.datasets import Dataset
    from mnist_core.evaluation import Evaluation
    from mnist_core.work import Work
    from pages.parts.current import ModelOnOffer

__all__ = [
    "current_dataset",
    "current_dataset_name",
    "current_status",
    "dataset_named",
    "downloads",
    "evaluation_of",
    "mean_images",
    "pretrained",
    "used_mb",
    "work",
    "workspaces",
]


@st.cache_resource(show_spinner=False)
def downloads() -> Downloads:
    return Downloads(settings().data_dir, settings().mirror)


@st.cache_resource(show_spinner=False)
def workspaces() -> Workspaces:
    made = Workspaces(settings().work_dir, settings().work_limit_mb * 1_000_000)
    made.tidy()
    return made


@st.cache_data(ttl=30, show_spinner=False)
def used_mb() -> float:
    """Return how much all visitors' runs take, at most half a minute ago: it looks at each file."""
    return workspaces().used_bytes() / 1e6


@st.cache_resource(show_spinner=False)
def work() -> Work:
    from mnist_core.jobs import Jobs
    from mnist_core.work import Work

    jobs = Jobs(settings().workers or None, 60.0 * settings().unwatched_min)
    return Work(jobs, workspaces(), dataset_named)


@st.cache_resource(max_entries=4, show_spinner="Loading the images")
def _dataset(name: str, version: str) -> Dataset:
    del version  # only there to load again when the files change
    from mnist_core import datasets

    return datasets.load(name, settings().data_dir)


def _version(name: str) -> str:
    return idx.version(settings().data_dir, name)


def current_dataset_name() -> str:
    """Return the data set this visitor works on: the chosen one, or the best there is."""
    return in_use(state.chosen_dataset(), settings().data_dir)


def dataset_named(name: str) -> Dataset:
    """Return a data set; DatasetUnavailableError if it is not on this machine."""
    return _dataset(name, _version(name))


def current_dataset() -> Dataset:
    return dataset_named(current_dataset_name())


def mean_images() -> np.ndarray:
    """Return the mean training image of each class of the current data: (10, 28, 28) uint8."""
    dataset = current_dataset()
    return _mean_images(_version(dataset.name), dataset)


@st.cache_resource(max_entries=4, show_spinner=False)
def _mean_images(version: str, _dataset: Dataset) -> np.ndarray:
    del version
    from mnist_core.summary import mean_images

    return mean_images(_dataset.train_images, _dataset.train_labels)


def current_status() -> DataStatus:
    """Return which data set is in use and why, in words."""
    chosen = state.chosen_dataset()
    return data_status(chosen, settings().data_dir, downloads().status(wished_for(chosen)))


@st.cache_resource(show_spinner=False)
def pretrained(name: str) -> nn.Sequential:
    from mnist_core import models

    return models.load_pretrained(name)


def evaluation_of(offer: ModelOnOffer, dataset: Dataset, split: str) -> Evaluation:
    """Evaluate a model on a split of a data set, once for all who ask."""
    version = _version(dataset.name)
    return _evaluation(offer.version, version, split, offer.model, dataset)


@st.cache_resource(max_entries=24, show_spinner="The model reads every image")
def _evaluation(
    model_version: str, dataset_version: str, split: str, _model: nn.Module, _dataset: Dataset
) -> Evaluation:
    del model_version, dataset_version  # they say when to evaluate again
    from mnist_core.evaluation import evaluate

    return evaluate(_model, *_dataset.split(split))
