"""The record of a run, as ``run.json`` holds it. No torch here: the home page reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import msgspec

from mnist_core.common.files import read_json
from mnist_core.common.formatting import quoted
from mnist_core.training.history import EpochMetrics
from mnist_core.training.status import STATUSES, Status

__all__ = ["FROM_A_FILE", "Kind", "Origin", "RunRecord"]

Kind = Literal["run", "race"]
Origin = Literal["trained", "tuned", "imported"]
FROM_A_FILE = "Weights from a file, as they came."  # the reason of imported weights
_TEXTS, _INTS = ("id", "kind", "status", "origin", "reason", "data"), ("step", "total_steps")
_TYPES: dict[str, type] = dict.fromkeys(_TEXTS, str) | dict.fromkeys((*_INTS, "threads"), int)
_TYPES |= {"created": float, "training_s": float}
_LISTS = {"learning_rates": tuple[tuple[int, float], ...], "checkups": tuple[EpochMetrics, ...]}
_CHOICES = {"kind": get_args(Kind), "status": STATUSES, "origin": get_args(Origin)}
_UNPAIRED = re.compile("[\ud800-\udfff]")  # halves of characters, which no browser accepts


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What ``run.json`` holds.

    Attributes
    ----------
    id : str
    kind : str
        "run", or "race" for two engines side by side.
    created : float
        Seconds since 1970.
    status : str
        One of `STATUSES`.
    origin : str
        "trained"; or "tuned" or "imported" for weights without a history.
    reason : str
        Why it failed or was paused, or where its weights come from: a sentence or "".
    step, total_steps : int
    training_s : float
    config : dict
        The settings, see ``TrainingConfig.from_json``.
    learning_rates : tuple of (step, rate)
    epoch_metrics : tuple of EpochMetrics
        "checkups" in the file.
    threads : int
        Number of CPU threads.
    data : str
        Checksum of the data set's arrays.
    """

    id: str
    kind: Kind = "run"
    created: float = 0.0
    status: Status = "paused"
    origin: Origin = "trained"
    reason: str = ""
    step: int = 0
    total_steps: int = 0
    training_s: float = 0.0
    config: Mapping[str, Any] | None = None
    learning_rates: tuple[tuple[int, float], ...] = ()
    epoch_metrics: tuple[EpochMetrics, ...] = ()
    threads: int = 1
    data: str = ""

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in _TYPES}
        for name, kind in _TYPES.items():
            if type(values[name]) is not kind:
                raise _wrong(name, f"of type {kind.__name__}", values[name])
        for name in ("id", "reason", "data"):
            if _UNPAIRED.search(values[name]):
                raise _wrong(name, "a text", values[name])
        for name, choices in _CHOICES.items():
            if values[name] not in choices:
                raise _wrong(name, f"one of {', '.join(choices)}", values[name])
        ranges = {"created": (0, 1e12), "step": (0, self.total_steps), "threads": (1, 1024)}
        ranges["training_s"] = (0, 1e9)  # 31 years
        for name, (least, most) in ranges.items():
            if not least <= values[name] <= most:
                raise _wrong(name, f"from {least} to {most:,g}", values[name])

    @property
    def test_accuracy(self) -> float | None:
        """Accuracy on the test set after the last completed epoch, 0 to 1, if there is one."""
        return self.epoch_metrics[-1].test_accuracy if self.epoch_metrics else None

    @classmethod
    def from_json(cls, data: bytes) -> RunRecord:
        """Read a record.

        Raises
        ------
        ValueError
            If the text is not a record; the message names the field, what was expected and what
            came.
        """
        values = read_json(data)
        if "id" not in values:
            raise ValueError("“id” is missing.")
        values.setdefault("origin", _origin_by_reason(values.get("reason")))
        for name, kind in _LISTS.items():
            try:
                values[name] = msgspec.convert(values.get(name, ()), kind)
            except (msgspec.ValidationError, UnicodeEncodeError) as error:  # half a surrogate pair
                raise ValueError(f"“{name}” is wrong: {error}.") from error
        values["epoch_metrics"] = values.pop("checkups")
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_json(self) -> bytes:
        values = asdict(self)
        values["checkups"] = values.pop("epoch_metrics")
        return (json.dumps(values, indent=1) + "\n").encode()


def _wrong(name: str, expected: str, value: object) -> ValueError:
    return ValueError(f"“{name}” must be {expected}, got {quoted(value)}.")


def _origin_by_reason(reason: object) -> Origin:
    """Return the origin of a run that was saved before records had this field."""
    if isinstance(reason, str) and reason.startswith("Tuned on "):
        return "tuned"
    return "imported" if reason == FROM_A_FILE else "trained"
