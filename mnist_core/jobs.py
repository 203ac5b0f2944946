"""Who trains when: one queue and a few worker threads for all visitors of a process.

A job is a run with a place in the queue. Workers take turns: when others wait, a job goes to the
back of the queue after a few seconds, so that nobody's long run blocks a class.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import deque
from typing import Literal

import torch

from mnist_core.runs import TrainingFailedError, TrainingRun

__all__ = ["ACTIVE", "Job", "Jobs", "Status"]

Status = Literal["queued", "running", "paused", "finished", "stopped", "failed"]
ACTIVE: tuple[Status, ...] = ("queued", "running")

SLICE_STEPS, SLICE_S = 200, 0.1  # how long a run goes before it looks up
TURN_S = 5.0  # how long a run may go while others wait
WEIGHTS_EVERY_S = 0.5  # how often the weights are published while a run goes
JOBS_PER_OWNER, JOBS_IN_ALL = 5, 100  # older ones that have ended are forgotten first


class Job:
    """A run in the hands of the workers. Pages read its attributes and call its methods."""

    def __init__(self, jobs: Jobs, owner: str, run: TrainingRun) -> None:
        self.id, self.owner, self.run = uuid.uuid4().hex, owner, run
        self.status: Status = "paused"
        self.reason = ""  # why it failed, a sentence
        self._jobs = jobs
        self._wish: Literal["go", "pause", "stop"] = "pause"
        self._last_step = run.total_steps  # where to pause again, when stepping
        self._held = False  # a worker has it in hand

    def resume(self) -> None:
        """Go on (or start)."""
        self._jobs._enqueue(self, self.run.total_steps)

    def step(self, n_steps: int = 1) -> None:
        """Take so many steps, then pause."""
        self._jobs._enqueue(self, self.run.history.step + n_steps)

    def pause(self) -> None:
        """Stop at the next step; `resume` goes on from there."""
        self._jobs._withdraw(self, "pause")

    def stop(self) -> None:
        """End the run here for good; what it has learnt stays."""
        self._jobs._withdraw(self, "stop")

    @property
    def _ended(self) -> bool:
        return self.status in ("finished", "stopped", "failed")

    @property
    def place(self) -> int:
        """How many jobs wait before this one; 0 if it does not wait."""
        return self._jobs._place(self)


class Jobs:
    """The registry and queue of a process.

    Parameters
    ----------
    n_workers : int or None
        How many runs train at once. None: one for every two cores, at least one.
    """

    def __init__(self, n_workers: int | None = None) -> None:
        self._n_workers = n_workers or max(1, (os.cpu_count() or 1) // 2)
        self._jobs: dict[str, Job] = {}
        self._queue: deque[Job] = deque()
        self._change = threading.Condition()
        self._started = False

    def create(self, owner: str, run: TrainingRun) -> Job:
        """Register a run for its owner; it waits, paused, to be resumed or stepped."""
        job = Job(self, owner, run)
        with self._change:
            self._jobs[job.id] = job
            self._forget_old(owner)
        return job

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def of(self, owner: str) -> list[Job]:
        """Return an owner's jobs, the newest first."""
        with self._change:
            return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def _forget_old(self, owner: str) -> None:
        """Forget what is too much, of the owner and of all: ended jobs first, the oldest first."""

        def drop(jobs: list[Job], keep: int) -> None:
            idle = [j for j in jobs if j.status not in ACTIVE and not j._held]
            idle.sort(key=lambda j: not j._ended)  # stable: the oldest stays in front
            for job in idle[: max(0, len(jobs) - keep)]:
                del self._jobs[job.id]

        drop([j for j in list(self._jobs.values())[:-1] if j.owner == owner], JOBS_PER_OWNER - 1)
        drop(list(self._jobs.values())[:-1], JOBS_IN_ALL - 1)

    def _place(self, job: Job) -> int:
        with self._change:
            return self._queue.index(job) if job in self._queue else 0

    def _enqueue(self, job: Job, last_step: int) -> None:
        with self._change:
            if job._ended or job._wish == "stop":
                return
            job._wish, job._last_step = "go", min(last_step, job.run.total_steps)
            if not job._held and job not in self._queue:
                job.status = "queued"
                self._queue.append(job)
            self._start_workers()
            self._change.notify()

    def _withdraw(self, job: Job, wish: Literal["pause", "stop"]) -> None:
        with self._change:
            if job._ended or job._wish == "stop":
                return
            job._wish = wish
            if job in self._queue:
                self._queue.remove(job)
            if not job._held:
                job.status = "paused" if wish == "pause" else "stopped"

    def _start_workers(self) -> None:
        if not self._started:
            self._started = True
            for i in range(self._n_workers):
                threading.Thread(target=self._work, name=f"training-{i}", daemon=True).start()

    def _work(self) -> None:
        torch.set_num_threads(1)  # small batches run faster, and the other core is the pages'
        while True:
            with self._change:
                while not self._queue:
                    self._change.wait()
                job = self._queue.popleft()
                job.status, job._held = "running", True
            status: Status = "failed"
            try:
                status = self._take_turn(job)
                job.run.publish_weights()  # not after a failure: those weights may be no numbers
            except TrainingFailedError as error:
                job.reason = str(error)
            except Exception as error:  # it must end as failed, and never take the worker along
                job.reason = (
                    f"The run stopped at step {job.run.history.step} of {job.run.total_steps}: "
                    f"{type(error).__name__}: {error}. Try smaller batches or a smaller model."
                )
            job.run.rest()
            self._hand_back(job, status)

    def _take_turn(self, job: Job) -> Status:
        """Drive a run until it ends, is told to pause, or others have waited long enough."""
        turn_ends = time.monotonic() + TURN_S
        publish_at = time.monotonic() + WEIGHTS_EVERY_S
        run = job.run
        while job._wish == "go":
            run.advance(min(SLICE_STEPS, job._last_step - run.history.step), SLICE_S)
            now = time.monotonic()
            if run.finished:
                return "finished"
            if run.history.step >= job._last_step:
                return "paused"
            if now > publish_at:
                run.publish_weights()
                publish_at = now + WEIGHTS_EVERY_S
            if now > turn_ends and self._queue:
                return "queued"
        return "paused" if job._wish == "pause" else "stopped"

    def _hand_back(self, job: Job, status: Status) -> None:
        with self._change:
            job._held = False
            if status in ("queued", "paused") and job._wish == "stop":
                status = "stopped"
            elif status == "queued" and job._wish == "pause":
                status = "paused"
            elif status == "paused" and self._goes_on(job):
                status = "queued"
            job.status = status
            if status == "queued":
                self._queue.append(job)
                self._change.notify()

    @staticmethod
    def _goes_on(job: Job) -> bool:
        """Whether somebody asked for more while the worker was ending the turn."""
        return job._wish == "go" and job.run.history.step < job._last_step
