"""Where visitors' drawings are kept: read once, changed one at a time, written at once."""

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

__all__ = ["HandwritingStore", "Kept"]

FILE, MOST_HELD = "handwriting.zip", 32  # workspaces in memory, up to 400 kB each


@dataclass(frozen=True, slots=True)
class Kept:
    """A workspace's drawings as they stand.

    Attributes
    ----------
    handwriting : Handwriting
    trouble : str
        What is wrong with keeping them, a sentence, or "".
    """

    handwriting: Handwriting
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    kept: Kept
    signature: tuple[int, int] | None  # of the file when it was read or written; None: none


class HandwritingStore:
    """The drawings of all visitors of a process, each set in its workspace's folder.

    What the disk does not take stays in memory, and is written with the next change.
    """

    def __init__(self, workspaces: WorkspaceStore) -> None:
        self._workspaces = workspaces
        self._held: OrderedDict[str, _Held] = OrderedDict()  # those used last at the end
        self._lock = threading.Lock()

    def look(self, workspace: str) -> Kept:
        """Return a workspace's drawings.

        A damaged file is put aside, not overwritten; `Kept.trouble` then says where it is.

        Raises
        ------
        OSError
            If there is a file and it can neither be read nor put aside.
        """
        with self._lock:
            return self._current(workspace)

    def change(self, workspace: str, change: Callable[[Handwriting], Handwriting]) -> Kept:
        """Replace a workspace's drawings by what ``change`` makes of them, and write them down.

        Raises
        ------
        OSError
            See `look`.
        """
        with self._lock:
            old = self._current(workspace).handwriting
            new, path = change(old), self._path(workspace)
            try:
                write_atomically(path, to_zip(new))
                held = _Held(Kept(new), _signature(path))
            except OSError as error:
                trouble = (
                    f"Your drawings could not be written to the server's disk ({_why(error)}). "
                    "They stay until the server ends: download them to be sure."
                )
                held = _Held(Kept(new, trouble), None)
            self._hold(workspace, held)
            return held.kept

    def _path(self, workspace: str) -> Path:
        return self._workspaces.folder(workspace) / FILE

    def _current(self, workspace: str) -> Kept:
        held, path = self._held.get(workspace), self._path(workspace)
        if held is None or (not held.kept.trouble and held.signature != _signature(path)):
            held = self._read(path)
        self._hold(workspace, held)
        return held.kept

    def _hold(self, workspace: str, held: _Held) -> None:
        self._held[workspace] = held
        self._held.move_to_end(workspace)
        if len(self._held) > MOST_HELD:  # the oldest goes, if possible one that the disk has
            oldest = list(self._held)[:-1]
            safe = [name for name in oldest if not self._held[name].kept.trouble]
            del self._held[(safe or oldest)[0]]

    @staticmethod
    def _read(path: Path) -> _Held:
        signature = _signature(path)
        if signature is None:
            return _Held(Kept(Handwriting()), None)
        try:
            return _Held(Kept(from_zip(path.read_bytes())), signature)
        except ValueError:
            aside = path.with_name(f"handwriting-damaged-{time.time_ns()}.zip")
            path.replace(aside)
            trouble = (
                "The file with your drawings is damaged and could not be read. It was put aside on "
                f"the server as {aside.name}, and you begin with an empty set."
            )
            return _Held(Kept(Handwriting(), trouble), None)


def _signature(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does, or None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
