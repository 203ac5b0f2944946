import threading
import time

import numpy as np
import pytest
import torch

from mnist_core import jobs as jobs_module
from mnist_core.evaluation import probabilities
from mnist_core.jobs import ACTIVE, JOBS_IN_ALL, JOBS_PER_OWNER, Jobs
from mnist_core.models import with_weights
from mnist_core.runs import TrainingConfig, TrainingRun
from tests.small_data import tiny_dataset

DEADLINE_S = 30
DATASET = tiny_dataset()
ENDED = ("finished", "stopped", "failed")


def wait_for(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s for {what}"
        time.sleep(0.002)


def wait_for_status(job, *statuses):
    wait_for(lambda: job.status in statuses, " or ".join(statuses))


def short_run(**changes):
    """16 steps, 8 an epoch."""
    config = {"dataset": "digits", "batch_size": 8, "epochs": 2} | changes
    return TrainingRun(TrainingConfig(**config), DATASET)


def long_run():
    """960,000 steps: longer than any test waits."""
    return short_run(batch_size=1, epochs=15_000)


class Gate:
    """Holds a run before each of its advances until it is opened."""

    def __init__(self, run):
        self.reached, self._open = threading.Event(), threading.Event()
        self._advance = run.advance
        run.advance = self._held_advance

    def _held_advance(self, *args):
        self.reached.set()
        assert self._open.wait(DEADLINE_S)
        self._advance(*args)

    def wait_until_reached(self):
        assert self.reached.wait(DEADLINE_S), "no worker took the run in hand"

    def open(self):
        self._open.set()


@pytest.fixture
def make_jobs():
    """Make registries; at the end stop whatever still trains."""
    made = []

    def make(n_workers=1):
        made.append(Jobs(n_workers))
        return made[-1]

    yield make
    for jobs in made:
        for job in list(jobs._jobs.values()):
            job.stop()
            wait_for_status(job, *ENDED)


@pytest.fixture
def jobs(make_jobs):
    return make_jobs()


@pytest.fixture
def held(jobs):
    """A job of 16 steps in a worker's hands, which takes no step before its gate is open."""
    job = jobs.create("ada", short_run())
    job.gate = Gate(job.run)
    job.resume()
    job.gate.wait_until_reached()
    yield job
    job.gate.open()


def test_a_new_job_is_paused_and_can_be_found(jobs):
    job = jobs.create("ada", short_run())
    assert (job.status, job.reason, job.place, job.owner) == ("paused", "", 0, "ada")
    assert jobs.get(job.id) is job
    assert jobs.get("nobody's") is None


def test_a_job_goes_from_paused_over_queued_and_running_to_finished(jobs, held):
    job = jobs.create("ada", short_run())
    gate = Gate(job.run)
    job.resume()
    assert job.status == "queued"
    held.gate.open()
    gate.wait_until_reached()
    assert job.status == "running"
    gate.open()
    wait_for_status(job, "finished")
    assert job.run.finished
    assert job.reason == ""
    assert [step for step, _ in job.run.history.accuracies] == [8, 16]


def test_a_worker_s_run_is_bit_for_bit_the_run_driven_by_hand(jobs):
    job, by_hand = jobs.create("ada", short_run()), short_run()
    job.resume()
    while not by_hand.finished:
        by_hand.advance(5)
    wait_for_status(job, "finished")
    np.testing.assert_array_equal(job.run.history.losses, by_hand.history.losses)
    for key, tensor in by_hand.model.state_dict().items():
        assert torch.equal(job.run.snapshot.weights[key], tensor)


def test_the_weights_of_an_ended_turn_are_published(jobs):
    job = jobs.create("ada", short_run())
    job.step(3)
    wait_for_status(job, "paused")
    assert job.run.snapshot.step == 3
    assert torch.equal(job.run.snapshot.weights["l1.weight"], job.run.model.l1.weight)


def test_weights_are_published_while_a_run_goes(jobs, monkeypatch):
    monkeypatch.setattr(jobs_module, "WEIGHTS_EVERY_S", 0.0)
    job = jobs.create("ada", long_run())
    job.resume()
    wait_for(lambda: job.run.snapshot.step > 0, "the first weights")
    first = job.run.snapshot.step
    wait_for(lambda: job.run.snapshot.step > first, "newer weights")
    assert job.status == "running"


def test_pause_and_resume(jobs):
    job = jobs.create("ada", long_run())
    job.resume()
    wait_for(lambda: job.run.history.step > 0, "the first step")
    job.pause()
    wait_for_status(job, "paused")
    step = job.run.history.step
    assert job.run.snapshot.step == step

    job.resume()
    assert job.status in ACTIVE
    wait_for(lambda: job.run.history.step > step, "a step after the pause")
    assert job.status == "running"


def test_a_paused_job_takes_no_step(jobs):
    job, other = jobs.create("ada", long_run()), jobs.create("ada", short_run())
    job.resume()
    wait_for(lambda: job.run.history.step > 0, "the first step")
    job.pause()
    wait_for_status(job, "paused")
    step = job.run.history.step

    other.resume()  # the one worker is free for this, and has nothing else to do
    wait_for_status(other, "finished")

    assert (job.status, job.run.history.step) == ("paused", step)


def test_stepping_takes_so_many_steps_and_pauses(jobs):
    job = jobs.create("ada", short_run())
    for n_steps, step in ((1, 1), (5, 6), (1, 7), (5, 12)):  # the last goes past an epoch's end
        job.step(n_steps)
        wait_for_status(job, "paused")
        assert job.run.history.step == step
    job.step(5)
    wait_for_status(job, "finished")
    assert job.run.history.step == 16


def test_one_step_is_the_default(jobs):
    job = jobs.create("ada", short_run())
    job.step()
    wait_for_status(job, "paused")
    assert job.run.history.step == 1


def test_resume_after_stepping_goes_to_the_end(jobs):
    job = jobs.create("ada", short_run())
    job.step(2)
    wait_for_status(job, "paused")
    job.resume()
    wait_for_status(job, "finished")


def test_stop_ends_a_running_job_and_keeps_what_it_learnt(jobs):
    job = jobs.create("ada", long_run())
    job.resume()
    wait_for(lambda: job.run.history.step > 0, "the first step")
    job.stop()
    wait_for_status(job, "stopped")
    assert not job.run.finished
    assert job.run.snapshot.step == job.run.history.step > 0


def test_stop_ends_a_paused_job(jobs):
    job = jobs.create("ada", short_run())
    job.stop()
    assert job.status == "stopped"


@pytest.mark.parametrize(("call", "status"), [("stop", "stopped"), ("pause", "paused")])
def test_a_job_withdrawn_while_queued_never_runs(jobs, held, call, status):
    withdrawn, last = jobs.create("ada", short_run()), jobs.create("ada", short_run())
    withdrawn.resume()
    last.resume()
    assert last.place == 1

    getattr(withdrawn, call)()

    assert (withdrawn.status, withdrawn.place, last.place) == (status, 0, 0)
    held.gate.open()
    wait_for_status(last, "finished")
    assert (withdrawn.status, withdrawn.run.history.step) == (status, 0)


def test_a_job_paused_while_queued_can_go_on_at_the_end_of_the_queue(jobs, held):
    first, second = jobs.create("ada", short_run()), jobs.create("ada", short_run())
    first.resume()
    second.resume()
    first.pause()
    first.resume()
    assert (second.place, first.place) == (0, 1)
    held.gate.open()
    wait_for_status(first, "finished")
    assert second.status == "finished"


def test_with_one_worker_the_others_wait_with_their_place_and_all_finish(jobs, held):
    waiting = [jobs.create(owner, short_run()) for owner in ("bob", "cleo", "dan")]
    for job in waiting:
        job.resume()
    assert held.status == "running"
    assert held.place == 0
    assert [job.status for job in waiting] == ["queued"] * 3
    assert [job.place for job in waiting] == [0, 1, 2]
    assert [job.run.history.step for job in waiting] == [0, 0, 0]

    held.gate.open()

    for job in (held, *waiting):
        wait_for_status(job, "finished")


def test_asking_twice_queues_once(jobs, held):
    job = jobs.create("bob", short_run())
    last = jobs.create("cleo", short_run())
    job.resume()
    last.resume()
    job.resume()
    job.step(2)
    newest = jobs.create("dan", short_run())
    newest.resume()
    assert (job.place, last.place, newest.place) == (0, 1, 2)
    held.gate.open()
    wait_for_status(newest, "finished")
    assert (job.status, job.run.history.step) == ("paused", 2)  # the last word counts


def test_two_workers_train_two_jobs_at_once(make_jobs):
    jobs = make_jobs(n_workers=2)
    pair = [jobs.create(owner, short_run()) for owner in ("ada", "bob")]
    gates = [Gate(job.run) for job in pair]
    for job in pair:
        job.resume()
    for gate in gates:
        gate.wait_until_reached()
    assert [job.status for job in pair] == ["running", "running"]
    for gate in gates:
        gate.open()
    for job in pair:
        wait_for_status(job, "finished")


def test_a_long_run_does_not_block_a_short_one(jobs, monkeypatch):
    monkeypatch.setattr(jobs_module, "TURN_S", 0.02)
    monkeypatch.setattr(jobs_module, "SLICE_S", 0.01)
    long = jobs.create("ada", long_run())
    long.resume()
    wait_for(lambda: long.run.history.step > 0, "the long run's first step")
    short = jobs.create("bob", short_run())
    short.resume()
    wait_for_status(short, "finished")
    assert long.status in ACTIVE
    step = long.run.history.step
    wait_for(lambda: long.run.history.step > step, "the long run to go on")


def test_two_long_runs_take_turns(jobs, monkeypatch):
    monkeypatch.setattr(jobs_module, "TURN_S", 0.02)
    monkeypatch.setattr(jobs_module, "SLICE_S", 0.01)
    pair = [jobs.create(owner, long_run()) for owner in ("ada", "bob")]
    for job in pair:
        job.resume()
    for _ in range(3):
        for job in pair:
            step = job.run.history.step
            wait_for(lambda job=job, step=step: job.run.history.step > step, "its turn")


def test_a_job_is_not_put_off_before_its_turn_is_over(jobs, held, monkeypatch):
    monkeypatch.setattr(jobs_module, "TURN_S", 1e9)
    second, seen = jobs.create("bob", short_run()), []

    advance = second.run.advance

    def look_first(*args):
        seen.append(held.status)
        advance(*args)

    monkeypatch.setattr(second.run, "advance", look_first)
    second.resume()
    held.gate.open()  # two advances, one an epoch
    wait_for_status(second, "finished")
    assert seen[0] == "finished"


def test_a_diverging_run_fails_with_its_reason_and_the_worker_goes_on(jobs):
    failing = jobs.create("ada", short_run(learning_rate=1e9))
    after = jobs.create("bob", short_run())
    failing.resume()
    after.resume()
    wait_for_status(failing, "failed")
    assert "at step 2 of 16" in failing.reason
    assert "Try a smaller learning rate" in failing.reason
    wait_for_status(after, "finished")
    assert after.reason == ""


@pytest.mark.parametrize("optimiser", ["SGD", "Adam"])
@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_what_a_diverged_run_publishes_still_answers_with_numbers(jobs, architecture, optimiser):
    run = short_run(learning_rate=1e9, architecture=architecture, optimiser=optimiser, epochs=20)
    job = jobs.create("ada", run)
    job.resume()
    wait_for_status(job, "failed")
    model = with_weights(architecture, run.snapshot.weights)  # as Evaluation and Drawing offer it
    assert np.isfinite(probabilities(model, DATASET.test_images)).all()


def test_an_exception_in_a_run_fails_it_by_type_and_message_and_the_worker_goes_on(
    jobs, monkeypatch
):
    failing, after = jobs.create("ada", short_run()), jobs.create("bob", short_run())

    def out_of_memory(*args):
        raise MemoryError("no 3 GB left")

    monkeypatch.setattr(failing.run, "advance", out_of_memory)
    failing.resume()
    after.resume()
    wait_for_status(failing, "failed")
    assert "MemoryError: no 3 GB left" in failing.reason
    assert "at step 0 of 16" in failing.reason
    wait_for_status(after, "finished")


def ended(jobs, status):
    run = short_run(learning_rate=1e9) if status == "failed" else short_run()
    job = jobs.create("ada", run)
    if status == "stopped":
        job.step(3)
        wait_for_status(job, "paused")
        job.stop()
    else:
        job.resume()
    wait_for_status(job, status)
    return job


@pytest.mark.parametrize("call", ["resume", "step", "pause", "stop"])
@pytest.mark.parametrize("status", ENDED)
def test_nothing_brings_an_ended_job_back(jobs, status, call):
    job = ended(jobs, status)
    step, reason = job.run.history.step, job.reason

    getattr(job, call)()

    assert job.status == status
    other = jobs.create("bob", short_run())
    other.resume()
    wait_for_status(other, "finished")  # by now the worker would have taken the job again
    assert (job.status, job.run.history.step, job.reason) == (status, step, reason)


def test_resume_right_after_pause_is_not_lost(held):
    held.pause()
    held.resume()
    held.gate.open()
    wait_for_status(held, "finished")


def test_resume_while_the_worker_puts_a_paused_job_down_is_not_lost(held, monkeypatch):
    publish, asked = held.run.publish_weights, threading.Event()

    def resume_first():
        if not asked.is_set():
            asked.set()
            held.resume()
        publish()

    monkeypatch.setattr(held.run, "publish_weights", resume_first)
    held.pause()
    held.gate.open()
    wait_for_status(held, "finished")
    assert asked.is_set()


def test_stop_while_the_worker_puts_a_paused_job_down_is_not_lost(held, monkeypatch):
    publish = held.run.publish_weights

    def stop_first():
        held.stop()
        publish()

    monkeypatch.setattr(held.run, "publish_weights", stop_first)
    held.pause()
    held.gate.open()
    wait_for_status(held, "stopped", "paused")
    assert held.status == "stopped"


def test_pause_right_after_resume_is_not_lost(held):
    held.resume()
    held.pause()
    held.gate.open()
    wait_for_status(held, "paused", "finished")
    assert held.status == "paused"
    assert held.run.history.step < held.run.total_steps


@pytest.mark.parametrize("call", ["resume", "pause", "step"])
def test_nothing_takes_a_stop_back_that_the_worker_has_not_seen_yet(held, call):
    held.stop()
    getattr(held, call)()
    held.gate.open()
    wait_for_status(held, "paused", *ENDED)
    assert held.status == "stopped"


def test_an_owner_s_oldest_ended_jobs_are_forgotten(jobs):
    mine = [jobs.create("ada", short_run()) for _ in range(JOBS_PER_OWNER + 2)]
    theirs = jobs.create("bob", short_run())
    found = [jobs.get(job.id) for job in mine]
    assert found == [None, None, *mine[2:]]
    assert jobs.get(theirs.id) is theirs


def test_the_oldest_ended_jobs_of_all_are_forgotten(jobs):
    made = [jobs.create(f"visitor {i}", short_run()) for i in range(JOBS_IN_ALL + 3)]
    found = [jobs.get(job.id) for job in made]
    assert found == [None, None, None, *made[3:]]


def test_active_jobs_are_never_forgotten(jobs, held):
    queued = [jobs.create("ada", short_run()) for _ in range(3)]
    for job in queued:
        job.resume()
    paused = [jobs.create("ada", short_run()) for _ in range(4)]  # 8 in all, 4 of them active

    assert all(jobs.get(job.id) is job for job in (held, *queued))
    assert [jobs.get(job.id) for job in paused] == [None, None, None, paused[3]]
    assert (held.status, {job.status for job in queued}) == ("running", {"queued"})


def test_more_active_jobs_than_the_bound_are_all_kept_and_forgotten_once_they_end(
    jobs, held, monkeypatch
):
    monkeypatch.setattr(jobs_module, "JOBS_IN_ALL", 3)
    queued = []
    for i in range(5):
        queued.append(jobs.create(f"visitor {i}", short_run()))
        queued[-1].resume()
    newest = jobs.create("ada", short_run())
    assert all(jobs.get(job.id) is job for job in (held, *queued, newest))

    held.gate.open()
    for job in queued:
        wait_for_status(job, "finished")
    jobs.create("bob", short_run())

    kept = [job for job in (held, *queued, newest) if jobs.get(job.id)]
    assert kept == [queued[-1], newest]
