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
def make_registry(tmp_path):
    made = []

    def make():
        registry = RunRegistry(
            TrainingQueue(1), WorkspaceStore(tmp_path / "work", 10**9), lambda _: digits()
        )
        made.append(registry)
        return registry

    yield make
    for registry in made:
        for job in registry.queue.jobs():
            job.stop()
            wait_for(lambda job=job: job.ended and not job.is_busy, "its end")


@pytest.fixture
def registry(make_registry):
    return make_registry()


def test_the_result_becomes_a_run_that_survives_a_restart(registry, make_registry):
    tuning = tuning_of("cnn", source="Small CNN")
    job = registry.of(ADA).begin_tuning(tuning)
    wait_at_rest(job, "finished")
    (record,) = registry.of(ADA).records()
    assert record.id == tuning.saved_as
    assert (record.status, record.step) == ("stopped", 0)
    assert record.reason == "Tuned on 12 drawings of mine, from: Small CNN."
    assert record.origin == "tuned"
    assert registry.of(ADA).newest() == record.id
    assert registry.of(BOB).records() == []
    again = make_registry().of(ADA).open(record.id)
    assert (again.status, again.reason) == ("stopped", record.reason)
    assert again.run.config.architecture == "cnn"
    for name, weight in again.run.snapshot.weights.items():
        assert torch.equal(weight, tuning.snapshot.weights[name])


def test_weights_from_a_file_are_imported_not_tuned(registry):
    job = registry.of(ADA).import_file(save(trained()), digits())
    assert registry.of(ADA).records()[0].origin == "imported"
    assert job.status == "stopped"


def test_a_workspace_has_one_tuning_at_a_time(registry, monkeypatch):
    monkeypatch.setattr(finetuning, "STEPS", 1_000_000)
    first = registry.of(ADA).begin_tuning(tuning_of())
    assert registry.of(ADA).begin_tuning(tuning_of()) is first
    other = registry.of(BOB).begin_tuning(tuning_of())
    assert (registry.of(ADA).tuning(), registry.of(BOB).tuning()) == (first, other)
    first.pause()
    wait_at_rest(first, "paused")
    assert registry.of(ADA).begin_tuning(tuning_of()) is first  # it is resumed
    first.stop()
    wait_at_rest(first, "stopped")
    second = registry.of(ADA).begin_tuning(tuning_of())
    assert registry.of(ADA).tuning() is second
    assert registry.queue.of(ADA) == [second]


def test_a_stopped_tuning_saves_nothing(registry, monkeypatch):
    monkeypatch.setattr(finetuning, "STEPS", 1_000_000)
    job = registry.of(ADA).begin_tuning(tuning_of())
    wait_for(lambda: job.run.history.step > 0, "its first step")
    job.stop()
    wait_at_rest(job, "stopped")
    assert (registry.of(ADA).records(), job.run.saved_as, job.run.after) == ([], "", None)


def test_a_tuning_that_cannot_be_saved_is_not_a_run(registry, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WorkspaceRuns, "save_weights", full)
    job = registry.of(ADA).begin_tuning(tuning_of())
    wait_at_rest(job, "finished")
    assert "No space left on device" in job.problem
    assert registry.of(ADA).newest() is None
    assert registry.of(ADA).newest("race") is None


def test_a_failed_tuning_has_a_reason(registry):
    weights = {name: torch.full_like(w, torch.nan) for name, w in trained().items()}
    job = registry.of(ADA).begin_tuning(FineTuning("linear", weights, *parts(somebody()), digits()))
    wait_at_rest(job, "failed")
    assert "cannot be tuned: choose another one" in job.reason
    assert registry.of(ADA).records() == []
