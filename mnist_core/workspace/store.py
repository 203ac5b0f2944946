"""Visitors' work on the disk: a folder for each visitor, in it a folder for each run.

    <root>/<workspace id>/workspace.json          choices and progress through the lesson
    <root>/<workspace id>/handwriting.zip         the visitor's drawings, see ``handwriting_store``
    <root>/<workspace id>/runs/<run id>/run.json  settings and state of a run, see ``checkpoints``

Everybody who knows a workspace's id can see its work; the id is random and listed nowhere. This
module does not load torch.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mnist_core.common.files import is_id, read_json, write_atomically
from mnist_core.common.formatting import quoted
from mnist_core.workspace.run_record import RunRecord

__all__ = ["WorkspaceStore"]


class WorkspaceStore:
    """The folder of all workspaces.

    Parameters
    ----------
    root : Path
    limit_bytes : int
        Limit of all runs together; beyond it, the oldest are deleted.
    """

    def __init__(self, root: Path, limit_bytes: int) -> None:
        self.root, self.limit_bytes = root, limit_bytes
        self._lock = threading.Lock()

    def folder(self, workspace: str) -> Path:
        """Return a workspace's folder; ValueError if this is not an id."""
        if not is_id(workspace):
            raise ValueError(f"expected a workspace's id, got {quoted(workspace)}.")
        return self.root / workspace

    def run_folder(self, workspace: str, run_id: str) -> Path:
        if not is_id(run_id):
            raise ValueError(f"expected a run's id, got {quoted(run_id)}.")
        return self.folder(workspace) / "runs" / run_id

    def remembered(self, workspace: str) -> dict[str, Any]:
        """Return the saved choices and progress of a workspace; {} if there are none."""
        try:
            return read_json((self.folder(workspace) / "workspace.json").read_bytes())
        except (OSError, ValueError):  # none yet, or damaged: the visitor starts again
            return {}

    def remember(self, workspace: str, **values: Any) -> None:
        """Save choices and progress; those saved before stay.

        Raises
        ------
        OSError
            If the disk cannot be written.
        """
        with self._lock:
            saved = self.remembered(workspace)
            if saved | values != saved:
                text = json.dumps(saved | values, indent=1) + "\n"
                write_atomically(self.folder(workspace) / "workspace.json", text.encode())

    def runs(self, workspace: str) -> list[RunRecord]:
        """Return the records of a workspace's runs, the newest first, without damaged ones."""
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
        """Return (last written, bytes, folder) of every run, the oldest first."""
        found = []
        for folder in self.root.glob("*/runs/*"):
            size, written = 0, 0.0
            with contextlib.suppress(OSError):  # a file may be deleted meanwhile
                for path in filter(Path.is_file, folder.rglob("*")):
                    status = path.stat()
                    size += status.st_size
                    written = max(written, status.st_mtime)
            if size:  # else its first file is about to be written
                found.append((written, size, folder))
        return sorted(found)

    def make_room(self, in_use: Collection[str] = ()) -> list[Path]:
        """Delete the oldest runs until all fit the limit; return the deleted folders.

        Each deletion is noted in its workspace, so that a page can tell the visitor.

        Parameters
        ----------
        in_use : collection of str
            Ids of runs that are never deleted: they run, wait or are paused.
        """
        runs = self._all_runs()
        too_much = sum(size for _, size, _ in runs) - self.limit_bytes
        deleted = []
        for _, size, folder in runs:
            if too_much <= 0:
                break
            if folder.name not in in_use:
                shutil.rmtree(folder, ignore_errors=True)
                too_much -= size
                deleted.append(folder)
                self._note_removal(folder.parent.parent.name)
        return deleted

    def _note_removal(self, workspace: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            removed = self.remembered(workspace).get("removed", 0)
            count = removed + 1 if type(removed) is int else 1
            self.remember(workspace, removed=count, removed_at=time.time())

    def tidy(self) -> None:
        """Delete files that a crash left half written; call it before anything is written."""
        for path in self.root.glob("**/.new-*"):
            with contextlib.suppress(OSError):
                path.unlink()
