"""Who trains when: one queue and a few worker threads for all visitors of a process.

Workers take turns. When others wait, a job returns to the end of the queue after a few seconds, and
owners are served in turn: one visitor's long run, or many runs, do not block the others.
"""

from __future__ import annotations

import math
import os
import threading
import time
from typing import Literal

import torch
from threadpoolctl import threadpool_limits

from mnist_core.training.fair_queue import FairQueue
from mnist_core.training.job import AnyRun, Job, Save
from mnist_core.training.run import TrainingFailedError
from mnist_core.training.status import ACTIVE, Status

__all__ = ["TrainingQueue"]


SLICE_STEPS, SLICE_S = 200, 0.1  # how long a run trains before its worker checks what is asked
TURN_S = 5.0  # how long a run trains while others wait
WEIGHTS_EVERY_S = 0.5  # how often the weights are published during training
SAVE_EVERY_S = 2.0  # how often a run is saved during training
JOBS_IN_ALL = 40  # how many are held in memory; beyond it, idle ones stay on the disk only


class TrainingQueue:
    """The registry and queue of a process.

    Parameters
    ----------
    n_workers : int or None
        How many runs train at once. None: one for every two cores, at least one.
    unwatched_s : float
        A run that nobody has looked at for this many seconds is paused.
    """

    def __init__(self, n_workers: int | None = None, unwatched_s: float = math.inf) -> None:
        self.n_workers = n_workers or max(1, (os.cpu_count() or 1) // 2)
        self.unwatched_s = unwatched_s
        self._jobs: dict[str, Job] = {}
        self._queue: FairQueue[Job] = FairQueue()
        self._change = threading.Condition()
        self._started = False

    def create(
        self,
        owner: str,
        run: AnyRun,
        save: Save | None = None,
        *,
        job_id: str | None = None,
        status: Status = "paused",
        reason: str = "",
    ) -> Job[AnyRun]:
        """Register a run for its owner; a paused one waits to be resumed or stepped.

        Parameters
        ----------
        save : callable or None
            Saves the job; called during training and whenever it comes to rest.
        job_id, status, reason
            Those of a run that was saved before.
        """
        job = Job(self, owner, run, save, job_id)
        job.status, job.reason = status, reason
        with self._change:
            known = self._jobs.setdefault(job.id, job)
            self._drop_idle_jobs()
        return known

    def get(self, job_id: str) -> Job | None:
        """Return a job in memory."""
        return self._jobs.get(job_id)

    def jobs(self) -> list[Job]:
        """Return all jobs in memory, the newest first."""
        with self._change:
            return list(reversed(self._jobs.values()))

    def of(self, owner: str) -> list[Job]:
        """Return an owner's jobs in memory, the newest first."""
        return [job for job in self.jobs() if job.owner == owner]

    def in_use(self) -> set[str]:
        """Return the ids of all jobs in memory that have not ended."""
        return {job.id for job in self.jobs() if not job.ended}

    def forget(self, job: Job) -> None:
        """Stop a job and drop it from memory; it is not saved any more."""
        job.stop_saving()
        job.stop()
        with self._change:
            self._jobs.pop(job.id, None)

    def _drop_idle_jobs(self) -> None:
        """Drop jobs beyond the limit that are on the disk: ended ones first, the oldest first.

        Those that could not be saved go last.
        """
        idle = [j for j in list(self._jobs.values())[:-1] if j.status not in ACTIVE]
        idle = [job for job in idle if not job.is_busy]
        idle.sort(key=lambda j: (bool(j.problem), not j.ended))  # stable: the oldest in front
        for job in idle[: max(0, len(self._jobs) - JOBS_IN_ALL)]:
            del self._jobs[job.id]

    def place_of(self, job: Job) -> int:
        """Return how many jobs wait before this one."""
        with self._change:
            return self._queue.order().index(job) if job in self._queue else 0

    def others_train(self, job: Job) -> bool:
        """Return whether a job of another owner trains or waits."""
        return any(other.owner != job.owner and other.status in ACTIVE for other in self.jobs())

    def _current(self, job: Job) -> Job:
        """Return the job in memory of the same run: a page may hold one that was dropped."""
        return self._jobs.get(job.id, job)

    def enqueue(self, job: Job, last_step: int) -> None:
        """Let a job wait for a worker, who trains it up to this step."""
        with self._change:
            job = self._current(job)
            if job.ended or job.wish == "stop":
                return
            self._jobs[job.id] = job
            job.wish, job.last_step = "go", min(last_step, job.run.total_steps)
            job.reason = ""
            job.watch()
            if not job.is_busy and job not in self._queue:
                job.status = "queued"
                self._queue.add(job)
            self._start_workers()
            self._change.notify()

    def withdraw(self, job: Job, wish: Literal["pause", "stop"]) -> None:
        """Pause or stop a job: at its next step, or at once if it waits."""
        with self._change:
            job = self._current(job)
            if job.ended or job.wish == "stop":
                return
            job.wish = wish
            if wish == "stop":
                job.reason = ""  # it said why the run was paused, and that it can be resumed
            self._queue.remove(job)
            resting = not job.is_busy
            if resting:
                job.status = "paused" if wish == "pause" else "stopped"
                job.is_busy = True  # no worker may take it while it is being saved
        if resting:
            self._hand_back(job, job.status)

    def change_rate(self, job: Job, rate: float) -> None:
        """Change a job's learning rate: at its next step, or at once if nothing drives it."""
        with self._change:
            job = self._current(job)
            if job.ended:
                return
            job.new_rate = rate
            resting = not job.is_busy
            if resting and job.status == "queued":
                self._take_new_rate(job)  # the worker that takes it next saves it
                return
            job.is_busy = True
        if resting:
            self._hand_back(job, job.status)

    @staticmethod
    def _take_new_rate(job: Job) -> bool:
        rate, job.new_rate = job.new_rate, None
        if rate is not None:
            job.run.set_learning_rate(rate)
        return rate is not None

    def _start_workers(self) -> None:
        if not self._started:
            self._started = True
            # NumPy's own library would take all cores and busy-wait for them
            threadpool_limits(1, "blas")
            for i in range(self.n_workers):
                threading.Thread(target=self._work, name=f"training-{i}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._queue:
                    self._change.wait()
                job = self._queue.take()
                job.status, job.is_busy = "running", True
            status: Status = "failed"
            why = ""
            try:
                status = self._take_turn(job)
                job.run.publish_weights()  # not after a failure: those weights may be NaN
            except TrainingFailedError as error:
                why = str(error)
            except Exception as error:  # the run ends as failed, and the worker goes on
                why = (
                    f"The run stopped at step {job.run.history.step} of {job.run.total_steps}: "
                    f"{type(error).__name__}: {error}. Try smaller batches or a smaller model."
                )
            job.run.rest()
            self._hand_back(job, status, why)

    def _take_turn(self, job: Job) -> Status:
        """Train a run until it ends, is asked to pause, or its turn is over."""
        run, now = job.run, time.monotonic()
        turn_ends, publish_at, save_at = now + TURN_S, now + WEIGHTS_EVERY_S, now + SAVE_EVERY_S
        torch.set_num_threads(run.threads)  # small batches run faster on one
        while job.wish == "go" and run.history.step < job.last_step:
            self._take_new_rate(job)
            run.advance(min(SLICE_STEPS, job.last_step - run.history.step), SLICE_S)
            now = time.monotonic()
            if run.finished:
                return "finished"
            if now > publish_at:
                run.publish_weights()
                publish_at = now + WEIGHTS_EVERY_S
            if now > save_at:
                job.save()
                spent = time.monotonic() - now
                save_at = now + max(SAVE_EVERY_S, 20 * spent)  # a slow disk is used less often
            if now - job.watched > self.unwatched_s:
                self._pause_unwatched(job)
            if now > turn_ends and self._queue:
                return "queued"
        return "stopped" if job.wish == "stop" else "paused"

    def _pause_unwatched(self, job: Job) -> None:
        with self._change:
            if job.wish == "go":  # else a visitor has just asked for something
                job.wish = "pause"
                job.reason = (
                    f"Nobody had looked at this run for {self.unwatched_s / 60:.0f} min, so "
                    "it was paused to let others train. Resume goes on from here."
                )

    def _hand_back(self, job: Job, status: Status, why_failed: str = "") -> None:
        """Release a job: back into the queue, or at rest once its present state is saved."""
        saved: Status | None = None
        while True:
            with self._change:
                if self._take_new_rate(job):
                    saved = None
                status = job.status = self._after_turn(job, status)
                if status == "failed":
                    job.reason = why_failed
                if status in ("queued", saved):
                    job.is_busy = False
                    if status == "queued":
                        self._queue.add(job)
                        self._change.notify()
                    return
            job.save()
            saved = status

    def _after_turn(self, job: Job, status: Status) -> Status:
        """Return a job's next status, from how its turn ended and what was asked since."""
        if status in ("queued", "paused") and job.wish == "stop":
            return "stopped"
        if status == "queued" and job.wish == "pause":
            return "paused"
        goes_on = job.wish == "go" and job.run.history.step < job.last_step
        return "queued" if status == "paused" and goes_on else status
