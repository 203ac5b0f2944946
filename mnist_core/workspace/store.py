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
import shutil
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mnist_core.common.files import is_id, read_json, write_atomically
from mnist_core.workspace.run_record import RunRecord

__all__ = ["WorkspaceStore"]


class WorkspaceStore:
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
