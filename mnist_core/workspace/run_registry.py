"""The runs of all visitors, in memory and on the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from mnist_core.common.files import new_id
from mnist_core.data.datasets import Dataset, DatasetUnavailableError
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.finetuning import FineTuning
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
from mnist_core.workspace.run_record import FROM_A_FILE, Kind, Origin, RunRecord
from mnist_core.workspace.store import WorkspaceStore

__all__ = ["RUNS_PER_WORKSPACE", "RunRegistry", "RunUnavailableError", "WorkspaceRuns"]

RUNS_PER_WORKSPACE = 50  # a table of them stays readable; the oldest ended run is deleted first
_MOST_THREADS, _LONGEST_REASON = 2, 1_000  # that an uploaded file may ask for; characters
INTERRUPTED = (
    "It was interrupted: the server stopped while this run was training. Everything up to its last "
    "save is here, and Resume continues from there."
)


class RunUnavailableError(Exception):
    """A run cannot be opened; the message says why."""


class RunRegistry:
    """The runs of all workspaces; `of` returns those of one.

    Parameters
    ----------
    queue : TrainingQueue
    store : WorkspaceStore
    load_dataset : callable
        Takes a data set's name; raises DatasetUnavailableError if it is not on this machine.
    """

    def __init__(
        self,
        queue: TrainingQueue,
        store: WorkspaceStore,
        load_dataset: Callable[[str], Dataset],
    ) -> None:
        self.queue, self.store, self.load_dataset = queue, store, load_dataset
        self.opening = threading.Lock()  # one run is opened at a time, so none is opened twice

    def of(self, workspace_id: str) -> WorkspaceRuns:
        """Return the runs of one workspace."""
        return WorkspaceRuns(self, workspace_id)


class WorkspaceRuns:
    """The runs of one workspace: starts them, finds them again and saves them.

    Attributes
    ----------
    id : str
        The workspace's id.
    """

    def __init__(self, registry: RunRegistry, workspace_id: str) -> None:
        self.id, self._registry = workspace_id, registry
        self._queue, self._store = registry.queue, registry.store

    def start(self, config: TrainingConfig, dataset: Dataset) -> Job[TrainingRun]:
        """Create a run, paused, and save it.

        Raises
        ------
        ValueError
            If the settings do not fit the data set.
        """
        return self._add(TrainingRun(config, dataset), _new_record("run", dataset))

    def start_race(self, config: TrainingConfig, dataset: Dataset) -> Job[Race]:
        """Create a race of both engines, paused, and save it; see `start`."""
        return self._add(Race.of(config, dataset), _new_record("race", dataset))

    def open(self, run_id: str) -> Job:
        """Return a run of this workspace, from memory or else from its folder.

        A run that was going when the server ended is paused, and its reason says so.

        Raises
        ------
        RunUnavailableError
            If there is no such run, it is damaged, or its data set is not on this machine.
        """
        job = self.live(run_id)
        if job is not None:
            return job
        with self._registry.opening:
            try:
                return self._hold(*self._read(run_id))
            except FileNotFoundError as error:
                raise RunUnavailableError("This run is not on the server any more.") from error
            except (OSError, ValueError) as error:
                raise RunUnavailableError(f"This run cannot be opened: {error}") from error
            except DatasetUnavailableError as error:
                raise RunUnavailableError(
                    f"This run needs its data set, which cannot be used now: {error}"
                ) from error

    def import_file(self, data: bytes, dataset: Dataset) -> Job[TrainingRun]:
        """Add a run or weights from an uploaded file.

        Parameters
        ----------
        data : bytes
            A run's folder as a zip file, its checkpoint, or weights as safetensors.
        dataset : Dataset
            What to try weights on: their file does not name the data they were trained on.

        Raises
        ------
        ValueError
            If it is anything else, damaged, or not for the data on this machine.
        """
        parcel = unpack(data)
        if parcel.weights:
            return self._add(*_run_around(parcel.weights, dataset, FROM_A_FILE, "imported"))
        record, tensors = parse_checkpoint(parcel.checkpoint)
        threads, reason = min(record.threads, _MOST_THREADS), record.reason[:_LONGEST_REASON]
        record = replace(record, threads=threads, reason=reason)
        try:
            run = self._restored(record, tensors)
        except DatasetUnavailableError as error:
            raise ValueError(f"This run needs data that is not here: {error}") from error
        record = replace(record, id=new_id(), kind="run", created=time.time())
        run.unsaved_snapshots = [_snapshot(run, *s) for s in sorted(parcel.snapshots.items())]
        return self._add(run, record)

    def save_weights(self, weights: dict[str, Tensor], dataset: Dataset, reason: str) -> Job:
        """Save weights that were tuned on drawings as a run that has ended, without a history.

        Parameters
        ----------
        dataset : Dataset
            What to try them on.
        reason : str
            Where they come from, a sentence.

        Raises
        ------
        ValueError
            If they fit no known architecture, or are not finite numbers.
        """
        return self._add(*_run_around(weights, dataset, reason, "tuned"))

    def begin_tuning(self, tuning: FineTuning) -> Job[FineTuning]:
        """Queue a tuning; its result becomes a run when it finishes.

        A workspace has one tuning at a time. One that has not ended is resumed instead; one that
        has ended is replaced.
        """
        before = self.tuning()
        if before is not None and not before.ended:
            before.resume()
            return before
        if before is not None:
            self._queue.forget(before)

        def save(job: Job) -> None:
            if job.status == "finished" and not tuning.saved_as:
                weights = tuning.snapshot.weights
                tuning.saved_as = self.save_weights(weights, tuning.dataset, tuning.reason).id

        job = self._queue.create(self.id, tuning, save)
        job.resume()
        return job

    def tuning(self) -> Job[FineTuning] | None:
        """Return the tuning that this workspace began last, if it is in memory."""
        jobs = (job for job in self._queue.of(self.id) if isinstance(job.run, FineTuning))
        return next(jobs, None)

    def records(self) -> list[RunRecord]:
        """Return the current records of all runs, the newest first.

        Races are left out, and runs with settings that this version does not know.
        """
        return [
            self._current(record)
            for record in self._store.runs(self.id)
            if record.kind == "run" and _is_known(record)
        ]

    def _current(self, record: RunRecord) -> RunRecord:
        job = self.live(record.id)
        if job is not None:
            return record_of(job.run, record, job.status, job.reason)
        status, reason = _at_rest(record)
        return replace(record, status=status, reason=reason)

    def live(self, run_id: str) -> Job | None:
        """Return a run of this workspace if it is in memory."""
        job = self._queue.get(run_id)
        return job if job is not None and job.owner == self.id else None

    def newest(self, kind: Kind = "run") -> str | None:
        """Return the id of the newest "run" or "race", if there is one.

        One that could not be saved comes first: it is in no folder to be found by.
        """
        saved = [r.id for r in self._store.runs(self.id) if r.kind == kind]
        for job in self._queue.of(self.id):
            wanted = isinstance(job.run, Race if kind == "race" else TrainingRun)
            if job.problem and job.id not in saved and wanted:
                return job.id
        return saved[0] if saved else None

    def watch(self) -> None:
        """Note that the visitor is here: an unwatched run is paused after a while."""
        for job in self._queue.of(self.id):
            job.watch()

    def folder(self, run_id: str) -> RunFolder:
        return RunFolder(self._store.run_folder(self.id, run_id))

    def remove(self, run_id: str) -> None:
        """Stop a run and delete it."""
        job = self.live(run_id)
        if job is not None:
            self._queue.forget(job)
        self._store.remove(self.id, run_id)

    def _add(self, run: TrainingRun | Race, record: RunRecord) -> Job:
        self._make_room(record.kind)
        job = self._hold(run, record)
        job.save()
        return job

    def _hold(self, run: TrainingRun | Race, record: RunRecord) -> Job:
        """Give a run that no worker drives to the queue."""
        save, (status, reason) = self._saver(record), _at_rest(record)
        return self._queue.create(
            self.id, run, save, job_id=record.id, status=status, reason=reason
        )

    def _saver(self, record: RunRecord) -> Callable[[Job], None]:
        """Return a function that writes a job into its folder, a race's lanes into subfolders."""
        whole = self.folder(record.id)
        lanes = {name: RunFolder(whole.folder / name) for name in ("autograd", "numpy")}

        def save(job: Job) -> None:
            state = job.status, job.reason
            if isinstance(job.run, Race):
                for name, lane in job.run.lanes.items():
                    lanes[name].write(lane, record_of(lane, record, *state))
                whole.write_record(record_of(job.run.lanes["autograd"], record, *state))
            else:
                whole.write(job.run, record_of(job.run, record, *state))

        return save

    def _read(self, run_id: str) -> tuple[TrainingRun | Race, RunRecord]:
        whole = self.folder(run_id)
        record = whole.read_record()
        if record.kind == "race":
            lanes = ("autograd", "numpy")
            runs = {n: self._restored(*RunFolder(whole.folder / n).read()) for n in lanes}
            return Race(runs), record
        record, tensors = whole.read()
        return self._restored(record, tensors), record

    def _restored(self, record: RunRecord, tensors: dict[str, Tensor]) -> TrainingRun:
        config = TrainingConfig.from_json(record.config)
        return restored(record, tensors, self._registry.load_dataset(config.dataset))

    def _make_room(self, kind: Kind) -> None:
        """Delete the oldest ended runs of this kind beyond its limit, and any beyond the disk's."""
        most = RUNS_PER_WORKSPACE if kind == "run" else 1
        in_use = self._queue.in_use()
        saved = [r.id for r in self._store.runs(self.id) if r.kind == kind]
        idle = [run_id for run_id in reversed(saved) if run_id not in in_use]
        for run_id in idle[: max(0, len(saved) - (most - 1))]:
            self.remove(run_id)
        self._store.make_room(in_use)


def _new_record(kind: Kind, dataset: Dataset) -> RunRecord:
    return RunRecord(new_id(), kind, created=time.time(), data=fingerprint(dataset))


def _is_known(record: RunRecord) -> bool:
    try:
        TrainingConfig.from_json(record.config)
    except ValueError:
        return False
    return True


def _at_rest(record: RunRecord) -> tuple[Status, str]:
    """Return the status and reason of a run that no worker drives."""
    if record.status in ACTIVE:
        return "paused", INTERRUPTED
    return record.status, record.reason


def _run_around(
    weights: dict[str, Tensor], dataset: Dataset, reason: str, origin: Origin
) -> tuple[TrainingRun, RunRecord]:
    """Return a run that has these weights and no history, and its record."""
    config = TrainingConfig(dataset.name, architecture_of(weights))
    run = TrainingRun(config, dataset)
    run.restore(run.history, weights, run.optimiser_state())
    record = _new_record("run", dataset)
    return run, replace(record, status="stopped", reason=reason, origin=origin)


def _snapshot(run: TrainingRun, step: int, data: bytes) -> Snapshot:
    weights, _ = safe_tensors(data)
    if step > run.history.step or architecture_of(weights) != run.config.architecture:
        raise ValueError(f"The snapshot of step {step:,} does not belong to this run.")
    return Snapshot(step, weights)
