"""A run with a place among the others: what a page sees of it, and may ask of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from mnist_core.common.files import new_id
from mnist_core.training.configs import check_learning_rate
from mnist_core.training.history import History, Snapshot
from mnist_core.training.status import Status

if TYPE_CHECKING:
    from mnist_core.training.queue import TrainingQueue

__all__ = ["ACTIVE", "ENDED", "Job", "Run", "Save", "Status"]

ACTIVE: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("finished", "stopped", "failed")


class Run(Protocol):
    """What a worker can drive: a ``TrainingRun``, or a ``Race`` of two."""

    threads: int

    @property
    def total_steps(self) -> int: ...
    @property
    def history(self) -> History: ...
    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def finished(self) -> bool: ...
    def advance(self, max_steps: int, max_s: float = ...) -> None: ...
    def rest(self) -> None: ...
    def publish_weights(self) -> None: ...
    def set_learning_rate(self, rate: float) -> None: ...


class Job:
    """A run in the hands of the workers. Pages read its attributes and call its methods.

    Attributes
    ----------
    status : Status
    reason : str
        Why it failed, or was paused without being asked to: a sentence, or "".
    problem : str
        Why it could not be written down, a sentence, or "".
    """

    def __init__(
        self,
        jobs: TrainingQueue,
        owner: str,
        run: Run,
        save: Save | None,
        job_id: str | None = None,
    ) -> None:
        self.id, self.owner, self.run = job_id or new_id(), owner, run
        self.status: Status = "paused"
        self.reason = self.problem = ""
        self._jobs, self._save, self._saving = jobs, save, threading.Lock()
        self._wish: Literal["go", "pause", "stop"] = "pause"
        self._last_step = run.total_steps  # where to pause again, when stepping
        self._new_rate: float | None = None
        self._held = False  # a worker has it in hand
        self._seen = time.monotonic()

    def resume(self) -> None:
        """Go on (or start)."""
        self.run_to(self.run.total_steps)

    def step(self, n_steps: int = 1) -> None:
        """Take so many steps, then pause."""
        self.run_to(self.run.history.step + n_steps)

    def run_to(self, step: int) -> None:
        """Go on to this step, then pause; at once if it is behind already."""
        self._jobs._enqueue(self, step)

    def pause(self) -> None:
        """Stop at the next step, or leave the queue; `resume` goes on from there."""
        self._jobs._withdraw(self, "pause")

    def stop(self) -> None:
        """End the run here for good, or take it from the queue; what it has learnt stays."""
        self._jobs._withdraw(self, "stop")

    def set_learning_rate(self, rate: float) -> None:
        """Use another learning rate from the next step on.

        Raises
        ------
        ValueError
            If it is not a number above 0.
        """
        check_learning_rate(rate)
        self._jobs._set_rate(self, rate)

    def watch(self) -> None:
        """Note that somebody is watching."""
        self._seen = time.monotonic()

    def save(self) -> None:
        """Save the run on the disk as it is; if that fails, `problem` says why."""
        with self._saving:
            if self._save is None:
                return
            try:
                self._save(self)
                self.problem = ""
            except Exception as error:  # whatever it is, the run goes on, and so does its worker
                why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
                self.problem = (
                    f"This run could not be written to the server's disk ({why}). It goes on, but "
                    "would be lost if the server ended: download what you need."
                )

    def stop_saving(self) -> None:
        """Never write the run down again, once a write that is under way has ended."""
        with self._saving:
            self._save = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def place(self) -> int:
        """How many wait before this one; 0 if it is next or does not wait."""
        return self._jobs._place(self)


Save = Callable[[Job], None]
