"""Drawings on the disk: read again, put aside when damaged, held in memory when it is full."""

from __future__ import annotations

import threading

import pytest

from mnist_core.drawing.handwriting import Handwriting, from_zip
from mnist_core.workspace import handwriting_store as module
from mnist_core.workspace.handwriting_store import FILE, HandwritingStore
from mnist_core.workspace.store import WorkspaceStore
from tests.drawing.test_handwriting import contents, picture, set_of

ADA, BOB = "A" * 22, "B" * 22


@pytest.fixture
def root(tmp_path):
    return tmp_path / "work"


@pytest.fixture
def store(root):
    return HandwritingStore(WorkspaceStore(root, 10**9))


def keep(number, label=1):
    return lambda kept: kept.plus(picture(number), label)


def test_drawings_survive_a_restart(store, root):
    store.of(ADA).change(keep(1, 7))
    kept = store.of(ADA).change(keep(2, 3))
    assert (kept.handwriting.labels.tolist(), kept.problem) == ([7, 3], "")
    again = HandwritingStore(WorkspaceStore(root, 10**9)).of(ADA).load()
    assert contents(again.handwriting) == contents(kept.handwriting)
    assert len(store.of(BOB).load().handwriting) == 0
    assert not (root / BOB).exists()  # loading writes nothing


def test_drawings_of_another_process_are_read(store, root):
    store.of(ADA).change(keep(1))
    HandwritingStore(WorkspaceStore(root, 10**9)).of(ADA).change(keep(2))
    assert len(store.of(ADA).load().handwriting) == 2


def test_a_change_that_fails_changes_nothing(store):
    full = set_of(*[0] * 500)
    store.of(ADA).change(lambda _: full)
    with pytest.raises(ValueError, match="at most 500"):
        store.of(ADA).change(keep(9_999))
    assert len(store.of(ADA).load().handwriting) == 500


def test_a_damaged_file_is_put_aside_and_not_lost(store, root):
    store.of(ADA).change(keep(1))
    path = root / ADA / FILE
    path.write_bytes(b"spoilt")
    kept = store.of(ADA).load()
    (aside,) = (root / ADA).glob("handwriting-damaged-*.zip")
    assert aside.read_bytes() == b"spoilt"
    assert aside.name in kept.problem
    assert len(kept.handwriting) == 0
    assert store.of(ADA).load().problem == kept.problem  # until the next change
    assert store.of(ADA).change(keep(2)).problem == ""
    assert len(from_zip(path.read_bytes())) == 1
    assert aside.exists()


def test_a_full_disk_keeps_the_drawing_in_memory_until_it_can_be_written(store, root, monkeypatch):
    store.of(ADA).change(keep(1))
    written = (root / ADA / FILE).read_bytes()

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_atomically", full)
    kept = store.of(ADA).change(keep(2))
    assert "could not be written to the server's disk (No space left on device)" in kept.problem
    assert (root / ADA / FILE).read_bytes() == written
    assert len(store.of(ADA).load().handwriting) == 2
    monkeypatch.undo()
    kept = store.of(ADA).change(keep(3))
    assert (len(kept.handwriting), kept.problem) == (3, "")
    assert len(HandwritingStore(WorkspaceStore(root, 10**9)).of(ADA).load().handwriting) == 3


def test_memory_holds_a_bounded_number_of_workspaces_and_the_unwritten_longest(store, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_atomically", full)
        store.of(ADA).change(keep(1))
    others = [store.of(f"{i:022d}") for i in range(module.MOST_HELD + 5)]
    for other in others:
        other.change(keep(1))
    assert len(store.of(ADA).load().handwriting) == 1

    def refuse(data):
        raise AssertionError("this file was read again")

    monkeypatch.setattr(module, "from_zip", refuse)
    for other in others[-module.MOST_HELD + 1 :]:
        other.load()
    with pytest.raises(AssertionError, match="read again"):
        others[5].load()


def test_changes_in_two_tabs_at_once_are_all_saved(store):
    def work(first):
        for i in range(10):
            store.of(ADA).change(keep(first + i))

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.of(ADA).load().handwriting) == 30


@pytest.mark.parametrize("workspace", ["", "..", "../../etc", "a" * 21, None])
def test_only_ids_become_folders(store, workspace):
    with pytest.raises(ValueError, match="a workspace's id"):
        store.of(workspace).load()
    with pytest.raises(ValueError, match="a workspace's id"):
        store.of(workspace).change(lambda _: Handwriting())
