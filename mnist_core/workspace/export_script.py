"""A run as a script in plain PyTorch that repeats its steps, in parts for a notebook's cells."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mnist_core.common.source_code import fill_template, source_of
from mnist_core.data.augmentation import augmented
from mnist_core.data.idx import FOLDERS
from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.nn.optimisers import MOMENTUM, WEIGHT_DECAY
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training.run import TrainingRun

__all__ = ["OPTIMISERS", "ScriptPart", "script_parts"]

OPTIMISERS = {  # by our names: the same rules in torch.optim
    "SGD": "SGD(model.parameters(), lr=learning_rate)",
    "SGD with momentum": f"SGD(model.parameters(), lr=learning_rate, momentum={MOMENTUM})",
    "Adam": "Adam(model.parameters(), lr=learning_rate)",
    "AdamW": f"AdamW(model.parameters(), lr=learning_rate, weight_decay={WEIGHT_DECAY})",
}
_TEMPLATE = Path(__file__).with_name("run_script.py.jinja")
_PART = re.compile(r"^# %% (.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ScriptPart:
    """A part of the script: a sentence that says what it does, and its code."""

    words: str
    code: str


def script_parts(run: TrainingRun, steps: int) -> list[ScriptPart]:
    """Return the parts of a script that repeats the first steps of a run, at least one.

    Joined, the parts are a script that has only what this run needs. It prints the accuracy on the
    test set after each epoch and after the last step.
    """
    config = run.config
    rates = {step: float(rate) for step, rate in run.history.learning_rates if step < steps}
    text = fill_template(
        _TEMPLATE,
        run=run,
        config=config,
        steps=steps,
        folder=FOLDERS.get(config.dataset),
        learning_rate=rates.pop(0),
        later_rates=_rows((f"{step}: {rate}" for step, rate in rates.items()), 70),
        schedule=SCHEDULES[config.schedule] if config.schedule != "constant" else None,
        augmented=augmented,
        source_of=source_of,
        layers=_rows(_layers(config.architecture), 92),
        optimiser=OPTIMISERS[config.optimiser],
    )
    _, *texts = _PART.split(text)
    return [
        ScriptPart(words, code.strip()) for words, code in zip(texts[::2], texts[1::2], strict=True)
    ]


def _layers(architecture: str) -> list[str]:
    """Return the layers of an architecture as its source names them, one on each line there."""
    source = inspect.getsource(ARCHITECTURES[architecture].layers)
    return [line.partition("#")[0].strip(" ,") for line in source.splitlines() if "=nn." in line]


def _rows(items: Iterable[str], width: int) -> str:
    """Return items separated by commas, with as many on a line as fit."""
    rows: list[str] = []
    for item in items:
        if rows and len(rows[-1]) + len(item) < width:
            rows[-1] += f", {item}"
        else:
            rows.append(item)
    return ",\n    ".join(rows)
