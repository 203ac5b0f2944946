"""The runs of all visitors: those in memory, and those that rest in their folders."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from torch import Tensor

from mnist_core.common.files import new_id
from mnist_core.data.datasets import Dataset, DatasetUnavailableError
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.history import Snapshot
from mnist_core.training.job import Job
from mnist_core.training.queue import TrainingQueue
from mnist_core.training.race import Race
from mnist_core.training.run import TrainingRun
from mnist_core.training.status import ACTIVE, Status
from mnist_core.workspace.archive import architecture_of, unpack
from mnist_core.workspace.checkpoints import (
    RunFolder,
    fingerprint,
    parse_checkpoint,
    record_of,
    restored,
    safe_tensors,
)
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.store import WorkspaceStore

__all__ = ["RUNS_PER_WORKSPACE", "RunRegistry", "RunUnavailableError"]

RUNS_PER_WORKSPACE = 50  # so that a table of them can be read; the oldest ended one goes first
_MOST_THREADS, _LONGEST_REASON = 2, 1_000  # that a file from elsewhere may ask for; characters
FROM_A_FILE = "Weights from a file, as they came."
INTERRUPTED = (
    "It was interrupted: the server ended while this run was going. Everything up to its last "
    "write is here, and Resume carries on as if nothing had happened."
)


class RunUnavailableError(Exception):
    """A run cannot be opened; the message says why."""


class RunRegistry:
    """Starts runs, finds them again, and keeps them written down.

    Parameters
    ----------
    jobs : TrainingQueue
    workspaces : WorkspaceStore
    load_dataset : callable
        Takes a data set's name; raises DatasetUnavailableError if it is not on this machine.
    """

    def __init__(
        self,
        jobs: TrainingQueue,
        workspaces: WorkspaceStore,
        load_dataset: Callable[[str], Dataset],
    ) -> None:
        self.jobs, self.workspaces, self._load_dataset = jobs, workspaces, load_dataset
        self._opening = threading.Lock()

    def start(self, workspace: str, config: TrainingConfig, dataset: Dataset) -> Job:
        """Make a new run and write it down; it waits, paused.

        Raises
        ------
        ValueError
            If the settings do not fit the data set.
        """
        run = TrainingRun(config, dataset)
        return self._register(workspace, run, _new_record("run", dataset))

    def start_race(self, workspace: str, config: TrainingConfig, dataset: Dataset) -> Job:
        """Make a race of both engines instead of a run; see `start`."""
        return self._register(workspace, Race.of(config, dataset), _new_record("race", dataset))

    def _register(self, workspace: str, run: TrainingRun | Race, record: RunRecord) -> Job:
        self._make_room(workspace)
        job = self.jobs.create(workspace, run, self._keeper(workspace, record), job_id=record.id)
        job.write_down()
        return job

    def _keeper(self, workspace: str, record: RunRecord) -> Callable[[Job], None]:
        """Return what writes a job into its folder, each lane of a race into one of its own."""
        folder = self.workspaces.run_folder(workspace, record.id)
        whole = RunFolder(folder)
        lanes = {name: RunFolder(folder / name) for name in ("autograd", "numpy")}

        def keep(job: Job) -> None:
            if isinstance(job.run, Race):
                for name, lane in job.run.lanes.items():
                    lanes[name].write(lane, record_of(lane, record, job.status, job.reason))
                whole.write_record(
                    record_of(job.run.lanes["autograd"], record, job.status, job.reason)
                )
            elif isinstance(job.run, TrainingRun):
                whole.write(job.run, record_of(job.run, record, job.status, job.reason))

        return keep

    def open(self, workspace: str, run_id: str) -> Job:
        """Return a run of this workspace, out of its folder if it is not in memory.

        A run that was going when the server ended comes back paused, with that as the reason.

        Raises
        ------
        RunUnavailableError
            If there is no such run, it is damaged, or its data set is not here; the message says.
        """
        job = self.jobs.get(run_id)
        if job is not None and job.owner == workspace:
            return job
        with self._opening:
            try:
                return self._take_up(workspace, run_id)
            except FileNotFoundError as error:
                raise RunUnavailableError("This run is not on the server any more.") from error
            except (OSError, ValueError) as error:
                raise RunUnavailableError(f"This run cannot be opened: {error}") from error
            except DatasetUnavailableError as error:
                raise RunUnavailableError(
                    f"This run needs its data set, which cannot be used now: {error}"
                ) from error

    def _take_up(self, workspace: str, run_id: str) -> Job:
        folder = self.workspaces.run_folder(workspace, run_id)
        record = RunFolder(folder).read_record()
        run: TrainingRun | Race
        if record.kind == "race":
            lanes = {}
            for name in ("autograd", "numpy"):
                lanes[name] = self._restore(*RunFolder(folder / name).read())
            run = Race(lanes)
        else:
            record, tensors = RunFolder(folder).read()
            run = self._restore(record, tensors)
        return self._take_in(workspace, run, record)

    def _restore(self, record: RunRecord, tensors: dict) -> TrainingRun:
        config = TrainingConfig.from_json(record.config)
        return restored(record, tensors, self._load_dataset(config.dataset))

    def _take_in(self, workspace: str, run: TrainingRun | Race, record: RunRecord) -> Job:
        status, reason = _at_rest(record)
        return self.jobs.create(
            workspace,
            run,
            self._keeper(workspace, record),
            job_id=record.id,
            status=status,
            reason=reason,
        )

    def bring_in(self, workspace: str, data: bytes, dataset: Dataset) -> Job:
        """Take a run or weights that were downloaded here or elsewhere into a workspace.

        Parameters
        ----------
        data : bytes
            A run's folder as a zip file, its checkpoint, or weights as safetensors.
        dataset : Dataset
            What to try weights on, which do not say what they were trained on.

        Raises
        ------
        ValueError
            If it is anything else, damaged, or not for the data that is here; the message says.
        """
        parcel = unpack(data)
        if parcel.weights:
            return self.keep_weights(workspace, parcel.weights, dataset, FROM_A_FILE)
        record, tensors = parse_checkpoint(parcel.checkpoint)
        threads, reason = min(record.threads, _MOST_THREADS), record.reason[:_LONGEST_REASON]
        record = replace(record, threads=threads, reason=reason)
        try:
            run = self._restore(record, tensors)
        except DatasetUnavailableError as error:
            raise ValueError(f"This run needs data that is not here: {error}") from error
        record = replace(record, id=new_id(), kind="run", created=time.time())
        run.moments = [_moment(run, step, d) for step, d in sorted(parcel.moments.items())]
        return self._keep(workspace, run, record)

    def keep_weights(
        self, workspace: str, weights: dict[str, Tensor], dataset: Dataset, reason: str
    ) -> Job:
        """Keep weights that were not trained here as a run that has ended, without a history.

        Parameters
        ----------
        dataset : Dataset
            What to try them on.
        reason : str
            Where they come from, a sentence.

        Raises
        ------
        ValueError
            If they are of no architecture that is known, or no numbers.
        """
        run, record = _run_around(weights, dataset, reason)
        return self._keep(workspace, run, record)

    def _keep(self, workspace: str, run: TrainingRun, record: RunRecord) -> Job:
        self._make_room(workspace)
        job = self._take_in(workspace, run, record)
        job.write_down()
        return job

    def records(self, workspace: str) -> list[RunRecord]:
        """Return all runs of a workspace as they stand, the newest first.

        Races are left out, and runs whose settings are not known here (of another version, say).
        """
        live = {job.id: job for job in self.jobs.of(workspace)}
        records = []
        for record in self.workspaces.runs(workspace):
            job = live.get(record.id)
            if record.kind != "run" or not _is_known(record):
                continue
            if job and isinstance(job.run, TrainingRun):
                records.append(record_of(job.run, record, job.status, job.reason))
            else:
                status, reason = _at_rest(record)
                records.append(replace(record, status=status, reason=reason))
        return records

    def look(self, workspace: str) -> None:
        """Note that somebody of this workspace is here: its runs are not paused as unwatched."""
        for job in self.jobs.of(workspace):
            job.look()

    def newest(self, workspace: str, kind: str = "run") -> str | None:
        """Return the id of a workspace's newest run or race, if it has any.

        One that could not be written down comes first, or nobody would find it again.
        """
        kept = [r.id for r in self.workspaces.runs(workspace) if r.kind == kind]
        for job in self.jobs.of(workspace):
            wanted = isinstance(job.run, Race if kind == "race" else TrainingRun)
            if job.trouble and job.id not in kept and wanted:
                return job.id
        return kept[0] if kept else None

    def folder(self, workspace: str, run_id: str) -> RunFolder:
        return RunFolder(self.workspaces.run_folder(workspace, run_id))

    def remove(self, workspace: str, run_id: str) -> None:
        """Stop a run of this workspace and delete it."""
        job = self.jobs.get(run_id)
        if job is not None and job.owner == workspace:
            self.jobs.forget(job)
        self.workspaces.remove(workspace, run_id)

    def _make_room(self, workspace: str) -> None:
        """Keep the disk within its limit, and the workspace within a number of runs."""
        in_use = self.jobs.in_use()
        for kind, most in (("run", RUNS_PER_WORKSPACE), ("race", 1)):
            kept = [r.id for r in self.workspaces.runs(workspace) if r.kind == kind]
            idle = [run_id for run_id in reversed(kept) if run_id not in in_use]
            for run_id in idle[: max(0, len(kept) - (most - 1))]:
                self.remove(workspace, run_id)
        self.workspaces.make_room(in_use)


def _new_record(kind: str, dataset: Dataset) -> RunRecord:
    return RunRecord(new_id(), kind, created=time.time(), data=fingerprint(dataset))


def _is_known(record: RunRecord) -> bool:
    try:
        TrainingConfig.from_json(record.config)
    except ValueError:
        return False
    return True


def _at_rest(record: RunRecord) -> tuple[Status, str]:
    """Return the status and reason of a run that no worker has: it cannot be going."""
    if record.status in ACTIVE:
        return "paused", INTERRUPTED
    return cast(Status, record.status), record.reason


def _run_around(
    weights: dict[str, Tensor], dataset: Dataset, reason: str
) -> tuple[TrainingRun, RunRecord]:
    """Return a run that has these weights and no history, and its record."""
    config = TrainingConfig(dataset.name, architecture_of(weights))
    run = TrainingRun(config, dataset)
    run.restore(run.history, weights, run.memory())
    return run, replace(_new_record("run", dataset), status="stopped", reason=reason)


def _moment(run: TrainingRun, step: int, data: bytes) -> Snapshot:
    weights, _ = safe_tensors(data)
    if step > run.history.step or architecture_of(weights) != run.config.architecture:
        raise ValueError(f"The weights kept for step {step:,} do not belong to this run.")
    return Snapshot(step, weights)
