"""Start, Pause or Resume, and Stop: the same on every page that runs something."""

from __future__ import annotations

import streamlit as st

from mnist_core.training.job import Job
from mnist_core.training.status import ACTIVE
from pages.parts.session import state

__all__ = ["button", "obey", "show"]


def show(page: str, job: Job | None, start: str = "Start", may_start: bool = True) -> None:
    """Show the three buttons side by side in what is open; each is off if it would do nothing."""
    active = job is not None and job.status in ACTIVE
    paused = job is not None and job.status == "paused"
    off = active or not may_start
    button(page, "start", start, "play_arrow", off=off, type="primary")
    if paused:
        button(page, "pause", "Resume", "resume", off=False)
    else:
        button(page, "pause", "Pause", "pause", off=not active)
    button(page, "stop", "Stop", "stop", off=not (active or paused))


def button(page: str, name: str, label: str, icon: str, off: bool, **arguments: str) -> None:
    """Show a button of the key PAGE_NAME, which is also what it wishes for."""
    st.button(
        label,
        key=f"{page}_{name}",
        icon=f":material/{icon}:",
        disabled=off,
        on_click=state.press,
        args=(f"{page}_{name}",),
        **arguments,
    )


def obey(page: str, wish: str, job: Job) -> None:
    """Pause, resume or stop a job, if that was wished for on this page."""
    if wish == f"{page}_pause":
        job.resume() if job.status == "paused" else job.pause()
    elif wish == f"{page}_stop":
        job.stop()
