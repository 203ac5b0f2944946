"""A run as a recipe: the parts of a script in plain PyTorch that does the very same steps again.

What decides the numbers is not written twice: the layers, the order of the images, the step, the
schedule and the augmentation are cut out of the modules that the run itself went through.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from string import Template
from typing import Any, cast

from mnist_core.data import augmentation, inputs
from mnist_core.data.idx import FOLDERS
from mnist_core.nn import architectures, optimisers
from mnist_core.nn.schedules import SCHEDULES
from mnist_core.training import engine
from mnist_core.training.run import TrainingRun

__all__ = ["OPTIMISERS", "Part", "parts_of"]

OPTIMISERS = {  # by our name: the same rule in torch.optim, with what it needs besides
    "SGD": "SGD(model.parameters(), lr=rate)",
    "SGD with momentum": f"SGD(model.parameters(), lr=rate, momentum={optimisers.MOMENTUM})",
    "Adam": "Adam(model.parameters(), lr=rate)",
    "AdamW": f"AdamW(model.parameters(), lr=rate, weight_decay={optimisers.WEIGHT_DECAY})",
}
_IMPORTS = """\
import math
import os
from collections import OrderedDict
from pathlib import Path
import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional"""
_FILES = Template("""\
folder = Path(os.environ.get("MNIST_DATA_DIR") or "data")
if len(list((folder / "$name" / "raw").glob("*-ubyte"))) < 4:
    from torchvision.datasets import $name
    $name(folder, download=True)
def read(split):  # -> (N, 1, 28, 28) and (N,)
    name = str(folder / "$name" / "raw" / split)
    images = np.fromfile(f"{name}-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.fromfile(f"{name}-labels-idx1-ubyte", np.uint8, offset=8)
    x = $to_input
    return x, torch.from_numpy(labels).long()
(train_x, train_labels), (test_x, test_labels) = read("train"), read("t10k")""")
# What geometry.lay_out does, without what these 1,797 pictures do not need; compared in the tests.
_DIGITS = Template("""\
def lay_out(digit):  # as MNIST's were: 20 pixels long, the centre of mass at row and column 14
    picture = Image.fromarray((digit / 16).astype(np.float32))
    picture = picture.crop(picture.getbbox())
    size = [round(side * 20 / max(picture.size)) for side in picture.size]
    ink = np.asarray(picture.resize(size, Image.Resampling.BICUBIC)).clip(0, 1)
    top, left = (round(14 - mass) for mass in ndimage.center_of_mass(ink))
    return np.pad(ink, ((top, 28 - top - ink.shape[0]), (left, 28 - left - ink.shape[1])))
digits = load_digits()
images = np.rint(np.stack([lay_out(d) for d in digits.images]) * 255).astype(np.uint8)
x = $to_input
labels = torch.from_numpy(digits.target).long()
train_x, test_x, train_labels, test_labels = x[:$n], x[$n:], labels[:$n], labels[$n:]""")
_ACCURACY = """\
def accuracy():
    with torch.inference_mode():
        said = torch.cat([model(x).argmax(dim=1) for x in test_x.split(1_000)])
    return (said == test_labels).double().mean().item()"""
_LOOP = Template("""\
steps_an_epoch = -(-len(train_x) // batch_size)
for step in range(steps):
    epoch, batch = divmod(step, steps_an_epoch)
    if batch == 0:  # an epoch begins: every image once, in a new order
$order
    chosen = order[batch * batch_size : (batch + 1) * batch_size]
    x, labels = train_x[chosen], train_labels[chosen]  # (B, 1, 28, 28), (B,)
$step
    if batch + 1 == steps_an_epoch or step + 1 == steps:
        print(f"After step {step + 1:,} (epoch {epoch + 1}): test accuracy {accuracy():#.5g}")""")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the recipe: what it does, in words, and its code."""

    words: str
    code: str


def parts_of(run: TrainingRun, steps: int) -> list[Part]:
    """Return what does a run's first so many steps again, in order; it prints the accuracy.

    After each epoch and after the last step it prints the share of right answers on the test set.
    Together the parts are a script; nothing stands in it that this run does not need.
    """
    parts = [
        Part("What it takes, and the settings of the run.", _settings(run, steps)),
        *_extras(run),
        Part("The images as numbers from 0 to 1, and their labels.", _data(run)),
        Part(
            "The network with its first weights, what moves them, and how good it is.",
            _model(run, steps),
        ),
        Part("Now it learns, a batch at a time.", _loop(run, steps)),
    ]
    first = replace(parts[0], code=f"{_imports(parts)}\n\n{parts[0].code}")
    return [first, *parts[1:]]


def _imports(parts: list[Part]) -> str:
    """Return the imports of all names that the parts use."""
    tree = ast.parse("\n".join(part.code for part in parts))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lines = _IMPORTS.splitlines()  # each ends in the name that it makes known
    return "\n".join(line for line in lines if not line or line.split()[-1] in used)


def _changes(run: TrainingRun, steps: int) -> dict[int, float]:
    """Return the learning rates that were chosen on the way, by the step they began with."""
    return {step: float(rate) for step, rate in run.history.learning_rates[1:] if step < steps}


def _settings(run: TrainingRun, steps: int) -> str:
    config, changes = run.config, _changes(run, steps)
    values = {"seed": config.seed, "batch_size": config.batch_size, "steps": steps}
    scheduled = config.schedule != "constant"
    if scheduled:
        values["total_steps"] = run.total_steps
    lines = [f"{', '.join(values)} = {', '.join(f'{value:_}' for value in values.values())}"]
    comment = "learning rate" + ", at its highest" * scheduled
    first = float(run.history.learning_rates[0][1])
    comment = "learning rate" + ", at its highest" * scheduled
    if changes:
        pairs = ", ".join(f"{step}:_{rate}" for step, rate in ({0: first} | changes).items())
        code = textwrap.fill(f"rates = {{{pairs}}}", 100, subsequent_indent=" " * 4)
        comment = "learning rates by the first step that had them"
        code = code.replace("_", " ")
        fits = len(code.splitlines()[-1]) + len(comment) < 96
        lines.append(code + f"  # {comment}" * fits)
    else:
        lines.append(f"rate = {first}  # {comment}")
    if scheduled:
        lines += _constants(SCHEDULES[config.schedule])
    if config.augment:
        lines += _constants(augmentation.augmented)
    return "\n".join(lines)


def _extras(run: TrainingRun) -> list[Part]:
    parts = []
    if run.config.schedule != "constant":
        words = "The learning rate follows a schedule, from step to step."
        parts.append(Part(words, _function(SCHEDULES[run.config.schedule])))
    if run.config.augment:
        words = "Every image is changed a little, differently each time it is seen."
        parts.append(Part(words, _function(augmentation.augmented)))
    return parts


def _data(run: TrainingRun) -> str:
    to_input = " ".join(_body(inputs.to_input, "x")[-1:]).removeprefix("x = ")
    if run.config.dataset in FOLDERS:
        return _FILES.substitute(to_input=to_input, name=FOLDERS[run.config.dataset])
    return _DIGITS.substitute(to_input=to_input, n=len(run.dataset.train_images))


def _has_convolutions(run: TrainingRun) -> bool:
    """Whether the order of the numbers in memory makes a difference."""
    return any(weight.ndim == 4 for weight in run.snapshot.weights.values())


def _model(run: TrainingRun, steps: int) -> str:
    optimiser = f"optimiser = torch.optim.{OPTIMISERS[run.config.optimiser]}"
    if _changes(run, steps):
        optimiser = optimiser.replace("lr=rate", "lr=rates[0]")
    return "\n".join(
        [
            f"torch.set_num_threads({run.threads})  # with another number the last digits differ",
            "torch.manual_seed(seed)",
            *_layers(run),
            *(["model.to(memory_format=torch.channels_last)"] if _has_convolutions(run) else []),
            optimiser,
            *_constants(engine.training_step),
            _ACCURACY,
        ]
    )


def _layers(run: TrainingRun) -> list[str]:
    """Return the network's layers with their names, as many on a line as fit."""
    source = inspect.getsource(architectures.ARCHITECTURES[run.config.architecture].layers)
    (call,) = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "OrderedDict"
    )
    layers = [f"{ast.unparse(keyword)},".replace(" ", "\0") for keyword in call.keywords]
    lines = textwrap.wrap(" ".join(layers), 96, break_long_words=False, break_on_hyphens=False)
    inner = [f"    {line}".replace("\0", " ") for line in lines]  # broken between layers only
    return ["model = nn.Sequential(OrderedDict(", *inner, "))"]


def _loop(run: TrainingRun, steps: int) -> str:
    changed, schedule = bool(_changes(run, steps)), SCHEDULES[run.config.schedule]
    lines = []
    if run.config.augment:
        (generator,) = _body(augmentation.generator_for, "x")
        lines.append(generator.replace("x = ", "x = augmented(x, ", 1) + ")")
    if changed:
        lines.append("rate = rates[max(first for first in rates if first <= step)]")
    if run.config.schedule != "constant":
        share = f" * {schedule.__name__}(step, total_steps)"
        lines.append(f'optimiser.param_groups[0]["lr"] = rate{share}')
    elif changed:
        lines.append('optimiser.param_groups[0]["lr"] = rate')
    lines += _body(engine.training_step)
    order = "\n".join(_body(engine.epoch_order, "order")).replace("(n)", "(len(train_x))")
    return _LOOP.substitute(
        order=textwrap.indent(order, " " * 8), step=textwrap.indent("\n".join(lines), " " * 4)
    )


def _source(function: Callable[..., Any]) -> tuple[list[str], ast.FunctionDef, int]:
    """Return a function's lines, its tree, and the number of the first line after its docstring."""
    source = inspect.getsource(function)
    node = cast(ast.FunctionDef, ast.parse(source).body[0])
    first = node.body[1] if ast.get_docstring(node) else node.body[0]
    return source.splitlines(), node, first.lineno - 1


def _function(function: Callable[..., Any]) -> str:
    """Return a function's source without annotations; a comment says what it does."""
    lines, node, first = _source(function)
    arguments = ", ".join(argument.arg for argument in node.args.args)
    summary = (ast.get_docstring(node) or "").partition("\n")[0].partition(":")[0].rstrip(".")
    head = f"def {node.name}({arguments}):  # {summary.removeprefix('Return ').lower()}"
    return "\n".join([head if len(head) <= 100 else head.partition("  #")[0], *lines[first:]])


def _body(function: Callable[..., Any], result: str = "") -> list[str]:
    """Return a function's lines as they stand by themselves; what it returns gets a name."""
    lines, node, first = _source(function)
    last = node.body[-1].lineno - 1
    returned = [lines[last].replace("return", f"{result} =", 1), *lines[last + 1 :]]
    kept = lines[first:last] + (returned if result else [])
    return textwrap.dedent("\n".join(kept)).splitlines()


def _constants(function: Callable[..., Any]) -> list[str]:
    """Return the lines of a function's module that give the names it uses their values."""
    source = inspect.getsource(cast(Any, inspect.getmodule(function)))
    lines, used = source.splitlines(), set(function.__code__.co_names)
    return [
        "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        and used & {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    ]
