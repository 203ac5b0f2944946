"""The folders of visitors' work: ids, files that no crash can spoil, and the limit of the disk."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.common.files import is_id, new_id, read_json, write_atomically
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.store import WorkspaceStore

ID, OTHER = "A" * 22, "B" * 22
RECORD = RunRecord(ID, created=1.5, step=3, total_steps=16, config={"epochs": 2}, data="0f")
CHECKUP = {"step": 3, "test_accuracy": 0.5}
UNLIMITED = 10**12


def files_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def workspaces(tmp_path):
    return WorkspaceStore(tmp_path / "root", UNLIMITED)


# Ids


def test_new_ids_are_ids_and_differ():
    ids = {new_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(is_id(text) for text in ids)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "A" * 21,
        "A" * 23,
        "A" * 21 + "/",
        "A" * 21 + "\\",
        "A" * 21 + ".",
        "A" * 21 + "\n",
        "A" * 22 + "\n",
        "A" * 21 + "\0",
        "A" * 21 + " ",
        "A" * 21 + "ä",
        "A" * 21 + "１",  # a digit, but not one of ASCII
        "../" * 7 + "x",
        "/etc/passwd-aaaaaaaaaa",
        "C:aaaaaaaaaaaaaaaaaaaa",
        None,
        22,
        b"A" * 22,
        ["A"] * 22,
    ],
    ids=repr,
)
def test_nothing_else_is_an_id(text):
    assert not is_id(text)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=40) | st.text("AZaz09-_./\\~", min_size=20, max_size=24))
def test_an_id_is_22_letters_of_an_alphabet_without_path_signs(text):
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert is_id(text) == (len(text) == 22 and set(text) <= allowed)


@pytest.mark.parametrize("bad", ["..", "", "../" + "A" * 19, "x" * 5_000])
def test_what_is_no_id_never_becomes_a_path(workspaces, tmp_path, bad):
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


# Writing so that no crash can spoil it


def test_a_file_is_written_with_its_folders_and_replaced(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    write_atomically(path, b"old")
    assert path.read_bytes() == b"old"
    write_atomically(path, b"newer")
    assert files_below(tmp_path) == {"new/folder/file"}
    assert path.read_bytes() == b"newer"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["fsync", "replace"])
@pytest.mark.parametrize("old", [b"old", None])
def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, where, error, old
):
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)

    def fail(*args):
        raise error

    monkeypatch.setattr(*((os, "fsync") if where == "fsync" else (Path, "replace")), fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert files_below(tmp_path) == ({"file"} if old else set())
    assert not old or path.read_bytes() == old


def test_the_new_file_is_whole_and_on_the_disk_before_it_takes_the_old_one_s_place(
    tmp_path, monkeypatch
):
    path, order = tmp_path / "file", []
    path.write_bytes(b"old")
    fsync, replace_file = os.fsync, Path.replace

    def noting_fsync(handle):
        order.append(("fsync", os.fstat(handle).st_size, path.read_bytes()))
        fsync(handle)

    def noting_replace(source, target):
        order.append(("replace", source.read_bytes(), Path(target)))
        return replace_file(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    write_atomically(path, b"newer")
    assert order == [("fsync", 5, b"old"), ("replace", b"newer", path)]


def test_two_who_write_the_same_file_leave_one_of_both_whole(tmp_path):
    path = tmp_path / "file"
    texts = [bytes([i]) * 5_000 for i in range(4)]
    threads = [threading.Thread(target=write_atomically, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert path.read_bytes() in texts
    assert files_below(tmp_path) == {"file"}


# Choices and progress


def test_nothing_is_remembered_at_first(workspaces):
    assert workspaces.remembered(ID) == {}
    assert not workspaces.root.exists()


def test_what_is_remembered_is_added_to_what_was(workspaces):
    workspaces.remember(ID, page="home", done=["a"])
    workspaces.remember(ID, page="training")
    workspaces.remember(OTHER, page="race")
    again = WorkspaceStore(workspaces.root, UNLIMITED)
    assert again.remembered(ID) == {"page": "training", "done": ["a"]}
    assert again.remembered(OTHER) == {"page": "race"}


def test_a_person_can_read_it(workspaces):
    workspaces.remember(ID, page="home")
    text = (workspaces.root / ID / "workspace.json").read_text("utf-8")
    assert json.loads(text) == {"page": "home"}
    assert text.endswith("}\n")


def test_what_is_known_already_is_not_written_again(workspaces, monkeypatch):
    workspaces.remember(ID, page="home", progress={"cards": 3})

    def refuse(*args):
        raise AssertionError("nothing was to be written")

    monkeypatch.setattr("mnist_core.workspace.store.write_atomically", refuse)
    workspaces.remember(ID, progress={"cards": 3})


def test_a_full_disk_is_the_caller_s_to_know(workspaces, monkeypatch):
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
def test_a_damaged_memory_counts_as_none_and_can_be_written_anew(workspaces, damage):
    path = workspaces.root / ID / "workspace.json"
    write_atomically(path, damage)
    assert workspaces.remembered(ID) == {}
    workspaces.remember(ID, page="home")
    assert workspaces.remembered(ID) == {"page": "home"}


def test_many_threads_that_remember_lose_nothing(workspaces):
    threads = [
        threading.Thread(target=workspaces.remember, args=(ID,), kwargs={f"key{i}": i})
        for i in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert workspaces.remembered(ID) == {f"key{i}": i for i in range(12)}


# JSON and records


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[1]", "a JSON table was expected"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' + b"[" * 25 + b"]" * 25 + b"}", "nested too deeply"),
        (b'{"a":' * 25 + b"1" + b"}" * 25, "nested too deeply"),
        (b'{"a": ' + b"9" * 19 + b"}", "not JSON"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b"\xff\xff{}", "not JSON"),
        (b" " * 4_000_001, "at most 4 MB"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_is_no_table_is_refused_with_a_sentence(text, why):
    with pytest.raises(ValueError, match=why) as caught:
        read_json(text)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 100


def test_a_table_nested_as_ours_are_is_read():
    table = {"checkups": [{"step": 1, "by_class": [1, 2]}], "learning_rates": [[0, 0.1]]}
    assert read_json(json.dumps(table).encode()) == table


def test_a_record_survives_the_disk():
    record = replace(
        RECORD,
        kind="race",
        status="failed",
        reason="“Zu groß” – the loss.",
        training_s=0.1 + 0.2,
        learning_rates=([0, 0.1], [2, 1e-30]),
        checkups=(CHECKUP,),
        threads=2,
    )
    again = RunRecord.from_json(record.to_json())
    assert again == record
    assert again.test_accuracy == 0.5
    assert RECORD.test_accuracy is None


def test_the_record_of_a_run_of_10_000_epochs_can_be_read_again():
    checkup = {
        "step": 9_999_999,
        "test_accuracy": 0.9123456789012345,
        "test_loss": 0.30000000000000004,
        "train_accuracy": 0.9876543210987654,
        "train_loss": 0.10000000000000009,
        "dead_units": 0.12345678901234568,
        "largest_class": 0.12340000000000001,
    }
    record = replace(RECORD, checkups=(checkup,) * 10_000)
    assert RunRecord.from_json(record.to_json()) == record


def test_what_a_later_version_may_add_to_a_record_is_passed_over():
    values = json.loads(RECORD.to_json()) | {"colour": "blue"}
    assert RunRecord.from_json(json.dumps(values).encode()) == RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 3},
        {"kind": "walk"},
        {"created": "now"},
        {"created": float("nan")},
        {"created": 3},
        {"status": "dead"},
        {"status": ["paused"]},
        {"reason": None},
        {"reason": "\ud800"},
        {"step": -1},
        {"step": 17},
        {"step": 3.0},
        {"step": True},
        {"total_steps": 2},
        {"total_steps": 10**19},
        {"training_s": -0.1},
        {"training_s": float("inf")},
        {"training_s": 1e300},
        {"threads": 0},
        {"threads": 1_025},
        {"data": 7},
        {"learning_rates": {"0": 0.1}},
        {"checkups": "none"},
        {"checkups": [CHECKUP, []]},
        {"checkups": [{"step": 3}]},
        {"checkups": [{"test_accuracy": "0.5"}]},
        {"checkups": [{"test_accuracy": "x" * 10_000}]},
        {"checkups": [{"test_accuracy": None}]},
    ],
    ids=lambda change: repr(change)[:40],
)
def test_a_record_with_a_wrong_value_is_refused_with_a_sentence(change):
    values = json.loads(RECORD.to_json()) | change
    with pytest.raises(ValueError, match=r"\.$") as caught:
        RunRecord.from_json(json.dumps(values).encode())
    assert len(str(caught.value)) < 150


def test_a_record_without_an_id_is_refused():
    with pytest.raises(ValueError, match="“id” is missing"):
        RunRecord.from_json(b"{}")


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


def test_damaged_runs_are_passed_over(workspaces):
    good = new_id()
    put_run(workspaces, ID, good)
    for damage in (b"", b"{}", b"[1]", RECORD.to_json()[:-20], b"\xff" * 50, b"[" * 100_000):
        write_atomically(workspaces.run_folder(ID, new_id()) / "run.json", damage)
    workspaces.run_folder(ID, new_id()).mkdir()
    put_run(workspaces, ID, new_id(), record=replace(RECORD, id=OTHER))  # says to be another
    (workspaces.run_folder(ID, new_id()) / "run.json").mkdir(parents=True)
    assert [record.id for record in workspaces.runs(ID)] == [good]


def test_a_run_is_removed_with_all_its_files_and_no_other(workspaces):
    mine, kept = new_id(), new_id()
    folder = put_run(workspaces, ID, mine)
    put_run(workspaces, ID, kept)
    workspaces.remove(ID, mine)
    workspaces.remove(ID, mine)  # it is gone: nothing happens
    assert not folder.exists()
    assert [record.id for record in workspaces.runs(ID)] == [kept]


def test_room_is_made_by_deleting_the_oldest_first(workspaces):
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


def test_what_fits_exactly_stays(workspaces):
    put_run(workspaces, ID, new_id(), size=1_000)
    workspaces.limit_bytes = 1_000
    assert workspaces.make_room() == []
    workspaces.limit_bytes = 999
    assert len(workspaces.make_room()) == 1


def test_age_is_when_a_run_was_last_written_not_when_it_began(workspaces):
    old, young = new_id(), new_id()
    folder = put_run(workspaces, ID, old, size=1_000, written=100)
    put_run(workspaces, ID, young, size=1_000, written=200)
    os.utime(folder / "run.json", (300, 300))  # one of its files is newer than the other's
    workspaces.limit_bytes = 1_500
    assert workspaces.make_room() == [workspaces.run_folder(ID, young)]


def test_a_folder_into_which_nothing_is_written_yet_stays(workspaces):
    put_run(workspaces, ID, new_id(), size=1_000)
    new = workspaces.run_folder(OTHER, new_id())
    new.mkdir(parents=True)
    workspaces.limit_bytes = 0
    assert len(workspaces.make_room()) == 1
    assert new.exists()


def test_runs_in_use_are_spared_however_old_and_large(workspaces):
    used, idle = new_id(), new_id()
    put_run(workspaces, ID, used, size=5_000, written=100)
    put_run(workspaces, OTHER, idle, size=1_000, written=200)
    workspaces.limit_bytes = 10
    assert workspaces.make_room({used}) == [workspaces.run_folder(OTHER, idle)]
    assert [record.id for record in workspaces.runs(ID)] == [used]
    assert workspaces.make_room({used}) == []


def test_each_owner_of_a_deleted_run_is_told(workspaces):
    workspaces.remember(ID, page="home")
    for workspace, written in ((ID, 1), (ID, 2), (OTHER, 3)):
        put_run(workspaces, workspace, new_id(), size=1_000, written=written)
    third = new_id()
    put_run(workspaces, "C" * 22, third, size=1_000, written=4)

    workspaces.limit_bytes = 1_000
    workspaces.make_room()

    told = workspaces.remembered(ID)
    assert (told["page"], told["removed"]) == ("home", 2)
    assert told["removed_at"] > 0
    assert workspaces.remembered(OTHER)["removed"] == 1
    assert workspaces.remembered("C" * 22) == {}


def test_a_count_of_removals_that_is_none_begins_again(workspaces):
    workspaces.remember(ID, removed="many")
    put_run(workspaces, ID, new_id(), size=1_000)
    workspaces.limit_bytes = 0
    workspaces.make_room()
    assert workspaces.remembered(ID)["removed"] == 1


def test_room_is_made_even_if_the_notice_cannot_be_written(workspaces, monkeypatch):
    put_run(workspaces, ID, new_id(), size=1_000)
    workspaces.limit_bytes = 0

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert len(workspaces.make_room()) == 1
    assert workspaces.used_bytes() == 0


def test_tidying_deletes_what_was_half_written_and_nothing_else(workspaces):
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


def test_what_a_killed_write_leaves_is_what_tidying_deletes(workspaces, monkeypatch):
    """The process ends before the new file takes its place: nobody cleans up behind it."""
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
