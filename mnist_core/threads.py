"""How many processor cores one piece of work may take."""

from __future__ import annotations

import torch

__all__ = ["one_thread_each"]


def one_thread_each() -> None:
    """Let torch compute every call in the thread that makes it, from now on, in this process.

    For a server: its visitors share the cores, and the networks here are small. Two threads wait
    for each other at every multiplication and keep two cores busy meanwhile: answering a drawing
    took 30 to 40 ms of processor time with two threads and 19 with one, and beside a browser on the
    same two cores now and then 50 ms instead of 8. It is for whoever owns the process to call,
    once, at its start; threads begun later follow.
    """
    torch.set_num_threads(1)
