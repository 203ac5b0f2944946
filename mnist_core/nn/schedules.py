"""How the learning rate changes over a run, as a share of the chosen rate."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCHEDULES", "constant", "one_cycle"]


def constant(step: int, total_steps: int) -> float:
    """Return 1: the learning rate is the same at every step."""
    del step, total_steps
    return 1.0


def one_cycle(step: int, total_steps: int) -> float:
    """Return the share of the highest learning rate at a step, in (0, 1].

    It rises from 1/25 to 1 over the first 30 % of the steps, then falls to 1/250,000 at the last,
    both along half a cosine: small steps while the weights are random, large steps in the middle,
    small steps at the end. Source: Smith and Topin (2017), as in torch's ``OneCycleLR``.
    """
    warm_up, first, last = 0.3, 1 / 25, 1 / 250_000  # share of the steps; shares of the rate
    peak = warm_up * total_steps - 1  # the step with the highest rate
    start, end, part = first, 1.0, step / peak if peak > 0 else 1.0
    if step > peak:
        start, end, part = 1.0, last, (step - peak) / max(1, total_steps - 1 - peak)
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))


SCHEDULES: dict[str, Callable[[int, int], float]] = {"constant": constant, "one-cycle": one_cycle}
