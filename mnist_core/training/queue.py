"""Who trains when: one queue and a few worker threads for all visitors of a process.

A job is a run with a place in the queue. Workers take turns: when others wait, a job goes to the
back of the queue after a few seconds, and visitors are served by turns, so that nobody's long run,
and nobody's many runs, block a class.
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
from mnist_core.training.job import Job, Run, Save
from mnist_core.training.run import TrainingFailedError
from mnist_core.training.status import ACTIVE, Status

__all__ = ["TrainingQueue"]


SLICE_STEPS, SLICE_S = 200, 0.1  # how long a run goes before it looks up
TURN_S = 5.0  # how long a run may go while others wait
WEIGHTS_EVERY_S = 0.5  # how often the weights are published while a run goes
KEEP_EVERY_S = 2.0  # how often a run is written down while it goes
JOBS_IN_ALL = 40  # how many are held in memory; beyond it those go that rest on the disk


class TrainingQueue:
    """The registry and queue of a process.

    Parameters
    ----------
    n_workers : int or None
        How many runs train at once. None: one for every two cores, at least one.
    unwatched_s : float
        After so many seconds without a look a run is paused.
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
        run: Run,
        save: Save | None = None,
        *,
        job_id: str | None = None,
        status: Status = "paused",
        reason: str = "",
    ) -> Job:
        """Register a run for its owner; paused, it waits to be resumed or stepped.

        Parameters
        ----------
        save : callable or None
            Writes the job down; called now and then by whoever has it in hand.
        job_id, status, reason
            Those of a run that was written down and is taken up again.
        """
        job = Job(self, owner, run, save, job_id)
        job.status, job.reason = status, reason
        with self._change:
            known = self._jobs.setdefault(job.id, job)
            self._let_go_of_old()
        return known

    def get(self, job_id: str) -> Job | None:
        """Return a job that is held in memory."""
        return self._jobs.get(job_id)

    def of(self, owner: str) -> list[Job]:
        """Return an owner's jobs in memory, the newest first."""
        with self._change:
            return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def in_use(self) -> set[str]:
        """Return the ids of all jobs that go, wait or are paused in memory."""
        with self._change:
            return {job.id for job in self._jobs.values() if not job.ended}

    def forget(self, job: Job) -> None:
        """Stop a job and let go of it; it is not written down any more."""
        job.stop_saving()
        job.stop()
        with self._change:
            self._jobs.pop(job.id, None)

    def _let_go_of_old(self) -> None:
        """Let go of what is too much: ended jobs first, the oldest first; they rest on the disk.

        Those that could not be written there go last.
        """
        idle = [j for j in list(self._jobs.values())[:-1] if j.status not in ACTIVE and not j._held]
        idle.sort(key=lambda j: (bool(j.problem), not j.ended))  # stable: the oldest in front
        for job in idle[: max(0, len(self._jobs) - JOBS_IN_ALL)]:
            del self._jobs[job.id]

    def _place(self, job: Job) -> int:
        with self._change:
            return self._queue.order().index(job) if job in self._queue else 0

    def _now_known_as(self, job: Job) -> Job:
        """Return the same run's job in memory: a page may hold one that was let go of since."""
        return self._jobs.get(job.id, job)

    def _enqueue(self, job: Job, last_step: int) -> None:
        with self._change:
            job = self._now_known_as(job)
            if job.ended or job._wish == "stop":
                return
            self._jobs[job.id] = job
            job._wish, job._last_step = "go", min(last_step, job.run.total_steps)
            job.reason = ""
            job.watch()
            if not job._held and job not in self._queue:
                job.status = "queued"
                self._queue.add(job)
            self._start_workers()
            self._change.notify()

    def _withdraw(self, job: Job, wish: Literal["pause", "stop"]) -> None:
        with self._change:
            job = self._now_known_as(job)
            if job.ended or job._wish == "stop":
                return
            job._wish = wish
            if wish == "stop":
                job.reason = ""  # why it had been paused, and that it can go on
            self._queue.remove(job)
            resting = not job._held
            if resting:
                job.status = "paused" if wish == "pause" else "stopped"
                job._held = True  # no worker may take it while it is being written down
        if resting:
            self._hand_back(job, job.status)

    def _set_rate(self, job: Job, rate: float) -> None:
        with self._change:
            job = self._now_known_as(job)
            if job.ended:
                return
            job._new_rate = rate
            resting = not job._held
            if resting and job.status == "queued":
                self._take_new_rate(job)  # whoever takes it next writes it down
                return
            job._held = True
        if resting:
            self._hand_back(job, job.status)

    @staticmethod
    def _take_new_rate(job: Job) -> bool:
        rate, job._new_rate = job._new_rate, None
        if rate is not None:
            job.run.set_learning_rate(rate)
        return rate is not None

    def _start_workers(self) -> None:
        if not self._started:
            self._started = True
            # NumPy's own library would take all cores, and wait for them busily
            threadpool_limits(1, "blas")
            for i in range(self.n_workers):
                threading.Thread(target=self._work, name=f"training-{i}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._queue:
                    self._change.wait()
                job = self._queue.take()
                job.status, job._held = "running", True
            status: Status = "failed"
            why = ""
            try:
                status = self._take_turn(job)
                job.run.publish_weights()  # not after a failure: those weights may be no numbers
            except TrainingFailedError as error:
                why = str(error)
            except Exception as error:  # it must end as failed, and never take the worker along
                why = (
                    f"The run stopped at step {job.run.history.step} of {job.run.total_steps}: "
                    f"{type(error).__name__}: {error}. Try smaller batches or a smaller model."
                )
            job.run.rest()
            self._hand_back(job, status, why)

    def _take_turn(self, job: Job) -> Status:
        """Drive a run until it ends, is told to pause, or others have waited long enough."""
        run, now = job.run, time.monotonic()
        turn_ends, publish_at, keep_at = now + TURN_S, now + WEIGHTS_EVERY_S, now + KEEP_EVERY_S
        torch.set_num_threads(run.threads)  # small batches run faster on one
        while job._wish == "go" and run.history.step < job._last_step:
            self._take_new_rate(job)
            run.advance(min(SLICE_STEPS, job._last_step - run.history.step), SLICE_S)
            now = time.monotonic()
            if run.finished:
                return "finished"
            if now > publish_at:
                run.publish_weights()
                publish_at = now + WEIGHTS_EVERY_S
            if now > keep_at:
                job.save()
                spent = time.monotonic() - now
                keep_at = now + max(KEEP_EVERY_S, 20 * spent)  # a slow disk is asked less often
            if now - job._seen > self.unwatched_s:
                self._pause_unwatched(job)
            if now > turn_ends and self._queue:
                return "queued"
        return "stopped" if job._wish == "stop" else "paused"

    def _pause_unwatched(self, job: Job) -> None:
        with self._change:
            if job._wish == "go":  # else somebody has just said what is to be done
                job._wish = "pause"
                job.reason = (
                    f"Nobody had looked at this run for {self.unwatched_s / 60:.0f} min, so "
                    "it was paused to let others train. Resume goes on from here."
                )

    def _hand_back(self, job: Job, status: Status, why_failed: str = "") -> None:
        """Let go of a job: back into the queue, or at rest once it is written down as it is."""
        written: Status | None = None
        while True:
            with self._change:
                if self._take_new_rate(job):
                    written = None
                status = job.status = self._after_turn(job, status)
                if status == "failed":
                    job.reason = why_failed
                if status in ("queued", written):
                    job._held = False
                    if status == "queued":
                        self._queue.add(job)
                        self._change.notify()
                    return
            job.save()
            written = status

    def _after_turn(self, job: Job, status: Status) -> Status:
        """Return what becomes of a job, given how its turn ended and what was asked since."""
        if status in ("queued", "paused") and job._wish == "stop":
            return "stopped"
        if status == "queued" and job._wish == "pause":
            return "paused"
        return "queued" if status == "paused" and self._goes_on(job) else status

    @staticmethod
    def _goes_on(job: Job) -> bool:
        """Whether somebody asked for more while the worker was ending the turn."""
        return job._wish == "go" and job.run.history.step < job._last_step
