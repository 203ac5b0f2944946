"""Downloads from a local server, which sends the files correctly, wrongly or not at all."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from contextlib import ExitStack

import pytest

from mnist_core.data import downloads as module
from mnist_core.data import idx
from mnist_core.data.downloads import SIZES, Download, Downloads, published_sources
from mnist_core.data.idx import FILE_NAMES, MANIFEST, inspect_folder
from tests.data_files import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    contents,
    cut_off,
    dripping,
    gated,
    image_file,
    label_file,
    labelled_gzip,
    md5,
    md5_table,
    not_found,
    other_content,
    packed,
    raw_dir,
    reset,
    serving,
    silent,
    silent_in_the_middle,
    tiny_set,
    well,
    without_length,
    write_set,
)

PACKED = packed(tiny_set())
N_BYTES = sum(map(len, PACKED.values()))


@pytest.fixture(autouse=True)
def local_only(monkeypatch):
    """Connect to the local server directly, and publish tiny files."""
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    monkeypatch.setattr(idx, "PUBLISHED_MD5", {"mnist": md5_table(tiny_set())})


@pytest.fixture
def serve():
    """Return a function that starts a server; it stops after the test."""
    with ExitStack() as stack:
        yield lambda behave=well, files=PACKED: stack.enter_context(serving(files, behave))


def sources_at(*servers):
    """Return sources with these servers as mirrors and the tiny set's checksums."""
    table = {file: md5(content) for file, content in PACKED.items()}
    return lambda _name: ([server.address for server in servers], dict(table))


def ended(downloads: Downloads, name: str = "mnist") -> Download:
    """Wait for the end of a download and return its state."""
    deadline = time.monotonic() + 30
    while downloads.status(name).status == "running":
        assert time.monotonic() < deadline, "the download did not end"
        time.sleep(0.005)
    return downloads.status(name)


def run(root, *servers, name="mnist", mirror="") -> Download:
    downloads = Downloads(root, mirror, sources_at(*servers))
    downloads.start(name)
    return ended(downloads, name)


def asked_for(server) -> list[str]:
    return [path.rsplit("/", 1)[1] for path in server.requests]


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_a_download_writes_four_checked_files(tmp_path, serve, name):
    server = serve()
    downloads = Downloads(tmp_path, sources=sources_at(server))
    assert downloads.status(name) == Download(name, "idle")
    started = downloads.start(name)
    assert started == Download(name, "running", 0, sum(SIZES[name].values()))
    assert ended(downloads, name) == Download(name, "finished", N_BYTES, sum(SIZES[name].values()))
    there = contents(raw_dir(tmp_path, name))
    assert json.loads(there.pop(MANIFEST)) == md5_table(tiny_set())
    assert there == tiny_set()
    assert inspect_folder(tmp_path, name).state == "published"
    assert asked_for(server) == [f"{file}.gz" for file in FILE_NAMES]


def test_each_data_set_has_a_status(tmp_path, serve):
    downloads = Downloads(tmp_path, sources=sources_at(serve()))
    downloads.start("fashion")
    assert ended(downloads, "fashion").status == "finished"
    assert downloads.status("mnist").status == "idle"


def test_bytes_are_counted_without_a_content_length(tmp_path, serve):
    status = run(tmp_path, serve(without_length))
    assert (status.status, status.bytes_done) == ("finished", N_BYTES)


def test_a_server_can_declare_gz_as_an_encoding(tmp_path, serve):
    """Apache does with ``AddEncoding x-gzip .gz``: the bytes are those published."""
    assert run(tmp_path, serve(labelled_gzip)) == Download(
        "mnist", "finished", N_BYTES, sum(SIZES["mnist"].values())
    )


def test_simultaneous_starts_make_one_download(tmp_path, serve):
    gate = threading.Event()
    server = serve(gated(gate))
    downloads = Downloads(tmp_path, sources=sources_at(server))
    barrier = threading.Barrier(8)
    answers = []

    def press():
        barrier.wait()
        answers.append(downloads.start("mnist"))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == ["running"] * 8
    gate.set()
    assert ended(downloads).status == "finished"
    assert asked_for(server) == [f"{file}.gz" for file in FILE_NAMES]


def test_a_delayed_download_is_running_while_it_waits(tmp_path, serve):
    downloads = Downloads(tmp_path, sources=sources_at(serve()))
    start = time.monotonic()
    assert downloads.start("mnist", delay_s=0.3).status == "running"
    assert ended(downloads).status == "finished"
    assert time.monotonic() - start >= 0.3


def test_a_start_with_all_files_fetches_nothing(tmp_path, serve):
    write_set(tmp_path, tiny_set())
    server = serve()
    assert run(tmp_path, server) == Download("mnist", "finished", 0, 0)
    assert server.requests == []
    assert {f: c for f, c in contents(raw_dir(tmp_path)).items() if f != MANIFEST} == tiny_set()


@pytest.mark.parametrize(
    "behave", [not_found, reset, other_content, cut_off, silent, silent_in_the_middle]
)
def test_the_second_mirror_is_used_when_the_first_fails(tmp_path, serve, monkeypatch, behave):
    monkeypatch.setattr(module, "SILENCE_S", 0.3)
    bad, good = serve(behave), serve()
    status = run(tmp_path, bad, good)
    assert (status.status, status.bytes_done) == ("finished", N_BYTES)
    assert asked_for(bad)[0] == f"{TRAIN_IMAGES}.gz"
    assert asked_for(good) == [f"{file}.gz" for file in FILE_NAMES]
    there = contents(raw_dir(tmp_path))
    assert json.loads(there.pop(MANIFEST)) == md5_table(tiny_set())
    assert there == tiny_set()


def test_a_file_missing_on_one_mirror_comes_from_the_other(tmp_path, serve):
    first = serve(files={file: PACKED[file] for file in PACKED if file != f"{TRAIN_LABELS}.gz"})
    second = serve()
    assert run(tmp_path, first, second).status == "finished"
    assert f"{TRAIN_LABELS}.gz" in asked_for(second)
    assert contents(raw_dir(tmp_path))[TRAIN_LABELS] == tiny_set()[TRAIN_LABELS]


def test_the_extra_mirror_comes_first_with_the_data_sets_folder(tmp_path, serve):
    school, public = serve(), serve()
    for name, folder in (("mnist", "MNIST"), ("fashion", "FashionMNIST")):
        assert run(tmp_path, public, name=name, mirror=school.address).status == "finished"
        assert school.requests == [f"/files/{folder}/{file}.gz" for file in FILE_NAMES]
        school.requests.clear()
    assert public.requests == []


def test_the_public_mirrors_follow_the_extra_one(tmp_path, serve):
    school, public = serve(not_found), serve()
    assert run(tmp_path, public, mirror=school.address).status == "finished"
    assert public.requests == [f"/files/{file}.gz" for file in FILE_NAMES]


WHAT_WENT_WRONG = [
    (not_found, "the server answered 404"),
    (reset, "no connection, or it broke off"),
    (other_content, "what arrived is not the published file"),
    (cut_off, "no connection, or it broke off"),
    (silent, "no answer within"),
    (silent_in_the_middle, "no answer within"),
]


@pytest.mark.parametrize(("behave", "problem"), WHAT_WENT_WRONG)
def test_a_failure_names_the_mirror_and_the_problem(tmp_path, serve, monkeypatch, behave, problem):
    monkeypatch.setattr(module, "SILENCE_S", 0.3)
    first, second = serve(behave), serve(not_found)
    status = run(tmp_path, first, second)
    assert (status.status, status.bytes_done) == ("failed", 0)
    assert f"{TRAIN_IMAGES}.gz could not be fetched" in status.message
    assert f"{first.host}: {problem}" in status.message
    assert f"{second.host}: the server answered 404" in status.message
    assert "try again" in status.message
    assert contents(raw_dir(tmp_path)) == {}


def test_a_mirror_that_does_not_run_gives_no_connection(tmp_path):
    with serving({}) as gone:
        pass
    assert f"{gone.host}: no connection" in run(tmp_path, gone).message


def test_a_file_that_takes_too_long_is_given_up(tmp_path, serve, monkeypatch):
    monkeypatch.setattr(module, "LIMIT_S", 0.3)
    start = time.monotonic()
    status = run(tmp_path, serve(dripping))
    assert status.status == "failed"
    assert "not finished within" in status.message
    assert time.monotonic() - start < 2.5


def test_existing_files_survive_a_failure(tmp_path, serve):
    before = tiny_set() | {TRAIN_IMAGES: image_file(3)[:-1], TEST_LABELS: label_file(1, 2)}
    folder = write_set(tmp_path, before | {MANIFEST: b"{}"})
    changed = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    only_one = serve(files={f"{TRAIN_IMAGES}.gz": PACKED[f"{TRAIN_IMAGES}.gz"]})
    assert run(tmp_path, only_one).status == "failed"
    assert asked_for(only_one) == [f"{TRAIN_IMAGES}.gz", f"{TEST_LABELS}.gz"]
    assert contents(folder) == before | {MANIFEST: b"{}"}
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == changed


def test_a_retry_after_a_failure_works(tmp_path, serve):
    server = serve(not_found)
    downloads = Downloads(tmp_path, sources=sources_at(server))
    downloads.start("mnist")
    assert ended(downloads).status == "failed"
    server.behave = well
    assert downloads.start("mnist") == Download("mnist", "running", 0, sum(SIZES["mnist"].values()))
    assert ended(downloads) == Download("mnist", "finished", N_BYTES, sum(SIZES["mnist"].values()))
    assert inspect_folder(tmp_path, "mnist").state == "published"


def test_an_unexpected_error_ends_the_download_and_is_shown(tmp_path):
    def broken(name):
        raise RuntimeError("torchvision has moved")

    downloads = Downloads(tmp_path, sources=broken)
    downloads.start("mnist")
    status = ended(downloads)
    assert status.status == "failed"
    assert status.message == "The download stopped: RuntimeError: torchvision has moved"
    assert contents(raw_dir(tmp_path)) == {}


@pytest.mark.parametrize("below", ["", "deeper/down"])
def test_a_folder_that_cannot_be_created_is_named_with_its_variable(tmp_path, serve, below):
    (tmp_path / "file").write_text("not a folder")
    root = tmp_path / "file" / below
    server = serve()
    status = run(root, server)
    assert status.status == "failed"
    assert str(raw_dir(root)) in status.message
    assert "cannot be written" in status.message
    assert "Set MNIST_DATA_DIR to another folder" in status.message
    assert server.requests == []
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.mark.parametrize(("name", "title"), [("mnist", "MNIST"), ("fashion", "FashionMNIST")])
def test_a_full_disk_is_reported_while_unpacking(tmp_path, serve, monkeypatch, name, title):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.shutil, "copyfileobj", full)
    status = run(tmp_path, serve(), name=name)
    assert status.status == "failed"
    assert f"The disk of {raw_dir(tmp_path, name)} is full" in status.message
    assert f": {title} needs" in status.message
    assert "MNIST_DATA_DIR" in status.message
    assert contents(raw_dir(tmp_path, name)) == {}


def test_a_full_disk_is_reported_while_downloading(tmp_path, serve, monkeypatch):
    import pooch

    def full(*_args, **_keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch, "retrieve", full)
    status = run(tmp_path, serve(), serve())
    assert "is full" in status.message
    assert contents(raw_dir(tmp_path)) == {}


def test_old_temporary_folders_are_removed_and_new_ones_are_not(tmp_path, serve):
    folder = write_set(tmp_path, {})
    two_days_ago = time.time() - 2 * 86_400
    for name in (".download-killed", ".download-live"):
        (folder / name).mkdir()
        (folder / name / f"{TRAIN_IMAGES}.gz").write_bytes(b"half of it")
    os.utime(folder / ".download-killed", (two_days_ago, two_days_ago))
    assert run(tmp_path, serve()).status == "finished"
    assert not (folder / ".download-killed").exists()
    assert contents(folder / ".download-live") == {f"{TRAIN_IMAGES}.gz": b"half of it"}


def test_only_the_damaged_file_is_fetched_again(tmp_path, serve):
    folder = write_set(tmp_path, tiny_set() | {TEST_IMAGES: image_file(2)[:100]})
    good = {f: (folder / f).stat().st_mtime_ns for f in FILE_NAMES if f != TEST_IMAGES}
    server = serve()
    assert run(tmp_path, server) == Download(
        "mnist",
        "finished",
        len(PACKED[f"{TEST_IMAGES}.gz"]),
        SIZES["mnist"][f"{TEST_IMAGES}.gz"],
    )
    assert asked_for(server) == [f"{TEST_IMAGES}.gz"]
    assert inspect_folder(tmp_path, "mnist").state == "published"
    assert {f: (folder / f).stat().st_mtime_ns for f in good} == good
    assert not (folder / f"{TEST_IMAGES}.replaced").exists()


def test_a_second_download_preserves_the_manifest_s_other_entries(tmp_path, serve):
    assert run(tmp_path, serve(), name="fashion").status == "finished"
    folder = raw_dir(tmp_path, "fashion")
    (folder / TEST_IMAGES).unlink()
    server = serve()
    assert run(tmp_path, server, name="fashion").status == "finished"
    assert asked_for(server) == [f"{TEST_IMAGES}.gz"]
    assert json.loads((folder / MANIFEST).read_text()) == md5_table(tiny_set())
    assert inspect_folder(tmp_path, "fashion").state == "published"


def test_a_complete_but_different_file_is_renamed(tmp_path, serve):
    theirs = {TRAIN_IMAGES: image_file(4), TRAIN_LABELS: label_file(1, 2, 3, 4)}
    folder = write_set(tmp_path, tiny_set() | theirs)
    server = serve()
    assert run(tmp_path, server).status == "finished"
    assert asked_for(server) == [f"{TRAIN_IMAGES}.gz", f"{TRAIN_LABELS}.gz"]
    there = contents(folder)
    del there[MANIFEST]
    assert there == tiny_set() | {
        f"{TRAIN_IMAGES}.replaced": theirs[TRAIN_IMAGES],
        f"{TRAIN_LABELS}.replaced": theirs[TRAIN_LABELS],
    }


def test_a_renamed_file_survives_the_next_download(tmp_path, serve):
    folder = write_set(tmp_path, tiny_set() | {TEST_LABELS: label_file(1, 1)})
    assert run(tmp_path, serve()).status == "finished"
    (folder / TEST_LABELS).write_bytes(label_file(3, 3))
    assert inspect_folder(tmp_path, "mnist").state == "different"
    assert run(tmp_path, serve()).status == "finished"
    renamed = [path.read_bytes() for path in folder.glob(f"{TEST_LABELS}.*")]
    assert sorted(renamed) == [label_file(1, 1), label_file(3, 3)]


def test_a_data_set_is_never_visible_without_its_manifest(tmp_path, serve, monkeypatch):
    """New files change `idx.version`; a page that loads them then must find published ones."""
    states = []
    replace = module.Path.replace

    def replace_and_look(self, target):
        result = replace(self, target)
        states.append(inspect_folder(tmp_path, "fashion").state)
        return result

    monkeypatch.setattr(module.Path, "replace", replace_and_look)
    assert run(tmp_path, serve(), name="fashion").status == "finished"
    assert states[-1] == "published"
    assert "different" not in states


@pytest.mark.parametrize(
    ("name", "hosts", "first_md5"),
    [
        (
            "mnist",
            ["ossci-datasets.s3.amazonaws.com", "yann.lecun.com"],
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        ),
        (
            "fashion",
            ["fashion-mnist.s3-website.eu-central-1.amazonaws.com"],
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        ),
    ],
)
def test_torchvision_has_the_expected_mirrors_and_names(name, hosts, first_md5):
    mirrors, table = published_sources(name)
    assert [mirror.split("/")[2] for mirror in mirrors] == hosts
    assert all(mirror.endswith("/") for mirror in mirrors)
    assert list(table) == list(SIZES[name]) == [f"{file}.gz" for file in FILE_NAMES]
    assert table[f"{TRAIN_IMAGES}.gz"] == first_md5
    assert all(len(bytes.fromhex(digest)) == 16 for digest in table.values())
