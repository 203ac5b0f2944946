"""What this visitor has done, page by page, with what came out of it."""

from __future__ import annotations

from pages.parts import state

__all__ = ["done"]


def done() -> dict[str, str]:
    """Return {page: result} of the pages gone through; the training's as it stands now."""
    results = dict(state.done())
    if state.job_id():  # only then is torch loaded, which the first page does without
        from pages.parts import current

        job = current.job()
        if job and job.run.history.accuracies:
            accuracy = job.run.history.accuracies[-1][1]
            results["training"] = f"{job.run.config.architecture}: test accuracy {accuracy:.4f}"
    return results
