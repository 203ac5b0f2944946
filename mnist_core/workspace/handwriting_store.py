"""Visitors' drawings on disk: read once, changed one at a time, written at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mnist_core.common.files import write_atomically
from mnist_core.drawing.handwriting import Handwriting, from_zip, to_zip
from mnist_core.workspace.store import WorkspaceStore

__all__ = ["HandwritingStore", "SavedHandwriting", "WorkspaceHandwriting"]

FILE, MOST_HELD = "handwriting.zip", 32  # workspaces in memory, up to 400 kB each


@dataclass(frozen=True, slots=True)
class SavedHandwriting:
    """The drawings of a workspace.

    Attributes
    ----------
    handwriting : Handwriting
    problem : str
        Why the file could not be read or written, a sentence, or "".
    """

    handwriting: Handwriting
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    saved: SavedHandwriting
    signature: tuple[int, int] | None  # of the file when it was read or written; None: no file


class HandwritingStore:
    """The drawings of all visitors of a process, each set in its workspace's folder.

    Drawings that cannot be written stay in memory, and are written with the next change.
    """

    def __init__(self, workspaces: WorkspaceStore) -> None:
        self._workspaces = workspaces
        self._held: OrderedDict[str, _Held] = OrderedDict()  # the most recently used at the end
        self._lock = threading.Lock()

    def of(self, workspace_id: str) -> WorkspaceHandwriting:
        """Return the drawings of one workspace."""
        return WorkspaceHandwriting(self, workspace_id)

    def load(self, workspace_id: str) -> SavedHandwriting:
        """See `WorkspaceHandwriting.load`."""
        with self._lock:
            return self._current(workspace_id)

    def change(
        self, workspace_id: str, change: Callable[[Handwriting], Handwriting]
    ) -> SavedHandwriting:
        """See `WorkspaceHandwriting.change`."""
        with self._lock:
            old = self._current(workspace_id).handwriting
            new, path = change(old), self._path(workspace_id)
            try:
                write_atomically(path, to_zip(new))
                held = _Held(SavedHandwriting(new), _signature(path))
            except OSError as error:
                problem = (
                    f"Your drawings could not be written to the server's disk ({_why(error)}). "
                    "They stay until the server ends: download them to be sure."
                )
                held = _Held(SavedHandwriting(new, problem), None)
            self._hold(workspace_id, held)
            return held.saved

    def _path(self, workspace_id: str) -> Path:
        return self._workspaces.folder(workspace_id) / FILE

    def _current(self, workspace_id: str) -> SavedHandwriting:
        held, path = self._held.get(workspace_id), self._path(workspace_id)
        if held is None or (not held.saved.problem and held.signature != _signature(path)):
            held = self._read(path)
        self._hold(workspace_id, held)
        return held.saved

    def _hold(self, workspace_id: str, held: _Held) -> None:
        self._held[workspace_id] = held
        self._held.move_to_end(workspace_id)
        if len(self._held) > MOST_HELD:  # drop the least recently used, preferably one on disk
            oldest = list(self._held)[:-1]
            safe = [name for name in oldest if not self._held[name].saved.problem]
            del self._held[(safe or oldest)[0]]

    @staticmethod
    def _read(path: Path) -> _Held:
        signature = _signature(path)
        if signature is None:
            return _Held(SavedHandwriting(Handwriting()), None)
        try:
            return _Held(SavedHandwriting(from_zip(path.read_bytes())), signature)
        except ValueError:
            aside = path.with_name(f"handwriting-damaged-{time.time_ns()}.zip")
            path.replace(aside)
            problem = (
                "The file with your drawings is damaged and could not be read. It was put aside on "
                f"the server as {aside.name}, and you begin with an empty set."
            )
            return _Held(SavedHandwriting(Handwriting(), problem), None)


class WorkspaceHandwriting:
    """The drawings of one workspace."""

    def __init__(self, store: HandwritingStore, workspace_id: str) -> None:
        self._store, self._id = store, workspace_id

    def load(self) -> SavedHandwriting:
        """Return the drawings.

        A damaged file is put aside, not overwritten, and ``problem`` names the new file.

        Raises
        ------
        OSError
            If there is a file that can neither be read nor put aside.
        """
        return self._store.load(self._id)

    def change(self, change: Callable[[Handwriting], Handwriting]) -> SavedHandwriting:
        """Replace the drawings by what ``change`` returns for them, and write them.

        Raises
        ------
        OSError
            See `load`.
        """
        return self._store.change(self._id, change)


def _signature(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does, or None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
