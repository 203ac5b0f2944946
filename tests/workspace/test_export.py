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
from mnist_core.workspace import archive, export
from mnist_core.workspace.checkpoints import RunFolder, record_of, safe_tensors
from mnist_core.workspace.export_script import OPTIMISERS, script_parts
from mnist_core.workspace.run_record import RunRecord
from tests.data_files import tiny_set, write_set
from tests.small_data import digits, global_generators_untouched, mnist_in, tiny_dataset

LINEAR = TrainingConfig("digits", epochs=2)
LONGEST = TrainingConfig(
    "digits", "deep", "AdamW", 0.004, 64, epochs=2, seed=7, schedule="one-cycle", augment=True
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


def trained(run, *rates, until=1_000_000):
    """Train a run up to a step, and change its learning rate at each (step, rate)."""
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
    return trained(TrainingRun(LONGEST, digits(), threads=2), (10, 0.003), (20, 0.0025), until=33)


def printed_by(code, folder, data="nowhere", *arguments):
    """Execute code in a new process and return what it printed."""
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
    """Return the lines that a script of the run should print."""
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


def data_of(run):
    """Execute a script of the run here, up to the images and labels; return its variables."""
    space = {}
    for part in script_parts(run, 1):
        exec(part.code, space)  # noqa: S102
        if "test_x" in space:
            return space
    raise AssertionError("no part of the script reads the data")


@pytest.fixture(scope="module")
def stopped():
    config = TrainingConfig("digits", "mlp", "SGD with momentum", 0.1, 50, epochs=3, seed=3)
    run = trained(TrainingRun(config, digits()), (0, 0.05), (7, 0.02), (41, 0.2), until=41)
    run.set_learning_rate(0.3)  # for the next step, which the run does not take
    return run


@pytest.fixture(scope="module")
def as_notebook():
    config = TrainingConfig("digits", "cnn", "Adam", 0.01, epochs=1, augment=True)
    return trained(TrainingRun(config, digits()), until=30)


@pytest.fixture(scope="module")
def executed(longest, stopped, as_notebook, tmp_path_factory):
    """What two scripts and a notebook printed, and the folder with their weights.

    One process executes all three, because importing takes longer than training here.
    """
    folder = tmp_path_factory.mktemp("executed")
    (folder / "longest.py").write_text(export.script(longest), "utf-8")
    (folder / "stopped.py").write_text(export.script(stopped), "utf-8")
    (folder / "book.ipynb").write_bytes(export.notebook(as_notebook))
    code = f"SAVE = {SAVE!r}\n{RUN_EACH}"
    printed = printed_by(code, folder, "nowhere", "longest.py", "stopped.py", "book.ipynb")
    parts = [part.splitlines() for part in printed.split("== ")[1:]]
    return {name: lines for name, *lines in parts}, folder


def test_a_script_repeats_a_linear_run(tmp_path):
    run = trained(TrainingRun(LINEAR, digits()))

    text = export.script(run)

    assert printed_by(text + SAVE, tmp_path).splitlines() == expected_of(run)
    assert len(run.history.epoch_metrics) == 2
    assert same_weights(tmp_path / "weights.safetensors", run)
    accuracy = f"{run.history.accuracies[-1][1]:#.5g}"
    assert f"the test accuracy was {accuracy}." in " ".join(text.split())


def test_a_script_of_the_lesson_s_run_repeats_it_on_mnist(tmp_path, mnist_dir):
    run = trained(TrainingRun(replace(LESSON, epochs=1), mnist_in(mnist_dir)))

    lines = printed_by(export.script(run) + SAVE, tmp_path, mnist_dir.absolute()).splitlines()

    assert lines == expected_of(run)
    assert len(lines) == 1
    assert same_weights(tmp_path / "weights.safetensors", run)


def test_a_script_with_schedule_augmentation_and_changed_rates_repeats_the_run(executed, longest):
    printed, folder = executed

    lines = printed["longest.py"]

    assert lines == expected_of(longest)
    assert [re.findall(r"step (\d+)", line) for line in lines] == [["23"], ["33"]]
    assert same_weights(folder / "longest.py.weights", longest)


def test_a_script_ends_at_the_last_step_and_changes_the_rate_at_the_same_step(executed, stopped):
    printed, folder = executed

    text = export.script(stopped)

    assert stopped.history.step % stopped.steps_per_epoch
    assert "learning_rate = 0.05\nlearning_rate_from_step = {7: 0.02}\n" in text
    assert printed["stopped.py"] == expected_of(stopped)
    assert same_weights(folder / "stopped.py.weights", stopped)


def test_the_cells_of_a_notebook_repeat_the_run(executed, as_notebook):
    printed, folder = executed

    assert printed["book.ipynb"] == expected_of(as_notebook)
    assert same_weights(folder / "book.ipynb.weights", as_notebook)


def test_a_notebook_is_valid_and_reproducible_and_has_the_code_of_the_script(longest):
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
    """Scripts of many kinds of runs, which are not executed."""
    noise = tiny_dataset(n_train=128)
    runs = {
        f"{title}, {set_}": TrainingRun(replace(config, dataset=set_), noise)
        for title, config in PRESETS.items()
        for set_ in ("mnist", "fashion")
    }
    for name in optimisers.OPTIMISERS:
        config = TrainingConfig("digits", "mlp", name, 1e-5, 8, seed=2**31 - 1)
        runs[name] = TrainingRun(config, noise)
    texts = {name: export.script(trained(run, until=1)) for name, run in runs.items()}
    often = TrainingRun(TrainingConfig("digits", batch_size=1), noise)
    trained(often, *((i, 1 / (i + 3)) for i in range(60)), until=60)
    return {**texts, "often": export.script(often), "longest": export.script(longest)}


def test_scripts_pass_ruff(scripts, tmp_path):
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


def test_a_script_has_only_what_its_run_needs(scripts):
    lesson, longest = scripts["The lesson's run, mnist"], scripts["longest"]
    for word in (
        "augmented",
        "one_cycle",
        "learning_rate_from_step",
        "channels_last",
        "param_groups",
    ):
        assert word not in lesson
        assert word in longest
    assert "torchvision" in lesson
    assert "torchvision" not in longest
    assert "FashionMNIST(folder, download=True)" in scripts["The lesson's run, fashion"]


def test_every_optimiser_has_a_counterpart_in_torch_optim():
    assert OPTIMISERS.keys() == optimisers.OPTIMISERS.keys()


def test_the_bundled_digits_of_a_script_are_those_of_the_run():
    space = data_of(TrainingRun(LINEAR, digits()))

    data = digits()
    for split in ("train", "test"):
        images, labels = data.split(split)
        assert torch.equal(space[f"{split}_x"], to_input(images))
        assert torch.equal(space[f"{split}_labels"], torch.from_numpy(labels.copy()))


@pytest.mark.parametrize("name", ["mnist", "fashion"])
@pytest.mark.parametrize("missing", [False, True], ids=["present", "missing"])
def test_a_script_reads_raw_files_and_downloads_them_if_missing(
    name, missing, tmp_path, monkeypatch
):
    class_name, downloads = {"mnist": "MNIST", "fashion": "FashionMNIST"}[name], []

    def download_set(folder, download):
        downloads.append((folder, download))
        write_set(folder, tiny_set(), name)

    fake = types.ModuleType("torchvision.datasets")
    setattr(fake, class_name, download_set)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", fake)
    monkeypatch.setenv("MNIST_DATA_DIR", str(tmp_path))
    if not missing:
        write_set(tmp_path, tiny_set(), name)

    run = TrainingRun(TrainingConfig(name, batch_size=3), tiny_dataset())
    space = data_of(run)

    assert downloads == [(tmp_path, True)] * missing
    assert space["train_x"].shape == (3, 1, 28, 28)
    assert space["train_x"][0, 0, 0, :3].tolist() == [0, np.float32(1 / 255), np.float32(2 / 255)]
    assert space["test_x"][0, 0, 0, 0] == np.float32(100 / 255)
    assert space["train_labels"].tolist() == [5, 0, 4]
    assert space["test_labels"].tolist() == [7, 2]


def test_the_header_of_a_numpy_run_says_that_the_last_digits_may_differ():
    config = TrainingConfig("digits", batch_size=8, engine="numpy")
    text = export.script(trained(TrainingRun(config, tiny_dataset()), until=3))
    header = " ".join(text.split('"""')[1].split())
    assert "NumPy engine trained it: the last digits may differ" in header
    assert "bit for bit" not in header


def test_the_header_mentions_changed_data_and_a_run_in_progress():
    changed = tiny_dataset()
    object.__setattr__(changed, "differs", "Not the published MNIST: fewer.")
    run = TrainingRun(TrainingConfig(batch_size=8), changed)
    run.advance(2)  # without publishing its weights
    header = " ".join(export.script(run).split('"""')[1].split())
    assert "Its images are not the published MNIST" in header
    assert f"After {run.history.step} of 40 steps, the run is in progress." in header


def test_the_header_and_the_weights_of_a_failed_run_say_so():
    run = TrainingRun(TrainingConfig("digits", learning_rate=1e9, batch_size=8), tiny_dataset())
    with pytest.raises(TrainingFailedError):
        trained(run)
    header = " ".join(export.script(run).split('"""')[1].split())
    assert f"After {run.history.step} of 40 steps, the run failed" in header
    assert "the last weights before the run failed" in safe_tensors(export.weights(run))[1]["about"]


@pytest.mark.parametrize("make", [export.script, export.notebook, export.tensorboard])
def test_a_run_without_steps_is_refused(make):
    with pytest.raises(ValueError, match="without any: let it train"):
        make(TrainingRun(LINEAR, digits()))


def test_a_plain_model_loads_the_weights(longest):
    data = export.weights(longest)

    model = architectures.deep()
    model.load_state_dict(load(data))
    about = safe_tensors(data)[1]["about"]
    reached = accuracy(longest.model, digits().test_images, digits().test_labels)
    assert accuracy(model, digits().test_images, digits().test_labels) == reached
    assert about.endswith(f"after step 33 · test accuracy {reached:#.5g}")
    assert about.startswith(str(LONGEST))
    assert data == export.weights(longest)


def test_exported_weights_can_be_imported(longest):
    parcel = archive.unpack(export.weights(longest))
    assert not parcel.checkpoint
    assert archive.architecture_of(parcel.weights) == "deep"


def test_the_history_equals_the_file_in_the_run_s_folder(longest, tmp_path):
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
    (metrics,) = history.epoch_metrics
    chosen = [0.004] * 10 + [0.003] * 10 + [0.0025] * 13
    rates = [rate * longest.schedule_share(i) for i, rate in enumerate(chosen)]
    assert read == {
        "loss": [(i + 1, history.losses[i]) for i in range(33)],
        "learning_rate": [(i + 1, float32(rate)) for i, rate in enumerate(rates)],
        "test/accuracy": [(23, float32(metrics.test_accuracy))],
        "test/loss": [(23, float32(metrics.test_loss))],
        "train/accuracy": [(23, float32(metrics.train_accuracy))],
        "train/loss": [(23, float32(metrics.train_loss))],
    }
    seconds = [e.wall_time for e in log.Scalars("loss")]
    np.testing.assert_allclose(seconds, history.seconds[:33], rtol=1e-5)


def test_a_tensorboard_log_is_reproducible_and_names_no_machine(longest):
    data = export.tensorboard(longest)
    assert data == export.tensorboard(longest)
    (entry,) = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert entry.filename == "run/events.out.tfevents.0.lesson"
    assert entry.external_attr >> 16 == 0o644


def test_exports_draw_nothing_from_the_global_generators(longest):
    with global_generators_untouched():
        for make in (export.weights, export.history, export.script, export.notebook):
            assert make(longest)


def test_importing_export_does_not_import_slow_modules():
    code = "import json, sys, mnist_core.workspace.export; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {"tensorboardX", "nbformat", "torchvision", "jinja2"} & set(json.loads(done.stdout))
