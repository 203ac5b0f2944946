"""What is uploaded comes from anywhere: it is taken as it was, or refused in a sentence.

Nothing but ValueError may come out of it, and nothing may stay behind on the disk.
"""

from __future__ import annotations

import io
import json
import re
import struct
import tempfile
import tracemalloc
import zipfile
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from mnist_core.nn import architectures
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.queue import TrainingQueue
from mnist_core.training.run import TrainingFailedError, TrainingRun
from mnist_core.training.status import ENDED
from mnist_core.workspace.archive import (
    MOST_BYTES,
    MOST_FILES,
    Parcel,
    architecture_of,
    pack,
    unpack,
)
from mnist_core.workspace.checkpoints import (
    RunFolder,
    fingerprint,
    parse_checkpoint,
    record_of,
    safe_tensors,
)
from mnist_core.workspace.run_record import RunRecord
from mnist_core.workspace.run_registry import RunRegistry
from mnist_core.workspace.store import WorkspaceStore
from tests.small_data import tiny_dataset

DATASET = tiny_dataset()
ADA = "A" * 22
EXAMPLES = settings(max_examples=200, deadline=None)
CHECKPOINT = "run/checkpoint.safetensors"
PARTS = [field.name for field in fields(RunRecord)]
TENSORS = [f"model.{n}" for n in ("l1.weight", "l1.bias")]
TENSORS += [f"optimiser.{n}" for n in ("mean.0", "mean.1", "square.0", "square.1", "steps")]
TENSORS += ["history.losses", "history.seconds"]


@cache
def downloads() -> dict[str, bytes]:
    """Return what can be downloaded of a run of 16 steps, paused at step 9, and of its model."""
    config = TrainingConfig("digits", "linear", "Adam", batch_size=8, epochs=2)
    run = TrainingRun(config, DATASET)
    while run.history.step < 9:
        run.advance(9 - run.history.step)
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        record = record_of(run, RunRecord(ADA, data=fingerprint(DATASET)), "paused")
        folder.write(run, record)
        return {
            "checkpoint": (Path(place) / "checkpoint.safetensors").read_bytes(),
            "weights": save(dict(run.model.state_dict())),
            "zip": pack(Path(place)),
        }


def files_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


class Server:
    """A server with a separate folder, into which files are imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = self.restarted()

    def restarted(self) -> RunRegistry:
        return RunRegistry(
            TrainingQueue(1), WorkspaceStore(self.folder / "root", 10**12), lambda _: DATASET
        )

    def takes(self, data: bytes) -> bool:
        """Return whether a file is accepted; check that the run works, else the error's words."""
        before = files_below(self.folder)
        try:
            job = self.registry.of(ADA).import_file(data, DATASET)
        except ValueError as error:
            check_words(str(error))
            assert self.registry.queue.of(ADA) == []
            assert files_below(self.folder) == before
            return False
        self.check_use(job)
        self.registry.of(ADA).remove(job.id)
        assert files_below(self.folder) == before
        return True

    def check_use(self, job) -> None:
        run = job.run
        assert job.problem == ""
        assert 0 <= run.history.step <= run.total_steps <= 1_000_000
        (job.reason + str(run.config)).encode()
        (shown,) = self.registry.of(ADA).records()
        assert (shown.id, shown.status) == (job.id, job.status)
        folder = self.registry.of(ADA).folder(job.id)
        assert {p.split("/")[1] for p in files_below(self.folder / "root")} == {"runs"}
        assert unpack(pack(folder.folder)).checkpoint
        again = self.restarted().of(ADA).open(job.id)
        assert again.run.history.step == run.history.step
        assert again.run.model(torch.zeros(1, 1, 28, 28)).shape == (1, 10)
        for step in folder.snapshot_steps():
            assert folder.snapshot(step).step == step <= run.history.step
        if job.status not in ENDED and not run.finished:
            try:
                run.advance(1)
            except TrainingFailedError as error:
                check_words(str(error))


def check_words(message: str) -> None:
    assert len(message) < 400, message
    assert message.isprintable(), message
    assert re.fullmatch(r"[A-Z].*\.", message), message
    assert not re.search(r"Traceback|, line \d|object at 0x\w{6}|__init__", message), message


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    return Server(tmp_path_factory.mktemp("server"))


def refuses(server: Server, data: bytes) -> None:
    assert not server.takes(data)


# Packing


def test_a_run_is_packed_as_a_folder_without_half_written_files(tmp_path):
    (tmp_path / "moments").mkdir()
    for name in ("run.json", "moments/00000001.safetensors", ".new-x", "moments/.new-y"):
        (tmp_path / name).write_text(name)
    with zipfile.ZipFile(io.BytesIO(pack(tmp_path))) as archive:
        assert archive.testzip() is None
        assert {n: archive.read(n).decode() for n in archive.namelist()} == {
            "run/run.json": "run.json",
            "run/moments/00000001.safetensors": "moments/00000001.safetensors",
        }


def test_what_is_packed_is_unpacked_to_the_same_bytes():
    parcel = unpack(downloads()["zip"])
    assert parcel.checkpoint == downloads()["checkpoint"]
    assert list(parcel.snapshots) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert parcel.weights == {}


def test_each_kind_of_download_is_recognised():
    assert unpack(downloads()["checkpoint"]) == Parcel(checkpoint=downloads()["checkpoint"])
    assert set(unpack(downloads()["weights"]).weights) == {"l1.bias", "l1.weight"}


@pytest.mark.parametrize("kind", ["checkpoint", "weights", "zip"])
def test_an_unchanged_download_is_accepted(server, kind):
    assert server.takes(downloads()[kind])


def test_a_safetensors_file_that_begins_with_pk_is_accepted():
    """The first 8 bytes are the length of the header: 0x4B50 is "PK"."""
    tensors, record = {"a": torch.zeros(2)}, "x" * 19_000
    missing = (
        int.from_bytes(b"PK", "little")
        - struct.unpack_from("<Q", save(tensors, {"run": record}))[0]
    )
    data = save(tensors, {"run": record + "x" * missing})
    assert data[:2] == b"PK"
    assert unpack(data).checkpoint == data


# Architectures of weights


@pytest.mark.parametrize("name", list(architectures.ARCHITECTURES))
def test_weights_are_recognised_by_their_names_and_shapes(name):
    assert architecture_of(architectures.build(name, seed=1).state_dict()) == name


W, B = torch.zeros(10, 784), torch.zeros(10)
LINEAR = {"l1.weight": W, "l1.bias": B}


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"l1.weight": W},
        {"weight": W, "bias": B},
        {"l1.weight": W.T.contiguous(), "l1.bias": B},
        {"l1.weight": W.reshape(10, 28, 28), "l1.bias": B},
        LINEAR | {"l2.bias": B.clone()},
        LINEAR | {"l1.weight": W.double()},
        LINEAR | {"l1.weight": W.half()},
        LINEAR | {"l1.weight": W.bfloat16()},
        LINEAR | {"l1.weight": W.to(torch.float8_e4m3fn)},
        LINEAR | {"l1.weight": W.to(torch.int64)},
        LINEAR | {"l1.weight": W.bool()},
        LINEAR | {"l1.bias": torch.full((10,), torch.nan)},
        LINEAR | {"l1.bias": torch.full((10,), -torch.inf)},
        {"l1.weight": torch.zeros(0, 784), "l1.bias": B},
        {"": B},
        {"l1.weight\n": W, "l1.bias": B},
    ],
    ids=lambda t: " ".join(f"{n!r}{tuple(w.shape)}" for n, w in t.items()) or "none",
)
def test_weights_of_an_unknown_model_are_refused(server, tensors):
    refuses(server, save(tensors))


# Bytes of any kind


HEADS = [b"", b"PK\x03\x04", b"PK\x05\x06", b"\x02" + b"\0" * 7 + b"{}", b"\x40" + b"\0" * 7 + b"{"]


@EXAMPLES
@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused(server, head, rest):
    refuses(server, head + rest)


@EXAMPLES
@given(st.binary(min_size=2, max_size=400), st.binary(max_size=20))
def test_a_safetensors_header_of_any_kind_is_refused(server, header, rest):
    refuses(server, struct.pack("<Q", len(header)) + header + rest)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "\ud800", "../../x", "\0", "x" * 50_000, 10**400, -1, 1e308, 2**63]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.just("\ud800"), inner, max_size=4)
    ),
    max_leaves=8,
)


@EXAMPLES
@given(
    st.dictionaries(
        st.sampled_from(["l1.weight", "l1.bias", "model.l1.bias", "__metadata__"]),
        JSON
        | st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["F32", "F64", "F4", "BOOL", "F8_E4M3", "C64", "?"]),
                "shape": st.lists(
                    st.sampled_from([0, 1, 2, 10, 784, 2**40, 2**63, -1]), max_size=3
                ),
                "data_offsets": st.lists(
                    st.sampled_from([0, 4, 8, 40, 2**63]), min_size=2, max_size=2
                ),
            }
        ),
        max_size=3,
    )
)
def test_a_header_with_entries_of_any_kind_is_refused(server, header):
    text = json.dumps(header).encode()
    refuses(server, struct.pack("<Q", len(text)) + text + b"\0" * 40)


@EXAMPLES
@given(st.sampled_from(["checkpoint", "weights", "zip"]), st.data())
def test_a_download_that_is_cut_is_refused(server, kind, data):
    whole = downloads()[kind]
    refuses(server, whole[: data.draw(st.integers(0, len(whole) - 1))])


@EXAMPLES
@given(st.sampled_from(["checkpoint", "weights"]), st.binary(min_size=1, max_size=9), st.booleans())
def test_a_download_with_bytes_before_or_after_it_is_refused(server, kind, more, before):
    refuses(server, more + downloads()[kind] if before else downloads()[kind] + more)


def header_of(data: bytes) -> int:
    return 8 + struct.unpack_from("<Q", data)[0]


@pytest.mark.parametrize("kind", ["checkpoint", "weights"])
@EXAMPLES
@given(data=st.data())
def test_a_bit_that_flips_in_a_header_does_no_harm(server, kind, data):
    whole = bytearray(downloads()[kind])
    whole[data.draw(st.integers(0, header_of(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    server.takes(bytes(whole))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["checkpoint", "weights"]), st.data())
def test_a_bit_that_flips_among_the_numbers_does_no_harm(server, kind, data):
    whole = bytearray(downloads()[kind])
    place = data.draw(st.integers(header_of(whole), len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    server.takes(bytes(whole))


@EXAMPLES
@given(st.data())
def test_a_bit_that_flips_in_a_zip_file_does_no_harm(server, data):
    whole = bytearray(small_zip())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    server.takes(bytes(whole))


# Wrong tensors


@EXAMPLES
@given(
    st.sampled_from(TENSORS),
    st.sampled_from(["left out", "shape", "float64", "float16", "int32", "bool", "nan", "inf"]),
)
def test_a_checkpoint_with_one_wrong_tensor_is_refused(server, name, wrong):
    tensors, metadata = safe_tensors(downloads()["checkpoint"])
    tensor = tensors.pop(name)
    optimiser = name.startswith("optimiser")
    assume(not (optimiser and wrong in ("nan", "inf")))  # may happen during a run
    changed = {
        "shape": lambda: tensor[None],
        "float64": lambda: tensor.double(),
        "float16": lambda: tensor.half(),
        "int32": lambda: tensor.int(),
        "bool": lambda: tensor.bool(),
        "nan": lambda: torch.full_like(tensor, torch.nan),
        "inf": lambda: torch.full_like(tensor, -torch.inf),
    }
    if wrong != "left out":
        tensors[name] = changed[wrong]().contiguous()
    refuses(server, save(tensors, metadata))


def test_an_optimiser_state_of_nan_fails_only_its_run(server):
    tensors, metadata = safe_tensors(downloads()["checkpoint"])
    tensors["optimiser.square.0"] = torch.full((10, 784), -1.0)
    assert server.takes(save(tensors, metadata))


# A checkpoint's record


def checkpoint_with(record: object) -> bytes:
    tensors, _ = safe_tensors(downloads()["checkpoint"])
    text = record if isinstance(record, str) else json.dumps(record)
    return save(tensors, {"run": text})


def own_record() -> dict:
    return json.loads(safe_tensors(downloads()["checkpoint"])[1]["run"])


@EXAMPLES
@given(JSON)
def test_a_record_that_is_something_else_is_refused(server, value):
    refuses(server, checkpoint_with(json.dumps(value)))


NO_NUMBER = st.none() | st.text(max_size=5) | st.lists(st.integers(), max_size=2) | st.booleans()
NO_STEP = NO_NUMBER | st.floats() | st.sampled_from([-1, 10, 17, 10**9, 10**18, 10**30, 10**4_000])
NO_COUNT = NO_NUMBER | st.floats() | st.integers(max_value=0)
NO_RATE = (
    NO_NUMBER | st.floats(max_value=0) | st.sampled_from([float("nan"), float("inf"), 10**400])
)
NO_TEXT = st.none() | st.integers() | st.lists(st.text(), max_size=2) | st.just("\ud800")
NO_CHOICE = NO_TEXT | st.sampled_from(["", "sgd", "../../x", "SGD\n", "x" * 10_000])
WRONG_SETTING = {
    "dataset": NO_CHOICE,
    "architecture": NO_CHOICE | st.sampled_from(["mlp", "cnn"]),
    "optimiser": NO_CHOICE | st.sampled_from(["SGD", "SGD with momentum"]),
    "learning_rate": NO_RATE,
    "batch_size": NO_COUNT | st.sampled_from([7, 65, 10**9, 10**17, 10**30]),
    "epochs": NO_COUNT | st.sampled_from([3, 10**6, 10**9, 10**17, 10**30]),
    "seed": NO_NUMBER | st.floats() | st.sampled_from([-1, 2**31, 10**30]),
    "schedule": NO_CHOICE,
    "augment": st.none() | st.integers() | st.text(max_size=5),
    "engine": NO_CHOICE | st.just("numpy"),
    "momentum": JSON,
}
NO_METRICS = JSON | st.fixed_dictionaries(
    {
        "step": NO_STEP,
        **dict.fromkeys(("test_accuracy", "test_loss", "train_accuracy"), st.just(0.5)),
        **dict.fromkeys(("train_loss", "dead_units", "largest_class"), st.just(0.5)),
    }
)
WRONG = {
    "id": st.none() | st.integers() | st.just("\ud800"),
    "kind": NO_CHOICE,
    "created": NO_NUMBER | st.integers() | st.sampled_from([float("nan"), float("inf")]),
    "status": NO_CHOICE | st.just("finished"),
    "reason": NO_TEXT,
    "step": NO_STEP | st.integers(0, 8),
    "total_steps": NO_STEP | st.integers(0, 15),
    "training_s": NO_NUMBER
    | st.integers()
    | st.sampled_from([-1.0, 1.1e9, 1e308, float("nan"), float("inf")]),
    "threads": NO_NUMBER | st.floats() | st.sampled_from([0, -1, 1_025, 10**9, 10**30]),
    "data": NO_TEXT | st.sampled_from(["", "00000000"]),
    "config": NO_NUMBER | st.dictionaries(st.text(max_size=5), JSON, max_size=2),
    "learning_rates": NO_NUMBER
    | st.lists(JSON, max_size=3)
    | st.tuples(st.tuples(st.just(0), NO_RATE))
    | st.tuples(st.tuples(st.just(0), st.just(0.1)), st.tuples(NO_STEP, st.just(0.1))),
    "checkups": NO_NUMBER.filter(lambda v: v != []) | st.lists(NO_METRICS, min_size=1, max_size=3),
}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(WRONG)).flatmap(lambda n: st.tuples(st.just(n), WRONG[n])))
def test_a_record_with_a_wrong_part_is_refused(server, change):
    name, value = change
    assume((name, value) != ("learning_rates", [[0, 0.01]]))
    refuses(server, checkpoint_with(own_record() | {name: value}))


@EXAMPLES
@given(
    st.sampled_from(sorted(WRONG_SETTING)).flatmap(
        lambda n: st.tuples(st.just(n), WRONG_SETTING[n])
    )
)
def test_a_record_with_a_wrong_setting_is_refused(server, change):
    record = own_record()
    record["config"] |= dict([change])
    refuses(server, checkpoint_with(record))


@EXAMPLES
@given(st.sampled_from(PARTS), JSON)
def test_a_record_with_any_value_in_any_place_does_no_harm(server, name, value):
    server.takes(checkpoint_with(own_record() | {name: value}))


@EXAMPLES
@given(st.sampled_from(["config", "checkups"]), st.text(max_size=9) | st.just("\ud800"), JSON)
def test_a_table_of_a_record_with_any_entry_does_no_harm(server, name, key, value):
    record = own_record()
    table = record["config"] if name == "config" else record["checkups"][0]
    table[key] = value
    server.takes(checkpoint_with(record))


@pytest.mark.parametrize("missing", PARTS)
def test_a_record_without_a_part_does_no_harm(server, missing):
    server.takes(checkpoint_with({k: v for k, v in own_record().items() if k != missing}))


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 1_200), st.sampled_from(["config", "checkups", "learning_rates", "more"]))
def test_a_record_that_is_nested_deeply_does_no_harm(server, depth, name):
    text = json.dumps(own_record() | {name: "HERE"})
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * depth + "1" + closing * depth
        taken = server.takes(checkpoint_with(text.replace('"HERE"', deep)))
        assert not taken or (name == "more" and depth < 20)


@pytest.mark.parametrize("run_id", ["../../x", "/etc/passwd", "", "x" * 100_000, "\0", "A" * 22])
def test_the_id_in_a_file_names_nothing(server, run_id):
    job = server.registry.of(ADA).import_file(
        checkpoint_with(own_record() | {"id": run_id}), DATASET
    )
    assert job.id not in (run_id, own_record()["id"])
    assert all(p.startswith(f"root/{ADA}/runs/{job.id}/") for p in files_below(server.folder))
    assert server.registry.of(ADA).folder(job.id).read_record().id == job.id
    server.registry.of(ADA).remove(job.id)


@pytest.mark.parametrize(
    "change",
    [
        {"total_steps": 10**9},
        {"step": 10**9, "total_steps": 10**9},
        {"config": {"epochs": 10**6, "batch_size": 8}},
        {"config": {"epochs": 10**6, "batch_size": 64}},  # 1,000,000 steps, the limit
        {"config": {"epochs": 1, "batch_size": 10**12}},
        {"config": {"epochs": 10**17, "batch_size": 64}},
    ],
    ids=repr,
)
def test_a_record_of_a_huge_run_allocates_no_memory(server, change):
    record = own_record()
    change = change | {"config": record["config"] | change.get("config", {})}
    data = checkpoint_with(record | change)
    tracemalloc.start()
    try:
        refuses(server, data)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


# Archives


def zip_of(*entries, method=zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


SNAPSHOT = "run/moments/{:08d}.safetensors"


@cache
def small_zip() -> bytes:
    """Return a small archive, in which a changed byte matters more often."""
    return zip_of(
        (CHECKPOINT, downloads()["checkpoint"]),
        (SNAPSHOT.format(1), downloads()["weights"]),
        method=zipfile.ZIP_DEFLATED,
    )


def test_an_archive_may_be_packed_again_by_other_programs(server):
    checkpoint, weights = downloads()["checkpoint"], downloads()["weights"]
    for entries in (
        [("checkpoint.safetensors", checkpoint), ("moments/00000003.safetensors", weights)],
        [
            ("my run/", b""),
            ("my run/checkpoint.safetensors", checkpoint),
            ("my run/.DS_Store", b""),
        ],
        [(CHECKPOINT, checkpoint), ("__MACOSX/run/._checkpoint.safetensors", b"apple")],
        [(CHECKPOINT, checkpoint), ("run/notes.txt", b"mine"), ("run/moments/x.safetensors", b"")],
    ):
        assert server.takes(zip_of(*entries))
        assert server.takes(zip_of(*entries, method=zipfile.ZIP_DEFLATED))


def flagged_as_encrypted(data: bytes) -> bytes:
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.index(signature) + offset] |= 1
    return bytes(changed)


def claiming_to_hold(data: bytes, size: int) -> bytes:
    """Return an archive whose directory gives another size for its first entry."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, changed.index(b"PK\x01\x02") + 24, size)
    return bytes(changed)


def run_zip(*more, checkpoint=None, **options) -> bytes:
    return zip_of((CHECKPOINT, checkpoint or downloads()["checkpoint"]), *more, **options)


def with_snapshot(step: int, data: bytes) -> bytes:
    return run_zip((SNAPSHOT.format(step), data))


def empty_files(n: int) -> list[tuple[str, bytes]]:
    return [(f"file {i}", b"") for i in range(n)]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "make",
    [
        lambda _, __: zip_of(),
        lambda _, __: zip_of(("run/", b"")),
        lambda _, __: zip_of(("run/run.json", b"{}")),
        lambda c, _: zip_of(("a/b/checkpoint.safetensors", c)),
        lambda _, w: run_zip(checkpoint=w),
        lambda _, __: zip_of((CHECKPOINT, b"")),
        lambda _, __: run_zip(checkpoint=run_zip()),
        lambda c, _: run_zip((CHECKPOINT, c)),
        lambda c, _: run_zip(("other/checkpoint.safetensors", c)),
        lambda _, __: run_zip(*empty_files(MOST_FILES)),
        lambda _, __: run_zip(*empty_files(9_000)),
        lambda _, __: flagged_as_encrypted(run_zip()),
        lambda _, __: claiming_to_hold(run_zip(), 2**32 - 2),
        lambda _, __: claiming_to_hold(run_zip(), 0),
        lambda _, __: run_zip(method=zipfile.ZIP_BZIP2),
        lambda _, __: run_zip(method=zipfile.ZIP_LZMA),
        lambda _, w: with_snapshot(10, w),
        lambda _, __: with_snapshot(1, b""),
        lambda c, _: with_snapshot(1, c),
        lambda _, w: with_snapshot(1, w[:-1]),
        lambda _, w: run_zip((SNAPSHOT.format(1), w), (SNAPSHOT.format(2), b"\0" * 99)),
        lambda _, __: with_snapshot(1, save(architectures.build("mlp", 0).state_dict())),
        lambda _, __: with_snapshot(1, save(LINEAR | {"l1.bias": torch.full((10,), torch.nan)})),
    ],
    ids=[
        "empty",
        "only folders",
        "no checkpoint",
        "too deep",
        "weights as checkpoint",
        "empty checkpoint",
        "zip in zip",
        "same name twice",
        "two checkpoints",
        "many",
        "very many",
        "encrypted",
        "says to be huge",
        "says to be empty",
        "bzip2",
        "lzma",
        "snapshot later than the run",
        "snapshot that is nothing",
        "snapshot that is a run",
        "snapshot that is cut",
        "second snapshot wrong",
        "snapshot of another model",
        "snapshot of no number",
    ],
)
def test_an_archive_that_is_not_a_run_s_is_refused(server, make):
    refuses(server, make(downloads()["checkpoint"], downloads()["weights"]))


@pytest.mark.parametrize("says", [MOST_BYTES + 1, 1_000, 0])
def test_a_zip_bomb_is_not_unpacked(server, says):
    """100 MB of zeros make 100 kB; the size that the archive gives is not trusted."""
    bomb = zip_of((CHECKPOINT, bytes(100_000_000)), method=zipfile.ZIP_DEFLATED)
    data = claiming_to_hold(bomb, says)
    tracemalloc.start()
    try:
        refuses(server, data)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


EVIL = [
    "../",
    "../../",
    "/",
    "C:\\",
    "\\\\server\\",
    "run/../../",
    "./",
    "a\0",
    "é/",
    "run\n/",
    "~/",
]
NAMES = st.sampled_from(EVIL) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)
LAST = st.sampled_from(
    [
        "checkpoint.safetensors",
        "moments/00000002.safetensors",
        "run.json",
        "x",
        "moments/-0000001.safetensors",
    ]
)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@EXAMPLES
@given(
    st.lists(st.tuples(NAMES, LAST).map("".join), min_size=1, max_size=3, unique=True), st.data()
)
def test_names_in_an_archive_never_become_paths(server, names, data):
    c, w = downloads()["checkpoint"], downloads()["weights"]
    contents = {"checkpoint": c, "weights": w, "empty": b"", "table": b"{}"}
    server.takes(
        zip_of(*[(n, contents[data.draw(st.sampled_from(sorted(contents)))]) for n in names])
    )


@pytest.mark.parametrize("folder", EVIL)
def test_a_path_that_climbs_out_leaves_nothing_outside(server, folder):
    """The names are never used as paths: the run is accepted or refused like others."""
    entries = [(CHECKPOINT, downloads()["checkpoint"]), (f"{folder}evil.txt", b"evil")]
    server.takes(zip_of(*entries))
    assert not list(server.folder.parent.rglob("evil*"))
    assert not Path("evil.txt").exists()


@EXAMPLES
@given(st.binary(max_size=200), st.integers(0, 9), st.booleans())
def test_an_archive_with_any_bytes_in_its_place_is_refused(server, content, step, as_snapshot):
    entries = [(CHECKPOINT, downloads()["checkpoint"]), (SNAPSHOT.format(step), content)]
    refuses(server, zip_of(*(entries if as_snapshot else [(CHECKPOINT, content)])))


def test_an_imported_run_has_the_settings_of_its_file(server):
    record, _ = parse_checkpoint(downloads()["checkpoint"])
    job = server.registry.of(ADA).import_file(downloads()["zip"], DATASET)
    assert job.run.config == TrainingConfig.from_json(record.config)
    assert replace(record, id=job.id, created=0.0) == replace(
        server.registry.of(ADA).folder(job.id).read_record(), created=0.0
    )
    assert np.isfinite(job.run.history.losses).all()
    server.registry.of(ADA).remove(job.id)
