"""A workspace's tuning: one at a time, in the queue, and its result saved as a run."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save

from mnist_core.training import finetuning
from mnist_core.training.finetuning import FineTuning
from mnist_core.training.queue import TrainingQueue
from mnist_core.workspace.run_registry import RunRegistry, WorkspaceRuns
from mnist_core.workspace.store import WorkspaceStore
from tests.small_data import digits
from tests.training.test_finetuning import parts, somebody, trained, tuning_of
from tests.training.test_queue import wait_at_rest, wait_for

ADA, BOB = "A" * 22, "B" * 22


@pytest.fixture
def make_work(tmp_path):
    made = []

    def make():
        work = RunRegistry(
            TrainingQueue(1), WorkspaceStore(tmp_path / "work", 10**9), lambda _: digits()
        )
        made.append(work)
        return work

    yield make
    for work in made:
        for job in work.queue.jobs():
            job.stop()
            wait_for(lambda job=job: job.ended and not job.is_busy, "its end")


@pytest.fixture
def work(make_work):
    return make_work()


def test_the_result_becomes_a_run_that_survives_a_restart(work, make_work):
    tuning = tuning_of("cnn", source="Small CNN")
    job = work.of(ADA).begin_tuning(tuning)
    wait_at_rest(job, "finished")
    (record,) = work.of(ADA).records()
    assert record.id == tuning.saved_as
    assert (record.status, record.step) == ("stopped", 0)
    assert record.reason == "Tuned on 12 drawings of mine, from: Small CNN."
    assert record.origin == "tuned"
    assert work.of(ADA).newest() == record.id
    assert work.of(BOB).records() == []
    again = make_work().of(ADA).open(record.id)
    assert (again.status, again.reason) == ("stopped", record.reason)
    assert again.run.config.architecture == "cnn"
    for name, weight in again.run.snapshot.weights.items():
        assert torch.equal(weight, tuning.snapshot.weights[name])


def test_weights_from_a_file_are_not_taken_for_tuned(work):
    job = work.of(ADA).import_file(save(trained()), digits())
    assert work.of(ADA).records()[0].origin == "imported"
    assert job.status == "stopped"


def test_a_workspace_has_one_tuning_at_a_time(work, monkeypatch):
    monkeypatch.setattr(finetuning, "STEPS", 1_000_000)
    first = work.of(ADA).begin_tuning(tuning_of())
    assert work.of(ADA).begin_tuning(tuning_of()) is first
    other = work.of(BOB).begin_tuning(tuning_of())
    assert (work.of(ADA).tuning(), work.of(BOB).tuning()) == (first, other)
    first.pause()
    wait_at_rest(first, "paused")
    assert work.of(ADA).begin_tuning(tuning_of()) is first  # it goes on
    first.stop()
    wait_at_rest(first, "stopped")
    second = work.of(ADA).begin_tuning(tuning_of())
    assert work.of(ADA).tuning() is second
    assert work.queue.of(ADA) == [second]


def test_a_stopped_tuning_keeps_nothing(work, monkeypatch):
    monkeypatch.setattr(finetuning, "STEPS", 1_000_000)
    job = work.of(ADA).begin_tuning(tuning_of())
    wait_for(lambda: job.run.history.step > 0, "its first step")
    job.stop()
    wait_at_rest(job, "stopped")
    assert (work.of(ADA).records(), job.run.saved_as, job.run.after) == ([], "", None)


def test_a_tuning_that_cannot_be_written_down_is_never_taken_for_a_run(work, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WorkspaceRuns, "save_weights", full)
    job = work.of(ADA).begin_tuning(tuning_of())
    wait_at_rest(job, "finished")
    assert "No space left on device" in job.problem
    assert work.of(ADA).newest() is None
    assert work.of(ADA).newest("race") is None


def test_a_failure_becomes_a_sentence(work):
    weights = {name: torch.full_like(w, torch.nan) for name, w in trained().items()}
    job = work.of(ADA).begin_tuning(FineTuning("linear", weights, *parts(somebody()), digits()))
    wait_at_rest(job, "failed")
    assert "cannot be tuned: choose another one" in job.reason
    assert work.of(ADA).records() == []
