"""The folders of visitors' work, and the limit of the disk."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_core.common.files import new_id, write_atomically
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.store import WorkspaceStore

ID, OTHER = "A" * 22, "B" * 22
RECORD = RunRecord(ID, created=1.5, step=3, total_steps=16, config={"epochs": 2}, data="0f")
UNLIMITED = 10**12


def files_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def workspaces(tmp_path):
    return WorkspaceStore(tmp_path / "root", UNLIMITED)


# Ids


@pytest.mark.parametrize("bad", ["..", "", "../" + "A" * 19, "x" * 5_000])
def test_a_wrong_id_never_becomes_a_path(workspaces, tmp_path, bad):
    outside = tmp_path / "root" / "kept.txt"
    outside.parent.mkdir()
    outside.write_text("mine")
    for call in (
        lambda: workspaces.run_folder(bad, ID),
        lambda: workspaces.run_folder(ID, bad),
        lambda: workspaces.remove(ID, bad),
        lambda: workspaces.remove(bad, ID),
        lambda: workspaces.remember(bad, page="home"),
        lambda: workspaces.runs(bad),
    ):
        with pytest.raises(ValueError, match=r"expected a .*'s id, got") as caught:
            call()
        assert len(str(caught.value)) < 100
    assert workspaces.remembered(bad) == {}
    assert files_below(tmp_path) == {"root/kept.txt"}


# Choices and progress


def test_nothing_is_remembered_at_first(workspaces):
    assert workspaces.remembered(ID) == {}
    assert not workspaces.root.exists()


def test_new_values_are_added_to_the_saved_ones(workspaces):
    workspaces.remember(ID, page="home", done=["a"])
    workspaces.remember(ID, page="training")
    workspaces.remember(OTHER, page="race")
    again = WorkspaceStore(workspaces.root, UNLIMITED)
    assert again.remembered(ID) == {"page": "training", "done": ["a"]}
    assert again.remembered(OTHER) == {"page": "race"}


def test_the_file_is_readable_json(workspaces):
    workspaces.remember(ID, page="home")
    text = (workspaces.root / ID / "workspace.json").read_text("utf-8")
    assert json.loads(text) == {"page": "home"}
    assert text.endswith("}\n")


def test_unchanged_values_are_not_written_again(workspaces, monkeypatch):
    workspaces.remember(ID, page="home", progress={"cards": 3})

    def refuse(*args):
        raise AssertionError("nothing was to be written")

    monkeypatch.setattr("mnist_core.workspace.store.write_atomically", refuse)
    workspaces.remember(ID, progress={"cards": 3})


def test_a_full_disk_raises_an_error(workspaces, monkeypatch):
    workspaces.remember(ID, page="home")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        workspaces.remember(ID, page="training")
    assert workspaces.remembered(ID) == {"page": "home"}


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b'{"page": "home"', b"[" * 100_000, b"1" * 10_000],
    ids=["empty", "cut", "list", "null", "binary", "no end", "deep", "number"],
)
def test_a_damaged_file_counts_as_none_and_can_be_replaced(workspaces, damage):
    path = workspaces.root / ID / "workspace.json"
    write_atomically(path, damage)
    assert workspaces.remembered(ID) == {}
    workspaces.remember(ID, page="home")
    assert workspaces.remembered(ID) == {"page": "home"}


def test_values_of_many_threads_are_all_saved(workspaces):
    threads = [
        threading.Thread(target=workspaces.remember, args=(ID,), kwargs={f"key{i}": i})
        for i in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert workspaces.remembered(ID) == {f"key{i}": i for i in range(12)}


# The runs of a workspace


def put_run(workspaces, workspace, run_id, *, size=100, written=None, record=None):
    folder = workspaces.run_folder(workspace, run_id)
    record = record or replace(RECORD, id=run_id)
    write_atomically(folder / "run.json", record.to_json())
    write_atomically(folder / "moments" / "deep.bin", b"x" * (size - len(record.to_json())))
    for path in (folder / "run.json", folder / "moments" / "deep.bin"):
        os.utime(path, (written, written) if written is not None else None)
    return folder


def test_a_workspace_without_runs_has_none(workspaces):
    assert workspaces.runs(ID) == []
    assert workspaces.used_bytes() == 0
    assert workspaces.make_room() == []
    workspaces.tidy()


def test_runs_come_newest_first_and_each_workspace_has_its_own(workspaces):
    ids = [new_id() for _ in range(4)]
    for run_id, created in zip(ids, (20.0, 40.0, 10.0, 30.0), strict=True):
        record = replace(RECORD, id=run_id, created=created)
        put_run(workspaces, ID, run_id, record=record)
    put_run(workspaces, OTHER, new_id())
    assert [record.created for record in workspaces.runs(ID)] == [40.0, 30.0, 20.0, 10.0]
    assert len(workspaces.runs(OTHER)) == 1


def test_damaged_runs_are_left_out(workspaces):
    good = new_id()
    put_run(workspaces, ID, good)
    for damage in (b"", b"{}", b"[1]", RECORD.to_json()[:-20], b"\xff" * 50, b"[" * 100_000):
        write_atomically(workspaces.run_folder(ID, new_id()) / "run.json", damage)
    workspaces.run_folder(ID, new_id()).mkdir()
    put_run(workspaces, ID, new_id(), record=replace(RECORD, id=OTHER))  # with another's id
    (workspaces.run_folder(ID, new_id()) / "run.json").mkdir(parents=True)
    assert [record.id for record in workspaces.runs(ID)] == [good]


def test_a_run_is_removed_with_all_its_files_and_no_other(workspaces):
    mine, kept = new_id(), new_id()
    folder = put_run(workspaces, ID, mine)
    put_run(workspaces, ID, kept)
    workspaces.remove(ID, mine)
    workspaces.remove(ID, mine)  # a second time
    assert not folder.exists()
    assert [record.id for record in workspaces.runs(ID)] == [kept]


def test_the_oldest_runs_are_deleted_first(workspaces):
    ids = [new_id() for _ in range(4)]
    for run_id, written in zip(ids, (300, 100, 400, 200), strict=True):
        put_run(workspaces, ID, run_id, size=1_000, written=written)
    assert workspaces.used_bytes() == 4_000

    workspaces.limit_bytes = 2_500
    gone = workspaces.make_room()

    assert gone == [workspaces.run_folder(ID, ids[1]), workspaces.run_folder(ID, ids[3])]
    assert {record.id for record in workspaces.runs(ID)} == {ids[0], ids[2]}
    assert workspaces.used_bytes() == 2_000
    assert workspaces.make_room() == []


def test_runs_that_fit_exactly_stay(workspaces):
    put_run(workspaces, ID, new_id(), size=1_000)
    workspaces.limit_bytes = 1_000
    assert workspaces.make_room() == []
    workspaces.limit_bytes = 999
    assert len(workspaces.make_room()) == 1


def test_the_age_of_a_run_is_that_of_its_last_save(workspaces):
    old, young = new_id(), new_id()
    folder = put_run(workspaces, ID, old, size=1_000, written=100)
    put_run(workspaces, ID, young, size=1_000, written=200)
    os.utime(folder / "run.json", (300, 300))  # newer than the other run's files
    workspaces.limit_bytes = 1_500
    assert workspaces.make_room() == [workspaces.run_folder(ID, young)]


def test_a_folder_into_which_nothing_is_written_yet_stays(workspaces):
    put_run(workspaces, ID, new_id(), size=1_000)
    new = workspaces.run_folder(OTHER, new_id())
    new.mkdir(parents=True)
    workspaces.limit_bytes = 0
    assert len(workspaces.make_room()) == 1
    assert new.exists()


def test_runs_in_use_are_not_deleted(workspaces):
    used, idle = new_id(), new_id()
    put_run(workspaces, ID, used, size=5_000, written=100)
    put_run(workspaces, OTHER, idle, size=1_000, written=200)
    workspaces.limit_bytes = 10
    assert workspaces.make_room({used}) == [workspaces.run_folder(OTHER, idle)]
    assert [record.id for record in workspaces.runs(ID)] == [used]
    assert workspaces.make_room({used}) == []


def test_a_deletion_is_noted_in_its_workspace(workspaces):
    workspaces.remember(ID, page="home")
    for workspace, written in ((ID, 1), (ID, 2), (OTHER, 3)):
        put_run(workspaces, workspace, new_id(), size=1_000, written=written)
    third = new_id()
    put_run(workspaces, "C" * 22, third, size=1_000, written=4)

    workspaces.limit_bytes = 1_000
    before = time.time()
    workspaces.make_room()

    told = workspaces.remembered(ID)
    assert (told["page"], told["removed"]) == ("home", 2)
    assert before <= told["removed_at"] <= time.time()
    assert workspaces.remembered(OTHER)["removed"] == 1
    assert workspaces.remembered("C" * 22) == {}


def test_a_damaged_count_of_removals_starts_again(workspaces):
    workspaces.remember(ID, removed="many")
    put_run(workspaces, ID, new_id(), size=1_000)
    workspaces.limit_bytes = 0
    workspaces.make_room()
    assert workspaces.remembered(ID)["removed"] == 1


def test_runs_are_deleted_even_if_the_note_cannot_be_written(workspaces, monkeypatch):
    put_run(workspaces, ID, new_id(), size=1_000)
    workspaces.limit_bytes = 0

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert len(workspaces.make_room()) == 1
    assert workspaces.used_bytes() == 0


def test_tidying_deletes_only_half_written_files(workspaces):
    run_id = new_id()
    folder = put_run(workspaces, ID, run_id)
    workspaces.remember(ID, page="home")
    before = files_below(workspaces.root)
    for place in (workspaces.root / ID, folder, folder / "moments", folder / "numpy" / "moments"):
        place.mkdir(parents=True, exist_ok=True)
        (place / ".new-x7a_1").write_bytes(b"half")
    workspaces.tidy()
    assert files_below(workspaces.root) == before
    assert workspaces.remembered(ID) == {"page": "home"}
    assert [record.id for record in workspaces.runs(ID)] == [run_id]


def test_tidying_deletes_what_a_killed_write_leaves(workspaces, monkeypatch):
    """The process ends before it replaces the old file, without cleaning up."""
    path = workspaces.root / ID / "workspace.json"

    def killed(*args, **options):
        raise SystemExit

    monkeypatch.setattr(Path, "replace", killed)
    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(SystemExit):
        write_atomically(path, b"{}")
    monkeypatch.undo()
    assert len(files_below(workspaces.root)) == 1
    workspaces.tidy()
    assert files_below(workspaces.root) == set()
