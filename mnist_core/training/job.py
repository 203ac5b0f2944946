"""A run in the training queue: what a page reads of it, and asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, Literal, Protocol, TypeVar

from mnist_core.common.files import new_id
from mnist_core.data.datasets import Dataset
from mnist_core.training.configs import TrainingConfig, check_learning_rate
from mnist_core.training.history import History, Snapshot
from mnist_core.training.status import ENDED, Status

__all__ = ["AnyRun", "Job", "JobQueue", "Run", "Save"]


class Run(Protocol):
    """What a worker can train: a ``TrainingRun``, a ``Race`` of two, or a ``FineTuning``."""

    threads: int

    @property
    def config(self) -> TrainingConfig: ...
    @property
    def dataset(self) -> Dataset: ...
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


class JobQueue(Protocol):
    """What a job asks of its queue; see ``TrainingQueue``."""

    def enqueue(self, job: Job, last_step: int) -> None: ...
    def withdraw(self, job: Job, wish: Literal["pause", "stop"]) -> None: ...
    def change_rate(self, job: Job, rate: float) -> None: ...
    def place_of(self, job: Job) -> int: ...
    def others_train(self, job: Job) -> bool: ...


AnyRun = TypeVar("AnyRun", bound=Run)


class Job(Generic[AnyRun]):
    """A run in the training queue. Pages read its attributes and call its methods.

    Attributes
    ----------
    status : Status
    reason : str
        Why the run failed or was paused automatically, a sentence, or "".
    problem : str
        Why the run could not be saved, a sentence, or "".
    wish : str
        What was asked for last: "go", "pause" or "stop". The queue sets this and what follows.
    last_step : int
        The step at which to pause.
    new_rate : float or None
        A learning rate for the next step.
    is_busy : bool
        Whether a worker trains the run, or it is being saved.
    watched : float
        When a visitor last looked at the run, by ``time.monotonic()``.
    """

    def __init__(
        self,
        queue: JobQueue,
        owner: str,
        run: AnyRun,
        save: Save | None,
        job_id: str | None = None,
    ) -> None:
        self.id, self.owner, self.run = job_id or new_id(), owner, run
        self.status: Status = "paused"
        self.reason = self.problem = ""
        self.wish: Literal["go", "pause", "stop"] = "pause"
        self.last_step = run.total_steps
        self.new_rate: float | None = None
        self.is_busy = False
        self.watched = time.monotonic()
        self._queue, self._save, self._saving = queue, save, threading.Lock()

    def resume(self) -> None:
        """Train to the end."""
        self.run_to(self.run.total_steps)

    def step(self, n_steps: int = 1) -> None:
        """Train for ``n_steps`` steps, then pause."""
        self.run_to(self.run.history.step + n_steps)

    def run_to(self, step: int) -> None:
        """Train up to this step, then pause; pause at once if the run is past it."""
        self._queue.enqueue(self, step)

    def pause(self) -> None:
        """Pause at the next step, or leave the queue; `resume` continues from there."""
        self._queue.withdraw(self, "pause")

    def stop(self) -> None:
        """End the run at the next step; its weights and history stay."""
        self._queue.withdraw(self, "stop")

    def set_learning_rate(self, rate: float) -> None:
        """Use another learning rate from the next step on.

        Raises
        ------
        ValueError
            If it is not a number above 0.
        """
        check_learning_rate(rate)
        self._queue.change_rate(self, rate)

    def watch(self) -> None:
        """Note that a visitor looks at the run now."""
        self.watched = time.monotonic()

    def save(self) -> None:
        """Save the run; if that fails, `problem` says why."""
        with self._saving:
            if self._save is None:
                return
            try:
                self._save(self)
                self.problem = ""
            except Exception as error:  # whatever it is, the run and its worker go on
                why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
                self.problem = (
                    f"This run could not be written to the server's disk ({why}). It goes on, but "
                    "would be lost if the server ended: download what you need."
                )

    def stop_saving(self) -> None:
        """Never save the run again; wait for a save that is under way."""
        with self._saving:
            self._save = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def place(self) -> int:
        """How many jobs wait before this one; 0 if it is next or does not wait."""
        return self._queue.place_of(self)

    @property
    def others_train(self) -> bool:
        """Whether a job of another owner trains or waits."""
        return self._queue.others_train(self)


Save = Callable[[Job], None]
