"""The raw files on disk: every kind of damage has its own sentence."""

from __future__ import annotations

import hashlib
import json
import os
import struct

import pytest

from mnist_core.data import idx
from mnist_core.data.idx import FILE_NAMES, MANIFEST, inspect_folder, md5_of, raw_folder, version
from tests.data_files import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    image_file,
    label_file,
    md5_table,
    tiny_set,
    write_set,
)


@pytest.fixture
def tiny_is_published(monkeypatch):
    monkeypatch.setattr(idx, "PUBLISHED_MD5", {"mnist": md5_table(tiny_set())})


def report_on(folder, file):
    return next(f for f in inspect_folder(folder, "mnist").files if f.name == file)


def test_file_names_are_those_that_torchvision_reads():
    assert FILE_NAMES == (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    )


def test_raw_folder_is_where_torchvision_looks(tmp_path):
    assert raw_folder(tmp_path, "mnist") == tmp_path / "MNIST" / "raw"
    assert raw_folder(tmp_path, "fashion") == tmp_path / "FashionMNIST" / "raw"


def test_an_empty_folder_is_missing_and_wants_all_files(tmp_path):
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "missing"
    assert not report.usable
    assert [f.state for f in report.files] == ["missing"] * 4
    assert [f.count for f in report.files] == [0] * 4
    assert report.detail == " ".join(f"{name} is not there." for name in FILE_NAMES)
    assert report.wanted == FILE_NAMES


@pytest.mark.usefixtures("tiny_is_published")
def test_the_published_files_are_published(tmp_path):
    write_set(tmp_path, tiny_set())
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "published"
    assert report.usable
    assert report.wanted == ()
    assert [f.count for f in report.files] == [3, 3, 2, 2]
    assert report.detail == "All four files carry the published checksum."
    assert report.files[0].detail == f"{TRAIN_IMAGES} carries the published checksum."


def test_real_mnist_is_published(mnist_dir):
    report = inspect_folder(mnist_dir, "mnist")
    assert report.state == "published"
    assert [f.count for f in report.files] == [60_000, 60_000, 10_000, 10_000]


@pytest.mark.usefixtures("tiny_is_published")
def test_one_missing_file_damages_the_set_and_only_it_is_wanted(tmp_path):
    folder = write_set(tmp_path, tiny_set())
    (folder / TEST_LABELS).unlink()
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "damaged"
    assert not report.usable
    assert report.detail == f"{TEST_LABELS} is not there."
    assert report.wanted == (TEST_LABELS,)


DAMAGE = {
    "empty file": (TRAIN_IMAGES, b"", "it is cut short, 0 bytes are too few for its header"),
    "cut in the images' header": (
        TRAIN_IMAGES,
        image_file(3)[:15],
        "it is cut short, 15 bytes are too few for its header",
    ),
    "cut in the labels' header": (
        TRAIN_LABELS,
        label_file(5)[:7],
        "it is cut short, 7 bytes are too few for its header",
    ),
    "images cut by one byte": (
        TRAIN_IMAGES,
        image_file(3)[:-1],
        "it is cut short, expected 2,368 bytes, found 2,367",
    ),
    "images cut behind the header": (
        TRAIN_IMAGES,
        image_file(3)[:16],
        "it is cut short, expected 2,368 bytes, found 16",
    ),
    "labels cut": (
        TRAIN_LABELS,
        label_file(5, 0, 4)[:-2],
        "it is cut short, expected 11 bytes, found 9",
    ),
    "images too long": (
        TRAIN_IMAGES,
        image_file(3) + b"\0",
        "it is too long, expected 2,368 bytes, found 2,369",
    ),
    "labels too long": (
        TRAIN_LABELS,
        label_file(5, 0, 4) + b"\1",
        "it is too long, expected 11 bytes, found 12",
    ),
    "wrong magic of images": (
        TRAIN_IMAGES,
        image_file(3, magic=2052),
        "expected the magic number 2051, found 2052",
    ),
    "magic in the wrong byte order": (
        TRAIN_LABELS,
        struct.pack("<2I", 2049, 1) + b"\5",
        "expected the magic number 2049, found 17301504",
    ),
    "labels in the place of images": (
        TRAIN_IMAGES,
        label_file(*range(10)),
        "expected the magic number 2051, found 2049",
    ),
    "images in the place of labels": (
        TRAIN_LABELS,
        image_file(3),
        "expected the magic number 2049, found 2051",
    ),
    "a page of HTML": (
        TRAIN_LABELS,
        b"<html>Please log in</html>",
        "expected the magic number 2049, found 1013478509",
    ),
    "images of another side": (
        TRAIN_IMAGES,
        image_file(3, side=32),
        "expected images of 28x28 pixels, found 32x32",
    ),
    "a label of 10": (
        TRAIN_LABELS,
        label_file(5, 10, 4),
        "expected labels from 0 to 9, found 10",
    ),
    "no images": (TRAIN_IMAGES, image_file(0), "it holds nothing"),
    "no labels": (TRAIN_LABELS, label_file(), "it holds nothing"),
}


@pytest.mark.usefixtures("tiny_is_published")
@pytest.mark.parametrize(("file", "content", "problem"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_with_its_damage(tmp_path, file, content, problem):
    write_set(tmp_path, tiny_set() | {file: content})
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "damaged"
    assert not report.usable
    assert report.detail == f"{file} is damaged: {problem}."
    assert report.wanted == (file,)
    damaged = report_on(tmp_path, file)
    assert (damaged.state, damaged.count) == ("damaged", 0)
    assert [f.state for f in report.files if f.name != file] == ["published"] * 3


def test_a_label_of_9_is_allowed(tmp_path):
    write_set(tmp_path, tiny_set() | {TRAIN_LABELS: label_file(9, 0, 9)})
    assert report_on(tmp_path, TRAIN_LABELS).state == "different"


def test_a_folder_in_place_of_a_file_is_damage(tmp_path):
    folder = write_set(tmp_path, tiny_set())
    (folder / TRAIN_IMAGES).unlink()
    (folder / TRAIN_IMAGES).mkdir()
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "damaged"
    assert report.detail.startswith(f"{TRAIN_IMAGES} cannot be read (")


def test_every_bad_file_is_named_whether_missing_or_damaged(tmp_path):
    folder = write_set(tmp_path, tiny_set() | {TEST_IMAGES: image_file(2)[:-1]})
    (folder / TRAIN_LABELS).unlink()
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "damaged"
    assert f"{TRAIN_LABELS} is not there." in report.detail
    assert f"{TEST_IMAGES} is damaged: it is cut short" in report.detail


def test_more_images_than_labels_do_not_belong_together(tmp_path):
    write_set(tmp_path, tiny_set() | {TRAIN_IMAGES: image_file(4)})
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "damaged"
    assert report.detail == (
        f"{TRAIN_IMAGES} holds 4 images but {TRAIN_LABELS} 3 labels: they do not belong together."
    )
    assert report.wanted == FILE_NAMES


def test_fewer_test_images_than_labels_do_not_belong_together(tmp_path):
    write_set(tmp_path, tiny_set() | {TEST_LABELS: label_file(7, 2, 1)})
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "damaged"
    assert report.detail.startswith(f"{TEST_IMAGES} holds 2 images but {TEST_LABELS} 3 labels")


@pytest.mark.usefixtures("tiny_is_published")
def test_of_a_pair_that_disagrees_only_the_unpublished_file_is_wanted(tmp_path):
    write_set(tmp_path, tiny_set() | {TRAIN_IMAGES: image_file(4)})
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "damaged"
    assert report.wanted == (TRAIN_IMAGES,)


@pytest.mark.usefixtures("tiny_is_published")
def test_a_smaller_set_is_different_and_its_size_is_named(tmp_path):
    slice_of_it = {TRAIN_IMAGES: image_file(2), TRAIN_LABELS: label_file(5, 0)}
    write_set(tmp_path, tiny_set() | slice_of_it)
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "different"
    assert report.usable
    assert report.detail == (
        f"{TRAIN_IMAGES} holds 2 images instead of 60,000. "
        f"{TRAIN_LABELS} holds 2 labels instead of 60,000."
    )
    assert report.wanted == (TRAIN_IMAGES, TRAIN_LABELS)


def test_the_right_size_with_another_checksum_is_different(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "SPLITS", {"train": 3, "t10k": 2})
    monkeypatch.setattr(idx, "PUBLISHED_MD5", {"mnist": md5_table(tiny_set())})
    changed = bytearray(image_file(3))
    changed[1000] ^= 1
    write_set(tmp_path, tiny_set() | {TRAIN_IMAGES: bytes(changed)})
    report = inspect_folder(tmp_path, "mnist")
    assert report.state == "different"
    assert report.detail == f"{TRAIN_IMAGES} is whole, but its checksum is not the published one."
    assert report.wanted == (TRAIN_IMAGES,)


def test_the_right_size_without_a_known_checksum_is_different(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "SPLITS", {"train": 3, "t10k": 2})
    write_set(tmp_path, tiny_set(), "fashion")
    report = inspect_folder(tmp_path, "fashion")
    assert report.state == "different"
    assert report.files[0].detail == (f"{TRAIN_IMAGES} has no published checksum to compare with.")
    assert report.wanted == FILE_NAMES


def test_the_manifest_of_our_download_makes_files_published(tmp_path):
    folder = write_set(tmp_path, tiny_set(), "fashion")
    assert inspect_folder(tmp_path, "fashion").state == "different"
    (folder / MANIFEST).write_text(json.dumps(md5_table(tiny_set())))
    assert inspect_folder(tmp_path, "fashion").state == "published"
    (folder / TEST_IMAGES).write_bytes(image_file(2, shift=1))
    os.utime(folder / TEST_IMAGES, (0, 0))  # of the same size, and clocks tick only so often
    report = inspect_folder(tmp_path, "fashion")
    assert [f.state for f in report.files] == ["published", "published", "different", "published"]


def test_a_manifest_of_some_files_counts_for_those_files_only(tmp_path):
    folder = write_set(tmp_path, tiny_set(), "fashion")
    (folder / MANIFEST).write_text(json.dumps(md5_table({TEST_LABELS: label_file(7, 2)})))
    report = inspect_folder(tmp_path, "fashion")
    assert [f.state for f in report.files] == ["different", "different", "different", "published"]
    assert report.wanted == (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES)


def test_a_manifest_does_not_override_the_published_checksums_of_mnist(tmp_path):
    folder = write_set(tmp_path, tiny_set())
    (folder / MANIFEST).write_text(json.dumps(md5_table(tiny_set())))
    assert inspect_folder(tmp_path, "mnist").state == "different"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"null",
        json.dumps(list(md5_table(tiny_set()).items())).encode(),
        json.dumps(dict.fromkeys(FILE_NAMES, 5)).encode(),
        json.dumps({name: [digest] for name, digest in md5_table(tiny_set()).items()}).encode(),
    ],
    ids=["empty", "cut", "not text", "null", "a list", "numbers", "lists"],
)
def test_a_malformed_manifest_is_ignored(tmp_path, content):
    folder = write_set(tmp_path, tiny_set(), "fashion")
    (folder / MANIFEST).write_bytes(content)
    assert inspect_folder(tmp_path, "fashion").state == "different"
    assert idx.read_manifest(folder) == {}


def test_the_valid_entries_of_a_manifest_are_read(tmp_path):
    folder = write_set(tmp_path, {})
    (folder / MANIFEST).write_text(json.dumps({TEST_LABELS: "0f", TRAIN_LABELS: None}))
    assert idx.read_manifest(folder) == {TEST_LABELS: "0f"}


@pytest.mark.usefixtures("tiny_is_published")
def test_files_are_read_once_while_they_stay_the_same(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(idx, "md5_of", lambda path: read.append(path.name) or md5_of(path))
    folder = write_set(tmp_path, tiny_set())
    first = inspect_folder(tmp_path, "mnist")
    assert inspect_folder(tmp_path, "mnist") is first
    assert read == list(FILE_NAMES)
    (folder / TEST_LABELS).write_bytes(label_file(7))
    assert inspect_folder(tmp_path, "mnist").state == "damaged"
    (folder / TEST_LABELS).write_bytes(label_file(7, 2))
    assert inspect_folder(tmp_path, "mnist").state == "published"
    (folder / TEST_LABELS).unlink()
    assert inspect_folder(tmp_path, "mnist").state == "damaged"


@pytest.mark.parametrize("file", FILE_NAMES)
def test_version_changes_when_a_file_does(tmp_path, file):
    folder = write_set(tmp_path, tiny_set())
    before = version(tmp_path, "mnist")
    assert version(tmp_path, "mnist") == before
    (folder / file).write_bytes(tiny_set()[file] + b"\0")
    after = version(tmp_path, "mnist")
    assert after != before
    (folder / file).unlink()
    assert version(tmp_path, "mnist") not in (before, after)


def test_version_changes_when_the_manifest_does(tmp_path):
    """What a set is called depends on it: see `Dataset.differs`."""
    folder = write_set(tmp_path, tiny_set(), "fashion")
    before = version(tmp_path, "fashion")
    (folder / MANIFEST).write_text(json.dumps(md5_table(tiny_set())))
    assert version(tmp_path, "fashion") != before


def test_version_tells_data_sets_apart_and_needs_no_files(tmp_path):
    versions = {version(tmp_path, name) for name in ("mnist", "fashion", "digits")}
    assert len(versions) == 3


def test_md5_of_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert md5_of(path) == "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321, A.5
    path.write_bytes(bytes(1 << 20))
    assert md5_of(path) == hashlib.md5(bytes(1 << 20)).hexdigest()
