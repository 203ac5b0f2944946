"""What this visitor has done, page by page, with what came out of it."""

from __future__ import annotations

from pages.parts.session.visitor import visitor

__all__ = ["done"]


def done() -> dict[str, str]:
    """Return {page: result} of the pages gone through; the training's as its newest run has it.

    It asks the runs' files, not torch: the first page does without.
    """
    results = dict(visitor().choices.done)
    for run in visitor().run_records():
        if run.kind == "run" and run.test_accuracy is not None and run.config:
            accuracy = run.test_accuracy
            results["training"] = f"{run.config.get('architecture')}: test accuracy {accuracy:.4f}"
            break
    return results
