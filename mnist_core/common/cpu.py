"""How many processor cores one piece of work may take."""

from __future__ import annotations

import sys

import torch

__all__ = ["share_the_cores"]

TURN_S = 0.001  # Python's own is 0.005


def share_the_cores() -> None:
    """Set up this process as a server whose visitors share the cores, from now on.

    For whoever owns the process to call, once, at its start; threads begun later follow.

    - torch computes every call in the thread that makes it. The networks here are small, and two
      threads wait for each other at every multiplication: to answer a drawing took 30 to 40 ms of
      processor time with two and 19 with one, and beside a browser on the same two cores now and
      then 50 ms instead of 8.
    - A thread that holds Python's lock gives it up after 1 ms, so that a visitor's page need not
      wait 5 ms for each of the turns it has to take from a run in training: 95 % of the drawings
      were answered within 130 ms instead of 160 to 210 while another visitor's run trained.
    """
    torch.set_num_threads(1)
    sys.setswitchinterval(TURN_S)
