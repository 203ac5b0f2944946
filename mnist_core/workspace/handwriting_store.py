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
Signature = tuple[int, int] | None  # time of the last change and size; None: there is no file


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
    signature: Signature  # of the file when it was read or written


class HandwritingStore:
    """The drawings of all visitors of a process; `of` returns those of one."""

    def __init__(self, workspaces: WorkspaceStore) -> None:
        self.workspaces, self.lock = workspaces, threading.Lock()
        self.held: OrderedDict[str, _Held] = OrderedDict()  # the most recently used at the end

    def of(self, workspace_id: str) -> WorkspaceHandwriting:
        """Return the drawings of one workspace."""
        return WorkspaceHandwriting(self, workspace_id)


class WorkspaceHandwriting:
    """The drawings of one workspace.

    Drawings that cannot be written stay in memory, and are written with the next change.
    """

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
        with self._store.lock:
            return self._current()

    def change(self, change: Callable[[Handwriting], Handwriting]) -> SavedHandwriting:
        """Replace the drawings by what ``change`` returns for them, and write them.

        Raises
        ------
        OSError
            See `load`.
        """
        with self._store.lock:
            new = change(self._current().handwriting)
            try:
                write_atomically(self._path(), to_zip(new))
                return self._hold(SavedHandwriting(new), _signature(self._path()))
            except OSError as error:
                problem = (
                    "Your drawings could not be written to the server's disk "
                    f"({error.strerror or type(error).__name__}). "
                    "They stay until the server ends: download them to be sure."
                )
                return self._hold(SavedHandwriting(new, problem), None)

    def _path(self) -> Path:
        return self._store.workspaces.folder(self._id) / FILE

    def _current(self) -> SavedHandwriting:
        held, signature = self._store.held.get(self._id), _signature(self._path())
        if held and (held.saved.problem or held.signature == signature):
            return self._hold(held.saved, held.signature)
        return self._hold(*self._read(signature))

    def _hold(self, saved: SavedHandwriting, signature: Signature) -> SavedHandwriting:
        held = self._store.held
        held[self._id] = _Held(saved, signature)
        held.move_to_end(self._id)
        if len(held) > MOST_HELD:  # drop the least recently used, preferably one on disk
            oldest = list(held)[:-1]
            safe = [name for name in oldest if not held[name].saved.problem]
            del held[(safe or oldest)[0]]
        return saved

    def _read(self, signature: Signature) -> tuple[SavedHandwriting, Signature]:
        if signature is None:
            return SavedHandwriting(Handwriting()), None
        path = self._path()
        try:
            return SavedHandwriting(from_zip(path.read_bytes())), signature
        except ValueError:
            aside = path.with_name(f"handwriting-damaged-{time.time_ns()}.zip")
            path.replace(aside)
            problem = (
                "The file with your drawings is damaged and could not be read. It was put aside on "
                f"the server as {aside.name}, and you begin with an empty set."
            )
            return SavedHandwriting(Handwriting(), problem), None


def _signature(path: Path) -> Signature:
    """Return what changes when a file does, or None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
