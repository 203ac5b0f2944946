"""A run as files for other programs: weights, history, script, notebook and TensorBoard log."""

from __future__ import annotations

import csv
import io
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save as save_tensors

from mnist_core.data.idx import FOLDERS
from mnist_core.evaluation.metrics import accuracy
from mnist_core.nn import architectures
from mnist_core.training.history import Snapshot
from mnist_core.training.run import DIVERGED_LOSS, TrainingRun
from mnist_core.workspace import checkpoints
from mnist_core.workspace.export_script import script_parts

__all__ = ["history", "notebook", "script", "tensorboard", "weights"]

_EVENTS = "events.out.tfevents.0.lesson"  # TensorBoard reads files with names like this


def weights(run: TrainingRun) -> bytes:
    """Return the published weights as safetensors, with the names of PyTorch's ``state_dict``.

    ``model.load_state_dict(safetensors.torch.load_file(path))`` loads them, where ``model`` has the
    layers of `mnist_core.nn.architectures`, or of the script that `script` returns. The metadata's
    "about" describes the run and the weights in one line.
    """
    snapshot = run.snapshot
    if _failed(run):
        state = f"the last weights before the run failed at step {run.history.step:,}"
    else:
        state = f"after step {snapshot.step:,} · test accuracy {_test_accuracy(run, snapshot):#.5g}"
    return save_tensors(snapshot.weights, {"about": f"{_title(run)} · {state}"})


def history(run: TrainingRun) -> bytes:
    """Return loss, learning rate and time of every step as CSV with a header, in UTF-8."""
    return (checkpoints.COLUMNS + checkpoints.history_csv(run)).encode()


def script(run: TrainingRun) -> str:
    """Return a script in plain PyTorch that repeats the run's steps and prints its accuracy.

    The weights are the same bit for bit on the same kind of processor with the same version of
    torch, unless the NumPy engine trained the run. The script reads images and labels from the
    folder that the environment variable MNIST_DATA_DIR names, or from ``data``, or downloads them.

    Raises
    ------
    ValueError
        If the run has taken no step.
    """
    steps = _steps_of(run)
    header = textwrap.fill(f"{_title(run)}. {_about(run, steps)}", 97)
    parts = [f'"""{header}"""', *(part.code for part in script_parts(run, steps))]
    return "\n\n".join(parts) + "\n"


def notebook(run: TrainingRun) -> bytes:
    """Return the code of `script` as a Jupyter notebook, with a sentence before each part.

    Raises
    ------
    ValueError
        If the run has taken no step.
    """
    steps = _steps_of(run)
    import nbformat
    from nbformat import v4

    cells = [v4.new_markdown_cell(f"# {_title(run)}\n\n{_about(run, steps)}")]
    for part in script_parts(run, steps):
        cells += [v4.new_markdown_cell(part.words), v4.new_code_cell(part.code)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # random otherwise
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": python, "language_info": {"name": "python"}}
    return nbformat.writes(v4.new_notebook(cells=cells, metadata=metadata)).encode()


def tensorboard(run: TrainingRun) -> bytes:
    """Return a zip archive with the run as a TensorBoard log, in a folder ``run``.

    Its scalars are ``loss`` and ``learning_rate`` of every step, and after each epoch
    ``test/accuracy``, ``test/loss``, ``train/accuracy`` and ``train/loss``. Times are seconds of
    training: TensorBoard's relative times are right, and its absolute times start in 1970.

    Raises
    ------
    ValueError
        If the run has taken no step.
    """
    _steps_of(run)
    from tensorboardX import RecordWriter  # its SummaryWriter would start a thread and a queue
    from tensorboardX.proto.event_pb2 import Event

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _EVENTS
        writer = RecordWriter(str(path))
        writer.write(Event(wall_time=0, file_version="brain.Event:2").SerializeToString())
        for step, seconds, scalars in _scalars(run):
            event = Event(wall_time=seconds, step=step)
            for tag, value in scalars.items():
                event.summary.value.add(tag=tag, simple_value=value)
            writer.write(event.SerializeToString())
        writer.close()
        events = path.read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo(f"run/{_EVENTS}")
        entry.external_attr = 0o644 << 16  # without it, nobody may read the unpacked file on Unix
        archive.writestr(entry, events, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _steps_of(run: TrainingRun) -> int:
    """Return how many steps a run has taken; ValueError if none."""
    if not run.history.step:
        raise ValueError("expected a run that has taken steps, got one without any: let it train.")
    return run.history.step


def _scalars(run: TrainingRun) -> Iterator[tuple[int, float, dict[str, float]]]:
    """Yield the number of each step, its time in seconds, and its scalars by tag."""
    epoch_metrics = {metrics.step: metrics for metrics in run.history.epoch_metrics}
    for row in csv.DictReader(io.StringIO(history(run).decode())):
        step = int(row["step"])
        scalars = {tag: float(row[tag]) for tag in ("loss", "learning_rate")}
        if step in epoch_metrics:
            scalars |= {
                f"{split}/{what}": getattr(epoch_metrics[step], f"{split}_{what}")
                for split in ("test", "train")
                for what in ("accuracy", "loss")
            }
        yield step, float(row["seconds"]), scalars


def _title(run: TrainingRun) -> str:
    """Return the settings of a run in one line, with the learning rate of its first step."""
    return str(replace(run.config, learning_rate=run.history.learning_rates[0][1]))


def _about(run: TrainingRun, steps: int) -> str:
    """Return sentences about how the run went, and how exactly the script repeats it."""
    snapshot = run.snapshot
    if _failed(run):
        state = "the run failed: its loss was too large or not a number"
    elif snapshot.step == steps:
        state = f"the test accuracy was {_test_accuracy(run, snapshot):#.5g}"
    else:
        state = "the run is in progress"
    words = [f"After {steps:,} of {run.total_steps:,} steps, {state}."]
    if run.config.engine == "numpy":
        words.append("The lesson's NumPy engine trained it: the last digits may differ here.")
    else:
        words.append(
            f"Torch {torch.__version__} on the same kind of processor repeats it bit for bit."
        )
    if run.dataset.differs:
        name = FOLDERS[run.config.dataset]
        words.append(f"Its images are not the published {name}: the code needs the same files.")
    return " ".join(words)


def _failed(run: TrainingRun) -> bool:
    """Return whether the last loss is one that makes a run fail."""
    step = run.history.step
    return step > 0 and not run.history.losses[step - 1] < DIVERGED_LOSS


def _test_accuracy(run: TrainingRun, snapshot: Snapshot) -> float:
    """Return the accuracy of a snapshot of a run on its test set, 0 to 1."""
    known = dict(run.history.accuracies)
    if snapshot.step in known:
        return known[snapshot.step]
    model = architectures.with_weights(run.config.architecture, snapshot.weights)
    return accuracy(model, run.dataset.test_images, run.dataset.test_labels)
