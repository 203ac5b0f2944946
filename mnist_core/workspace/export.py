"""What a run can be taken away as: weights, history, script, notebook, and TensorBoard's log."""

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
from mnist_core.evaluation import metrics
from mnist_core.nn import architectures
from mnist_core.training.history import Snapshot
from mnist_core.training.run import DIVERGED_LOSS, TrainingRun
from mnist_core.workspace import checkpoints, export_script

__all__ = ["history", "notebook", "script", "tensorboard", "weights"]

_EVENTS = "events.out.tfevents.0.lesson"  # TensorBoard looks for such names
_NONE_TAKEN = "expected a run that has taken steps, got one without any: let it train."


def weights(run: TrainingRun) -> bytes:
    """Return the weights that were last published, as safetensors, by PyTorch's names.

    ``model.load_state_dict(safetensors.torch.load_file(path))`` takes them, where ``model`` has the
    layers of `mnist_core.nn.architectures`, or of the script that `script` returns. The metadata's
    "about" says in a sentence what they are.
    """
    snapshot = run.snapshot
    if _failed(run):
        came_to = f"the last ones kept before it failed at step {run.history.step:,}"
    else:
        accuracy = _test_accuracy(run, snapshot)
        came_to = f"after step {snapshot.step:,} · test accuracy {accuracy:#.5g}"
    return save_tensors(snapshot.weights, {"about": f"{_title(run)} · {came_to}"})


def history(run: TrainingRun) -> bytes:
    """Return loss, learning rate and time of every step as CSV, with a heading, in UTF-8."""
    return _table(run).encode()


def script(run: TrainingRun) -> str:
    """Return a script in plain PyTorch that does the run's steps again and prints its accuracy.

    On a processor of the same kind, with the same version of torch, the weights are the same bit
    for bit, unless it was the NumPy engine that trained. Images and labels come from the folder
    that the environment variable MNIST_DATA_DIR names, from ``data``, or from the internet.

    Raises
    ------
    ValueError
        If the run has taken no step, so that there is nothing to do again.
    """
    header, parts = _recipe(run)
    wrapped = textwrap.fill(". ".join(header), 97)
    return "\n\n".join([f'"""{wrapped}"""', *(part.code for part in parts)]) + "\n"


def notebook(run: TrainingRun) -> bytes:
    """Return what `script` returns as a Jupyter notebook, each part after a few words about it.

    Raises
    ------
    ValueError
        If the run has taken no step.
    """
    import nbformat

    header, parts = _recipe(run)
    title, *rest = header
    cells = [("markdown", "\n\n".join([f"# {title}", *rest]))]
    for part in parts:
        cells += [("markdown", part.words), ("code", part.code)]
    make = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(
        cells=[make[kind](text, id=f"cell-{i}") for i, (kind, text) in enumerate(cells)],
        metadata={"kernelspec": python, "language_info": {"name": "python"}},
    )
    return nbformat.writes(book).encode()


def tensorboard(run: TrainingRun) -> bytes:
    """Return a zip archive with the run as TensorBoard's log, in a folder ``run``.

    Its scalars are ``loss`` and ``learning_rate`` of every step, and after each epoch
    ``test/accuracy``, ``test/loss``, ``train/accuracy`` and ``train/loss``. Times are seconds of
    training, so TensorBoard's axis of relative time is right and the other begins in 1970.

    Raises
    ------
    ValueError
        If the run has taken no step.
    """
    if not run.history.step:
        raise ValueError(_NONE_TAKEN)
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
        entry.external_attr = 0o644 << 16  # else Unix would unpack it so that nobody may read it
        archive.writestr(entry, events, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _table(run: TrainingRun) -> str:
    return checkpoints.COLUMNS + checkpoints.history_csv(run)


def _scalars(run: TrainingRun) -> Iterator[tuple[int, float, dict[str, float]]]:
    """Yield each step's number, its time in seconds, and what there is to plot at it."""
    checkups = {checkup.step: checkup for checkup in run.history.checkups}
    for row in csv.DictReader(io.StringIO(_table(run))):
        step = int(row["step"])
        scalars = {tag: float(row[tag]) for tag in ("loss", "learning_rate")}
        if step in checkups:
            scalars |= {
                f"{split}/{what}": getattr(checkups[step], f"{split}_{what}")
                for split in ("test", "train")
                for what in ("accuracy", "loss")
            }
        yield step, float(row["seconds"]), scalars


def _recipe(run: TrainingRun) -> tuple[list[str], list[export_script.Part]]:
    """Return the paragraphs that say what it is, a title first, and the code in parts."""
    steps = run.history.step
    if not steps:
        raise ValueError(_NONE_TAKEN)
    return [_title(run), _about(run, steps)], export_script.parts_of(run, steps)


def _title(run: TrainingRun) -> str:
    (_, first_rate), *_later = run.history.learning_rates
    return str(replace(run.config, learning_rate=first_rate))


def _about(run: TrainingRun, steps: int) -> str:
    snapshot = run.snapshot
    if _failed(run):
        came_to = "its loss was no longer a number, or far too large"
    elif snapshot.step == steps:
        came_to = f"its accuracy on the test set was {_test_accuracy(run, snapshot):#.5g}"
    else:
        came_to = "it is still going on"
    words = [f"After {steps:,} of {run.total_steps:,} steps {came_to}."]
    if run.config.engine == "numpy":
        words.append("The lesson's NumPy engine trained it: the last digits may differ here.")
    else:
        words.append(
            f"With torch {torch.__version__} on the same kind of processor: the same again."
        )
    if run.dataset.differs:
        name = FOLDERS[run.config.dataset]
        words.append(f"Its images are not the published {name}: it needs the same files.")
    return " ".join(words)


def _failed(run: TrainingRun) -> bool:
    """Whether the last loss is what makes a run fail."""
    losses = run.history.losses[: run.history.step]
    return bool(len(losses)) and not losses[-1] < DIVERGED_LOSS


def _test_accuracy(run: TrainingRun, snapshot: Snapshot) -> float:
    """Return the accuracy of a snapshot of a run on its test set, 0 to 1."""
    for checkup in run.history.checkups:
        if checkup.step == snapshot.step:
            return checkup.test_accuracy
    model = architectures.with_weights(run.config.architecture, snapshot.weights)
    return metrics.accuracy(model, run.dataset.test_images, run.dataset.test_labels)
