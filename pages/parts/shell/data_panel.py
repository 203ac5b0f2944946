"""The data set in use, and the button that downloads a missing one."""

from __future__ import annotations

import streamlit as st

from mnist_core.data.status import DataStatus
from pages.parts.session import caches, current_data

__all__ = ["show"]

_ICONS = {
    "ok": ":material/check_circle:",
    "note": ":material/info:",
    "busy": ":material/downloading:",
    "problem": ":material/error:",
}


def show(key: str) -> None:
    """Show the data's status in a container of this key; it updates during a download."""
    busy = current_data.status().kind == "busy"
    with st.container(key=key):
        st.fragment(_body, run_every=0.7 if busy else None)(key, busy)


def _body(key: str, was_busy: bool) -> None:
    status = current_data.status()
    if (status.kind == "busy") != was_busy:
        st.rerun()  # the whole page: polling starts or stops, and the data set may have changed
    st.markdown(f"{_ICONS[status.kind]} **{status.headline}**")
    st.caption(status.detail)
    if status.progress is not None:
        st.progress(status.progress)
    if status.action:
        st.button(
            status.action,
            key=f"{key}_fetch",
            icon=":material/download:",
            on_click=_fetch,
            args=(status,),
        )


def _fetch(status: DataStatus) -> None:
    caches.downloads().start(status.fetches)
