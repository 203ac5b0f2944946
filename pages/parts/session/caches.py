"""What all visitors share. Pages never change what these functions return."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from mnist_core.common.settings import settings
from mnist_core.data import idx
from mnist_core.data.datasets import Dataset
from mnist_core.data.downloads import Downloads
from mnist_core.drawing.handwriting import Handwriting
from mnist_core.workspace.store import WorkspaceStore
from pages.parts.session.model_offer import ModelOnOffer

if TYPE_CHECKING:  # torch stays out until a page needs it
    import numpy as np
    from torch import nn

    from mnist_core.evaluation.calibration import Calibration
    from mnist_core.evaluation.metrics import Evaluation
    from mnist_core.workspace.handwriting_store import HandwritingStore
    from mnist_core.workspace.run_registry import RunRegistry

__all__ = [
    "calibration_of",
    "dataset_named",
    "downloads",
    "evaluation_of",
    "features_of",
    "handwriting_evaluation",
    "handwriting_store",
    "mean_images",
    "model_of",
    "own_distances",
    "pretrained",
    "run_registry",
    "test_accuracy_of",
    "used_mb",
    "workspace_store",
]

CALIBRATION_IMAGES = 2_000  # of the test set, which the model was not trained on
FEATURE_IMAGES = 10_000  # the CNN would need more than a second for all 60,000


def _version(dataset_name: str) -> str:
    return idx.version(settings().data_dir, dataset_name)


# What tells two arguments of a cached function apart.
_HASH: dict[str | type, Callable[[Any], Any]] = {
    Dataset: lambda dataset: _version(dataset.name),
    ModelOnOffer: lambda offer: offer.version,
    Handwriting: lambda handwriting: [(s.id, s.label) for s in handwriting.samples],
}


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
    """Return the size of all visitors' runs in MB, at most 30 s old: it opens every folder."""
    return workspace_store().used_bytes() / 1e6


@st.cache_resource(show_spinner=False)
def run_registry() -> RunRegistry:
    from mnist_core.training.queue import TrainingQueue
    from mnist_core.workspace.run_registry import RunRegistry

    queue = TrainingQueue(settings().workers or None, 60.0 * settings().unwatched_min)
    return RunRegistry(queue, workspace_store(), dataset_named)


@st.cache_resource(show_spinner=False)
def handwriting_store() -> HandwritingStore:
    from mnist_core.workspace.handwriting_store import HandwritingStore

    return HandwritingStore(workspace_store())


def dataset_named(name: str) -> Dataset:
    """Return a data set; DatasetUnavailableError if it is not on this machine."""
    return _dataset(name, _version(name))


@st.cache_resource(max_entries=4, show_spinner="Loading the images")
def _dataset(name: str, version: str) -> Dataset:  # noqa: ARG001  another version: load again
    from mnist_core.data import datasets

    return datasets.load(name, settings().data_dir)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=_HASH)
def mean_images(dataset: Dataset) -> np.ndarray:
    """Return the mean training image of each class: (10, 28, 28) uint8."""
    from mnist_core.data import statistics

    return statistics.mean_images(dataset.train_images, dataset.train_labels)


@st.cache_resource(show_spinner=False)
def pretrained(architecture: str) -> nn.Sequential:
    from mnist_core.pretrained import bundled

    return bundled.load_pretrained(architecture)


def model_of(offer: ModelOnOffer) -> nn.Sequential:
    """Return a model on offer, built once for all who ask."""
    return pretrained(offer.architecture) if offer.bundled else _trained(offer)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_HASH)
def _trained(offer: ModelOnOffer) -> nn.Sequential:
    from mnist_core.nn.architectures import with_weights

    run = run_registry().of(offer.workspace).open(offer.run_id).run
    return with_weights(offer.architecture, run.snapshot.weights)


def calibration_of(offer: ModelOnOffer) -> Calibration:
    """Return the calibration in a bundled model's card, or measure that of a trained one.

    A model in training, or whose data set is not on this machine, is left as it is.
    """
    from mnist_core.data.datasets import DatasetUnavailableError
    from mnist_core.evaluation.calibration import Calibration

    if offer.bundled:
        return _calibrations()[offer.key]
    try:
        return Calibration() if offer.training else _calibration(offer)
    except DatasetUnavailableError:
        return Calibration()


@st.cache_resource(show_spinner=False)
def _calibrations() -> dict[str, Calibration]:
    from mnist_core.evaluation.calibration import Calibration
    from mnist_core.pretrained.bundled import pretrained_card

    return {name: Calibration(**entry["calibration"]) for name, entry in pretrained_card().items()}


@st.cache_resource(
    max_entries=64, show_spinner="How far can this model be believed?", hash_funcs=_HASH
)
def _calibration(offer: ModelOnOffer) -> Calibration:
    from mnist_core.evaluation.calibration import calibrate

    images, labels = dataset_named(offer.dataset).split("test")
    some = slice(0, CALIBRATION_IMAGES)
    return calibrate(model_of(offer), images[some], labels[some], _non_digits())


@st.cache_resource(show_spinner=False)
def _non_digits() -> np.ndarray:
    """Return 600 drawings that are no digit."""
    import numpy as np

    from mnist_core.pretrained.nondigits import non_digits

    images = dataset_named("digits").train_images
    return non_digits(images, 600, np.random.default_rng(0))


@st.cache_resource(max_entries=24, show_spinner="The model reads every image", hash_funcs=_HASH)
def evaluation_of(offer: ModelOnOffer, dataset: Dataset, split: str) -> Evaluation:
    """Evaluate a model on a split of a data set."""
    from mnist_core.evaluation.metrics import evaluate

    return evaluate(model_of(offer), *dataset.split(split))


@st.cache_data(max_entries=1_000, show_spinner="The models read the test set", hash_funcs=_HASH)
def test_accuracy_of(offer: ModelOnOffer, dataset: Dataset) -> float:
    """Return a model's accuracy on a test set; for more models than `evaluation_of` holds."""
    from mnist_core.evaluation.metrics import accuracy

    return accuracy(model_of(offer), *dataset.split("test"))


@st.cache_resource(max_entries=200, show_spinner="The models read your drawings", hash_funcs=_HASH)
def handwriting_evaluation(offer: ModelOnOffer, handwriting: Handwriting) -> Evaluation:
    """Evaluate a model on a visitor's drawings, at least one."""
    from mnist_core.evaluation.metrics import evaluate

    return evaluate(model_of(offer), handwriting.images, handwriting.labels)


@st.cache_resource(
    max_entries=8, show_spinner="The model reads the training images", hash_funcs=_HASH
)
def features_of(offer: ModelOnOffer, dataset: Dataset) -> np.ndarray:
    """Return the inputs of the model's last layer for the first training images, (N, D) float32."""
    from mnist_core.evaluation.neighbours import features

    return features(model_of(offer), dataset.train_images[:FEATURE_IMAGES])


@st.cache_resource(max_entries=40, show_spinner=False, hash_funcs=_HASH)
def own_distances(dataset: Dataset, label: int) -> np.ndarray:
    """Return the distances between a class's images, as `neighbours.class_distance` needs them."""
    from mnist_core.evaluation import neighbours

    return neighbours.own_distances(dataset.train_images, dataset.train_labels, label)
