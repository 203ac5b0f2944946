"""How the visitors of one server share its processor cores."""

from __future__ import annotations

import sys

import torch

__all__ = ["share_the_cores"]

TURN_S = 0.001  # Python's default is 0.005


def share_the_cores() -> None:
    """Give torch one thread, and let Python's threads take shorter turns, in the whole process.

    The networks here are so small that two torch threads mostly wait for each other, and a page
    waits less often for a run in training if the run gives up Python's lock after 1 ms
    (benchmarks/README.md). Call it once at the start of the process; later threads follow.
    """
    torch.set_num_threads(1)
    sys.setswitchinterval(TURN_S)
