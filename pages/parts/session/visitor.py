"""Ties a visitor to a workspace, whose id is part of the address: a reload brings it all back."""

from __future__ import annotations

import contextlib

import streamlit as st

from mnist_core.common.files import is_id, new_id
from pages.parts.session import caches, state

__all__ = ["PARAMETER", "enter", "save"]

PARAMETER = "workspace"


def enter() -> str:
    """Take the workspace of this session or of the address, else a new one.

    The address is set at every run: links of the menu drop what stands after its question mark.

    Returns
    -------
    str
        A sentence for the visitor if the address names a workspace that cannot be, else "".
    """
    own, asked, trouble = state.workspace(), st.query_params.get(PARAMETER), ""
    if own is None:
        if asked is not None and not is_id(asked):
            trouble = (
                "This address names a workspace that cannot be: 22 letters, digits, - and _ were "
                "expected. You have a new one; copy the whole address to come back to yours."
            )
        own = asked if asked is not None and is_id(asked) else new_id()
        state.enter_workspace(own, caches.workspace_store().remembered(own))
    st.query_params[PARAMETER] = own
    if state.job_id() is not None:  # so torch is loaded already
        caches.run_registry().look(own)
    return trouble


def save() -> None:
    """Write down what was chosen and seen, if that has changed."""
    choices = state.choices()
    if choices != state.saved_choices() and state.worth_saving():
        with contextlib.suppress(OSError):  # the visit goes on; only a reload would forget it
            caches.workspace_store().remember(state.workspace(), **choices)
        state.set_saved_choices(choices)
