"""A run's folder: a saved run is read again, and no crash can spoil it."""

from __future__ import annotations

import csv
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from mnist_core.nn.optimisers import OPTIMISERS
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.run import TrainingFailedError, TrainingRun
from mnist_core.workspace import checkpoints
from mnist_core.workspace.checkpoints import (
    RunFolder,
    checkpoint_bytes,
    fingerprint,
    history_csv,
    parse_checkpoint,
    record_of,
    restored,
    safe_tensors,
)
from mnist_core.workspace.run_record import RunRecord
from tests.small_data import random_images, tiny_dataset

DATASET = tiny_dataset()  # 64 images: 8 steps an epoch
NEW = RunRecord("A" * 22, created=1.5, data=fingerprint(DATASET))
KINDS = {
    **{optimiser: {"optimiser": optimiser, "architecture": "mlp"} for optimiser in OPTIMISERS},
    "cnn, one cycle, augmented": {
        "architecture": "cnn",
        "optimiser": "AdamW",
        "schedule": "one-cycle",
        "augment": True,
    },
    "numpy": {"architecture": "mlp", "engine": "numpy"},
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def a_run(kind="SGD", **changes):
    """16 steps, 8 an epoch."""
    config = {"dataset": "digits", "batch_size": 8, "epochs": 2} | KINDS[kind] | changes
    return TrainingRun(TrainingConfig(**config), DATASET)


def drive(run, step):
    while run.history.step < step:
        run.advance(step - run.history.step)
    return run


def write(run, folder, status="paused", reason=""):
    folder.write(run, record_of(run, NEW, status, reason))


def read(folder):
    return restored(*folder.read(), DATASET)


def bits(tensors):
    arrays = {name: torch.as_tensor(t).contiguous().numpy() for name, t in tensors.items()}
    return {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()}


def assert_same_state(run, other):
    """Compare two runs to the last bit, without their times."""
    assert bits(run.weights()) == bits(other.weights())
    assert bits(run.optimiser_state()) == bits(other.optimiser_state())
    step = run.history.step
    assert step == other.history.step
    assert run.history.losses[:step].tobytes() == other.history.losses[:step].tobytes()
    assert run.history.learning_rates == other.history.learning_rates
    assert run.history.epoch_metrics == other.history.epoch_metrics


def rows_of(folder):
    with (folder.folder / "history.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_csv_tells(folder, run):
    rows = rows_of(folder)
    step = run.history.step
    assert [int(row["step"]) for row in rows] == list(range(1, step + 1))
    losses = np.array([row["loss"] for row in rows], dtype=np.float32)
    assert losses.tobytes() == run.history.losses[:step].tobytes()
    np.testing.assert_allclose(
        [float(row["seconds"]) for row in rows], run.history.seconds[:step], rtol=1e-5
    )


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


# Saving and reading


@every_kind
@pytest.mark.parametrize("step", [0, 5, 16], ids=["new", "in an epoch", "at the end"])
def test_a_saved_run_is_read_to_the_last_bit(folder, kind, step):
    run = drive(a_run(kind), step)
    write(run, folder, "finished" if step == 16 else "paused", "Because.")

    record, tensors = folder.read()
    again = restored(record, tensors, DATASET)

    assert_same_state(run, again)
    assert again.history.seconds.tobytes() == run.history.seconds.tobytes()
    assert again.history.training_s == run.history.training_s
    assert (again.config, again.total_steps, again.threads) == (run.config, 16, 1)
    assert again.snapshot.step == step
    assert bits(again.snapshot.weights) == bits(run.weights())
    assert (record.status, record.reason) == ("finished" if step == 16 else "paused", "Because.")
    assert record == folder.read_record()
    assert (record.id, record.created, record.data) == (NEW.id, NEW.created, NEW.data)
    assert folder.folder.joinpath("run.json").read_bytes() == record.to_json()


@every_kind
def test_a_restored_run_continues_to_the_same_bits(folder, kind):
    uninterrupted, run = drive(a_run(kind), 16), drive(a_run(kind), 5)
    write(run, folder)
    assert_same_state(drive(read(folder), 16), uninterrupted)


def test_a_run_with_a_changed_learning_rate_continues_to_the_same_bits(folder):
    def with_changes(run):
        drive(run, 3).set_learning_rate(0.5)
        drive(run, 6).set_learning_rate(0.02)
        return run

    run = with_changes(a_run("Adam"))
    write(run, folder)
    again = read(folder)
    assert again.history.learning_rates == [(0, 0.01), (3, 0.5), (6, 0.02)]
    assert_same_state(drive(again, 16), drive(with_changes(a_run("Adam")), 16))


def test_the_number_of_threads_is_saved(folder):
    write(TrainingRun(a_run().config, DATASET, threads=2), folder)
    assert read(folder).threads == 2


def test_the_weights_alone_can_be_used_by_other_programs(folder):
    run = drive(a_run(), 5)
    write(run, folder)
    tensors, metadata = safe_tensors((folder.folder / "checkpoint.safetensors").read_bytes())
    torch.testing.assert_close(tensors["model.l1.weight"], run.weights()["l1.weight"])
    assert json.loads(metadata["run"])["config"]["optimiser"] == "SGD"


# A run that failed


@pytest.fixture
def failed():
    run = a_run("Adam", learning_rate=1e9)
    with pytest.raises(TrainingFailedError):
        drive(run, 16)
    return run


def test_a_failed_run_is_saved_with_the_last_published_weights(folder, failed):
    write(failed, folder, "failed", "The loss grew.")
    record, tensors = folder.read()
    again = restored(record, tensors, DATASET)
    assert (record.status, record.reason) == ("failed", "The loss grew.")
    assert bits(again.weights()) == bits(failed.snapshot.weights)
    assert again.history.step == failed.history.step > 0
    step = failed.history.step
    assert again.history.losses[:step].tobytes() == failed.history.losses[:step].tobytes()
    assert_csv_tells(folder, failed)


def test_a_failed_run_can_be_read_even_if_all_in_it_is_nan(folder, failed):
    failed.history.losses[:] = np.nan
    for tensor in failed.optimiser_state().values():
        if tensor.is_floating_point():
            tensor.fill_(torch.nan)
    write(failed, folder, "failed")
    again = read(folder)
    assert np.isnan(again.history.losses[: again.history.step]).all()
    assert rows_of(folder)[0]["loss"] == "nan"


# The CSV


def test_the_csv_has_a_row_for_each_step_with_its_learning_rate(folder):
    run = a_run("cnn, one cycle, augmented")
    drive(run, 3).set_learning_rate(0.5)
    drive(run, 10)
    write(run, folder)
    assert_csv_tells(folder, run)
    for i, row in enumerate(rows_of(folder)):
        rate = 0.01 if i < 3 else 0.5
        assert float(row["learning_rate"]) == pytest.approx(rate * run.schedule_share(i), rel=1e-8)


def test_the_csv_does_not_depend_on_the_number_of_saves(folder, tmp_path):
    run, at_once = a_run(), RunFolder(tmp_path / "at once")
    for step in (0, 1, 4, 4, 9, 16):
        drive(run, step)
        if step == 4:
            run.set_learning_rate(0.25)
        write(run, folder)
        assert_csv_tells(folder, run)
    write(run, at_once)
    text = (folder.folder / "history.csv").read_bytes()
    assert text == (at_once.folder / "history.csv").read_bytes()
    assert text.count(b"\n") == 17
    assert text.startswith(b"step,loss,learning_rate,seconds\n1,")


def test_csv_rows_are_appended(folder):
    run = drive(a_run(), 4)
    write(run, folder)
    path = folder.folder / "history.csv"
    path.write_text("what was there\n", "utf-8")
    drive(run, 6)
    write(run, folder)
    assert path.read_text("utf-8") == "what was there\n" + history_csv(run, 4)
    assert history_csv(run, 4).startswith("5,")


def test_after_a_crash_the_csv_continues_from_the_checkpoint(folder):
    run = drive(a_run(), 4)
    write(run, folder)
    checkpoint = (folder.folder / "checkpoint.safetensors").read_bytes()
    drive(run, 9)
    write(run, folder)
    (folder.folder / "checkpoint.safetensors").write_bytes(checkpoint)  # older than the CSV
    with (folder.folder / "history.csv").open("a", encoding="utf-8") as file:
        file.write("10,0.12")  # and the last row is cut

    again, own = read(folder), RunFolder(folder.folder)
    again.set_learning_rate(0.3)  # another rate than before
    drive(again, 7)
    write(again, own)

    assert_csv_tells(own, again)
    assert {row["learning_rate"] for row in rows_of(own)[4:]} == {"0.3"}


def test_snapshots_later_than_the_checkpoint_are_deleted(folder):
    run = drive(a_run(), 4)
    write(run, folder)
    checkpoint = (folder.folder / "checkpoint.safetensors").read_bytes()
    drive(run, 16)
    write(run, folder)
    (folder.folder / "checkpoint.safetensors").write_bytes(checkpoint)
    assert max(folder.snapshot_steps()) == 16

    again, own = read(folder), RunFolder(folder.folder)
    write(again, own)

    assert own.snapshot_steps() == [s for s in run.snapshot_steps if s <= 4]
    drive(again, 16)
    write(again, own)
    assert own.snapshot_steps() == list(run.snapshot_steps)


class FullAfter:
    """A file on a disk with room for a number of characters."""

    def __init__(self, file, characters):
        self.file, self.characters = file, characters

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()

    def write(self, text):
        self.file.write(text[: self.characters])
        raise OSError(28, "No space left on device")


def full_disk_for_rows(monkeypatch, characters):
    open_path = Path.open

    def open_full(path, mode="r", **options):
        file = open_path(path, mode, **options)
        return FullAfter(file, characters) if mode == "a" else file

    monkeypatch.setattr(Path, "open", open_full)


@pytest.mark.parametrize("characters", [0, 5, 60])
def test_the_csv_is_complete_again_when_a_full_disk_has_room(folder, monkeypatch, characters):
    run = drive(a_run(), 4)
    write(run, folder)
    drive(run, 9)
    with monkeypatch.context() as patch:
        full_disk_for_rows(patch, characters)
        with pytest.raises(OSError, match="No space left"):
            write(run, folder)
    assert read(folder).history.step == 4  # the files saved before are whole
    write(run, folder)
    assert_csv_tells(folder, run)
    assert read(folder).history.step == 9


def test_a_folder_that_was_deleted_is_written_completely(folder):
    run = drive(a_run(), 4)
    write(run, folder)
    (folder.folder / "history.csv").unlink()
    drive(run, 6)
    write(run, folder)
    assert_csv_tells(folder, run)


# Snapshots


def test_snapshots_are_saved_and_read(folder):
    run, first = a_run(), a_run()
    drive(run, 16)
    snapshots = {snapshot.step: bits(snapshot.weights) for snapshot in run.unsaved_snapshots}
    write(run, folder)
    assert run.unsaved_snapshots == []
    assert folder.snapshot_steps() == sorted(snapshots) == list(run.snapshot_steps)
    for step, weights in snapshots.items():
        snapshot = folder.snapshot(step)
        assert (snapshot.step, bits(snapshot.weights)) == (step, weights)
    assert snapshots[0] == bits(first.weights())


def test_snapshots_that_could_not_be_saved_are_saved_the_next_time(folder, monkeypatch):
    run = drive(a_run(), 4)
    steps = [snapshot.step for snapshot in run.unsaved_snapshots]
    calls = []

    def full(path, data):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        runfiles_write(path, data)

    runfiles_write = checkpoints.write_atomically
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_atomically", full)
        with pytest.raises(OSError, match="No space left"):
            write(run, folder)
    write(run, folder)
    assert folder.snapshot_steps() == steps


def test_a_missing_or_damaged_snapshot_is_an_error(folder):
    write(a_run(), folder)
    with pytest.raises(FileNotFoundError):
        folder.snapshot(3)
    (folder.folder / "moments" / "00000000.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="Expected a safetensors file"):
        folder.snapshot(0)


def test_other_files_among_the_snapshots_are_ignored(folder):
    write(a_run(), folder)
    for name in (".new-abc", "notes.txt", "last.safetensors"):
        (folder.folder / "moments" / name).write_bytes(b"")
    assert folder.snapshot_steps() == [0]


# Killed at any time


class Killed(BaseException):
    """The process ends without cleaning up."""


def kill_at(monkeypatch, nth):
    """Kill the process at the nth file, from 0."""
    calls, real = [], checkpoints.write_atomically

    def write_or_die(path, data):
        if len(calls) == nth:
            raise Killed
        calls.append(path.name)
        real(path, data)

    monkeypatch.setattr(checkpoints, "write_atomically", write_or_die)
    return calls


def killed_writes(run_to_write, folder, monkeypatch):
    """Save a run repeatedly, killed one file later each time; yield until it is complete."""
    for nth in range(100):
        with monkeypatch.context() as patch:
            calls = kill_at(patch, nth)
            try:
                write(run_to_write(), folder())
                return
            except Killed:
                pass
        yield calls


@pytest.mark.parametrize("kind", ["Adam", "numpy"])
def test_after_a_kill_between_two_files_the_folder_is_of_one_step(tmp_path, monkeypatch, kind):
    def run_at(step):
        return drive(a_run(kind, architecture="linear"), step)

    real, at, seen, folders = checkpoints.write_atomically, {4: run_at(4), 11: run_at(11)}, [], []
    uninterrupted = run_at(16)

    def written_at_4():
        folders.append(RunFolder(tmp_path / str(len(folders))))
        with monkeypatch.context() as patch:
            patch.setattr(checkpoints, "write_atomically", real)
            write(run_at(4), folders[-1])
        return folders[-1]

    for calls in killed_writes(lambda: run_at(11), written_at_4, monkeypatch):
        own = RunFolder(folders[-1].folder)
        again = read(own)
        seen.append(again.history.step)
        assert again.history.step == (11 if "checkpoint.safetensors" in calls else 4)
        assert own.read_record().id == NEW.id
        assert_same_state(again, at[again.history.step])
        write(again, own)
        assert_csv_tells(own, again)
        assert own.read_record().step == again.history.step
        assert own.snapshot_steps()[-1] <= again.history.step
        assert_same_state(drive(again, 16), uninterrupted)
    assert set(seen) == {4, 11}
    assert len(seen) >= 3


def test_after_a_kill_during_the_first_save_there_is_no_run_or_all_of_it(tmp_path, monkeypatch):
    folders, found = [], []

    def new_folder():
        folders.append(RunFolder(tmp_path / str(len(folders))))
        return folders[-1]

    for _ in killed_writes(a_run, new_folder, monkeypatch):
        try:
            found.append(read(folders[-1]).history.step)
        except FileNotFoundError:
            found.append(None)
        write(a_run(), RunFolder(folders[-1].folder))
        assert_same_state(read(folders[-1]), a_run())
    assert found == [None, None, None, 0]  # snapshot, CSV, checkpoint, run.json


@pytest.mark.parametrize("characters", [0, 3, 50])
def test_after_a_kill_during_the_csv_the_run_continues_from_its_checkpoint(
    folder, monkeypatch, characters
):
    run = drive(a_run(), 4)
    write(run, folder)
    with monkeypatch.context() as patch:
        full_disk_for_rows(patch, characters)
        with pytest.raises(OSError, match="No space left"):
            write(drive(run, 9), folder)

    again, own = read(RunFolder(folder.folder)), RunFolder(folder.folder)
    assert again.history.step == 4
    drive(again, 16)
    write(again, own, "finished")
    assert_csv_tells(own, again)
    assert_same_state(again, drive(a_run(), 16))


# What is refused


def checkpoint_of(run, status="paused", change=None, **tensors):
    """Return a checkpoint with some tensors replaced (None: left out) and its record changed."""
    record = record_of(run, NEW, status)
    parts = safe_tensors(checkpoint_bytes(run, record))[0]
    parts |= {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    parts = {name: tensor for name, tensor in parts.items() if tensor is not None}
    values = json.loads(record.to_json()) | (change or {})
    return save(parts, {"run": json.dumps(values)})


def restore(data):
    return restored(*parse_checkpoint(data), DATASET)


def test_an_unchanged_checkpoint_is_accepted():
    run = drive(a_run("Adam", architecture="linear"), 8)
    assert_same_state(restore(checkpoint_of(run)), run)


W, B = torch.zeros(10, 784), torch.zeros(10)
GOOD_METRICS = {
    "step": 8,
    "test_accuracy": 0.1,
    "test_loss": 1.0,
    "train_accuracy": 0.1,
    "train_loss": 1.0,
    "dead_units": 0.0,
    "largest_class": 1.0,
}


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        ({"model__l1__weight": None}, "tensors for the model"),
        ({"model__l1__weight": W.T.contiguous()}, "tensors for the model"),
        ({"model__l1__weight": W.double()}, "tensors for the model"),
        ({"model__l1__weight": W.half()}, "tensors for the model"),
        ({"model__l1__weight": W.to(torch.float8_e4m3fn)}, "tensors for the model"),
        ({"model__l1__weight": W.bool()}, "tensors for the model"),
        ({"model__l1__weight": torch.full((10, 784), torch.inf)}, "not finite"),
        ({"model__l1__bias": torch.full((10,), torch.nan)}, "not finite"),
        ({"model__more": B}, "tensors for the model"),
        ({"optimiser__steps": None}, "tensors for the optimiser"),
        ({"optimiser__steps": torch.tensor(7)}, "other steps"),
        ({"optimiser__steps": torch.tensor(-8)}, "other steps"),
        ({"optimiser__steps": torch.tensor([8])}, "tensors for the optimiser"),
        ({"optimiser__mean__0": None}, "tensors for the optimiser"),
        ({"optimiser__mean__0": W[:9].contiguous()}, "tensors for the optimiser"),
        ({"optimiser__mean__9": B}, "tensors for the optimiser"),
        ({"history__losses": None}, "history's losses must be 8 numbers"),
        ({"history__losses": torch.zeros(9)}, "history's losses must be 8 numbers"),
        ({"history__losses": torch.zeros(8).double()}, "history's losses must be 8 numbers"),
        ({"history__losses": torch.full((8,), torch.nan)}, "losses must be finite"),
        ({"history__seconds": torch.zeros(8, 1)}, "history's seconds must be 8 numbers"),
        ({"history__seconds": torch.full((8,), torch.inf)}, "seconds must be finite"),
    ],
    ids=lambda v: ", ".join(v) if isinstance(v, dict) else "",
)
def test_a_checkpoint_whose_tensors_do_not_fit_is_refused(tensors, why):
    run = drive(a_run("Adam", architecture="linear"), 8)
    with pytest.raises(ValueError, match=why):
        restore(checkpoint_of(run, **tensors))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"data": "00000000"}, "saw other images than the Noise"),
        ({"total_steps": 17}, "saw other images"),
        ({"total_steps": 10**9}, "saw other images"),
        ({"config": None}, "settings must be a table"),
        ({"config": {"dataset": "digits", "epochs": 10**6}}, "at most 15,000, got 1,000,000"),
        ({"config": {"dataset": "digits", "batch_size": 10**9}}, "at most the 64 training images"),
        ({"config": {"dataset": "digits", "momentum": 3}}, "unknown one, 'momentum'"),
        ({"status": "finished"}, "says that it is finished"),
        ({"learning_rates": []}, "begin at step 0"),
        ({"learning_rates": [[1, 0.1]]}, "begin at step 0"),
        ({"learning_rates": [[0, 0.1], [0, 0.2]]}, "in order"),
        ({"learning_rates": [[0, 0.1], [9, 0.2]]}, "in order"),
        ({"learning_rates": [[0, -1]]}, "must be a number above 0, got -1"),
        ({"learning_rates": [[0, 0.1], ["3", 0.2]]}, "“learning_rates” is wrong"),
        ({"checkups": [{"test_accuracy": 1}]}, "“checkups” is wrong"),
        ({"checkups": [GOOD_METRICS | {"step": 9}]}, "steps that were taken"),
        ({"checkups": [GOOD_METRICS | {"step": 0}]}, "steps that were taken"),
        ({"checkups": [GOOD_METRICS, GOOD_METRICS]}, "in order"),
    ],
    ids=lambda v: repr(v)[:50] if isinstance(v, dict) else "",
)
def test_a_checkpoint_whose_record_does_not_fit_is_refused(change, why):
    run = drive(a_run("Adam", architecture="linear"), 8)
    with pytest.raises(ValueError, match=why) as caught:
        restore(checkpoint_of(run, change=change))
    assert len(str(caught.value)) < 400


def test_a_checkpoint_of_the_numpy_engine_is_refused_for_the_same_reasons():
    run = drive(a_run("numpy", architecture="linear"), 3)
    for tensors in (
        {"model__l1__weight": W.bfloat16()},
        {"model__l1__weight": None},
        {"optimiser__steps": torch.tensor(3)},
    ):
        with pytest.raises(ValueError, match="The checkpoint's tensors for the"):
            restore(checkpoint_of(run, **tensors))


def test_a_run_is_not_restored_on_other_images():
    run = drive(a_run(), 3)
    data = checkpoint_bytes(run, record_of(run, NEW, "paused"))
    other = replace(DATASET, train_images=random_images(64, seed=9))
    with pytest.raises(ValueError, match="saw other images than the Noise that is here now"):
        restored(*parse_checkpoint(data), other)


def test_the_fingerprint_depends_on_images_and_labels():
    images, labels = DATASET.train_images.copy(), DATASET.train_labels.copy()
    images[-1, -1, -1] ^= 1
    labels[0] = 9
    prints = {
        fingerprint(DATASET),
        fingerprint(replace(DATASET, train_images=images)),
        fingerprint(replace(DATASET, train_labels=labels)),
    }
    assert len(prints) == 3
    assert fingerprint(tiny_dataset()) == fingerprint(DATASET)


def with_header(header: bytes, data=b""):
    return struct.pack("<Q", len(header)) + header + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        b"\0" * 8,
        b"\xff" * 100,
        with_header(b"{"),
        with_header(b"[]"),
        with_header(b'{"__metadata__": {"run": 3}}'),
        with_header(b'{"__metadata__": []}'),
        with_header(b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'),
        with_header(b'{"a": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}', b"\0" * 8),
        with_header(b'{"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}', b"\0" * 8),
        with_header(b'{"a":' * 50_000),
        save({"a": B}) + b"\0",
        save({"a": B})[:-1],
    ],
    ids=lambda data: repr(data[:24]),
)
def test_other_bytes_than_safetensors_are_refused_with_a_sentence(data):
    with pytest.raises(ValueError, match="Expected a safetensors file, got") as caught:
        safe_tensors(data)
    assert str(caught.value).endswith("take a file that was downloaded here.")


@pytest.mark.parametrize("metadata", [b"", b'"__metadata__": null, ', b'"__metadata__": {}, '])
def test_tensors_without_metadata_are_not_a_checkpoint(metadata):
    entry = b'"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}'
    data = with_header(b"{" + metadata + entry + b"}", b"\0" * 8)
    tensors, found = safe_tensors(data)
    assert (list(tensors), found) == (["a"], {})
    with pytest.raises(ValueError, match="without a run's record"):
        parse_checkpoint(data)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "{", '{"id": 3}', "[" * 50_000])
def test_a_checkpoint_without_a_readable_record_is_refused(text):
    with pytest.raises(ValueError, match=r"The run's record cannot be read: .*\."):
        parse_checkpoint(save({"a": B}, {"run": text}))
