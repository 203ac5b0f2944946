"""Runs of all visitors: started, found again after a restart, raced, brought in and removed."""

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
from mnist_core.training import queue as jobs_module
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.queue import TrainingQueue
from mnist_core.training.race import Race
from mnist_core.training.status import ENDED
from mnist_core.workspace import checkpoints
from mnist_core.workspace import run_registry as work_module
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
def make_work():
    """Make the whole machinery over a folder; at the end stop whatever still trains."""
    made = []

    def make(root, load_dataset=lambda _: DATASET):
        made.append(RunRegistry(TrainingQueue(1), WorkspaceStore(root, 10**12), load_dataset))
        return made[-1]

    yield make
    for work in made:
        for job in work.queue.jobs():
            job.stop()
            wait_for(lambda job=job: job.ended and not job.is_busy, "its end")


@pytest.fixture
def work(make_work, root):
    return make_work(root)


def finished(work, workspace=ADA, **changes):
    job = work.of(workspace).start(config_of(**changes), DATASET)
    job.resume()
    wait_at_rest(job, "finished")
    return job


def paused_at(work, step, workspace=ADA, **changes):
    job = work.of(workspace).start(config_of(**changes), DATASET)
    job.run_to(step)
    wait_at_rest(job, "paused")
    return job


def model_bytes(run):
    return save({name: t.contiguous() for name, t in run.model.state_dict().items()})


def files_below(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


# Starting and finding again


def test_a_new_run_waits_paused_and_is_on_the_disk(work, root):
    job = work.of(ADA).start(SHORT, DATASET)
    assert (job.status, job.owner, job.problem) == ("paused", ADA, "")
    assert job.run.threads == 1
    folder = root / ADA / "runs" / job.id
    assert files_below(folder) == {
        "run.json",
        "history.csv",
        "checkpoint.safetensors",
        "moments/00000000.safetensors",
    }
    assert work.of(ADA).newest() == job.id
    assert work.of(ADA).open(job.id) is job
    assert work.of(ADA).folder(job.id).read_record().config == SHORT.to_json()


def test_settings_that_do_not_fit_the_data_leave_nothing_behind(work, root):
    with pytest.raises(ValueError, match="at most the 64 training images"):
        work.of(ADA).start(config_of(batch_size=65), DATASET)
    assert not root.exists()
    assert work.queue.of(ADA) == []


@pytest.mark.parametrize("status", ["paused", "finished", "stopped", "failed"])
def test_after_a_restart_a_run_is_as_it_was_left(make_work, work, root, status):
    job = work.of(ADA).start(config_of(learning_rate=1e9 if status == "failed" else 0.01), DATASET)
    if status in ("paused", "stopped"):
        job.run_to(5)
        wait_at_rest(job, "paused")
    if status == "stopped":
        job.stop()
    if status in ("finished", "failed"):
        job.resume()
    wait_at_rest(job, status)

    again = make_work(root).of(ADA).open(job.id)

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


def test_a_learning_rate_chosen_in_a_pause_survives_a_restart(make_work, work, root):
    job = paused_at(work, 5)
    job.set_learning_rate(0.5)
    again = make_work(root).of(ADA).open(job.id)
    assert again.run.history.learning_rates == [(0, 0.01), (5, 0.5)]


def test_a_run_that_is_let_go_of_comes_back_from_the_disk(work, monkeypatch):
    job = paused_at(work, 5)
    monkeypatch.setattr(jobs_module, "JOBS_IN_ALL", 1)
    work.of(BOB).start(SHORT, DATASET)
    assert work.queue.get(job.id) is None
    again = work.of(ADA).open(job.id)
    assert again is not job
    assert (again.status, again.run.history.step) == ("paused", 5)


# Killed in the middle


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


def killed_while_running(work, root, copy, monkeypatch, **changes):
    """Copy the folder as a killed server leaves it: in the middle of a run, after a write."""
    monkeypatch.setattr(jobs_module, "SAVE_EVERY_S", -1.0)  # written after the first advance
    job = work.of(ADA).start(config_of(**changes), DATASET)
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
def test_a_run_that_is_killed_and_resumed_ends_bit_for_bit_as_if_nothing_had_been(
    make_work, work, root, tmp_path, monkeypatch, kind
):
    job = killed_while_running(work, root, tmp_path / "copy", monkeypatch, **KINDS[kind])
    record = json.loads((tmp_path / "copy" / ADA / "runs" / job.id / "run.json").read_text())
    assert record["status"] == "running"
    assert 3 < record["step"] < 16

    after = make_work(tmp_path / "copy")
    again = after.of(ADA).open(job.id)
    assert (again.status, again.run.history.step) == ("paused", record["step"])
    assert "interrupted" in again.reason
    again.resume()
    assert again.reason == ""
    wait_at_rest(again, "finished")

    uninterrupted = finished(make_work(tmp_path / "other"), **KINDS[kind]).run
    assert model_bytes(again.run) == model_bytes(uninterrupted)
    assert again.run.history.losses.tobytes() == uninterrupted.history.losses.tobytes()
    assert again.run.history.epoch_metrics == uninterrupted.history.epoch_metrics

    wait_at_rest(job, "finished")  # the one that was not killed
    assert model_bytes(job.run) == model_bytes(uninterrupted)
    assert files_below(root) == files_below(tmp_path / "copy")
    last = make_work(tmp_path / "copy").of(ADA).open(job.id)
    assert model_bytes(last.run) == model_bytes(uninterrupted)


def test_a_run_that_was_killed_is_shown_as_interrupted_before_it_is_opened(
    make_work, work, root, tmp_path, monkeypatch
):
    job = killed_while_running(work, root, tmp_path / "copy", monkeypatch)
    after = make_work(tmp_path / "copy")
    (record,) = after.of(ADA).records()
    assert (record.id, record.status) == (job.id, "paused")
    assert "interrupted" in record.reason


def test_a_run_that_was_waiting_when_the_server_ended_comes_back_paused(work, make_work, root):
    job = paused_at(work, 5)
    folder = work.of(ADA).folder(job.id)
    folder.write(job.run, replace(folder.read_record(), status="queued"))
    again = make_work(root).of(ADA).open(job.id)
    assert (again.status, again.run.history.step) == ("paused", 5)
    assert "interrupted" in again.reason


# What cannot be opened


def why_not(work, workspace, run_id):
    with pytest.raises(RunUnavailableError) as caught:
        work.of(workspace).open(run_id)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    assert message.endswith(".")
    return message


def test_another_workspace_s_run_is_not_opened(work, make_work, root):
    job = work.of(ADA).start(SHORT, DATASET)
    assert why_not(work, BOB, job.id) == "This run is not on the server any more."
    assert why_not(make_work(root), BOB, job.id) == "This run is not on the server any more."
    assert work.of(ADA).open(job.id) is job
    assert files_below(root / ADA)
    assert not (root / BOB).exists()


@pytest.mark.parametrize("bad", ["", "..", "../" + ADA, "x" * 10_000, "ä" * 22])
def test_what_is_no_id_is_not_opened(work, bad):
    job = work.of(ADA).start(SHORT, DATASET)
    assert "expected a run's id" in why_not(work, ADA, bad)
    assert "expected a workspace's id" in why_not(work, bad, job.id)


@pytest.mark.parametrize("name", ["run.json", "checkpoint.safetensors"])
@pytest.mark.parametrize("damage", [None, b"", b"\xff" * 500, b"{}"])
def test_a_damaged_run_says_so_and_the_others_are_not_touched(work, make_work, root, name, damage):
    job, other = work.of(ADA).start(SHORT, DATASET), work.of(ADA).start(SHORT, DATASET)
    path = root / ADA / "runs" / job.id / name
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    after = make_work(root)
    message = why_not(after, ADA, job.id)
    assert message.startswith("This run is not on" if damage is None else "This run cannot be")
    assert after.of(ADA).open(other.id).status == "paused"


def test_a_run_whose_data_are_missing_says_what_is_missing(work, make_work, root):
    job = work.of(ADA).start(SHORT, DATASET)

    def missing(name):
        raise DatasetUnavailableError(f"No files of {name} here.")

    message = why_not(make_work(root, missing), ADA, job.id)
    assert "needs its data set" in message
    assert "No files of digits here." in message
    assert make_work(root).of(ADA).open(job.id).status == "paused"  # they may come back


def test_a_run_on_other_images_is_not_opened(work, make_work, root):
    job = work.of(ADA).start(SHORT, DATASET)
    other = replace(DATASET, train_images=random_images(64, seed=9))
    message = why_not(make_work(root, lambda _: other), ADA, job.id)
    assert "saw other images than the Noise that is here now" in message


# The list of runs


def test_the_list_shows_live_runs_as_they_stand_and_resting_ones_as_they_were_left(
    work, make_work, root, monkeypatch
):
    monkeypatch.setattr(jobs_module, "SAVE_EVERY_S", 1e9)
    resting = finished(work)
    live = work.of(ADA).start(LONG, DATASET)
    work.of(BOB).start(SHORT, DATASET)
    live.resume()
    wait_for(lambda: live.run.history.step > 0, "the first step")

    first, second = work.of(ADA).records()

    assert (first.id, second.id) == (live.id, resting.id)
    assert (first.status, second.status) == ("running", "finished")
    assert first.step > 0
    assert second.step == 16
    assert second.test_accuracy == resting.run.history.epoch_metrics[-1].test_accuracy
    assert second.config == SHORT.to_json()
    (at_rest,) = (r for r in make_work(root).of(ADA).records() if r.id == live.id)
    assert (at_rest.status, at_rest.step) == ("paused", 0)  # what its folder says


def test_a_workspace_without_runs_has_an_empty_list(work):
    assert work.of(ADA).records() == []
    assert work.of(ADA).newest() is None


def test_the_newest_run_and_the_newest_race_are_told_apart(work):
    first = work.of(ADA).start(SHORT, DATASET)
    race = work.of(ADA).start_race(SHORT, DATASET)
    assert (work.of(ADA).newest(), work.of(ADA).newest("race")) == (first.id, race.id)
    second = work.of(ADA).start(SHORT, DATASET)
    assert work.of(ADA).newest() == second.id
    assert [record.id for record in work.of(ADA).records()] == [second.id, first.id]
    assert work.of(BOB).newest() is None


def test_a_look_at_a_workspace_counts_for_all_its_runs_and_no_other_s(work):
    mine = [work.of(ADA).start(SHORT, DATASET), work.of(ADA).start_race(SHORT, DATASET)]
    theirs = work.of(BOB).start(SHORT, DATASET)
    for job in (*mine, theirs):
        job.watched = -math.inf
    work.of(ADA).watch()
    assert all(job.watched > -math.inf for job in mine)
    assert theirs.watched == -math.inf


# Removing


def test_a_removed_run_is_gone_from_memory_and_disk(work, root):
    job, other = finished(work), work.of(ADA).start(SHORT, DATASET)
    work.of(ADA).remove(job.id)
    assert work.queue.get(job.id) is None
    assert [record.id for record in work.of(ADA).records()] == [other.id]
    assert why_not(work, ADA, job.id) == "This run is not on the server any more."
    work.of(ADA).remove(job.id)  # a second click


def test_a_run_that_is_removed_while_it_goes_does_not_come_back(work, root, monkeypatch):
    monkeypatch.setattr(jobs_module, "SAVE_EVERY_S", -1.0)
    job = work.of(ADA).start(SHORT, DATASET)
    gate = Gate(job.run)
    job.resume()
    gate.wait_until_reached()

    work.of(ADA).remove(job.id)
    gate.open()

    wait_at_rest(job, "stopped")
    assert files_below(root) == set()
    job.resume()  # a button that was drawn before
    assert job.status == "stopped"


def test_nobody_removes_another_s_run(work):
    job = work.of(ADA).start(SHORT, DATASET)
    work.of(BOB).remove(job.id)
    assert work.of(ADA).open(job.id) is job
    assert job.status == "paused"
    assert [record.id for record in work.of(ADA).records()] == [job.id]


def test_a_workspace_keeps_so_many_runs_and_the_oldest_ended_go(work, monkeypatch):
    monkeypatch.setattr(work_module, "RUNS_PER_WORKSPACE", 3)
    theirs = finished(work, BOB)
    ids = [finished(work).id for _ in range(5)]
    assert [record.id for record in work.of(ADA).records()] == ids[:1:-1]
    assert work.queue.get(ids[0]) is None
    assert [record.id for record in work.of(BOB).records()] == [theirs.id]


def test_runs_in_use_do_not_go_for_a_new_one(work, monkeypatch):
    monkeypatch.setattr(work_module, "RUNS_PER_WORKSPACE", 2)
    oldest = work.of(ADA).start(SHORT, DATASET)  # paused
    finished(work)
    newest = work.of(ADA).start(SHORT, DATASET)
    assert [record.id for record in work.of(ADA).records()] == [newest.id, oldest.id]
    third = work.of(ADA).start(SHORT, DATASET)  # nothing can go
    assert [record.id for record in work.of(ADA).records()] == [third.id, newest.id, oldest.id]


def test_a_full_disk_makes_room_by_the_oldest_ended_run(work):
    oldest, paused = finished(work), work.of(ADA).start(SHORT, DATASET)
    work.store.limit_bytes = 1
    newest = work.of(BOB).start(SHORT, DATASET)
    assert [record.id for record in work.of(ADA).records()] == [paused.id]
    assert [record.id for record in work.of(BOB).records()] == [newest.id]
    assert work.store.remembered(ADA)["removed"] == 1
    assert work.of(ADA).folder(oldest.id).folder.exists() is False


def test_a_run_is_started_and_goes_on_without_a_disk_and_says_so(work, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_atomically", full)
        job = work.of(ADA).start(SHORT, DATASET)
        assert "No space left on device" in job.problem
        job.run_to(5)
        wait_at_rest(job, "paused")
        assert "No space left on device" in job.problem
        assert work.of(ADA).open(job.id) is job
        assert work.of(ADA).newest() == job.id  # it can be found again
        assert work.of(ADA).newest("race") is None
    job.resume()
    wait_at_rest(job, "finished")
    assert job.problem == ""
    folder = work.of(ADA).folder(job.id)
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


def test_a_race_is_kept_and_reopened_with_both_lanes(work, make_work, root):
    job = work.of(ADA).start_race(config_of(architecture="mlp"), DATASET)
    assert isinstance(job.run, Race)
    assert {path.split("/")[0] for path in files_below(root / ADA / "runs" / job.id)} == {
        "run.json",
        "autograd",
        "numpy",
    }
    job.run_to(5)
    wait_at_rest(job, "paused")

    after = make_work(root)
    again = after.of(ADA).open(job.id)

    assert isinstance(again.run, Race)
    assert list(again.run.lanes) == ["autograd", "numpy"]
    for name, lane in again.run.lanes.items():
        assert lane.config == config_of(architecture="mlp", engine=name)
        assert lane.history.step == job.run.lanes[name].history.step >= 5
        assert model_bytes(lane) == model_bytes(job.run.lanes[name])
    assert after.of(ADA).records() == []  # it is no run
    both_end_alike(again, job)
    assert make_work(root).of(ADA).open(job.id).status == "finished"


def test_a_race_that_was_killed_between_its_lanes_goes_on_with_both(work, make_work, root):
    job = work.of(ADA).start_race(SHORT, DATASET)
    job.run_to(3)
    wait_at_rest(job, "paused")
    folder = root / ADA / "runs" / job.id
    old = {path: (folder / path).read_bytes() for path in files_below(folder)}
    job.run_to(9)
    wait_at_rest(job, "paused")
    for path, data in old.items():
        if not path.startswith("autograd/"):
            write_atomically(folder / path, data)

    again = make_work(root).of(ADA).open(job.id)

    steps = {name: lane.history.step for name, lane in again.run.lanes.items()}
    assert steps["numpy"] < steps["autograd"]
    both_end_alike(again, job)


def test_a_race_with_a_damaged_lane_says_so(work, make_work, root):
    job = work.of(ADA).start_race(SHORT, DATASET)
    lane = root / ADA / "runs" / job.id / "numpy" / "checkpoint.safetensors"
    lane.write_bytes(lane.read_bytes()[:-1])
    assert "cannot be opened" in why_not(make_work(root), ADA, job.id)


def test_a_race_that_the_numpy_engine_cannot_take_is_refused(work, root):
    with pytest.raises(ValueError, match="NumPy engine"):
        work.of(ADA).start_race(config_of(architecture="cnn"), DATASET)
    assert files_below(root) == set()


def finished_race(work):
    job = work.of(ADA).start_race(SHORT, DATASET)
    job.resume()
    wait_at_rest(job, "finished")
    return job


def test_a_new_race_replaces_the_finished_one_and_no_run(work):
    finished_race(work)
    run = finished(work)
    second = work.of(ADA).start_race(SHORT, DATASET)
    assert {record.id for record in work.store.runs(ADA)} == {run.id, second.id}


def test_a_finished_race_stays_when_a_run_starts_or_weights_are_added(work):
    race = finished_race(work)
    run = work.of(ADA).start(SHORT, DATASET).run
    work.of(ADA).import_file(model_bytes(run), DATASET)
    work.of(ADA).save_weights(run.snapshot.weights, DATASET, "Tuned on 12 drawings of mine.")
    assert work.of(ADA).newest("race") == race.id
    assert work.of(ADA).open(race.id) is race


# Bringing in


@pytest.mark.parametrize("status", ["paused", "finished", "stopped", "failed"])
@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "checkpoint"])
def test_a_run_that_was_downloaded_is_brought_in_as_it_was(
    work, make_work, root, tmp_path, status, as_zip
):
    job = work.of(ADA).start(config_of(learning_rate=1e9 if status == "failed" else 0.01), DATASET)
    job.run_to(5 if status in ("paused", "stopped") else 16)
    wait_for_status(job, "paused", *ENDED)
    if status == "stopped":
        wait_at_rest(job, "paused")
        job.stop()
    wait_at_rest(job, status)
    folder = work.of(ADA).folder(job.id)
    path = folder.folder / "checkpoint.safetensors"
    data = pack(folder.folder) if as_zip else path.read_bytes()

    other_server = make_work(tmp_path / "elsewhere")
    brought = other_server.of(BOB).import_file(data, DATASET)

    assert brought.id != job.id
    assert (brought.owner, brought.status, brought.reason) == (BOB, status, job.reason)
    assert model_bytes(brought.run) == save(_weights_in(folder))
    own = other_server.of(BOB).folder(brought.id)
    assert own.snapshot_steps() == (folder.snapshot_steps() if as_zip else [])
    for step in own.snapshot_steps():
        assert save(own.snapshot(step).weights) == save(folder.snapshot(step).weights)
    (record,) = other_server.of(BOB).records()
    assert (record.id, record.step) == (brought.id, job.run.history.step)
    if status == "paused":
        brought.resume()
        job.resume()
        wait_at_rest(brought, "finished")
        wait_at_rest(job, "finished")
        assert model_bytes(brought.run) == model_bytes(job.run)


def _weights_in(folder):
    tensors = folder.read()[1]
    return {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}


def test_a_run_is_brought_in_twice_beside_the_one_that_is_here(work):
    job = paused_at(work, 5)
    data = pack(work.of(ADA).folder(job.id).folder)
    first, second = work.of(ADA).import_file(data, DATASET), work.of(ADA).import_file(data, DATASET)
    assert len({job.id, first.id, second.id}) == 3
    assert len(work.of(ADA).records()) == 3
    assert first.run is not second.run


def test_what_was_going_when_it_was_downloaded_comes_in_paused(work):
    job = paused_at(work, 5)
    folder = work.of(ADA).folder(job.id)
    folder.write(job.run, replace(folder.read_record(), status="running"))
    brought = work.of(ADA).import_file(pack(folder.folder), DATASET)
    assert (brought.status, brought.run.history.step) == ("paused", 5)


def test_a_file_cannot_ask_for_a_thousand_threads_or_a_book_as_reason(work):
    job = paused_at(work, 5)
    folder = work.of(ADA).folder(job.id)
    job.run.threads = 1_024
    folder.write(job.run, replace(folder.read_record(), threads=1_024, reason="x" * 100_000))
    brought = work.of(ADA).import_file(pack(folder.folder), DATASET)
    assert brought.run.threads <= 2
    assert len(brought.reason) <= 1_000


@pytest.mark.parametrize("architecture", list(architectures.ARCHITECTURES))
def test_weights_alone_are_brought_in_stopped_and_can_be_used(work, make_work, root, architecture):
    built = architectures.build(architecture, seed=3).state_dict()
    weights = {name: tensor.contiguous() for name, tensor in built.items()}
    job = work.of(ADA).import_file(save(weights), DATASET)
    assert (job.status, job.run.history.step) == ("stopped", 0)
    assert job.reason == "Weights from a file, as they came."
    assert job.run.config == TrainingConfig("digits", architecture)
    assert model_bytes(job.run) == save(weights)
    again = make_work(root).of(ADA).open(job.id)
    assert model_bytes(again.run) == save(weights)
    job.resume()
    assert job.status == "stopped"


def test_a_run_on_data_that_are_not_here_is_not_brought_in(work, make_work, tmp_path):
    data = pack(work.of(ADA).folder(paused_at(work, 5).id).folder)

    def missing(name):
        raise DatasetUnavailableError(f"No files of {name} here.")

    elsewhere = make_work(tmp_path / "elsewhere", missing)
    with pytest.raises(ValueError, match=r"needs data that is not here: No files of digits here\."):
        elsewhere.of(BOB).import_file(data, DATASET)
    other = replace(DATASET, train_labels=DATASET.train_labels[::-1].copy())
    elsewhere = make_work(tmp_path / "elsewhere", lambda _: other)
    with pytest.raises(ValueError, match="saw other images than the Noise that is here now"):
        elsewhere.of(BOB).import_file(data, DATASET)
    assert not (tmp_path / "elsewhere").exists()


def test_a_race_that_was_downloaded_is_not_a_run(work):
    job = work.of(ADA).start_race(SHORT, DATASET)
    with pytest.raises(ValueError, match=r"without checkpoint\.safetensors"):
        work.of(ADA).import_file(pack(work.of(ADA).folder(job.id).folder), DATASET)
    lane = RunFolder(work.of(ADA).folder(job.id).folder / "numpy")
    brought = work.of(ADA).import_file(pack(lane.folder), DATASET)  # but each of its lanes is one
    assert brought.run.config.engine == "numpy"
    assert [record.id for record in work.of(ADA).records()] == [brought.id]


def test_what_is_brought_in_counts_among_the_runs_of_a_workspace(work, monkeypatch):
    monkeypatch.setattr(work_module, "RUNS_PER_WORKSPACE", 2)
    weights = save(architectures.build("linear", 0).state_dict())
    ids = [work.of(ADA).import_file(weights, DATASET).id for _ in range(4)]
    assert [record.id for record in work.of(ADA).records()] == [ids[3], ids[2]]


def test_a_run_whose_settings_are_of_another_version_is_left_out_of_the_table(work):
    known, unknown = work.of(ADA).start(SHORT, DATASET), work.of(ADA).start(SHORT, DATASET)
    folder = work.of(ADA).folder(unknown.id)
    config = {**SHORT.to_json(), "optimiser": "of tomorrow"}
    folder.write_record(replace(folder.read_record(), config=config))
    assert [record.id for record in work.of(ADA).records()] == [known.id]
