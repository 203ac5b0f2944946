"""Where visitors' work is kept: a folder a visitor, in it a folder a run, all readable.

    <root>/<workspace id>/workspace.json          choices and progress through the lesson
    <root>/<workspace id>/handwriting.zip         the visitor's drawings, see `handwriting`
    <root>/<workspace id>/runs/<run id>/run.json  settings and state of a run, see `runfiles`

Whoever knows a workspace's id sees its work; it is long and random, and nowhere listed. This module
knows files, not networks: pages that need no torch can use it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

__all__ = ["RunRecord", "Status", "Workspaces", "is_id", "new_id", "write_atomically"]

Status = Literal["queued", "running", "paused", "finished", "stopped", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
_ID = re.compile(r"[A-Za-z0-9_-]{22}")  # what 16 random bytes make in base 64
_MOST_JSON = 4_000_000  # bytes; the check-ups of 10,000 epochs take 2.5 MB
_UNPAIRED = re.compile("[\ud800-\udfff]")  # halves of characters, which no browser takes
_KINDS: dict[type, tuple[str, ...]] = {  # of a record's values
    str: ("id", "kind", "status", "reason", "data"),
    int: ("step", "total_steps", "threads"),
    float: ("created", "training_s"),
}
_DEEPEST_JSON, _LARGEST_INT = 20, 18  # levels, ours have 3; digits, more overflow when used


def new_id() -> str:
    """Return a random id of 128 bits."""
    return secrets.token_urlsafe(16)


def is_id(text: object) -> bool:
    """Return whether a text has the form of an id; only then is it ever part of a path."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is, at any moment and after any crash, the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What ``run.json`` says of a run.

    Attributes
    ----------
    id : str
    kind : str
        "run", or "race" for two engines side by side.
    created : float
        Seconds since 1970.
    status : str
        One of `STATUSES`.
    reason : str
        Why it failed or was paused, a sentence or "".
    step, total_steps : int
    training_s : float
    config : dict
        The settings, see ``TrainingConfig.from_json``.
    learning_rates : list of [step, rate]
    checkups : list of dict
        See ``records.Checkup``.
    threads : int
        CPU threads it is meant for.
    data : str
        Fingerprint of the data set's arrays.
    """

    id: str
    kind: str = "run"
    created: float = 0.0
    status: str = "paused"
    reason: str = ""
    step: int = 0
    total_steps: int = 0
    training_s: float = 0.0
    config: Mapping[str, Any] | None = None
    learning_rates: tuple[Any, ...] = ()
    checkups: tuple[Any, ...] = ()
    threads: int = 1
    data: str = ""

    def __post_init__(self) -> None:
        for kind, names in _KINDS.items():
            for name in names:
                value = getattr(self, name)
                finite = not isinstance(value, float) or math.isfinite(value)
                if type(value) is not kind or not finite:
                    expected = f"“{name}” must be of type {kind.__name__}"
                    raise ValueError(f"{expected}, got {value!r:.40}.")
                if isinstance(value, str) and _UNPAIRED.search(value):
                    raise ValueError(f"“{name}” must be a text, got {value!r:.40}.")
        if self.status not in STATUSES or self.kind not in ("run", "race"):
            raise ValueError(f"the status must be one of {', '.join(STATUSES)}.")
        if not 0 <= self.step <= self.total_steps or not 1 <= self.threads <= 1024:
            raise ValueError("the number of steps or threads is out of range.")
        if not 0 <= self.training_s < 1e9:  # 31 years
            raise ValueError(f"the training cannot have taken {self.training_s:g} s.")

    @property
    def test_accuracy(self) -> float | None:
        """Accuracy on the test set after the last whole epoch, 0 to 1, if there was one."""
        return float(self.checkups[-1]["test_accuracy"]) if self.checkups else None

    @classmethod
    def from_json(cls, data: bytes) -> RunRecord:
        """Read a record.

        Raises
        ------
        ValueError
            If the text is not a record; the message says what is wrong.
        """
        values = read_json(data)
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in values.items() if name in known}
        for name in ("learning_rates", "checkups"):
            if not isinstance(values.setdefault(name, []), list):
                raise ValueError(f"“{name}” must be a list.")
            values[name] = tuple(values[name])
        for checkup in values["checkups"][-1:]:
            accuracy = checkup.get("test_accuracy") if isinstance(checkup, dict) else None
            if type(accuracy) not in (int, float):
                raise ValueError("the last check-up holds no accuracy.")
        if "id" not in values:
            raise ValueError("“id” is missing.")
        return cls(**values)

    def to_json(self) -> bytes:
        return (json.dumps(asdict(self), indent=1) + "\n").encode()


def read_json(data: bytes) -> dict[str, Any]:
    """Return the table that a JSON text holds; ValueError with a sentence if it holds none."""
    if len(data) > _MOST_JSON:
        raise ValueError(f"a JSON text of at most 4 MB was expected, got {len(data):,} bytes.")
    try:
        values = json.loads(data, parse_int=_small_int)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({type(error).__name__}).") from error
    if not isinstance(values, dict):
        raise ValueError("a JSON table was expected.")
    if _is_deeper(values, _DEEPEST_JSON):
        raise ValueError("its tables are nested too deeply.")
    return values


def _small_int(digits: str) -> int:
    if len(digits) > _LARGEST_INT:
        raise ValueError("an integer is too large")
    return int(digits)


def _is_deeper(value: object, levels: int) -> bool:
    """Return whether tables and lists are nested deeper than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(v, levels - 1) for v in inner)


class Workspaces:
    """The folder of all workspaces, kept within a limit.

    Parameters
    ----------
    root : Path
    limit_bytes : int
        What all runs together may take on the disk; beyond it the oldest go first.
    """

    def __init__(self, root: Path, limit_bytes: int) -> None:
        self.root, self.limit_bytes = root, limit_bytes
        self._lock = threading.Lock()

    def folder(self, workspace: str) -> Path:
        """Return where a workspace's work is kept; ValueError if it is no workspace's id."""
        if not is_id(workspace):
            raise ValueError(f"expected a workspace's id, got {workspace!r:.40}.")
        return self.root / workspace

    def run_folder(self, workspace: str, run_id: str) -> Path:
        if not is_id(run_id):
            raise ValueError(f"expected a run's id, got {run_id!r:.40}.")
        return self.folder(workspace) / "runs" / run_id

    def remembered(self, workspace: str) -> dict[str, Any]:
        """Return the choices and progress kept for a workspace; empty if there are none."""
        try:
            return read_json((self.folder(workspace) / "workspace.json").read_bytes())
        except (OSError, ValueError):  # none yet, or damaged: the lesson begins afresh
            return {}

    def remember(self, workspace: str, **values: Any) -> None:
        """Keep choices and progress beside those that are kept already.

        Raises
        ------
        OSError
            If the disk does not take them.
        """
        with self._lock:
            kept = self.remembered(workspace)
            if kept | values != kept:
                text = json.dumps(kept | values, indent=1) + "\n"
                write_atomically(self.folder(workspace) / "workspace.json", text.encode())

    def runs(self, workspace: str) -> list[RunRecord]:
        """Return what is kept of a workspace's runs, the newest first, without damaged ones."""
        records = []
        for path in self.folder(workspace).glob("runs/*/run.json"):
            with contextlib.suppress(OSError, ValueError):
                record = RunRecord.from_json(path.read_bytes())
                if record.id == path.parent.name:
                    records.append(record)
        return sorted(records, key=lambda r: r.created, reverse=True)

    def remove(self, workspace: str, run_id: str) -> None:
        """Delete a run's folder."""
        shutil.rmtree(self.run_folder(workspace, run_id), ignore_errors=True)

    def used_bytes(self) -> int:
        return sum(size for _, size, _ in self._all_runs())

    def _all_runs(self) -> list[tuple[float, int, Path]]:
        """Return (last written, bytes, folder) of every run there is, the oldest first."""
        found = []
        for folder in self.root.glob("*/runs/*"):
            size, written = 0, 0.0
            with contextlib.suppress(OSError):  # a file may go while we look
                for path in filter(Path.is_file, folder.rglob("*")):
                    status = path.stat()
                    size += status.st_size
                    written = max(written, status.st_mtime)
            if size:  # else somebody is just about to write into it
                found.append((written, size, folder))
        return sorted(found)

    def make_room(self, in_use: Collection[str] = ()) -> list[Path]:
        """Delete the oldest runs until all fit the limit; return the folders that went.

        Each one's owner is told the next time, by a notice in the workspace.

        Parameters
        ----------
        in_use : collection of str
            Ids of runs that stay in any case, because they are going or waiting.
        """
        runs = self._all_runs()
        too_much = sum(size for _, size, _ in runs) - self.limit_bytes
        gone = []
        for _, size, folder in runs:
            if too_much <= 0:
                break
            if folder.name not in in_use:
                shutil.rmtree(folder, ignore_errors=True)
                too_much -= size
                gone.append(folder)
                self._note_removal(folder.parent.parent.name)
        return gone

    def _note_removal(self, workspace: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            removed = self.remembered(workspace).get("removed", 0)
            count = removed + 1 if type(removed) is int else 1
            self.remember(workspace, removed=count, removed_at=time.time())

    def tidy(self) -> None:
        """Delete what a crash left half written; once, at the start, before anybody writes."""
        for path in self.root.glob("**/.new-*"):
            with contextlib.suppress(OSError):
                path.unlink()
