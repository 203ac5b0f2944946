"""A workspace that the code before issue 10 saved still opens, resumes and is exported."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mnist_core.drawing.handwriting import from_zip, to_zip
from mnist_core.pretrained import bundled
from mnist_core.training.queue import TrainingQueue
from mnist_core.training.run import TrainingRun
from mnist_core.workspace import export
from mnist_core.workspace.archive import pack
from mnist_core.workspace.handwriting_store import HandwritingStore
from mnist_core.workspace.replay import models_of
from mnist_core.workspace.run_registry import RunRegistry
from mnist_core.workspace.store import WorkspaceStore
from tests.small_data import digits
from tests.training.test_queue import wait_at_rest

OLD = Path(__file__).parent / "before_issue_10"
ID = "OldWorkspaceOfOneClass"
PAUSED, FINISHED = "2WA2ghE7hXR6SrK4Ign-ow", "bK_-R6JKkFrk3vj0YR3Blg"
IMPORTED, TUNED = "JrgQyHEHBxyoJJCqDrYn1Q", "BKuc0-dThE4iVLw_Bcldpw"
RACE = "b-erw2wspKIfo_qTkqbXbg"
STATES = {  # status, origin, step
    PAUSED: ("paused", "trained", 7),
    FINISHED: ("finished", "trained", 12),
    IMPORTED: ("stopped", "imported", 0),
    TUNED: ("stopped", "tuned", 0),
}


@pytest.fixture
def store(tmp_path):
    shutil.copytree(OLD, tmp_path / "work")
    return WorkspaceStore(tmp_path / "work", 10**9)


@pytest.fixture
def runs(store):
    return RunRegistry(TrainingQueue(1), store, lambda _: digits()).of(ID)


def to_the_end(config):
    run = TrainingRun(config, digits())
    while not run.finished:
        run.advance(1_000)
    return run


def assert_same_run(run, other):
    """Another processor may round the last bits of a sum differently."""
    assert run.history.step == other.history.step
    np.testing.assert_allclose(run.history.losses, other.history.losses, rtol=1e-5)
    for name, weight in run.model.state_dict().items():
        torch.testing.assert_close(weight, other.model.state_dict()[name], rtol=1e-5, atol=1e-6)


def test_the_records_say_where_each_run_comes_from(runs):
    found = {r.id: (r.status, r.origin, r.step) for r in runs.records()}
    assert found == STATES
    assert (runs.newest("race"), runs.newest()) == (RACE, TUNED)


@pytest.mark.parametrize("run_id", STATES)
def test_a_run_opens_with_its_status_history_and_model(runs, run_id):
    status, _, step = STATES[run_id]
    job = runs.open(run_id)
    assert (job.status, job.run.history.step, job.problem) == (status, step, "")
    assert all(job.run.history.losses[:step] > 0)
    assert job.run.model(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


def test_the_paused_run_resumes_to_the_end_of_an_uninterrupted_one(runs, store):
    job = runs.open(PAUSED)
    straight = to_the_end(job.run.config)
    np.testing.assert_allclose(job.run.history.losses[:7], straight.history.losses[:7], rtol=1e-5)
    job.resume()
    wait_at_rest(job, "finished")
    assert_same_run(job.run, straight)
    assert [metrics.step for metrics in job.run.history.epoch_metrics] == [6, 12]
    record = next(record for record in store.runs(ID) if record.id == PAUSED)
    assert (record.status, record.origin, record.step) == ("finished", "trained", 12)
    assert runs.folder(PAUSED).snapshot_steps()[-1] == 12


def test_the_finished_run_has_its_accuracy_snapshots_and_weights(runs):
    job = runs.open(FINISHED)
    assert job.run.history.accuracies[-1] == (12, 0.8027777777777778)
    assert list(models_of(runs.folder(FINISHED), "linear")) == [0, 1]
    assert_same_run(job.run, to_the_end(job.run.config))
    assert len(export.history(job.run).splitlines()) == 13


def test_the_race_opens_with_both_lanes(runs):
    job = runs.open(RACE)
    assert job.status == "finished"
    assert {name: lane.history.step for name, lane in job.run.lanes.items()} == {
        "autograd": 6,
        "numpy": 6,
    }
    assert job.run.differences().max() < 1e-5


def test_the_imported_weights_are_the_bundled_ones_and_the_tuned_ones_are_not(runs):
    bundled_weights = bundled.load_pretrained("linear").state_dict()
    for run_id, same in ((IMPORTED, True), (TUNED, False)):
        weights = runs.open(run_id).run.snapshot.weights
        assert all(torch.equal(weights[n], w) for n, w in bundled_weights.items()) == same


@pytest.mark.parametrize("run_id", STATES)
def test_an_old_folder_as_a_zip_file_can_be_imported(runs, run_id):
    status, origin, step = STATES[run_id]
    job = runs.import_file(pack(runs.folder(run_id).folder), digits())
    assert job.id != run_id
    record = runs.folder(job.id).read_record()
    assert (record.status, record.origin, record.step) == (status, origin, step)
    assert runs.folder(job.id).snapshot_steps() == runs.folder(run_id).snapshot_steps()
    assert_same_run(job.run, runs.open(run_id).run)


def test_the_drawings_and_choices_are_there(store):
    saved = HandwritingStore(store).of(ID).load()
    assert (len(saved.handwriting), saved.problem) == (20, "")
    again = from_zip(to_zip(saved.handwriting))
    np.testing.assert_array_equal(again.images, saved.handwriting.images)
    np.testing.assert_array_equal(again.labels, saved.handwriting.labels)
    assert store.remembered(ID)["done"] == {"home": "", "training": ""}
