"""How the visitors of one server share its processor cores, and which kernels compute there."""

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

    NNPACK is switched off. PyTorch would use its Winograd and FFT convolutions for 16 images or
    more where oneDNN is missing, as on a Mac. They round by more than `concepts.rounding` allows,
    and are slower there: https://github.com/pytorch/pytorch/issues/107534
    """
    torch.backends.nnpack.set_flags(False)
    torch.set_num_threads(1)
    sys.setswitchinterval(TURN_S)
