"""All data sets are the same checked arrays, with a description."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits

from mnist_core.data import idx
from mnist_core.data.datasets import (
    NAMES,
    TITLES,
    Dataset,
    DatasetUnavailableError,
    best_available,
    class_names,
    load,
)
from mnist_core.data.normalisation import bounding_box
from tests.data_files import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    image_file,
    md5_table,
    tiny_set,
    write_set,
)


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Dataset:
    return load("digits", tmp_path_factory.mktemp("empty"))


def make(**changes) -> Dataset:
    """Return a data set of 2 training images and 1 test image, with some fields changed."""
    fields = {
        "name": "mnist",
        "title": "MNIST",
        "train_images": np.zeros((2, 28, 28), np.uint8),
        "train_labels": np.array([0, 9]),
        "test_images": np.zeros((1, 28, 28), np.uint8),
        "test_labels": np.array([3]),
        "class_names": tuple("0123456789"),
        "provenance": "Made up.",
    }
    return Dataset(**(fields | changes))


def arrays(data: Dataset) -> list[np.ndarray]:
    return [data.train_images, data.train_labels, data.test_images, data.test_labels]


def test_a_correct_data_set_is_accepted():
    data = make()
    assert data.split("train") == (data.train_images, data.train_labels)
    assert data.split("test") == (data.test_images, data.test_labels)
    assert data.differs == ""


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    ("images", "got"),
    [
        (np.zeros((3, 28, 28), np.uint8), r"uint8 of shape \(3, 28, 28\)"),
        (np.zeros((2, 784), np.uint8), r"uint8 of shape \(2, 784\)"),
        (np.zeros((2, 28, 27), np.uint8), r"uint8 of shape \(2, 28, 27\)"),
        (np.zeros((2, 28, 28), np.float32), r"float32 of shape \(2, 28, 28\)"),
        (np.zeros((2, 28, 28), np.int8), r"int8 of shape \(2, 28, 28\)"),
    ],
    ids=["one too many", "flat", "not square", "float", "signed"],
)
def test_wrong_images_are_refused(split, images, got):
    expected = rf"expected {split} images as uint8 of shape \(2, 28, 28\), got {got}"
    with pytest.raises(ValueError, match=expected):
        make(
            **{f"{split}_images": images, f"{split}_labels": np.array([1, 2])},
        )


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 10]),
        np.array([-1, 0]),
        np.array([0, 1], np.uint8),
        np.array([0.0, 1.0]),
        np.array([[0], [1]]),
    ],
    ids=["10", "negative", "uint8", "float", "a column"],
)
def test_wrong_labels_are_refused(split, labels):
    images = np.zeros((2, 28, 28), np.uint8)
    with pytest.raises(ValueError, match=f"expected {split} labels as int64 from 0 to 9"):
        make(**{f"{split}_images": images, f"{split}_labels": labels})


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError, match="expected test"):
        make(test_images=np.zeros((0, 28, 28), np.uint8), test_labels=np.zeros(0, np.int64))


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="expected 'train' or 'test', got 'validation'"):
        make().split("validation")


def test_arrays_and_fields_are_read_only():
    data = make()
    for array in arrays(data):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        data.name = "fashion"


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected one of mnist, fashion, digits, got 'cifar'"):
        load("cifar", tmp_path)


def test_every_name_has_a_title():
    assert NAMES == ("mnist", "fashion", "digits")
    assert TITLES["mnist"] == "MNIST"
    assert TITLES["fashion"] == "FashionMNIST"
    assert "not MNIST" in TITLES["digits"]


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_missing_files_are_named(tmp_path, name):
    with pytest.raises(DatasetUnavailableError) as caught:
        load(name, tmp_path)
    for file in (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS):
        assert f"{file} is not there." in str(caught.value)


def test_a_damaged_file_is_named(tmp_path):
    write_set(tmp_path, tiny_set() | {TEST_IMAGES: image_file(2)[:-1]})
    with pytest.raises(DatasetUnavailableError) as caught:
        load("mnist", tmp_path)
    assert str(caught.value) == (
        f"{TEST_IMAGES} is damaged: it is cut short, expected 1,584 bytes, found 1,583."
    )


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_raw_files_become_arrays_and_differences_are_named(tmp_path, name):
    write_set(tmp_path, tiny_set(), name)
    data = load(name, tmp_path)
    train = np.arange(3 * 784).astype(np.uint8).reshape(3, 28, 28)
    test = (np.arange(2 * 784) + 100).astype(np.uint8).reshape(2, 28, 28)
    for array, expected in zip(
        arrays(data), [train, np.array([5, 0, 4]), test, np.array([7, 2])], strict=True
    ):
        np.testing.assert_array_equal(array, expected, strict=True)
        assert not array.flags.writeable
    assert data.name == name
    assert data.title == f"{TITLES[name]} (changed)"
    assert data.differs == (
        f"Not the published {TITLES[name]}: "
        f"{TRAIN_IMAGES} holds 3 images instead of 60,000. "
        f"{TRAIN_LABELS} holds 3 labels instead of 60,000. "
        f"{TEST_IMAGES} holds 2 images instead of 10,000. "
        f"{TEST_LABELS} holds 2 labels instead of 10,000."
    )


def test_published_files_do_not_differ(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "PUBLISHED_MD5", {"mnist": md5_table(tiny_set())})
    write_set(tmp_path, tiny_set())
    data = load("mnist", tmp_path)
    assert data.title == "MNIST"
    assert data.differs == ""


def test_downloaded_and_checked_files_do_not_differ(tmp_path):
    folder = write_set(tmp_path, tiny_set(), "fashion")
    (folder / idx.MANIFEST).write_text(json.dumps(md5_table(tiny_set())))
    data = load("fashion", tmp_path)
    assert data.title == "FashionMNIST"
    assert data.differs == ""
    assert data.class_names[9] == "Ankle boot"


def test_the_checked_files_are_the_ones_loaded(tmp_path):
    """Torchvision prefers the ``processed`` folder of its versions up to 0.9, if there is one."""
    import torch

    write_set(tmp_path, tiny_set())
    processed = tmp_path / "MNIST" / "processed"
    processed.mkdir()
    for file in ("training.pt", "test.pt"):
        stale = torch.zeros(7, 28, 28, dtype=torch.uint8), torch.zeros(7, dtype=torch.int64)
        torch.save(stale, processed / file)
    data = load("mnist", tmp_path)
    assert data.train_labels.tolist() == [5, 0, 4]
    assert data.test_labels.tolist() == [7, 2]


def test_real_mnist(mnist_dir):
    data = load("mnist", mnist_dir)
    assert data.train_images.shape == (60_000, 28, 28)
    assert data.test_images.shape == (10_000, 28, 28)
    assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(data.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert data.train_images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert data.differs == ""


def test_digits_are_1437_and_360_byte_images(digits):
    assert digits.train_images.shape == (1_437, 28, 28)
    assert digits.test_images.shape == (360, 28, 28)
    assert digits.train_labels.shape == (1_437,)
    assert digits.test_labels.shape == (360,)
    assert digits.train_images.dtype == digits.test_images.dtype == np.uint8
    assert digits.train_labels.dtype == digits.test_labels.dtype == np.int64
    assert not any(array.flags.writeable for array in arrays(digits))
    assert digits.class_names == tuple("0123456789")
    assert digits.title == TITLES["digits"]


def test_digits_have_scikit_learns_labels_in_its_order(digits):
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    np.testing.assert_array_equal(labels, load_digits().target)


def test_every_digit_has_mnist_s_layout(digits):
    for image in np.concatenate([digits.train_images, digits.test_images]):
        rows, columns = bounding_box(image)
        assert max(rows.stop - rows.start, columns.stop - columns.start) == 20
        # Moves by whole pixels leave at most 0.5; rounding to bytes made the worst 0.5006.
        masses = ndimage.center_of_mass(image.astype(np.float64))
        assert masses == pytest.approx((14, 14), abs=0.501)


def test_digits_range_from_empty_paper_to_full_ink(digits):
    images = np.concatenate([digits.train_images, digits.test_images])
    assert (images.min(axis=(1, 2)) == 0).all()
    assert (images.max(axis=(1, 2)) > 230).all()
    original = load_digits().images
    fullest = original.reshape(1797, -1).mean(axis=1).argmax()
    assert (images[fullest] > 127).sum() > 100  # ink is bright, as in MNIST, and paper dark


def test_class_names_of_fashion_are_torchvisions():
    from mnist_core.data.torchvision_compat import datasets as torchvision_datasets

    assert class_names("fashion") == tuple(torchvision_datasets.FashionMNIST.classes)


@pytest.mark.parametrize("name", ["mnist", "digits"])
def test_class_names_of_digits_are_the_digits(name):
    assert class_names(name) == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def test_best_available_is_mnist_where_it_is_usable(tmp_path):
    assert best_available(tmp_path) == "digits"
    write_set(tmp_path, tiny_set(), "fashion")
    assert best_available(tmp_path) == "digits"
    folder = write_set(tmp_path, tiny_set())
    assert best_available(tmp_path) == "mnist"
    (folder / TEST_LABELS).unlink()
    assert best_available(tmp_path) == "digits"
