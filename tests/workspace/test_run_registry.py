"""Runs of all visitors: started, reopened after a restart, raced, imported and removed."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import pytest
from safetensors.torch import save

from mnist_core.common.files import write_atomically
from mnist_core.data.datasets import DatasetUnavailableError
from mnist_core.nn import architectures
from mnist_core.training import queue as queue_module
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.queue import TrainingQueue
from mnist_core.training.race import Race
from mnist_core.training.status import ENDED
from mnist_core.workspace import checkpoints
from mnist_core.workspace import run_registry as registry_module
from mnist_core.workspace.archive import pack
from mnist_core.workspace.checkpoints import RunFolder
from mnist_core.workspace.run_registry import RunRegistry, RunUnavailableError
from mnist_core.workspace.store import WorkspaceStore
from tests.small_data import random_images, tiny_dataset
from tests.training.test_queue import Gate, wait_at_rest, wait_for, wait_for_status

DATASET = tiny_dataset()
ADA, BOB = "A" * 22, "B" * 22
SHORT = TrainingConfig("digits", batch_size=8, epochs=2)  # 16 steps, 8 an epoch
LONG = replace(SHORT, batch_size=1, epochs=15_000)


def config_of(**changes):
    return replace(SHORT, **changes)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def make_registry():
    """Create registries over a folder; at the end stop their jobs."""
    made = []

    def make(root, load_dataset=lambda _: DATASET):
        made.append(RunRegistry(TrainingQueue(1), WorkspaceStore(root, 10**12), load_dataset))
        return made[-1]

    yield make
    for registry in made:
        for job in registry.queue.jobs():
            job.stop()
            wait_for(lambda job=job: job.ended and not job.is_busy, "its end")


@pytest.fixture
def registry(make_registry, root):
    return make_registry(root)


def finished(registry, workspace=ADA, **changes):
    job = registry.of(workspace).start(config_of(**changes), DATASET)
    job.resume()
    wait_at_rest(job, "finished")
    return job


def paused_at(registry, step, workspace=ADA, **changes):
    job = registry.of(workspace).start(config_of(**changes), DATASET)
    job.run_to(step)
    wait_at_rest(job, "paused")
    return job


def model_bytes(run):
    return save({name: t.contiguous() for name, t in run.model.state_dict().items()})


def files_below(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


# Starting and reopening


def test_a_new_run_is_paused_and_saved(registry, root):
    job = registry.of(ADA).start(SHORT, DATASET)
    assert (job.status, job.owner, job.problem) == ("paused", ADA, "")
    assert job.run.threads == 1
    folder = root / ADA / "runs" / job.id
    assert files_below(folder) == {
        "run.json",
        "history.csv",
        "checkpoint.safetensors",
        "moments/00000000.safetensors",
    }
    assert registry.of(ADA).newest() == job.id
    assert registry.of(ADA).open(job.id) is job
    assert registry.of(ADA).folder(job.id).read_record().config == SHORT.to_json()


def test_settings_that_do_not_fit_the_data_save_nothing(registry, root):
    with pytest.raises(ValueError, match="at most the 64 training images"):
        registry.of(ADA).start(config_of(batch_size=65), DATASET)
    assert not root.exists()
    assert registry.queue.of(ADA) == []


@pytest.mark.parametrize("status", ["paused", "finished", "stopped", "failed"])
def test_a_run_survives_a_restart(make_registry, registry, root, status):
    job = registry.of(ADA).start(
        config_of(learning_rate=1e9 if status == "failed" else 0.01), DATASET
    )
    if status in ("paused", "stopped"):
        job.run_to(5)
        wait_at_rest(job, "paused")
    if status == "stopped":
        job.stop()
    if status in ("finished", "failed"):
        job.resume()
    wait_at_rest(job, status)

    again = make_registry(root).of(ADA).open(job.id)

    assert again is not job
    assert (again.id, again.status, again.reason) == (job.id, status, job.reason)
    step = job.run.history.step
    assert again.run.history.step == step
    assert again.run.history.losses[:step].tobytes() == job.run.history.losses[:step].tobytes()
    assert bool(again.reason) == (status == "failed")
    again.resume()
    if status == "paused":
        wait_at_rest(again, "finished")
    else:
        assert (again.status, again.run.history.step) == (status, step)


def test_a_learning_rate_chosen_in_a_pause_survives_a_restart(make_registry, registry, root):
    job = paused_at(registry, 5)
    job.set_learning_rate(0.5)
    again = make_registry(root).of(ADA).open(job.id)
    assert again.run.history.learning_rates == [(0, 0.01), (5, 0.5)]


def test_a_dropped_run_is_read_from_the_disk(registry, monkeypatch):
    job = paused_at(registry, 5)
    monkeypatch.setattr(queue_module, "JOBS_IN_ALL", 1)
    registry.of(BOB).start(SHORT, DATASET)
    assert registry.queue.get(job.id) is None
    again = registry.of(ADA).open(job.id)
    assert again is not job
    assert (again.status, again.run.history.step) == ("paused", 5)


# Killed during training


KINDS = {
    "SGD": {"architecture": "mlp"},
    "momentum": {"architecture": "mlp", "optimiser": "SGD with momentum"},
    "one cycle, augmented": {
        "architecture": "cnn",
        "optimiser": "AdamW",
        "learning_rate": 0.005,
        "schedule": "one-cycle",
        "augment": True,
    },
    "numpy": {"architecture": "mlp", "engine": "numpy"},
}


def killed_while_running(registry, root, copy, monkeypatch, **changes):
    """Copy the folder as a killed server leaves it: during a run, after a save."""
    monkeypatch.setattr(queue_module, "SAVE_EVERY_S", -1.0)  # written after the first advance
    job = registry.of(ADA).start(config_of(**changes), DATASET)
    job.run_to(3)
    wait_at_rest(job, "paused")
    advance, gate = job.run.advance, None

    def advance_once(*args):
        nonlocal gate
        advance(*args)
        if gate is None:
            gate = Gate(job.run)  # the next one waits

    job.run.advance = advance_once
    job.resume()
    wait_for(lambda: gate is not None, "the first advance")
    gate.wait_until_reached()
    shutil.copytree(root, copy)
    gate.open()
    return job


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_and_resumed_run_ends_bit_for_bit_like_an_uninterrupted_one(
    make_registry, registry, root, tmp_path, monkeypatch, kind
):
    job = killed_while_running(registry, root, tmp_path / "copy", monkeypatch, **KINDS[kind])
    record = json.loads((tmp_path / "copy" / ADA / "runs" / job.id / "run.json").read_text())
    assert record["status"] == "running"
    assert 3 < record["step"] < 16

    after = make_registry(tmp_path / "copy")
    again = after.of(ADA).open(job.id)
    assert (again.status, again.run.history.step) == ("paused", record["step"])
    assert "interrupted" in again.reason
    again.resume()
    assert again.reason == ""
    wait_at_rest(again, "finished")

    uninterrupted = finished(make_registry(tmp_path / "other"), **KINDS[kind]).run
    assert model_bytes(again.run) == model_bytes(uninterrupted)
    assert again.run.history.losses.tobytes() == uninterrupted.history.losses.tobytes()
    assert again.run.history.epoch_metrics == uninterrupted.history.epoch_metrics

    wait_at_rest(job, "finished")  # the run that was not killed
    assert model_bytes(job.run) == model_bytes(uninterrupted)
    assert files_below(root) == files_below(tmp_path / "copy")
    last = make_registry(tmp_path / "copy").of(ADA).open(job.id)
    assert model_bytes(last.run) == model_bytes(uninterrupted)


def test_a_killed_run_is_listed_as_interrupted_before_it_is_opened(
    make_registry, registry, root, tmp_path, monkeypatch
):
    job = killed_while_running(registry, root, tmp_path / "copy", monkeypatch)
    after = make_registry(tmp_path / "copy")
    (record,) = after.of(ADA).records()
    assert (record.id, record.status) == (job.id, "paused")
    assert "interrupted" in record.reason


def test_a_run_that_was_queued_when_the_server_ended_is_paused(registry, make_registry, root):
    job = paused_at(registry, 5)
    folder = registry.of(ADA).folder(job.id)
    folder.write(job.run, replace(folder.read_record(), status="queued"))
    again = make_registry(root).of(ADA).open(job.id)
    assert (again.status, again.run.history.step) == ("paused", 5)
    assert "interrupted" in again.reason


# What cannot be opened


def why_not(registry, workspace, run_id):
    with pytest.raises(RunUnavailableError) as caught:
        registry.of(workspace).open(run_id)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    assert message.endswith(".")
    return message


def test_another_workspace_s_run_is_not_opened(registry, make_registry, root):
    job = registry.of(ADA).start(SHORT, DATASET)
    assert why_not(registry, BOB, job.id) == "This run is not on the server any more."
    assert why_not(make_registry(root), BOB, job.id) == "This run is not on the server any more."
    assert registry.of(ADA).open(job.id) is job
    assert files_below(root / ADA)
    assert not (root / BOB).exists()


@pytest.mark.parametrize("bad", ["", "..", "../" + ADA, "x" * 10_000, "ä" * 22])
def test_a_wrong_id_is_refused(registry, bad):
    job = registry.of(ADA).start(SHORT, DATASET)
    assert "expected a run's id" in why_not(registry, ADA, bad)
    assert "expected a workspace's id" in why_not(registry, bad, job.id)


@pytest.mark.parametrize("name", ["run.json", "checkpoint.safetensors"])
@pytest.mark.parametrize("damage", [None, b"", b"\xff" * 500, b"{}"])
def test_a_damaged_run_is_refused_and_the_others_open(registry, make_registry, root, name, damage):
    job, other = registry.of(ADA).start(SHORT, DATASET), registry.of(ADA).start(SHORT, DATASET)
    path = root / ADA / "runs" / job.id / name
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    after = make_registry(root)
    message = why_not(after, ADA, job.id)
    assert message.startswith("This run is not on" if damage is None else "This run cannot be")
    assert after.of(ADA).open(other.id).status == "paused"


def test_a_run_without_its_data_set_names_it(registry, make_registry, root):
    job = registry.of(ADA).start(SHORT, DATASET)

    def missing(name):
        raise DatasetUnavailableError(f"No files of {name} here.")

    message = why_not(make_registry(root, missing), ADA, job.id)
    assert "needs its data set" in message
    assert "No files of digits here." in message
    assert make_registry(root).of(ADA).open(job.id).status == "paused"


def test_a_run_on_other_images_is_not_opened(registry, make_registry, root):
    job = registry.of(ADA).start(SHORT, DATASET)
    other = replace(DATASET, train_images=random_images(64, seed=9))
    message = why_not(make_registry(root, lambda _: other), ADA, job.id)
    assert "saw other images than the Noise that is here now" in message


# The list of runs


def test_the_list_has_live_runs_and_saved_ones(registry, make_registry, root, monkeypatch):
    monkeypatch.setattr(queue_module, "SAVE_EVERY_S", 1e9)
    resting = finished(registry)
    live = registry.of(ADA).start(LONG, DATASET)
    registry.of(BOB).start(SHORT, DATASET)
    live.resume()
    wait_for(lambda: live.run.history.step > 0, "the first step")

    first, second = registry.of(ADA).records()

    assert (first.id, second.id) == (live.id, resting.id)
    assert (first.status, second.status) == ("running", "finished")
    assert first.step > 0
    assert second.step == 16
    assert second.test_accuracy == resting.run.history.epoch_metrics[-1].test_accuracy
    assert second.config == SHORT.to_json()
    (at_rest,) = (r for r in make_registry(root).of(ADA).records() if r.id == live.id)
    assert (at_rest.status, at_rest.step) == ("paused", 0)  # as in its folder


def test_a_workspace_without_runs_has_an_empty_list(registry):
    assert registry.of(ADA).records() == []
    assert registry.of(ADA).newest() is None


def test_the_newest_run_is_not_the_newest_race(registry):
    first = registry.of(ADA).start(SHORT, DATASET)
    race = registry.of(ADA).start_race(SHORT, DATASET)
    assert (registry.of(ADA).newest(), registry.of(ADA).newest("race")) == (first.id, race.id)
    second = registry.of(ADA).start(SHORT, DATASET)
    assert registry.of(ADA).newest() == second.id
    assert [record.id for record in registry.of(ADA).records()] == [second.id, first.id]
    assert registry.of(BOB).newest() is None


def test_watching_a_workspace_counts_for_all_its_runs_and_no_other(registry):
    mine = [registry.of(ADA).start(SHORT, DATASET), registry.of(ADA).start_race(SHORT, DATASET)]
    theirs = registry.of(BOB).start(SHORT, DATASET)
    for job in (*mine, theirs):
        job.watched = -math.inf
    registry.of(ADA).watch()
    assert all(job.watched > -math.inf for job in mine)
    assert theirs.watched == -math.inf


# Removing


def test_a_removed_run_is_gone_from_memory_and_disk(registry, root):
    job, other = finished(registry), registry.of(ADA).start(SHORT, DATASET)
    registry.of(ADA).remove(job.id)
    assert registry.queue.get(job.id) is None
    assert [record.id for record in registry.of(ADA).records()] == [other.id]
    assert why_not(registry, ADA, job.id) == "This run is not on the server any more."
    registry.of(ADA).remove(job.id)  # a second click


def test_a_run_removed_during_training_is_not_saved_again(registry, root, monkeypatch):
    monkeypatch.setattr(queue_module, "SAVE_EVERY_S", -1.0)
    job = registry.of(ADA).start(SHORT, DATASET)
    gate = Gate(job.run)
    job.resume()
    gate.wait_until_reached()

    registry.of(ADA).remove(job.id)
    gate.open()

    wait_at_rest(job, "stopped")
    assert files_below(root) == set()
    job.resume()  # by a button of a page drawn before
    assert job.status == "stopped"


def test_another_workspace_s_run_is_not_removed(registry):
    job = registry.of(ADA).start(SHORT, DATASET)
    registry.of(BOB).remove(job.id)
    assert registry.of(ADA).open(job.id) is job
    assert job.status == "paused"
    assert [record.id for record in registry.of(ADA).records()] == [job.id]


def test_the_oldest_ended_runs_of_a_workspace_are_deleted(registry, monkeypatch):
    monkeypatch.setattr(registry_module, "RUNS_PER_WORKSPACE", 3)
    theirs = finished(registry, BOB)
    ids = [finished(registry).id for _ in range(5)]
    assert [record.id for record in registry.of(ADA).records()] == ids[:1:-1]
    assert registry.queue.get(ids[0]) is None
    assert [record.id for record in registry.of(BOB).records()] == [theirs.id]


def test_runs_in_use_are_not_deleted_for_a_new_one(registry, monkeypatch):
    monkeypatch.setattr(registry_module, "RUNS_PER_WORKSPACE", 2)
    oldest = registry.of(ADA).start(SHORT, DATASET)  # paused
    finished(registry)
    newest = registry.of(ADA).start(SHORT, DATASET)
    assert [record.id for record in registry.of(ADA).records()] == [newest.id, oldest.id]
    third = registry.of(ADA).start(SHORT, DATASET)  # nothing can be deleted
    assert [record.id for record in registry.of(ADA).records()] == [third.id, newest.id, oldest.id]


def test_the_oldest_ended_run_is_deleted_when_the_disk_is_full(registry):
    oldest, paused = finished(registry), registry.of(ADA).start(SHORT, DATASET)
    registry.store.limit_bytes = 1
    newest = registry.of(BOB).start(SHORT, DATASET)
    assert [record.id for record in registry.of(ADA).records()] == [paused.id]
    assert [record.id for record in registry.of(BOB).records()] == [newest.id]
    assert registry.store.remembered(ADA)["removed"] == 1
    assert registry.of(ADA).folder(oldest.id).folder.exists() is False


def test_a_run_trains_on_a_full_disk_with_a_problem(registry, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_atomically", full)
        job = registry.of(ADA).start(SHORT, DATASET)
        assert "No space left on device" in job.problem
        job.run_to(5)
        wait_at_rest(job, "paused")
        assert "No space left on device" in job.problem
        assert registry.of(ADA).open(job.id) is job
        assert registry.of(ADA).newest() == job.id  # it can be found again
        assert registry.of(ADA).newest("race") is None
    job.resume()
    wait_at_rest(job, "finished")
    assert job.problem == ""
    folder = registry.of(ADA).folder(job.id)
    assert folder.read()[0].step == 16
    assert folder.snapshot_steps() == list(job.run.snapshot_steps)  # the first ones too


# Races


def both_end_alike(again, job):
    again.resume()
    job.resume()
    wait_at_rest(again, "finished")
    wait_at_rest(job, "finished")
    for name, lane in again.run.lanes.items():
        assert model_bytes(lane) == model_bytes(job.run.lanes[name])


def test_a_race_is_saved_and_reopened_with_both_lanes(registry, make_registry, root):
    job = registry.of(ADA).start_race(config_of(architecture="mlp"), DATASET)
    assert isinstance(job.run, Race)
    assert {path.split("/")[0] for path in files_below(root / ADA / "runs" / job.id)} == {
        "run.json",
        "autograd",
        "numpy",
    }
    job.run_to(5)
    wait_at_rest(job, "paused")

    after = make_registry(root)
    again = after.of(ADA).open(job.id)

    assert isinstance(again.run, Race)
    assert list(again.run.lanes) == ["autograd", "numpy"]
    for name, lane in again.run.lanes.items():
        assert lane.config == config_of(architecture="mlp", engine=name)
        assert lane.history.step == job.run.lanes[name].history.step >= 5
        assert model_bytes(lane) == model_bytes(job.run.lanes[name])
    assert after.of(ADA).records() == []  # it is not a run
    both_end_alike(again, job)
    assert make_registry(root).of(ADA).open(job.id).status == "finished"


def test_a_race_killed_between_its_lanes_continues_with_both(registry, make_registry, root):
    job = registry.of(ADA).start_race(SHORT, DATASET)
    job.run_to(3)
    wait_at_rest(job, "paused")
    folder = root / ADA / "runs" / job.id
    old = {path: (folder / path).read_bytes() for path in files_below(folder)}
    job.run_to(9)
    wait_at_rest(job, "paused")
    for path, data in old.items():
        if not path.startswith("autograd/"):
            write_atomically(folder / path, data)

    again = make_registry(root).of(ADA).open(job.id)

    steps = {name: lane.history.step for name, lane in again.run.lanes.items()}
    assert steps["numpy"] < steps["autograd"]
    both_end_alike(again, job)


def test_a_race_with_a_damaged_lane_is_refused(registry, make_registry, root):
    job = registry.of(ADA).start_race(SHORT, DATASET)
    lane = root / ADA / "runs" / job.id / "numpy" / "checkpoint.safetensors"
    lane.write_bytes(lane.read_bytes()[:-1])
    assert "cannot be opened" in why_not(make_registry(root), ADA, job.id)


def test_a_race_that_the_numpy_engine_cannot_train_is_refused(registry, root):
    with pytest.raises(ValueError, match="NumPy engine"):
        registry.of(ADA).start_race(config_of(architecture="cnn"), DATASET)
    assert files_below(root) == set()


def finished_race(registry):
    job = registry.of(ADA).start_race(SHORT, DATASET)
    job.resume()
    wait_at_rest(job, "finished")
    return job


def test_a_new_race_replaces_the_finished_one_and_no_run(registry):
    finished_race(registry)
    run = finished(registry)
    second = registry.of(ADA).start_race(SHORT, DATASET)
    assert {record.id for record in registry.store.runs(ADA)} == {run.id, second.id}


def test_a_finished_race_stays_when_a_run_starts_or_weights_are_added(registry):
    race = finished_race(registry)
    run = registry.of(ADA).start(SHORT, DATASET).run
    registry.of(ADA).import_file(model_bytes(run), DATASET)
    registry.of(ADA).save_weights(run.snapshot.weights, DATASET, "Tuned on 12 drawings of mine.")
    assert registry.of(ADA).newest("race") == race.id
    assert registry.of(ADA).open(race.id) is race


# Importing


@pytest.mark.parametrize("status", ["paused", "finished", "stopped", "failed"])
@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "checkpoint"])
def test_a_downloaded_run_is_imported_unchanged(
    registry, make_registry, root, tmp_path, status, as_zip
):
    job = registry.of(ADA).start(
        config_of(learning_rate=1e9 if status == "failed" else 0.01), DATASET
    )
    job.run_to(5 if status in ("paused", "stopped") else 16)
    wait_for_status(job, "paused", *ENDED)
    if status == "stopped":
        wait_at_rest(job, "paused")
        job.stop()
    wait_at_rest(job, status)
    folder = registry.of(ADA).folder(job.id)
    path = folder.folder / "checkpoint.safetensors"
    data = pack(folder.folder) if as_zip else path.read_bytes()

    other_server = make_registry(tmp_path / "elsewhere")
    imported = other_server.of(BOB).import_file(data, DATASET)

    assert imported.id != job.id
    assert (imported.owner, imported.status, imported.reason) == (BOB, status, job.reason)
    assert model_bytes(imported.run) == save(_weights_in(folder))
    own = other_server.of(BOB).folder(imported.id)
    assert own.snapshot_steps() == (folder.snapshot_steps() if as_zip else [])
    for step in own.snapshot_steps():
        assert save(own.snapshot(step).weights) == save(folder.snapshot(step).weights)
    (record,) = other_server.of(BOB).records()
    assert (record.id, record.step) == (imported.id, job.run.history.step)
    if status == "paused":
        imported.resume()
        job.resume()
        wait_at_rest(imported, "finished")
        wait_at_rest(job, "finished")
        assert model_bytes(imported.run) == model_bytes(job.run)


def _weights_in(folder):
    tensors = folder.read()[1]
    return {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}


def test_a_run_can_be_imported_twice_beside_the_original(registry):
    job = paused_at(registry, 5)
    data = pack(registry.of(ADA).folder(job.id).folder)
    first, second = (
        registry.of(ADA).import_file(data, DATASET),
        registry.of(ADA).import_file(data, DATASET),
    )
    assert len({job.id, first.id, second.id}) == 3
    assert len(registry.of(ADA).records()) == 3
    assert first.run is not second.run


def test_a_run_downloaded_during_training_is_imported_paused(registry):
    job = paused_at(registry, 5)
    folder = registry.of(ADA).folder(job.id)
    folder.write(job.run, replace(folder.read_record(), status="running"))
    imported = registry.of(ADA).import_file(pack(folder.folder), DATASET)
    assert (imported.status, imported.run.history.step) == ("paused", 5)


def test_threads_and_reason_of_an_imported_run_are_limited(registry):
    job = paused_at(registry, 5)
    folder = registry.of(ADA).folder(job.id)
    job.run.threads = 1_024
    folder.write(job.run, replace(folder.read_record(), threads=1_024, reason="x" * 100_000))
    imported = registry.of(ADA).import_file(pack(folder.folder), DATASET)
    assert imported.run.threads <= 2
    assert len(imported.reason) <= 1_000


@pytest.mark.parametrize("architecture", list(architectures.ARCHITECTURES))
def test_weights_alone_are_imported_as_a_stopped_run(registry, make_registry, root, architecture):
    built = architectures.build(architecture, seed=3).state_dict()
    weights = {name: tensor.contiguous() for name, tensor in built.items()}
    job = registry.of(ADA).import_file(save(weights), DATASET)
    assert (job.status, job.run.history.step) == ("stopped", 0)
    assert job.reason == "Weights from a file, as they came."
    assert job.run.config == TrainingConfig("digits", architecture)
    assert model_bytes(job.run) == save(weights)
    again = make_registry(root).of(ADA).open(job.id)
    assert model_bytes(again.run) == save(weights)
    job.resume()
    assert job.status == "stopped"


def test_a_run_without_its_data_set_is_not_imported(registry, make_registry, tmp_path):
    data = pack(registry.of(ADA).folder(paused_at(registry, 5).id).folder)

    def missing(name):
        raise DatasetUnavailableError(f"No files of {name} here.")

    elsewhere = make_registry(tmp_path / "elsewhere", missing)
    with pytest.raises(ValueError, match=r"needs data that is not here: No files of digits here\."):
        elsewhere.of(BOB).import_file(data, DATASET)
    other = replace(DATASET, train_labels=DATASET.train_labels[::-1].copy())
    elsewhere = make_registry(tmp_path / "elsewhere", lambda _: other)
    with pytest.raises(ValueError, match="saw other images than the Noise that is here now"):
        elsewhere.of(BOB).import_file(data, DATASET)
    assert not (tmp_path / "elsewhere").exists()


def test_a_downloaded_race_is_not_a_run(registry):
    job = registry.of(ADA).start_race(SHORT, DATASET)
    with pytest.raises(ValueError, match=r"without checkpoint\.safetensors"):
        registry.of(ADA).import_file(pack(registry.of(ADA).folder(job.id).folder), DATASET)
    lane = RunFolder(registry.of(ADA).folder(job.id).folder / "numpy")
    imported = registry.of(ADA).import_file(pack(lane.folder), DATASET)  # each lane is a run
    assert imported.run.config.engine == "numpy"
    assert [record.id for record in registry.of(ADA).records()] == [imported.id]


def test_imported_runs_count_among_the_runs_of_a_workspace(registry, monkeypatch):
    monkeypatch.setattr(registry_module, "RUNS_PER_WORKSPACE", 2)
    weights = save(architectures.build("linear", 0).state_dict())
    ids = [registry.of(ADA).import_file(weights, DATASET).id for _ in range(4)]
    assert [record.id for record in registry.of(ADA).records()] == [ids[3], ids[2]]


def test_a_run_with_unknown_settings_is_left_out_of_the_list(registry):
    known, unknown = registry.of(ADA).start(SHORT, DATASET), registry.of(ADA).start(SHORT, DATASET)
    folder = registry.of(ADA).folder(unknown.id)
    config = {**SHORT.to_json(), "optimiser": "of tomorrow"}
    folder.write_record(replace(folder.read_record(), config=config))
    assert [record.id for record in registry.of(ADA).records()] == [known.id]
