"""The training queue: turns, requests, saving and failures."""

import math
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from mnist_core.evaluation.metrics import probabilities
from mnist_core.nn.architectures import with_weights
from mnist_core.training import queue as queue_module
from mnist_core.training.queue import JOBS_IN_ALL, TrainingQueue
from mnist_core.training.run import TrainingConfig, TrainingRun
from mnist_core.training.status import ACTIVE, ENDED
from tests.small_data import tiny_dataset

DEADLINE_S = 30
DATASET = tiny_dataset()


def wait_for(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s for {what}"
        time.sleep(0.002)


def wait_for_status(job, *statuses):
    wait_for(lambda: job.status in statuses, " or ".join(statuses))


def wait_at_rest(job, status):
    """Wait until a job has this status and is saved."""
    wait_for(lambda: job.status == status and not job.is_busy, f"{status}, written down")


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


@dataclass(frozen=True)
class Saved:
    """The state of a job when it was saved."""

    status: str
    step: int
    reason: str
    learning_rate: float

    @classmethod
    def of(cls, job):
        history = job.run.history
        return cls(job.status, history.step, job.reason, history.learning_rates[-1][1])


class Disk:
    """Records what is saved, and raises `broken` while that is set."""

    def __init__(self):
        self.saved, self.broken, self.meanwhile = [], None, []

    def __call__(self, job):
        if self.broken:
            raise self.broken
        self.saved.append(Saved.of(job))
        if self.meanwhile:
            self.meanwhile.pop(0)(job)  # what others do during the save


@pytest.fixture
def make_jobs():
    """Create queues; at the end stop their jobs."""
    made = []

    def make(n_workers=1, **options):
        made.append(TrainingQueue(n_workers, **options))
        return made[-1]

    yield make
    for jobs in made:
        for job in jobs.jobs():
            job.stop()
            wait_for_status(job, *ENDED)


@pytest.fixture
def jobs(make_jobs):
    return make_jobs()


@pytest.fixture
def held(jobs):
    """A running job of 16 steps that waits for its gate before the first one."""
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


def test_a_job_is_paused_queued_running_and_finished(jobs, held):
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


def test_a_worker_trains_bit_for_bit_like_a_loop(jobs):
    job, by_hand = jobs.create("ada", short_run()), short_run()
    job.resume()
    while not by_hand.finished:
        by_hand.advance(5)
    wait_for_status(job, "finished")
    np.testing.assert_array_equal(job.run.history.losses, by_hand.history.losses)
    for key, tensor in by_hand.model.state_dict().items():
        assert torch.equal(job.run.snapshot.weights[key], tensor)


def test_the_weights_are_published_after_a_turn(jobs):
    job = jobs.create("ada", short_run())
    job.step(3)
    wait_for_status(job, "paused")
    assert job.run.snapshot.step == 3
    assert torch.equal(job.run.snapshot.weights["l1.weight"], job.run.model.l1.weight)


def test_weights_are_published_during_training(jobs, monkeypatch):
    monkeypatch.setattr(queue_module, "WEIGHTS_EVERY_S", 0.0)
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

    other.resume()  # the only worker is free
    wait_for_status(other, "finished")

    assert (job.status, job.run.history.step) == ("paused", step)


def test_stepping_takes_n_steps_and_pauses(jobs):
    job = jobs.create("ada", short_run())
    for n_steps, step in ((1, 1), (5, 6), (1, 7), (5, 12)):  # the last passes an epoch's end
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


def test_stop_ends_a_running_job_and_its_weights_stay(jobs):
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


def test_others_train_only_if_another_owner_has_a_job(jobs, held):
    own, other = jobs.create("ada", short_run()), jobs.create("bob", short_run())
    own.resume()
    assert not own.others_train  # her own job is before hers
    assert other.others_train
    other.resume()
    assert own.others_train
    other.pause()
    assert not own.others_train


def test_a_job_paused_while_queued_resumes_at_the_end_of_the_queue(jobs, held):
    first, second = jobs.create("ada", short_run()), jobs.create("ada", short_run())
    first.resume()
    second.resume()
    first.pause()
    first.resume()
    assert (second.place, first.place) == (0, 1)
    held.gate.open()
    wait_for_status(first, "finished")
    assert second.status == "finished"


def test_with_one_worker_the_others_wait_in_order_and_all_finish(jobs, held):
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


def test_resuming_twice_queues_once(jobs, held):
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
    assert (job.status, job.run.history.step) == ("paused", 2)  # the last request counts


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
    monkeypatch.setattr(queue_module, "TURN_S", 0.02)
    monkeypatch.setattr(queue_module, "SLICE_S", 0.01)
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
    monkeypatch.setattr(queue_module, "TURN_S", 0.02)
    monkeypatch.setattr(queue_module, "SLICE_S", 0.01)
    pair = [jobs.create(owner, long_run()) for owner in ("ada", "bob")]
    for job in pair:
        job.resume()
    for _ in range(3):
        for job in pair:
            step = job.run.history.step
            wait_for(lambda job=job, step=step: job.run.history.step > step, "its turn")


def test_a_turn_is_not_cut_short(jobs, held, monkeypatch):
    monkeypatch.setattr(queue_module, "TURN_S", 1e9)
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
def test_the_published_weights_of_a_diverged_run_are_finite(jobs, architecture, optimiser):
    run = short_run(learning_rate=1e9, architecture=architecture, optimiser=optimiser, epochs=20)
    job = jobs.create("ada", run)
    job.resume()
    wait_for_status(job, "failed")
    model = with_weights(architecture, run.snapshot.weights)  # as Evaluation and Drawing use it
    assert np.isfinite(probabilities(model, DATASET.test_images)).all()


def test_an_exception_fails_the_run_with_its_message_and_the_worker_goes_on(jobs, monkeypatch):
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
def test_an_ended_job_cannot_be_resumed(jobs, status, call):
    job = ended(jobs, status)
    step, reason = job.run.history.step, job.reason

    getattr(job, call)()

    assert job.status == status
    other = jobs.create("bob", short_run())
    other.resume()
    wait_for_status(other, "finished")  # a worker would have taken the job by now
    assert (job.status, job.run.history.step, job.reason) == (status, step, reason)


def test_resume_right_after_pause_is_not_lost(held):
    held.pause()
    held.resume()
    held.gate.open()
    wait_for_status(held, "finished")


def test_resume_while_a_job_comes_to_rest_is_not_lost(held, monkeypatch):
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


def test_stop_while_a_job_comes_to_rest_is_not_lost(held, monkeypatch):
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
def test_a_stop_cannot_be_undone(held, call):
    held.stop()
    getattr(held, call)()
    held.gate.open()
    wait_for_status(held, "paused", *ENDED)
    assert held.status == "stopped"


def test_the_oldest_jobs_are_dropped(jobs):
    made = [jobs.create(f"visitor {i}", short_run()) for i in range(JOBS_IN_ALL + 3)]
    found = [jobs.get(job.id) for job in made]
    assert found == [None, None, None, *made[3:]]


def test_ended_jobs_are_dropped_before_paused_ones(jobs, monkeypatch):
    monkeypatch.setattr(queue_module, "JOBS_IN_ALL", 3)
    paused, stopped = jobs.create("ada", short_run()), jobs.create("ada", short_run())
    stopped.stop()
    jobs.create("bob", short_run())
    jobs.create("bob", short_run())
    assert jobs.get(paused.id) is paused
    assert jobs.get(stopped.id) is None


def test_an_unsaved_job_is_dropped_last(jobs, monkeypatch):
    monkeypatch.setattr(queue_module, "JOBS_IN_ALL", 3)
    full = Disk()
    full.broken = OSError(28, "No space left on device")
    unwritten = jobs.create("ada", short_run(), full)
    unwritten.save()
    others = [jobs.create("bob", short_run()) for _ in range(3)]
    assert jobs.get(unwritten.id) is unwritten
    assert jobs.get(others[0].id) is None


def test_active_jobs_are_never_dropped(jobs, held, monkeypatch):
    monkeypatch.setattr(queue_module, "JOBS_IN_ALL", 5)
    queued = [jobs.create("ada", short_run()) for _ in range(3)]
    for job in queued:
        job.resume()
    paused = [jobs.create("ada", short_run()) for _ in range(4)]  # 8 in all, 4 of them active

    assert all(jobs.get(job.id) is job for job in (held, *queued))
    assert [jobs.get(job.id) for job in paused] == [None, None, None, paused[3]]
    assert (held.status, {job.status for job in queued}) == ("running", {"queued"})


def test_active_jobs_beyond_the_limit_are_dropped_when_they_end(jobs, held, monkeypatch):
    monkeypatch.setattr(queue_module, "JOBS_IN_ALL", 3)
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


def test_an_owner_s_jobs_come_newest_first(jobs):
    first, _, second = (jobs.create(o, short_run()) for o in ("ada", "bob", "ada"))
    assert jobs.of("ada") == [second, first]
    assert jobs.of("cleo") == []


def test_jobs_that_have_not_ended_are_in_use(jobs, held):
    queued, paused, stopped = (jobs.create("ada", short_run()) for _ in range(3))
    queued.resume()
    stopped.stop()
    assert jobs.in_use() == {held.id, queued.id, paused.id}


def test_a_restored_job_has_its_id_status_and_reason(jobs):
    job = jobs.create("ada", short_run(), job_id="x" * 22, status="stopped", reason="Enough.")
    assert (job.id, job.status, job.reason) == ("x" * 22, "stopped", "Enough.")


def test_a_second_job_with_the_same_id_is_not_added(jobs):
    job = jobs.create("ada", short_run())
    assert jobs.create("ada", short_run(), job_id=job.id) is job


def drop(jobs, job, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(queue_module, "JOBS_IN_ALL", 1)
        jobs.create("bob", short_run())
    assert jobs.get(job.id) is None


def test_a_dropped_job_is_in_memory_again_when_it_resumes(jobs, monkeypatch):
    job = jobs.create("ada", short_run())
    drop(jobs, job, monkeypatch)
    job.resume()  # by a button of a page drawn before
    assert jobs.get(job.id) is job
    wait_for_status(job, "finished")


@pytest.mark.parametrize(
    ("call", "status"), [("resume", "finished"), ("pause", "paused"), ("stop", "stopped")]
)
def test_a_dropped_job_passes_requests_to_its_successor(jobs, held, monkeypatch, call, status):
    old = jobs.create("ada", short_run())
    drop(jobs, old, monkeypatch)
    new = jobs.create("ada", short_run(), job_id=old.id)
    if call != "resume":
        new.resume()
    getattr(old, call)()
    held.gate.open()
    wait_for_status(new, status)
    assert (old.status, old.run.history.step) == ("paused", 0)


# Fair turns


def test_five_runs_of_one_owner_do_not_delay_another_s_run(jobs, held):
    """ada's run is running and five more of hers wait; bob is last."""
    order = []

    def noting(owner):
        job = jobs.create(owner, short_run(epochs=1))
        advance = job.run.advance
        job.run.advance = lambda *args: (order.append(owner), advance(*args))
        job.resume()
        return job

    greedy = [noting("ada") for _ in range(5)]
    single = noting("bob")
    assert single.place == 0
    assert [job.place for job in greedy] == [1, 2, 3, 4, 5]

    held.gate.open()

    for job in (single, *greedy):
        wait_for_status(job, "finished")
    assert order[0] == "bob"
    assert "bob" not in order[order.index("ada") :]


def test_the_places_of_two_owners_with_several_runs_alternate(jobs, held):
    ada, bob = ([jobs.create(owner, short_run()) for _ in range(3)] for owner in ("ada", "bob"))
    for job in (*ada, *bob):
        job.resume()
    assert [job.place for job in bob] == [0, 2, 4]
    assert [job.place for job in ada] == [1, 3, 5]
    held.gate.open()
    for job in (*ada, *bob):
        wait_for_status(job, "finished")


# Running to a step


def test_a_run_trains_up_to_a_step_and_pauses(jobs):
    job = jobs.create("ada", short_run())
    job.run_to(5)
    wait_for_status(job, "paused")
    assert (job.run.history.step, job.reason) == (5, "")
    job.run_to(1_000_000)
    wait_for_status(job, "finished")
    assert job.run.history.step == 16


def test_running_to_an_earlier_step_pauses_at_once(jobs):
    job = jobs.create("ada", short_run())
    job.run_to(5)
    wait_for_status(job, "paused")
    job.run_to(3)
    wait_for_status(job, "paused")
    assert job.run.history.step == 5


# The learning rate


def rates(job):
    return job.run.history.learning_rates


def test_the_learning_rate_of_a_running_job_changes_at_its_next_advance(jobs, held):
    by_hand = short_run()
    by_hand.advance(200)  # up to the first snapshot, like the worker's first advance
    first = by_hand.history.step
    by_hand.set_learning_rate(0.5)
    while not by_hand.finished:
        by_hand.advance(200)

    held.set_learning_rate(0.5)
    assert rates(held) == [(0, 0.01)]  # not before the worker's next advance
    held.gate.open()

    wait_for_status(held, "finished")
    assert rates(held) == [(0, 0.01), (first, 0.5)]
    np.testing.assert_array_equal(held.run.history.losses, by_hand.history.losses)


def test_the_learning_rate_of_a_paused_job_changes_at_its_present_step(jobs):
    disk = Disk()
    job = jobs.create("ada", short_run(), disk)
    job.run_to(3)
    wait_at_rest(job, "paused")
    job.set_learning_rate(0.5)
    assert rates(job) == [(0, 0.01), (3, 0.5)]
    assert disk.saved[-1] == Saved("paused", 3, "", 0.5)


def test_the_learning_rate_of_a_queued_job_changes_and_its_place_stays(jobs, held):
    job, last = jobs.create("ada", short_run()), jobs.create("ada", short_run())
    job.resume()
    last.resume()
    job.set_learning_rate(0.5)
    assert rates(job) == [(0, 0.5)]
    assert (job.status, job.place, last.place) == ("queued", 0, 1)
    held.gate.open()
    wait_for_status(last, "finished")
    assert (job.status, rates(job)) == ("finished", [(0, 0.5)])


@pytest.mark.parametrize("status", ENDED)
def test_the_learning_rate_of_an_ended_job_stays(jobs, status):
    job = ended(jobs, status)
    before = list(rates(job))
    job.set_learning_rate(0.5)
    assert rates(job) == before


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf, True, "0.1", None])
def test_a_wrong_learning_rate_is_refused(jobs, rate):
    job = jobs.create("ada", short_run())
    with pytest.raises(ValueError, match="must be a number above 0"):
        job.set_learning_rate(rate)
    assert rates(job) == [(0, 0.01)]


# Unwatched runs


def test_an_unwatched_run_is_paused_with_a_reason_and_can_resume(make_jobs):
    disk = Disk()
    job = make_jobs(unwatched_s=0.01).create("ada", long_run(), disk)
    job.resume()
    wait_at_rest(job, "paused")
    assert "Nobody had looked at this run" in job.reason
    assert "Resume goes on from here" in job.reason
    assert disk.saved[-1] == Saved("paused", job.run.history.step, job.reason, 0.01)

    step = job.run.history.step
    job.resume()
    wait_for(lambda: job.run.history.step > step, "a step after it")


@pytest.fixture
def unwatched(make_jobs):
    """A running job that nobody has ever looked at."""
    job = make_jobs(unwatched_s=1e9).create("ada", short_run())
    job.gate = Gate(job.run)
    job.resume()
    job.gate.wait_until_reached()
    job.watched = -math.inf
    yield job
    job.gate.open()


def test_an_unwatched_run_is_paused(unwatched):
    unwatched.gate.open()
    wait_for_status(unwatched, "paused", *ENDED)
    assert unwatched.status == "paused"


def test_a_watched_run_is_not_paused(unwatched):
    unwatched.watch()
    unwatched.gate.open()
    wait_for_status(unwatched, "paused", *ENDED)
    assert (unwatched.status, unwatched.reason) == ("finished", "")


@pytest.mark.parametrize(("call", "status"), [("stop", "stopped"), ("pause", "paused")])
def test_a_request_counts_more_than_the_pause_of_an_unwatched_run(unwatched, call, status):
    getattr(unwatched, call)()
    unwatched.gate.open()
    wait_for_status(unwatched, "paused", *ENDED)
    assert (unwatched.status, unwatched.reason) == (status, "")


def test_stopping_an_unwatched_run_clears_its_reason(unwatched):
    unwatched.gate.open()
    wait_for_status(unwatched, "paused")
    unwatched.stop()
    wait_for_status(unwatched, "stopped")
    assert unwatched.reason == ""


# Saving


def test_a_run_is_saved_during_training_and_at_its_end(jobs, monkeypatch):
    monkeypatch.setattr(queue_module, "SAVE_EVERY_S", -1.0)  # at every advance, or nearly
    disk = Disk()
    job = jobs.create("ada", short_run(), disk)
    job.resume()
    wait_at_rest(job, "finished")
    *going, last = disk.saved
    assert {kept.status for kept in going} == {"running"}
    steps = [kept.step for kept in going]
    assert steps == sorted(set(steps))
    assert last == Saved("finished", 16, "", 0.01)
    assert job.problem == ""


def test_a_run_is_not_saved_more_often_than_set(jobs, monkeypatch):
    monkeypatch.setattr(queue_module, "SAVE_EVERY_S", 1e9)
    disk = Disk()
    job = jobs.create("ada", short_run(), disk)
    job.run_to(7)
    wait_for_status(job, "paused")
    job.resume()
    wait_at_rest(job, "finished")
    assert [(k.status, k.step) for k in disk.saved] == [("paused", 7), ("finished", 16)]


@pytest.mark.parametrize(("call", "status"), [("stop", "stopped"), ("pause", "paused")])
def test_a_job_withdrawn_while_queued_is_saved(jobs, held, call, status):
    disk = Disk()
    job = jobs.create("ada", short_run(), disk)
    job.resume()
    getattr(job, call)()
    assert disk.saved == [Saved(status, 0, "", 0.01)]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), "(No space left on device)"),
        (OSError("gone"), "(OSError: gone)"),
        (MemoryError("no 3 GB left"), "(MemoryError: no 3 GB left)"),
    ],
    ids=["full", "no number", "no memory"],
)
def test_a_run_that_cannot_be_saved_goes_on_with_a_problem_until_it_can(
    jobs, monkeypatch, error, why
):
    monkeypatch.setattr(queue_module, "SAVE_EVERY_S", -1.0)
    disk = Disk()
    disk.broken = error
    job = jobs.create("ada", long_run(), disk)
    job.resume()
    wait_for(lambda: job.problem, "the problem")
    assert why in job.problem
    assert "could not be written" in job.problem
    step = job.run.history.step
    wait_for(lambda: job.run.history.step > step, "a step in spite of it")
    assert job.status == "running"

    disk.broken = None
    wait_for(lambda: disk.saved, "the first time that it works again")
    wait_for(lambda: not job.problem, "the problem to be over")
    assert job.status == "running"


def test_a_worker_survives_a_run_that_cannot_be_saved(jobs):
    broken, after = Disk(), Disk()
    broken.broken = RuntimeError("not even an OSError")
    first = jobs.create("ada", short_run(), broken)
    second = jobs.create("ada", short_run(), after)
    first.resume()
    second.resume()
    wait_for_status(second, "finished")
    assert first.status == "finished"
    assert "RuntimeError: not even an OSError" in first.problem


@pytest.mark.parametrize(
    ("ask", "rate"),
    [(lambda job: job.pause(), 0.01), (lambda job: job.set_learning_rate(0.5), 0.5)],
    ids=["pause", "new rate"],
)
def test_no_worker_takes_a_run_that_a_page_is_saving(jobs, ask, rate):
    """During the save of a page's request, a visitor resumes, and the only worker is free."""
    disk, other = Disk(), jobs.create("bob", short_run())
    job = jobs.create("ada", short_run(), disk)
    steps = []

    def resume_and_wait(job):
        job.resume()
        other.resume()
        wait_for_status(other, "finished")
        steps.append(job.run.history.step)

    disk.meanwhile.append(resume_and_wait)
    ask(job)
    assert steps == [0]
    wait_for_status(job, "finished")  # the request during the save is not lost
    assert rates(job) == [(0, rate)]


def test_a_learning_rate_chosen_during_a_save_is_saved_too(jobs):
    disk = Disk()
    job = jobs.create("ada", short_run(), disk)
    disk.meanwhile.append(lambda job: job.set_learning_rate(0.5))
    job.pause()
    assert [kept.learning_rate for kept in disk.saved] == [0.01, 0.5]
    assert rates(job) == [(0, 0.5)]


def test_a_forgotten_job_stops_and_is_not_saved_again(jobs, held):
    disk = Disk()
    job = jobs.create("ada", short_run(), disk)
    job.gate = Gate(job.run)
    job.resume()
    held.gate.open()
    job.gate.wait_until_reached()

    jobs.forget(job)
    job.gate.open()

    wait_at_rest(job, "stopped")
    assert disk.saved == []
    assert jobs.get(job.id) is None


# Failures


def runs_out_of_memory(run):
    """Take a few steps and then fail."""
    advance = run.advance

    def advance_or_fail(*args):
        if run.history.step >= 4:
            raise MemoryError("no 3 GB left")
        advance(*args)

    run.advance = advance_or_fail
    return run


def breaks(run):
    engine_step = run.engine.train

    def train_or_fail(x, labels, learning_rate):
        if run.history.step >= 4:
            raise RuntimeError("shapes (3, 4) and (5, 6)")
        return engine_step(x, labels, learning_rate)

    run.engine.train = train_or_fail
    return run


@pytest.mark.parametrize(
    ("failing", "why", "least_steps"),
    [
        (lambda: runs_out_of_memory(short_run()), "MemoryError: no 3 GB left", 4),
        (lambda: breaks(short_run()), "RuntimeError: shapes (3, 4) and (5, 6)", 4),
        (lambda: short_run(learning_rate=1e9), "Try a smaller learning rate", 2),
    ],
    ids=["memory", "error", "diverged"],
)
def test_a_failed_run_has_its_reason_and_history_and_the_worker_goes_on(
    jobs, failing, why, least_steps
):
    disk = Disk()
    job, after = jobs.create("ada", failing(), disk), jobs.create("ada", short_run())
    job.resume()
    after.resume()
    wait_for_status(after, "finished")

    history = job.run.history
    assert job.status == "failed"
    assert why in job.reason
    assert f"at step {history.step} of 16" in job.reason
    assert disk.saved == [Saved("failed", history.step, job.reason, history.learning_rates[-1][1])]
    assert least_steps <= history.step < 16
    assert (history.losses[: history.step - 1] > 0).all()
    assert history.training_s > 0


@pytest.mark.parametrize("call", ["resume", "stop", "pause"])
def test_a_request_during_a_failure_does_not_hide_its_reason(jobs, call):
    job = jobs.create("ada", short_run(learning_rate=1e9))
    rest = job.run.rest
    job.run.rest = lambda: (getattr(job, call)(), rest())  # the worker calls it last
    job.resume()
    wait_for_status(job, "failed")
    assert "Try a smaller learning rate" in job.reason
