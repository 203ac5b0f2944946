"""How a run stands. No torch here: run records are read before torch is loaded."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["ACTIVE", "ENDED", "STATUSES", "Status"]

Status = Literal["queued", "running", "paused", "finished", "stopped", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
ACTIVE: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("finished", "stopped", "failed")
