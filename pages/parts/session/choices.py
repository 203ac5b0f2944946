"""What a visitor has chosen and done, and which part of it the workspace remembers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mnist_core.data.datasets import NAMES
from pages.parts.session.state import Slot

__all__ = ["ARCHITECTURES", "Choices"]

ARCHITECTURES = ("linear", "mlp", "cnn", "deep")  # a test compares them with nn.architectures
LONGEST_RESULT, LONGEST_ANSWER = 200, 40  # characters read back from a workspace's file
Answer = tuple[str, bool]


class Choices:
    """The session's choices and progress. To assign an attribute stores it in the session.

    Attributes
    ----------
    dataset : str or None
        None to use the best one on this machine.
    architecture : str
    model : str or None
        Key of the model to evaluate and to draw for; None for the first on offer.
    run_id : str or None
        The training run this session works with; None for the newest.
    done : mapping of str to str
        {page: its result, or ""} of the pages the visitor has seen.
    answers : mapping of str to (str, bool)
        {question: (option chosen first, whether it was right)}.
    """

    dataset = Slot[str | None]("dataset", None)
    architecture = Slot("architecture", "linear")
    model = Slot[str | None]("model", None)
    run_id = Slot[str | None]("job", None)
    done = Slot[Mapping[str, str]]("done", {})
    answers = Slot[Mapping[str, Answer]]("answers", {})

    def mark_done(self, page: str, result: str = "") -> None:
        """Note that a page was seen; a result replaces an earlier one."""
        if result or page not in self.done:
            self.done = {**self.done, page: result}

    def answer(self, question: str, option: str, right: bool) -> None:
        """Note the answer to a question; the first one counts."""
        self.answers = {question: (option, right), **self.answers}

    def to_remember(self) -> dict[str, Any]:
        """Return what the workspace remembers, as JSON values."""
        return {
            "dataset": self.dataset,
            "architecture": self.architecture,
            "done": dict(self.done),
            "answers": {name: list(answer) for name, answer in self.answers.items()},
        }

    def restore(self, remembered: Mapping[str, Any], questions: Collection[str]) -> None:
        """Take over what a workspace remembers, without any value that is not valid.

        Parameters
        ----------
        questions : collection of str
            The names of the questions there are.
        """
        if remembered.get("dataset") in NAMES:
            self.dataset = remembered["dataset"]
        if remembered.get("architecture") in ARCHITECTURES:
            self.architecture = remembered["architecture"]
        done, answers = remembered.get("done"), remembered.get("answers")
        if isinstance(done, dict):
            self.done = {page: result for page, result in done.items() if _is_result(result)}
        if isinstance(answers, dict):
            valid = [name for name in questions if _is_answer(answers.get(name))]
            self.answers = {name: tuple(answers[name]) for name in valid}

    def worth_remembering(self) -> bool:
        """Return whether the visitor did more than open one page."""
        return len(self.done) > 1 or bool(self.answers) or self.dataset is not None


def _is_result(value: object) -> bool:
    return isinstance(value, str) and len(value) < LONGEST_RESULT


def _is_answer(value: object) -> bool:
    if not isinstance(value, list) or [type(v) for v in value] != [str, bool]:
        return False
    return len(value[0]) < LONGEST_ANSWER
