"""Ids, files that no crash can spoil, and JSON that is not trusted."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.common.files import is_id, new_id, read_json, write_atomically


def files_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


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
def test_an_id_has_22_characters_and_none_of_a_path(text):
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert is_id(text) == (len(text) == 22 and set(text) <= allowed)


# Writing


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
def test_a_failed_write_leaves_only_the_old_file(tmp_path, monkeypatch, where, error, old):
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


def test_the_new_file_is_synced_before_it_replaces_the_old_one(tmp_path, monkeypatch):
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


def test_writes_of_one_file_at_once_leave_one_of_them_whole(tmp_path):
    path = tmp_path / "file"
    texts = [bytes([i]) * 5_000 for i in range(4)]
    threads = [threading.Thread(target=write_atomically, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert path.read_bytes() in texts
    assert files_below(tmp_path) == {"file"}


# JSON


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
def test_json_that_is_not_a_table_is_refused_with_a_sentence(text, why):
    with pytest.raises(ValueError, match=why) as caught:
        read_json(text)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 100


def test_a_table_nested_like_a_record_is_read():
    table = {"checkups": [{"step": 1, "by_class": [1, 2]}], "learning_rates": [[0, 0.1]]}
    assert read_json(json.dumps(table).encode()) == table
