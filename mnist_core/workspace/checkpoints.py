"""A run's folder on the disk, which people can read and no crash can spoil.

    run.json                 settings, status, epoch metrics
    history.csv              loss, learning rate and time of every step
    checkpoint.safetensors   all that is needed to resume: weights, optimiser, losses, run.json
    moments/00000123.safetensors   a snapshot: the weights at an earlier step

The checkpoint is complete and replaced atomically, so a run is restored from it alone; the other
files are for people and other programs.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from mnist_core.common.files import write_atomically
from mnist_core.common.formatting import quoted
from mnist_core.data.datasets import Dataset
from mnist_core.training.configs import TrainingConfig, check_learning_rate
from mnist_core.training.history import History, Snapshot
from mnist_core.training.run import TrainingRun
from mnist_core.training.status import Status
from mnist_core.workspace.run_record import RunRecord

__all__ = [
    "RunFolder",
    "checkpoint_bytes",
    "fingerprint",
    "history_csv",
    "parse_checkpoint",
    "record_of",
    "restored",
    "safe_tensors",
]

CHECKPOINT, RECORD, HISTORY = "checkpoint.safetensors", "run.json", "history.csv"
SNAPSHOTS = "moments"  # the folder's name since the first version
COLUMNS = "step,loss,learning_rate,seconds\n"


def fingerprint(dataset: Dataset) -> str:
    """Return a checksum of a data set's training images and labels."""
    checksum = zlib.crc32(dataset.train_images.data)
    return f"{zlib.crc32(dataset.train_labels.data, checksum):08x}"


def record_of(run: TrainingRun, old: RunRecord, status: Status, reason: str = "") -> RunRecord:
    """Return the present record of a run: ``old`` with its new status, history and settings."""
    history = run.history
    return dataclasses.replace(
        old,
        status=status,
        reason=reason,
        step=history.step,
        total_steps=run.total_steps,
        training_s=float(history.training_s),
        config=run.config.to_json(),
        learning_rates=tuple(history.learning_rates),
        epoch_metrics=tuple(history.epoch_metrics),
        threads=run.threads,
    )


def history_csv(run: TrainingRun, first: int = 0) -> str:
    """Return a line for each step from number ``first`` on, without the header."""
    history, out = run.history, io.StringIO()
    rates, which = history.learning_rates, 0
    rate_at = run.schedule_share
    for i in range(first, history.step):
        while which + 1 < len(rates) and rates[which + 1][0] <= i:
            which += 1
        rate = rates[which][1] * rate_at(i)
        out.write(f"{i + 1},{history.losses[i]:.9g},{rate:.9g},{history.seconds[i]:.6g}\n")
    return out.getvalue()


class RunFolder:
    """Saves a run in its folder, and reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows = -1  # lines of the history that this object has written

    def write(self, run: TrainingRun, record: RunRecord) -> None:
        """Save the run in its present state.

        Raises
        ------
        OSError
            If the disk cannot be written. The files saved before stay whole.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._rows < 0:
            self._delete_snapshots_after(run.history.step)
        while run.unsaved_snapshots:
            snapshot = run.unsaved_snapshots[0]
            write_atomically(self._snapshot_path(snapshot.step), save_tensors(snapshot.weights))
            run.unsaved_snapshots.pop(0)
        self._write_history(run)
        write_atomically(self.folder / CHECKPOINT, checkpoint_bytes(run, record))
        self.write_record(record)

    def write_record(self, record: RunRecord) -> None:
        write_atomically(self.folder / RECORD, record.to_json())

    def read_record(self) -> RunRecord:
        """Read ``run.json``; OSError if there is none, ValueError if it is damaged."""
        return RunRecord.from_json((self.folder / RECORD).read_bytes())

    def _delete_snapshots_after(self, step: int) -> None:
        """Delete what a crash left beyond the checkpoint: the run may continue differently."""
        for later in self.snapshot_steps():
            if later > step:
                self._snapshot_path(later).unlink(missing_ok=True)

    def _write_history(self, run: TrainingRun) -> None:
        path = self.folder / HISTORY
        rows, self._rows = self._rows, -1  # if writing fails, the next write replaces the file
        if rows < 0 or not path.exists():  # replaces lines that a crash left beyond the checkpoint
            write_atomically(path, (COLUMNS + history_csv(run)).encode())
        elif run.history.step > rows:
            with path.open("a", encoding="utf-8") as file:
                file.write(history_csv(run, rows))
        self._rows = run.history.step

    def read(self) -> tuple[RunRecord, dict[str, Tensor]]:
        """Read the checkpoint.

        Raises
        ------
        OSError
            If there is none.
        ValueError
            If it is damaged.
        """
        return parse_checkpoint((self.folder / CHECKPOINT).read_bytes())

    def snapshot_steps(self) -> list[int]:
        """Return the steps of the saved snapshots, in order."""
        names = [path.stem for path in (self.folder / SNAPSHOTS).glob("*.safetensors")]
        return sorted(int(name) for name in names if name.isdecimal())

    def snapshot(self, step: int) -> Snapshot:
        """Read the snapshot of an earlier step.

        Raises
        ------
        OSError, ValueError
            If it is missing or damaged.
        """
        return Snapshot(step, safe_tensors(self._snapshot_path(step).read_bytes())[0])

    def _snapshot_path(self, step: int) -> Path:
        return self.folder / SNAPSHOTS / f"{step:08d}.safetensors"


def checkpoint_bytes(run: TrainingRun, record: RunRecord) -> bytes:
    """Return a run as the bytes of a safetensors file; `parse_checkpoint` reads them."""
    # after a failure the weights may be NaN: save the last published ones
    weights = run.snapshot.weights if record.status == "failed" else run.weights()
    tensors = {f"model.{name}": torch.as_tensor(w).contiguous() for name, w in weights.items()}
    state = run.optimiser_state()
    tensors |= {f"optimiser.{name}": torch.as_tensor(t).contiguous() for name, t in state.items()}
    step = run.history.step
    tensors["history.losses"] = torch.from_numpy(run.history.losses[:step])
    tensors["history.seconds"] = torch.from_numpy(run.history.seconds[:step])
    return save_tensors(tensors, {"run": record.to_json().decode()})


def safe_tensors(data: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and metadata from the bytes of a safetensors file.

    Raises
    ------
    ValueError
        If they are not the bytes of a safetensors file.
    """
    try:
        tensors = load_tensors(data)
        (length,) = struct.unpack_from("<Q", data)
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    except (SafetensorError, ValueError, KeyError, TypeError, struct.error, RuntimeError) as error:
        came = "nothing" if not data else f"{len(data):,} bytes of something else"
        raise ValueError(
            f"Expected a safetensors file, got {came} or a damaged one ({type(error).__name__}): "
            "take a file that was downloaded here."
        ) from error
    return tensors, metadata


def parse_checkpoint(data: bytes) -> tuple[RunRecord, dict[str, Tensor]]:
    """Read a run's record and tensors from the bytes of its checkpoint.

    Raises
    ------
    ValueError
        If they are not the bytes of a run's checkpoint.
    """
    tensors, metadata = safe_tensors(data)
    if "run" not in metadata:
        raise ValueError(
            "Expected a run's checkpoint, got a safetensors file without a run's record: take the "
            "checkpoint.safetensors of a run's folder."
        )
    try:
        record = RunRecord.from_json(metadata["run"].encode())
    except ValueError as error:
        raise ValueError(f"The run's record cannot be read: {error}") from error
    return record, tensors


def restored(record: RunRecord, tensors: dict[str, Tensor], dataset: Dataset) -> TrainingRun:
    """Return the run that a checkpoint holds, ready to continue.

    Raises
    ------
    ValueError
        If its parts do not fit each other or the data set.
    """
    config = TrainingConfig.from_json(record.config)
    run = TrainingRun(config, dataset, record.threads)
    if record.data != fingerprint(dataset) or run.total_steps != record.total_steps:
        raise ValueError(
            f"This run saw other images than the {dataset.title} that is here now, so it cannot "
            "go on with these."
        )
    if record.status == "finished" and record.step < record.total_steps:
        raise ValueError("This run says that it is finished, and that steps are left.")
    history = _history(record, tensors, run)
    weights = _part("model", tensors, run.weights())
    state = _part("optimiser", tensors, run.optimiser_state())
    if record.status != "failed":  # after a failure the weights may be NaN, and are not trained
        for name, tensor in weights.items():
            if not torch.isfinite(tensor).all():
                raise ValueError(f"The weights of {quoted(name)} are not finite numbers.")
        if "steps" in state and int(state["steps"]) != record.step:
            raise ValueError("The optimiser has taken other steps than the run.")
    run.restore(history, weights, state)
    return run


def _part(kind: str, tensors: dict[str, Tensor], own: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return a checkpoint's tensors of one kind; ValueError unless they fit the run's."""
    part = {n.removeprefix(f"{kind}."): t for n, t in tensors.items() if n.startswith(f"{kind}.")}
    expected = {name: torch.as_tensor(tensor) for name, tensor in own.items()}
    if {n: (t.shape, t.dtype) for n, t in part.items()} != {
        n: (t.shape, t.dtype) for n, t in expected.items()
    }:
        raise ValueError(
            f"The checkpoint's tensors for the {kind} have other names, shapes or types than its "
            "settings ask for."
        )
    return part


def _history(record: RunRecord, tensors: dict[str, Tensor], run: TrainingRun) -> History:
    history, step = run.history, record.step
    for name, array in (("losses", history.losses), ("seconds", history.seconds)):
        tensor = tensors.get(f"history.{name}")
        if tensor is None or tensor.shape != (step,) or tensor.dtype != torch.float32:
            raise ValueError(f"The history's {name} must be {step:,} numbers, one for each step.")
        if record.status != "failed" and not torch.isfinite(tensor).all():
            raise ValueError(f"The history's {name} must be finite numbers.")
        array[:step] = tensor.numpy()
    rates = list(record.learning_rates)
    for _, rate in rates:
        check_learning_rate(rate)
    if not _in_order([metrics.step for metrics in record.epoch_metrics], 1, step):
        raise ValueError("The epoch metrics must be of steps that were taken, in order.")
    if not rates or not _in_order([s for s, _ in rates], 0, step) or rates[0][0] != 0:
        raise ValueError("The learning rates must begin at step 0 and be in order.")
    history.learning_rates, history.epoch_metrics = rates, list(record.epoch_metrics)
    history.step, history.training_s = step, record.training_s
    return history


def _in_order(steps: list[int], first: int, last: int) -> bool:
    """Return whether step numbers increase within bounds."""
    within = all(first <= step <= last for step in steps)
    return within and all(a < b for a, b in itertools.pairwise(steps))
