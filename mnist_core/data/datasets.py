"""The data sets of the lesson: uint8 arrays, the classes' names, and where the data come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mnist_core.data.idx import FOLDERS, FolderReport, inspect_folder

__all__ = [
    "NAMES",
    "TITLES",
    "Dataset",
    "DatasetUnavailableError",
    "best_available",
    "bundled_digits",
    "class_names",
    "load",
]

TITLES = {
    "mnist": "MNIST",
    "fashion": "FashionMNIST",
    "digits": "Bundled digits (UCI, not MNIST)",
}
NAMES = tuple(TITLES)

_DIGITS_TRAIN = 1_437  # the last 360 of the 1,797 are the test set
_DIGITS = tuple("0123456789")
_FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class DatasetUnavailableError(Exception):
    """A data set's files are missing or damaged; the message names them."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images and labels. All visitors share them; the arrays are read-only.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    title : str
        The name on the pages.
    train_images, test_images : (N, 28, 28) uint8, 0 to 255
        0 is empty paper, 255 full ink.
    train_labels, test_labels : (N,) int64, 0 to 9
    class_names : tuple of 10 str
    provenance : str
        One sentence: who made it, and from what.
    differs : str
        How it differs from the published data of that name, or "".
    """

    name: str
    title: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    provenance: str
    differs: str = ""

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            images, labels = self.split(split)
            if images.dtype != np.uint8 or images.shape != (len(labels), 28, 28):
                raise ValueError(
                    f"expected {split} images as uint8 of shape ({len(labels)}, 28, 28), "
                    f"got {images.dtype} of shape {images.shape}."
                )
            if labels.ndim != 1 or labels.dtype != np.int64 or not np.isin(labels, range(10)).all():
                raise ValueError(
                    f"expected {split} labels as int64 from 0 to 9, one an image, "
                    f"got {labels.dtype} of shape {labels.shape}."
                )
            if not len(labels):
                raise ValueError(f"expected {split} images, got none.")
            images.setflags(write=False)
            labels.setflags(write=False)

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the images and labels of ``"train"`` or ``"test"``."""
        if name == "train":
            return self.train_images, self.train_labels
        if name == "test":
            return self.test_images, self.test_labels
        raise ValueError(f"expected 'train' or 'test', got {name!r}.")


def load(name: str, root: Path) -> Dataset:
    """Load a data set from this machine; this never uses the network.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    root : Path
        The data folder (``Settings.data_dir``).

    Raises
    ------
    ValueError
        If no data set has that name.
    DatasetUnavailableError
        If its files are missing or damaged; the message names them.
    """
    if name not in _LOADERS:
        raise ValueError(f"expected one of {', '.join(NAMES)}, got {name!r}.")
    return _LOADERS[name](root)


def best_available(root: Path) -> str:
    """Return ``"mnist"`` if its files are usable, else ``"digits"``, which is always available."""
    return "mnist" if inspect_folder(root, "mnist").usable else "digits"


def class_names(name: str) -> tuple[str, ...]:
    """Return the names of a data set's ten classes, without its files."""
    return _FASHION if name == "fashion" else _DIGITS


def _load_mnist(root: Path) -> Dataset:
    return _load_torchvision(
        "mnist",
        root,
        _DIGITS,
        "Digits written by Census Bureau staff and high-school students in the United States, "
        "collected by NIST and prepared by LeCun, Cortes and Burges.",
    )


def _load_fashion(root: Path) -> Dataset:
    return _load_torchvision(
        "fashion",
        root,
        _FASHION,
        "Pictures of articles from Zalando's shop, made by Xiao, Rasul and Vollgraf in 2017 to "
        "have MNIST's shape.",
    )


def _load_torchvision(
    name: str, root: Path, class_names: tuple[str, ...], provenance: str
) -> Dataset:
    report = inspect_folder(root, name)
    if not report.usable:
        raise DatasetUnavailableError(report.detail)
    from mnist_core.data.torchvision_compat import RAW_ONLY

    make = RAW_ONLY[FOLDERS[name]]
    train, test = make(root, train=True, download=False), make(root, train=False, download=False)
    return Dataset(
        name=name,
        title=TITLES[name] if report.state == "published" else f"{TITLES[name]} (changed)",
        train_images=train.data.numpy(),
        train_labels=train.targets.numpy(),
        test_images=test.data.numpy(),
        test_labels=test.targets.numpy(),
        class_names=class_names,
        provenance=provenance,
        differs=_difference(report),
    )


def _difference(report: FolderReport) -> str:
    if report.state == "published":
        return ""
    return f"Not the published {FOLDERS[report.name]}: {report.detail}"


@cache
def bundled_digits() -> Dataset:
    """Return the 1,797 digits in scikit-learn's package; they need no data folder."""
    from sklearn.datasets import load_digits

    from mnist_core.data.normalisation import lay_out

    bunch = load_digits()
    laid_out = np.stack([lay_out(image / 16) for image in bunch.images])  # (1797, 28, 28)
    images = np.rint(laid_out * 255).astype(np.uint8)
    labels = bunch.target.astype(np.int64)
    return Dataset(
        name="digits",
        title=TITLES["digits"],
        train_images=images[:_DIGITS_TRAIN],
        train_labels=labels[:_DIGITS_TRAIN],
        test_images=images[_DIGITS_TRAIN:],
        test_labels=labels[_DIGITS_TRAIN:],
        class_names=_DIGITS,
        provenance="1,797 real digits of 8x8 pixels (Alpaydin and Kaynak, UCI, 1998), which come "
        "with scikit-learn, enlarged and centred the way MNIST was.",
    )


_LOADERS: dict[str, Callable[[Path], Dataset]] = {
    "mnist": _load_mnist,
    "fashion": _load_fashion,
    "digits": lambda _root: bundled_digits(),
}
