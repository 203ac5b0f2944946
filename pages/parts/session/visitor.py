"""The visitor of this session, found by the workspace id in the address: a reload restores all."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from mnist_core.common.files import is_id, new_id
from pages.parts.session import caches, state
from pages.parts.session.choices import Choices

if TYPE_CHECKING:  # torch stays out until a page needs it
    from mnist_core.workspace.handwriting_store import WorkspaceHandwriting
    from mnist_core.workspace.run_record import RunRecord
    from mnist_core.workspace.run_registry import WorkspaceRuns

__all__ = ["PARAMETER", "Visitor", "enter", "visitor"]

PARAMETER = "workspace"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One visitor: their runs, their handwriting and their choices.

    Attributes
    ----------
    id : str
        The id of the visitor's workspace.
    choices : Choices
    """

    id: str
    choices: Choices = field(default_factory=Choices)

    @property
    def runs(self) -> WorkspaceRuns:
        """The visitor's training runs; loads torch."""
        return caches.run_registry().of(self.id)

    @property
    def handwriting(self) -> WorkspaceHandwriting:
        return caches.handwriting_store().of(self.id)

    def run_records(self) -> list[RunRecord]:
        """Return the visitor's runs as their folders describe them, the newest first; no torch."""
        return caches.workspace_store().runs(self.id)

    def results(self) -> dict[str, str]:
        """Return {page: its result, or ""} of the pages seen; training's is of the newest run."""
        results = dict(self.choices.done)
        for run in self.run_records():
            if run.kind == "run" and run.test_accuracy is not None and run.config:
                accuracy = f"test accuracy {run.test_accuracy:.4f}"
                results["training"] = f"{run.config.get('architecture')}: {accuracy}"
                break
        return results

    def remembered(self) -> dict[str, Any]:
        """Return the contents of the workspace's file, or {}."""
        return caches.workspace_store().remembered(self.id)

    def save(self) -> None:
        """Write choices and progress to the workspace's file if they have changed."""
        values = self.choices.to_remember()
        if values != state.stored("saved_choices", None) and self.choices.worth_remembering():
            with contextlib.suppress(OSError):  # only a reload would lose them
                caches.workspace_store().remember(self.id, **values)
            state.store("saved_choices", values)


def visitor() -> Visitor:
    """Return the visitor of this session; `enter` has given it a workspace."""
    return Visitor(state.stored("workspace", ""))


def enter(questions: Collection[str]) -> str:
    """Give this session the workspace in the address, or a new one.

    The address is set at every run: the menu's links drop its parameters.

    Parameters
    ----------
    questions : collection of str
        The names of the questions there are; answers to others are dropped.

    Returns
    -------
    str
        A sentence for the visitor if the workspace in the address is not valid, else "".
    """
    problem = ""
    if not visitor().id:
        asked = st.query_params.get(PARAMETER)
        if asked is not None and not is_id(asked):
            problem = (
                "The workspace in this address is not valid: expected 22 letters, digits, - or _. "
                "You have a new one; copy the whole address to come back to yours."
            )
        state.store("workspace", asked if asked is not None and is_id(asked) else new_id())
        choices = visitor().choices
        choices.restore(visitor().remembered(), questions)
        state.store("saved_choices", choices.to_remember())
    here = visitor()
    st.query_params[PARAMETER] = here.id
    if here.choices.run_id is not None:  # so torch is loaded already
        here.runs.watch()
    return problem
