"""Which data set is in use, and the sentence and the button that go with it."""

from __future__ import annotations

import sys

import pytest

from mnist_core.data import idx, status
from mnist_core.data.downloads import Download
from mnist_core.data.status import DataStatus, data_status, in_use, wished_for
from tests.data_files import (
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    image_file,
    label_file,
    md5_table,
    tiny_set,
    write_set,
)

IDLE = Download("mnist")
FAILED = Download("mnist", "failed", message="No server answered. Try again.")
BUNDLED = "In use: Bundled digits (UCI, not MNIST)"


@pytest.fixture(autouse=True)
def tiny_is_published(monkeypatch):
    monkeypatch.setattr(idx, "PUBLISHED_MD5", {"mnist": md5_table(tiny_set())})


@pytest.mark.parametrize("chosen", [None, "mnist"])
def test_published_files_are_ok(tmp_path, chosen):
    write_set(tmp_path, tiny_set())
    assert data_status(chosen, tmp_path, IDLE) == DataStatus(
        "mnist",
        "ok",
        "In use: MNIST",
        "3 training and 2 test images, the published files, checked.",
    )


def test_real_mnist_is_ok(mnist_dir, monkeypatch):
    monkeypatch.undo()  # the real checksums
    status = data_status(None, mnist_dir, IDLE)
    assert status.kind == "ok"
    assert status.detail == (
        "60,000 training and 10,000 test images, the published files, checked."
    )


def test_a_failed_download_is_not_shown_once_the_files_are_there(tmp_path):
    write_set(tmp_path, tiny_set())
    assert data_status(None, tmp_path, FAILED).kind == "ok"


def test_other_files_are_used_with_a_note(tmp_path):
    write_set(tmp_path, tiny_set() | {TEST_LABELS: label_file(1, 1)})
    assert data_status(None, tmp_path, IDLE) == DataStatus(
        "mnist",
        "note",
        "In use: MNIST, not the published files",
        "3 training and 2 test images instead of 60,000 and 10,000.",
        action="Download the published MNIST",
        fetches="mnist",
    )


def test_files_of_the_published_size_are_named(monkeypatch, tmp_path):
    files = tuple(
        idx.FileReport(name, "published", "", 60_000 if name.startswith("train") else 10_000)
        for name in idx.FILE_NAMES[:-1]
    )
    odd = idx.FileReport(TEST_LABELS, "different", "its checksum is not the published one.", 10_000)
    report = idx.FolderReport("mnist", "different", (*files, odd), "")
    monkeypatch.setattr(status, "inspect_folder", lambda *_: report)
    shown = data_status(None, tmp_path, IDLE)
    assert (shown.kind, shown.detail) == ("note", "its checksum is not the published one.")


def test_a_failure_to_replace_other_files_is_added_to_the_note(tmp_path):
    write_set(tmp_path, tiny_set() | {TEST_LABELS: label_file(1, 1)})
    status = data_status(None, tmp_path, FAILED)
    assert status.kind == "note"
    assert status.detail == (
        "3 training and 2 test images instead of 60,000 and 10,000. No server answered. Try again."
    )
    assert status.action == "Download the published MNIST"


@pytest.mark.parametrize("chosen", [None, "mnist"])
def test_missing_files_can_be_downloaded(tmp_path, chosen):
    assert data_status(chosen, tmp_path, IDLE) == DataStatus(
        "digits",
        "note",
        BUNDLED,
        "MNIST is not on this machine yet.",
        action="Download MNIST (11.6 MB)",
        fetches="mnist",
    )


def test_a_damaged_file_is_named_and_can_be_downloaded_again(tmp_path):
    write_set(tmp_path, tiny_set() | {TRAIN_IMAGES: image_file(3)[:-1]})
    assert data_status(None, tmp_path, IDLE) == DataStatus(
        "digits",
        "problem",
        BUNDLED,
        f"The files of MNIST cannot be used. {TRAIN_IMAGES} is damaged: it is cut short, "
        "expected 2,368 bytes, found 2,367.",
        action="Fetch again (9.9 MB)",
        fetches="mnist",
    )


def test_one_missing_file_is_named_and_can_be_downloaded(tmp_path):
    folder = write_set(tmp_path, tiny_set())
    (folder / TRAIN_IMAGES).unlink()
    status = data_status(None, tmp_path, IDLE)
    assert status.kind == "problem"
    assert status.detail == f"The files of MNIST cannot be used. {TRAIN_IMAGES} is not there."
    assert status.action == "Fetch again (9.9 MB)"


def test_the_size_of_a_small_file_is_not_0(tmp_path):
    write_set(tmp_path, tiny_set() | {TRAIN_LABELS: label_file(5)})
    status = data_status(None, tmp_path, IDLE)
    assert status.action.startswith("Fetch again")
    assert "0.0" not in status.action  # 28,881 bytes


def test_files_that_do_not_belong_together_are_a_problem(tmp_path):
    write_set(tmp_path, tiny_set() | {TRAIN_IMAGES: image_file(4)})
    status = data_status(None, tmp_path, IDLE)
    assert (status.using, status.kind) == ("digits", "problem")
    assert "holds 4 images but" in status.detail
    assert status.fetches == "mnist"


@pytest.mark.parametrize(
    ("done", "total", "words", "progress"),
    [
        (0, 11_594_722, "0.0 of 11.6 MB", 0.0),
        (5_797_361, 11_594_722, "5.8 of 11.6 MB", 0.5),
        (11_594_722, 11_594_722, "11.6 of 11.6 MB", 1.0),
        (12_000_000, 11_594_722, "12.0 of 11.6 MB", 1.0),
        (0, 0, "0.0 of 0.0 MB", 0.0),
    ],
)
def test_a_running_download_shows_its_progress(tmp_path, done, total, words, progress):
    download = Download("mnist", "running", done, total)
    assert data_status(None, tmp_path, download) == DataStatus(
        "digits",
        "busy",
        BUNDLED,
        f"MNIST is on its way: {words}. Go on meanwhile.",
        progress=progress,
    )


def test_a_running_download_of_fashion_leaves_mnist_in_use(tmp_path):
    write_set(tmp_path, tiny_set())
    status = data_status("fashion", tmp_path, Download("fashion", "running", 1, 2))
    assert (status.using, status.kind, status.headline) == ("mnist", "busy", "In use: MNIST")
    assert status.detail.startswith("FashionMNIST is on its way")
    assert status.action == ""


@pytest.mark.parametrize("files", [{}, tiny_set() | {TEST_LABELS: b""}], ids=["none", "damaged"])
def test_a_failed_download_shows_why_and_offers_a_retry(tmp_path, files):
    write_set(tmp_path, files)
    assert data_status(None, tmp_path, FAILED) == DataStatus(
        "digits",
        "problem",
        BUNDLED,
        "No server answered. Try again.",
        action="Try again",
        fetches="mnist",
    )


def test_chosen_digits_are_ok_whatever_files_there_are(tmp_path):
    expected = DataStatus("digits", "ok", BUNDLED, "Your choice. It comes with the app.")
    assert data_status("digits", tmp_path, IDLE) == expected
    write_set(tmp_path, tiny_set())
    assert data_status("digits", tmp_path, IDLE) == expected
    assert data_status("digits", tmp_path, FAILED) == expected


def test_chosen_fashion_is_used_if_its_files_are_there(tmp_path):
    write_set(tmp_path, tiny_set())
    folder = write_set(tmp_path, tiny_set(), "fashion")
    status = data_status("fashion", tmp_path, Download("fashion"))
    assert (status.using, status.kind) == ("fashion", "note")
    assert status.headline == "In use: FashionMNIST, not the published files"
    assert status.action == "Download the published FashionMNIST"
    assert status.fetches == "fashion"
    (folder / TEST_LABELS).unlink()
    assert data_status("fashion", tmp_path, Download("fashion")).using == "mnist"


def test_chosen_fashion_that_is_missing_falls_back_and_can_be_downloaded(tmp_path):
    expected = DataStatus(
        "digits",
        "note",
        BUNDLED,
        "FashionMNIST is not on this machine yet.",
        action="Download FashionMNIST (30.9 MB)",
        fetches="fashion",
    )
    assert data_status("fashion", tmp_path, Download("fashion")) == expected
    write_set(tmp_path, tiny_set())
    with_mnist = data_status("fashion", tmp_path, Download("fashion"))
    assert (with_mnist.using, with_mnist.headline) == ("mnist", "In use: MNIST")
    assert with_mnist.detail == expected.detail
    assert with_mnist.fetches == "fashion"


def test_in_use_is_the_chosen_set_if_it_is_usable(tmp_path):
    assert in_use("digits", tmp_path) == "digits"
    for chosen in (None, "", "mnist", "fashion"):
        assert in_use(chosen, tmp_path) == "digits"
    write_set(tmp_path, tiny_set())
    for chosen in (None, "", "mnist", "fashion"):
        assert in_use(chosen, tmp_path) == "mnist"
    assert in_use("digits", tmp_path) == "digits"
    write_set(tmp_path, tiny_set(), "fashion")
    assert in_use("fashion", tmp_path) == "fashion"
    assert in_use(None, tmp_path) == "mnist"


@pytest.mark.parametrize(
    ("chosen", "wish"),
    [(None, "mnist"), ("mnist", "mnist"), ("digits", "mnist"), ("fashion", "fashion")],
)
def test_wished_for(chosen, wish):
    assert wished_for(chosen) == wish


def test_the_status_needs_no_torch():
    import subprocess

    code = (
        "import sys; from pathlib import Path; from mnist_core.data.status import data_status; "
        "from mnist_core.data.downloads import Download; "
        "data_status(None, Path('no-data'), Download('mnist')); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
