"""A visitor's fine-tuning: begun once, found again, and its result kept as a run."""

from __future__ import annotations

from mnist_core.training.finetuning import FineTuning
from mnist_core.training.job import Job
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.run_registry import RunRegistry

__all__ = ["begin", "current", "is_tuned"]


def begin(work: RunRegistry, workspace: str, tuning: FineTuning) -> Job:
    """Put a tuning into the queue with everybody's runs; its result becomes a run when it is done.

    A workspace has one at a time, and the last one's numbers: an earlier one that has ended is
    forgotten, one that goes, waits or is paused goes on instead.
    """
    before = current(work, workspace)
    if before is not None and not before.ended:
        before.resume()
        return before
    if before is not None:
        work.jobs.forget(before)

    def keep(job: Job) -> None:
        if job.status == "finished" and not tuning.kept_as:
            weights = tuning.snapshot.weights
            kept = work.keep_weights(workspace, weights, tuning.dataset, tuning.reason)
            tuning.kept_as = kept.id

    job = work.jobs.create(workspace, tuning, keep)
    job.resume()
    return job


def current(work: RunRegistry, workspace: str) -> Job | None:
    """Return the tuning that a workspace began last, if it is still known."""
    jobs = (job for job in work.jobs.of(workspace) if isinstance(job.run, FineTuning))
    return next(jobs, None)


def is_tuned(record: RunRecord) -> bool:
    """Return whether a run holds weights that were tuned here."""
    return record.reason.startswith("Tuned on ")
