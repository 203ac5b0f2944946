"""What ``run.json`` says of a run. No torch here: the home page reads it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from mnist_core.common.files import read_json
from mnist_core.training.status import STATUSES

__all__ = ["FROM_A_FILE", "Origin", "RunRecord"]

Origin = Literal["trained", "tuned", "imported"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
KINDS = ("run", "race")
FROM_A_FILE = "Weights from a file, as they came."

_UNPAIRED = re.compile("[\ud800-\udfff]")  # halves of characters, which no browser takes
_KINDS: dict[type, tuple[str, ...]] = {  # of a record's values
    str: ("id", "kind", "status", "origin", "reason", "data"),
    int: ("step", "total_steps", "threads"),
    float: ("created", "training_s"),
}


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What ``run.json`` says of a run.

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
    learning_rates : list of [step, rate]
    checkups : list of dict
        See ``records.Checkup``.
    threads : int
        CPU threads it is meant for.
    data : str
        Fingerprint of the data set's arrays.
    """

    id: str
    kind: str = "run"
    created: float = 0.0
    status: str = "paused"
    origin: Origin = "trained"
    reason: str = ""
    step: int = 0
    total_steps: int = 0
    training_s: float = 0.0
    config: Mapping[str, Any] | None = None
    learning_rates: tuple[Any, ...] = ()
    checkups: tuple[Any, ...] = ()
    threads: int = 1
    data: str = ""

    def __post_init__(self) -> None:
        for kind, names in _KINDS.items():
            for name in names:
                value = getattr(self, name)
                finite = not isinstance(value, float) or math.isfinite(value)
                if type(value) is not kind or not finite:
                    expected = f"“{name}” must be of type {kind.__name__}"
                    raise ValueError(f"{expected}, got {value!r:.40}.")
                if isinstance(value, str) and _UNPAIRED.search(value):
                    raise ValueError(f"“{name}” must be a text, got {value!r:.40}.")
        for name, known in (("kind", KINDS), ("status", STATUSES), ("origin", ORIGINS)):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"“{name}” must be one of {', '.join(known)}, got {value!r:.40}.")
        if not 0 <= self.step <= self.total_steps or not 1 <= self.threads <= 1024:
            raise ValueError("the number of steps or threads is out of range.")
        if not 0 <= self.training_s < 1e9:  # 31 years
            raise ValueError(f"the training cannot have taken {self.training_s:g} s.")

    @property
    def test_accuracy(self) -> float | None:
        """Accuracy on the test set after the last whole epoch, 0 to 1, if there was one."""
        return float(self.checkups[-1]["test_accuracy"]) if self.checkups else None

    @classmethod
    def from_json(cls, data: bytes) -> RunRecord:
        """Read a record.

        Raises
        ------
        ValueError
            If the text is not a record; the message says what is wrong.
        """
        values = read_json(data)
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in values.items() if name in known}
        for name in ("learning_rates", "checkups"):
            if not isinstance(values.setdefault(name, []), list):
                raise ValueError(f"“{name}” must be a list.")
            values[name] = tuple(values[name])
        for checkup in values["checkups"][-1:]:
            accuracy = checkup.get("test_accuracy") if isinstance(checkup, dict) else None
            if type(accuracy) not in (int, float):
                raise ValueError("the last check-up holds no accuracy.")
        if "id" not in values:
            raise ValueError("“id” is missing.")
        values.setdefault("origin", _origin_by_reason(values.get("reason")))
        return cls(**values)

    def to_json(self) -> bytes:
        return (json.dumps(asdict(self), indent=1) + "\n").encode()


def _origin_by_reason(reason: object) -> Origin:
    """Return the origin of a run that was written before records had the field."""
    if isinstance(reason, str) and reason.startswith("Tuned on "):
        return "tuned"
    return "imported" if reason == FROM_A_FILE else "trained"
