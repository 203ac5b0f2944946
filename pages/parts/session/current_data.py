"""The data set that this visitor works on: the one chosen, or the best one on this machine."""

from __future__ import annotations

from mnist_core.common.settings import settings
from mnist_core.data.datasets import Dataset, DatasetUnavailableError
from mnist_core.data.status import DataStatus, data_status, in_use, wished_for
from pages.parts.session import caches
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor

__all__ = ["dataset", "dataset_name", "dataset_of", "status"]


def dataset_name() -> str:
    return in_use(visitor().choices.dataset, settings().data_dir)


def dataset() -> Dataset:
    return caches.dataset_named(dataset_name())


def dataset_of(offer: ModelOnOffer) -> Dataset:
    """Return the data set a model was trained on, or the current one if that is not here."""
    try:
        return caches.dataset_named(offer.dataset)
    except DatasetUnavailableError:
        return dataset()


def status() -> DataStatus:
    """Return which data set is in use and why, in words."""
    chosen = visitor().choices.dataset
    download = caches.downloads().status(wished_for(chosen))
    return data_status(chosen, settings().data_dir, download)
