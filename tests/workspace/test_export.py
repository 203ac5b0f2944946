from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import types
import zipfile
from dataclasses import replace

import nbformat
import numpy as np
import pytest
import torch
from safetensors.torch import load

from mnist_core.data.inputs import to_input
from mnist_core.evaluation.metrics import accuracy
from mnist_core.nn import architectures, optimisers
from mnist_core.training.configs import LESSON, PRESETS, TrainingConfig
from mnist_core.training.run import TrainingFailedError, TrainingRun
from mnist_core.workspace import archive, export, export_script
from mnist_core.workspace.checkpoints import RunFolder, record_of, safe_tensors
from mnist_core.workspace.run_record import RunRecord
from tests.data_files import tiny_set, write_set
from tests.small_data import digits, global_generators_untouched, mnist_in, tiny_dataset

LINEAR = TrainingConfig("digits", epochs=2)
LONGEST = TrainingConfig(
    "digits", "cnn", "AdamW", 0.004, 64, epochs=2, seed=7, schedule="one-cycle", augment=True
)
SAVE = """
from safetensors.torch import save_file

save_file({n: w.contiguous() for n, w in model.state_dict().items()}, "weights.safetensors")
"""
RUN_EACH = """
import json, os, sys

for name in sys.argv[1:]:
    print(f"== {name}")
    text, space = open(name, encoding="utf-8").read(), {}
    cells = [{"cell_type": "code", "source": text}]
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
    cells = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for cell in [*cells, SAVE]:
        exec(cell, space)
    os.rename("weights.safetensors", f"{name}.weights")
"""


def gone(run, *rates, until=1_000_000):
    """Take a run to a step, choosing (step, rate) on the way, as a worker does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(run.threads)
    stops = dict(rates)
    while not run.finished and run.history.step < until:
        step = run.history.step
        if step in stops:
            run.set_learning_rate(stops[step])
        run.advance(min(s for s in (until, *stops) if s > step) - step)
    run.publish_weights()
    torch.set_num_threads(threads)
    return run


@pytest.fixture(scope="module")
def longest():
    return gone(TrainingRun(LONGEST, digits(), threads=2), (10, 0.003), (20, 0.0025), until=33)


def printed_by(code, folder, data="nowhere", *arguments):
    """Execute code in a process of its own and return what it printed."""
    (folder / "main.py").write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=folder,
        env={**os.environ, "MNIST_DATA_DIR": str(data), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected_of(run):
    """What a script of the run should print: its check-ups, and the accuracy at its end."""
    accuracies = dict(run.history.accuracies)
    test = run.dataset.test_images, run.dataset.test_labels
    accuracies.setdefault(run.history.step, accuracy(run.model, *test))
    return [
        f"After step {step:,} (epoch {-(-step // run.steps_per_epoch)}): test accuracy {a:#.5g}"
        for step, a in accuracies.items()
    ]


def same_weights(path, run):
    weights = load(path.read_bytes())
    assert weights.keys() == run.snapshot.weights.keys()
    return all(torch.equal(w, run.snapshot.weights[name]) for name, w in weights.items())


def namespace_of(code):
    """Execute a part of a script here, with all it might import."""
    space = {}
    exec(export_script._IMPORTS + "\n" + code, space)  # noqa: S102
    return space


@pytest.fixture(scope="module")
def stopped():
    config = TrainingConfig("digits", "mlp", "SGD with momentum", 0.1, 50, epochs=3, seed=3)
    run = gone(TrainingRun(config, digits()), (0, 0.05), (7, 0.02), (41, 0.2), until=41)
    run.set_learning_rate(0.3)  # chosen for later, which never came
    return run


@pytest.fixture(scope="module")
def as_notebook():
    config = TrainingConfig("digits", "mlp", "Adam", 0.01, epochs=1, augment=True)
    return gone(TrainingRun(config, digits()), until=30)


@pytest.fixture(scope="module")
def executed(longest, stopped, as_notebook, tmp_path_factory):
    """What scripts and a notebook printed, and the folder with their weights.

    One process executes them one after the other, each with names of its own: importing costs more
    than training here.
    """
    folder = tmp_path_factory.mktemp("executed")
    (folder / "longest.py").write_text(export.script(longest), "utf-8")
    (folder / "stopped.py").write_text(export.script(stopped), "utf-8")
    (folder / "book.ipynb").write_bytes(export.notebook(as_notebook))
    code = f"SAVE = {SAVE!r}\n{RUN_EACH}"
    printed = printed_by(code, folder, "nowhere", "longest.py", "stopped.py", "book.ipynb")
    parts = [part.splitlines() for part in printed.split("== ")[1:]]
    return {name: lines for name, *lines in parts}, folder


def test_a_script_alone_prints_what_the_linear_run_came_to(tmp_path):
    run = gone(TrainingRun(LINEAR, digits()))

    text = export.script(run)

    assert printed_by(text + SAVE, tmp_path).splitlines() == expected_of(run)
    assert len(run.history.checkups) == 2
    assert same_weights(tmp_path / "weights.safetensors", run)
    accuracy = f"{run.history.accuracies[-1][1]:#.5g}"
    assert f"its accuracy on the test set was {accuracy}." in " ".join(text.split())


def test_the_lesson_s_script_gives_the_run_s_accuracy_on_mnist(tmp_path, mnist_dir):
    run = gone(TrainingRun(replace(LESSON, epochs=1), mnist_in(mnist_dir)))

    lines = printed_by(export.script(run) + SAVE, tmp_path, mnist_dir.absolute()).splitlines()

    assert lines == expected_of(run)
    assert len(lines) == 1
    assert same_weights(tmp_path / "weights.safetensors", run)


def test_a_script_of_everything_at_once_ends_with_the_same_bits(executed, longest):
    printed, folder = executed

    lines = printed["longest.py"]

    assert lines == expected_of(longest)
    assert [re.findall(r"step (\d+)", line) for line in lines] == [["23"], ["33"]]
    assert same_weights(folder / "longest.py.weights", longest)


def test_a_script_stops_where_the_run_was_stopped_and_changes_the_rate_where_it_was(
    executed, stopped
):
    printed, folder = executed

    text = export.script(stopped)

    assert stopped.history.step % stopped.steps_per_epoch
    assert "rates = {0: 0.05, 7: 0.02}" in text
    assert printed["stopped.py"] == expected_of(stopped)
    assert same_weights(folder / "stopped.py.weights", stopped)


def test_a_notebook_s_cells_do_the_same(executed, as_notebook):
    printed, folder = executed

    assert printed["book.ipynb"] == expected_of(as_notebook)
    assert same_weights(folder / "book.ipynb.weights", as_notebook)


def test_a_notebook_is_valid_the_same_each_time_and_holds_the_script(longest):
    data = export.notebook(longest)

    book = nbformat.reads(data.decode(), 4)
    nbformat.validate(book)
    assert data == export.notebook(longest)
    assert [cell.cell_type for cell in book.cells] == ["markdown", *["markdown", "code"] * 6]
    code = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
    script = export.script(longest)
    assert code.split() == script[script.index("import math") :].split()


@pytest.fixture(scope="module")
def scripts(longest):
    """Scripts of all kinds of runs; none is executed."""
    noise = tiny_dataset(n_train=128)
    runs = {
        f"{title}, {set_}": TrainingRun(replace(config, dataset=set_), noise)
        for title, config in PRESETS.items()
        for set_ in ("mnist", "fashion")
    }
    for name in optimisers.OPTIMISERS:
        config = TrainingConfig("digits", "mlp", name, 1e-5, 8, seed=2**31 - 1)
        runs[name] = TrainingRun(config, noise)
    texts = {name: export.script(gone(run, until=1)) for name, run in runs.items()}
    often = TrainingRun(TrainingConfig("digits", batch_size=1), noise)
    gone(often, *((i, 1 / (i + 3)) for i in range(60)), until=60)
    return {**texts, "often": export.script(often), "longest": export.script(longest)}


def test_scripts_are_clean(scripts, tmp_path):
    for i, text in enumerate(scripts.values()):
        (tmp_path / f"script_{i}.py").write_text(text, "utf-8")
    command = ["ruff", "check", "--select", "E,F,W,B,UP", "--line-length", "100", "--no-cache"]
    done = subprocess.run(
        [sys.executable, "-m", *command, "--isolated", "."],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout


def test_scripts_are_short(scripts):
    lines = {name: len(text.splitlines()) for name, text in scripts.items()}
    del lines["often"]  # sixty learning rates
    assert max(lines.values()) < 80, lines


def test_a_script_holds_only_what_its_run_needs(scripts):
    lesson, longest = scripts["The lesson's run, mnist"], scripts["longest"]
    for word in ("augmented", "one_cycle", "rates", "channels_last", "param_groups"):
        assert word not in lesson
        assert word in longest
    assert "torchvision" in lesson
    assert "torchvision" not in longest
    assert "FashionMNIST(folder, download=True)" in scripts["The lesson's run, fashion"]


def test_every_update_rule_has_its_match_in_torch_optim():
    assert export_script.OPTIMISERS.keys() == optimisers.OPTIMISERS.keys()


def test_the_bundled_digits_of_a_script_are_those_of_the_run():
    space = namespace_of(export_script._data(TrainingRun(LINEAR, digits())))

    data = digits()
    np.testing.assert_array_equal(
        space["images"], np.concatenate([data.train_images, data.test_images])
    )
    for split in ("train", "test"):
        images, labels = data.split(split)
        assert torch.equal(space[f"{split}_x"], to_input(images))
        assert torch.equal(space[f"{split}_labels"], torch.from_numpy(labels.copy()))


@pytest.mark.parametrize("name", ["mnist", "fashion"])
@pytest.mark.parametrize("fetched", [False, True], ids=["there", "fetched"])
def test_raw_files_are_read_or_fetched_first(name, fetched, tmp_path, monkeypatch):
    class_name, asked = {"mnist": "MNIST", "fashion": "FashionMNIST"}[name], []

    def fetch(folder, download):
        asked.append((folder, download))
        write_set(folder, tiny_set(), name)

    fake = types.ModuleType("torchvision.datasets")
    setattr(fake, class_name, fetch)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", fake)
    monkeypatch.setenv("MNIST_DATA_DIR", str(tmp_path))
    if not fetched:
        write_set(tmp_path, tiny_set(), name)

    run = TrainingRun(TrainingConfig(name, batch_size=3), tiny_dataset())
    space = namespace_of(export_script._data(run))

    assert asked == [(tmp_path, True)] * fetched
    assert space["train_x"].shape == (3, 1, 28, 28)
    assert space["train_x"][0, 0, 0, :3].tolist() == [0, np.float32(1 / 255), np.float32(2 / 255)]
    assert space["test_x"][0, 0, 0, 0] == np.float32(100 / 255)
    assert space["train_labels"].tolist() == [5, 0, 4]
    assert space["test_labels"].tolist() == [7, 2]


def test_the_header_of_a_run_in_numpy_says_that_the_last_digits_may_differ():
    config = TrainingConfig("digits", batch_size=8, engine="numpy")
    text = export.script(gone(TrainingRun(config, tiny_dataset()), until=3))
    header = " ".join(text.split('"""')[1].split())
    assert "NumPy engine trained it: the last digits may differ" in header
    assert "same digits" not in header


def test_the_header_of_changed_data_and_of_a_run_that_is_going_says_so():
    changed = tiny_dataset()
    object.__setattr__(changed, "differs", "Not the published MNIST: fewer.")
    run = TrainingRun(TrainingConfig(batch_size=8), changed)
    run.advance(2)  # and its weights were not published since
    header = " ".join(export.script(run).split('"""')[1].split())
    assert "Its images are not the published MNIST" in header
    assert f"After {run.history.step} of 40 steps it is still going on." in header


def test_a_run_that_failed_says_so():
    run = TrainingRun(TrainingConfig("digits", learning_rate=1e9, batch_size=8), tiny_dataset())
    with pytest.raises(TrainingFailedError):
        gone(run)
    header = " ".join(export.script(run).split('"""')[1].split())
    assert f"After {run.history.step} of 40 steps its loss was no longer a number" in header
    assert "the last ones kept before it failed" in safe_tensors(export.weights(run))[1]["about"]


@pytest.mark.parametrize("make", [export.script, export.notebook, export.tensorboard])
def test_a_run_without_steps_has_nothing_to_do_again(make):
    with pytest.raises(ValueError, match="without any: let it train"):
        make(TrainingRun(LINEAR, digits()))


def test_weights_are_what_a_plain_model_takes(longest):
    data = export.weights(longest)

    model = architectures.cnn()
    model.load_state_dict(load(data))
    about = safe_tensors(data)[1]["about"]
    reached = accuracy(longest.model, digits().test_images, digits().test_labels)
    assert accuracy(model, digits().test_images, digits().test_labels) == reached
    assert about.endswith(f"after step 33 · test accuracy {reached:#.5g}")
    assert about.startswith(str(LONGEST))
    assert data == export.weights(longest)


def test_weights_can_be_brought_back(longest):
    parcel = archive.unpack(export.weights(longest))
    assert not parcel.checkpoint
    assert archive.architecture_of(parcel.weights) == "cnn"


def test_the_history_is_the_one_in_the_run_s_folder(longest, tmp_path):
    record = RunRecord("0" * 12, "run", created=0.0, data="")
    RunFolder(tmp_path).write(longest, record_of(longest, record, "paused"))
    assert export.history(longest) == (tmp_path / "history.csv").read_bytes()
    assert len(export.history(longest).splitlines()) == 34


def test_tensorboard_reads_every_number(longest, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    threads = threading.enumerate()
    with zipfile.ZipFile(io.BytesIO(export.tensorboard(longest))) as archive_:
        (name,) = archive_.namelist()
        archive_.extractall(tmp_path)
    assert threading.enumerate() == threads

    log = EventAccumulator(str((tmp_path / name).parent), size_guidance={"scalars": 0}).Reload()
    read = {
        tag: [(e.step, np.float32(e.value)) for e in log.Scalars(tag)]
        for tag in log.Tags()["scalars"]
    }
    history, float32 = longest.history, np.float32
    (checkup,) = history.checkups
    chosen = [0.004] * 10 + [0.003] * 10 + [0.0025] * 13
    rates = [rate * longest.schedule_share(i) for i, rate in enumerate(chosen)]
    assert read == {
        "loss": [(i + 1, history.losses[i]) for i in range(33)],
        "learning_rate": [(i + 1, float32(rate)) for i, rate in enumerate(rates)],
        "test/accuracy": [(23, float32(checkup.test_accuracy))],
        "test/loss": [(23, float32(checkup.test_loss))],
        "train/accuracy": [(23, float32(checkup.train_accuracy))],
        "train/loss": [(23, float32(checkup.train_loss))],
    }
    seconds = [e.wall_time for e in log.Scalars("loss")]
    np.testing.assert_allclose(seconds, history.seconds[:33], rtol=1e-5)


def test_a_log_is_the_same_each_time_and_names_no_machine(longest):
    data = export.tensorboard(longest)
    assert data == export.tensorboard(longest)
    (entry,) = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert entry.filename == "run/events.out.tfevents.0.lesson"
    assert entry.external_attr >> 16 == 0o644


def test_nothing_is_drawn_from_the_generators_of_all_visitors(longest):
    with global_generators_untouched():
        for make in (export.weights, export.history, export.script, export.notebook):
            assert make(longest)


def test_what_is_slow_to_import_waits_until_it_is_wanted():
    code = "import json, sys, mnist_core.workspace.export; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {"tensorboardX", "nbformat", "torchvision"} & set(json.loads(done.stdout))
