"""What all visitors share. What these return is never changed by a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from mnist_core.common.settings import settings
from mnist_core.data import idx
from mnist_core.data.downloads import Downloads
from mnist_core.data.status import DataStatus, data_status, in_use, wished_for
from mnist_core.workspace.store import WorkspaceStore
from pages.parts.session import state

if TYPE_CHECKING:  # torch stays out until a page needs it
    import numpy as np
    from torch import nn

    from mnist_core.data.datasets import Dataset
    from mnist_core.drawing.handwriting import Handwriting
    from mnist_core.evaluation.calibration import Calibration
    from mnist_core.evaluation.metrics import Evaluation
    from mnist_core.evaluation.neighbours import Index
    from mnist_core.workspace.handwriting_store import HandwritingStore
    from mnist_core.workspace.run_registry import RunRegistry
    from pages.parts.session.offers import ModelOnOffer

__all__ = [
    "calibration_of",
    "current_dataset",
    "current_dataset_name",
    "current_status",
    "dataset_named",
    "dataset_to_compare",
    "downloads",
    "evaluation_of",
    "feature_index",
    "handwriting_store",
    "mean_images",
    "model_of",
    "own_distances",
    "pixel_index",
    "pretrained",
    "reading_of",
    "run_registry",
    "test_accuracy_of",
    "used_mb",
    "workspace_store",
]


@st.cache_resource(show_spinner=False)
def downloads() -> Downloads:
    return Downloads(settings().data_dir, settings().mirror)


@st.cache_resource(show_spinner=False)
def workspace_store() -> WorkspaceStore:
    made = WorkspaceStore(settings().work_dir, settings().work_limit_mb * 1_000_000)
    made.tidy()
    return made


@st.cache_data(ttl=30, show_spinner=False)
def used_mb() -> float:
    """Return how much all visitors' runs take, at most half a minute ago: it looks at each file."""
    return workspace_store().used_bytes() / 1e6


@st.cache_resource(show_spinner=False)
def run_registry() -> RunRegistry:
    from mnist_core.training.queue import TrainingQueue
    from mnist_core.workspace.run_registry import RunRegistry

    jobs = TrainingQueue(settings().workers or None, 60.0 * settings().unwatched_min)
    return RunRegistry(jobs, workspace_store(), dataset_named)


@st.cache_resource(max_entries=4, show_spinner="Loading the images")
def _dataset(name: str, version: str) -> Dataset:
    del version  # only there to load again when the files change
    from mnist_core.data import datasets

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
    from mnist_core.data.statistics import mean_images

    return mean_images(_dataset.train_images, _dataset.train_labels)


def current_status() -> DataStatus:
    """Return which data set is in use and why, in words."""
    chosen = state.chosen_dataset()
    return data_status(chosen, settings().data_dir, downloads().status(wished_for(chosen)))


@st.cache_resource(show_spinner=False)
def pretrained(name: str) -> nn.Sequential:
    from mnist_core.pretrained import bundled

    return bundled.load_pretrained(name)


def model_of(offer: ModelOnOffer) -> nn.Sequential:
    """Return a model on offer, built once for all who ask."""
    return _model(offer.version, offer)


@st.cache_resource(max_entries=32, show_spinner=False)
def _model(version: str, _offer: ModelOnOffer) -> nn.Sequential:
    del version
    return _offer.load()


def calibration_of(offer: ModelOnOffer) -> Calibration:
    """Return how to read a model's confidence: as its card says, or measured once it is at rest."""
    from mnist_core.data.datasets import DatasetUnavailableError
    from mnist_core.evaluation.calibration import Calibration

    if offer.bundled:
        return _calibrations()[offer.key]
    try:
        return Calibration() if offer.going else _calibration(offer.version, offer)
    except DatasetUnavailableError:
        return Calibration()  # nothing here to measure it with


@st.cache_resource(show_spinner=False)
def _calibrations() -> dict[str, Calibration]:
    from mnist_core.evaluation.calibration import Calibration
    from mnist_core.pretrained.bundled import pretrained_card

    return {name: Calibration(**entry["calibration"]) for name, entry in pretrained_card().items()}


@st.cache_resource(max_entries=64, show_spinner="How far can this model be believed?")
def _calibration(version: str, _offer: ModelOnOffer) -> Calibration:
    del version
    from mnist_core.evaluation.calibration import calibrate

    dataset = dataset_named(_offer.dataset)
    some = slice(0, 2_000)  # of the test set: it was not trained on them
    return calibrate(_offer.model, dataset.test_images[some], dataset.test_labels[some], _others())


@st.cache_resource(show_spinner=False)
def _others() -> np.ndarray:
    """Return 600 drawings that are no digit."""
    import numpy as np

    from mnist_core.pretrained.nondigits import non_digits

    images = dataset_named("digits").train_images
    return non_digits(images, 600, np.random.default_rng(0))


def dataset_to_compare(offer: ModelOnOffer) -> Dataset:
    """Return the data set a model was trained on, or the one in use if that is not here."""
    from mnist_core.data.datasets import DatasetUnavailableError

    try:
        return dataset_named(offer.dataset)
    except DatasetUnavailableError:
        return current_dataset()


def evaluation_of(offer: ModelOnOffer, dataset: Dataset, split: str) -> Evaluation:
    """Evaluate a model on a split of a data set, once for all who ask."""
    version = _version(dataset.name)
    return _evaluation(offer.version, version, split, offer.model, dataset)


@st.cache_resource(max_entries=24, show_spinner="The model reads every image")
def _evaluation(
    model_version: str, dataset_version: str, split: str, _model: nn.Module, _dataset: Dataset
) -> Evaluation:
    del model_version, dataset_version  # they say when to evaluate again
    from mnist_core.evaluation.metrics import evaluate

    return evaluate(_model, *_dataset.split(split))


def pixel_index(dataset: Dataset) -> Index:
    """Return the training images ready to find the nearest among, by pixels; no copy of them."""
    return _pixel_index(_version(dataset.name), dataset)


@st.cache_resource(max_entries=4, show_spinner=False)
def _pixel_index(version: str, _dataset: Dataset) -> Index:
    del version
    from mnist_core.evaluation.neighbours import index_of, pixel_rows

    return index_of(pixel_rows(_dataset.train_images))


_SAMPLE = 10_000  # images; the CNN would need more than a second for all 60,000


def feature_index(model: nn.Sequential, version: str, dataset: Dataset) -> Index:
    """Return what a model's last layer reads of the first 10,000 training images."""
    return _feature_index(version, _version(dataset.name), model, dataset)


@st.cache_resource(max_entries=8, show_spinner="The model reads the training images")
def _feature_index(
    model_version: str, dataset_version: str, _model: nn.Sequential, _dataset: Dataset
) -> Index:
    del model_version, dataset_version
    from mnist_core.evaluation.neighbours import features, index_of

    return index_of(features(_model, _dataset.train_images[:_SAMPLE]))


def own_distances(dataset: Dataset, label: int) -> np.ndarray:
    """Return how far a class's images are from each other, as `neighbours.class_distance` asks."""
    return _own_distances(_version(dataset.name), label, dataset)


@st.cache_resource(max_entries=40, show_spinner=False)
def _own_distances(version: str, label: int, _dataset: Dataset) -> np.ndarray:
    del version
    from mnist_core.evaluation.neighbours import own_distances

    return own_distances(_dataset.train_images, _dataset.train_labels, label)


@st.cache_resource(show_spinner=False)
def handwriting_store() -> HandwritingStore:
    from mnist_core.workspace.handwriting_store import HandwritingStore

    return HandwritingStore(workspace_store())


def reading_of(offer: ModelOnOffer, handwriting: Handwriting) -> Evaluation:
    """Let a model read a visitor's drawings, at least one."""
    pictures = tuple((sample.id, sample.label) for sample in handwriting.samples)
    return _reading(offer.version, pictures, offer, handwriting)


@st.cache_resource(max_entries=200, show_spinner="The models read your drawings")
def _reading(
    version: str,
    pictures: tuple[tuple[str, int], ...],
    _offer: ModelOnOffer,
    _handwriting: Handwriting,
) -> Evaluation:
    del version, pictures
    from mnist_core.evaluation.metrics import evaluate

    return evaluate(_offer.model, _handwriting.images, _handwriting.labels)


def test_accuracy_of(offer: ModelOnOffer, dataset: Dataset) -> float:
    """Return a model's accuracy on a test set; of more models than `evaluation_of` remembers."""
    return _test_accuracy(offer.version, _version(dataset.name), offer, dataset)


@st.cache_data(max_entries=1_000, show_spinner="The models read the test set")
def _test_accuracy(
    model_version: str, dataset_version: str, _offer: ModelOnOffer, _dataset: Dataset
) -> float:
    del model_version, dataset_version
    from mnist_core.evaluation.metrics import accuracy

    return accuracy(_offer.model, *_dataset.split("test"))
