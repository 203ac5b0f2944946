"""Start, Pause or Resume, and Stop: the same on every page that runs something."""

from __future__ import annotations

import streamlit as st

from mnist_core.training.job import Job
from mnist_core.training.status import ACTIVE
from pages.parts.session import state

__all__ = ["act_on", "button", "is_live", "show"]


def show(page: str, job: Job | None, start: str = "Start", may_start: bool = True) -> None:
    """Show the three buttons in the open container; a button without effect is disabled.

    The primary one is Start, or Resume while a run is paused.
    """
    active = job is not None and job.status in ACTIVE
    paused = job is not None and job.status == "paused"
    start_disabled = active or not may_start
    button(page, "start", start, "play_arrow", disabled=start_disabled, primary=not paused)
    if paused:
        button(page, "pause", "Resume", "resume", disabled=False, primary=True)
    else:
        button(page, "pause", "Pause", "pause", disabled=not active)
    button(page, "stop", "Stop", "stop", disabled=not (active or paused))
    state.store(f"{page}_shown_active", active)


def is_live(page: str, job: Job) -> bool:
    """Return whether the page must update: the job is active, or was when its buttons were shown.

    A job may end or pause while the page is drawn; its buttons would then stay as they are.
    """
    return job.status in ACTIVE or state.stored(f"{page}_shown_active", False)


def button(
    page: str,
    name: str,
    label: str,
    icon: str,
    disabled: bool,
    primary: bool = False,
) -> None:
    """Show a button with the key PAGE_NAME, which `state.take_press` returns once pressed."""
    key = f"{page}_{name}"
    st.button(
        label,
        key=key,
        icon=f":material/{icon}:",
        disabled=disabled,
        on_click=state.press,
        args=(key,),
        type="primary" if primary else "secondary",
    )


def act_on(page: str, pressed: str, job: Job) -> None:
    """Pause, resume or stop a job if that button was pressed on this page."""
    if pressed == f"{page}_pause":
        job.resume() if job.status == "paused" else job.pause()
    elif pressed == f"{page}_stop":
        job.stop()
