"""The questions that ask a student for a prediction, each with the function that computes it.

A function here returns the right option and the numbers in the explanation. The words are in
``pages/texts`` under the same names; `mnist_core.lesson.question_words` reads them. Each function
runs within a second, on the bundled digits and from fixed seeds, so that every student of a class
gets the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import nn

from mnist_core.concepts.activations import ACTIVATIONS, collapse
from mnist_core.concepts.linear import fresh_layer
from mnist_core.concepts.losses import cross_entropy_in_torch
from mnist_core.concepts.step_tensors import step_in_torch
from mnist_core.data.datasets import bundled_digits
from mnist_core.data.inputs import to_input
from mnist_core.drawing.preprocessing import prepare_as_lesson, prepare_as_mnist
from mnist_core.evaluation.metrics import accuracy, probabilities
from mnist_core.nn import architectures
from mnist_core.nn.optimisers import SGD
from mnist_core.playground.run import PlaygroundRun
from mnist_core.playground.setups import Setup
from mnist_core.pretrained.bundled import load_pretrained
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.engine import AutogradEngine, cross_entropy, training_steps

__all__ = ["QUESTIONS", "Outcome", "Question", "outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The right option's key, and the numbers for the explanation."""

    answer: str
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the lesson.

    Attributes
    ----------
    name : str
        The key of its words; it begins with the page's name, see `question_words.page_of`.
    compute : callable
        Computes the right option.
    helpers : tuple of callables
        The functions of this module that ``compute`` calls; the page shows their source too.
    """

    name: str
    compute: Callable[[], Outcome]
    helpers: tuple[Callable[..., Any], ...] = ()


def closest(guesses: Mapping[str, float], value: float) -> str:
    return min(guesses, key=lambda option: abs(guesses[option] - value))


def train_on_digits(
    model: nn.Module, learning_rate: float, n_steps: int, split: str = "train"
) -> None:
    engine = AutogradEngine(model, SGD(model.parameters(), learning_rate))
    steps = training_steps(
        engine,
        *bundled_digits().split(split),
        batch_size=32,
        seed=0,
        learning_rate=lambda _step: learning_rate,
    )
    for _loss in islice(steps, n_steps):
        pass  # each turn of the loop is one training step


def mean_loss(model: nn.Module) -> float:
    images, labels = bundled_digits().split("test")
    return cross_entropy(model(to_input(images)), torch.tensor(labels)).item()


def layer_double() -> Outcome:
    x = torch.ones(4)
    layer = fresh_layer(4, 1, bias=False, seed=5)  # nn.Linear(4, 1, bias=False)
    biased = fresh_layer(4, 1, bias=True, seed=5)
    ones, twos = layer(x).item(), layer(2 * x).item()
    answer = closest({"same": ones, "more": ones + 4, "double": 2 * ones}, twos)
    return Outcome(answer, {"times": twos / ones, "biased": (biased(2 * x) / biased(x)).item()})


def layer_parameters() -> Outcome:
    layer = fresh_layer(4, 3, bias=True, seed=0)  # nn.Linear(4, 3)
    weights, biases = layer.weight.numel(), layer.bias.numel()
    return Outcome(str(weights + biases), {"weights": weights, "biases": biases})


def activation_slope() -> Outcome:
    z = torch.tensor(5.0, requires_grad=True)
    slopes = {}
    for name in ("ReLU", "sigmoid", "tanh"):
        (slope,) = torch.autograd.grad(ACTIVATIONS[name].in_torch(z), z)
        slopes[name] = slope.item()
    return Outcome(max(slopes, key=slopes.__getitem__), slopes)


def activation_line() -> Outcome:
    gaps = [collapse(None, seed).largest_gap for seed in range(100)]
    with_relu = [collapse(ACTIVATIONS["ReLU"], seed).largest_gap for seed in range(100)]
    straight = [gap < 1e-9 for gap in gaps]
    answer = "line" if all(straight) else "depends" if any(straight) else "bends"
    return Outcome(answer, {"n": len(gaps), "gap": max(gaps), "relu": float(np.median(with_relu))})


def charge(p: float) -> float:
    right_first = np.array([p] + 9 * [(1 - p) / 9], dtype=np.float32)
    return cross_entropy_in_torch(np.log(right_first), label=0)[0]  # softmax(log p) is p


def loss_guess() -> Outcome:
    loss = charge(0.1)
    return Outcome(f"{loss:.1f}", {"loss": loss, "half": charge(0.5), "sure": charge(0.99)})


def loss_tenth() -> Outcome:
    before, after = charge(0.5), charge(0.05)
    guesses = {"little": before + 0.45, "log": before + np.log(10), "tenfold": 10 * before}
    numbers = {"before": before, "after": after, "added": after - before, "then": charge(0.005)}
    return Outcome(closest(guesses, after), numbers)


def loss_add() -> Outcome:
    z = np.array([0.0, 1, 2, 4, -1, 0, 3, 1, 0, -2], dtype=np.float32)
    before, after = (cross_entropy_in_torch(logits, label=3)[0] for logits in (z, z + 5))
    answer = closest({"same": before, "less": before - 5, "more": before + 5}, after)
    return Outcome(answer, {"before": before, "after": after, "factor": np.exp(5.0)})


def dataset_exam() -> Outcome:
    model = architectures.build("mlp", seed=0)
    train_on_digits(model, learning_rate=0.1, n_steps=450, split="test")
    digits = bundled_digits()
    seen, new = accuracy(model, *digits.split("test")), accuracy(model, *digits.split("train"))
    numbers = {"seen": seen, "new": new, "n": len(digits.train_images)}
    return Outcome(closest({"same": seen, "fewer": 0.9, "guesses": 0.1}, new), numbers)


def model_hidden() -> Outcome:
    linear = architectures.count_parameters(architectures.build("linear", seed=0))
    mlp = {p.name: p.count for p in architectures.parameters_of(architectures.build("mlp", seed=0))}
    first, second = mlp["l1.weight"] + mlp["l1.bias"], mlp["l2.weight"] + mlp["l2.bias"]
    guesses = {"double": 2 * linear, "thirteen": 13 * linear, "most": 128 * linear}
    numbers = {"linear": linear, "first": first, "second": second, "all": sum(mlp.values())}
    return Outcome(closest(guesses, sum(mlp.values())), numbers)


def model_step() -> Outcome:
    images, labels = bundled_digits().split("train")
    model = architectures.build("linear", seed=0)
    before, after = step_in_torch(model, images[:32], labels[:32], lr=0.01)
    answer = "higher" if after > before else "zero" if after < 0.1 else "little"
    return Outcome(answer, {"before": before, "after": after})


def training_rate() -> Outcome:
    losses = {}
    for rate in (0.01, 5.0):
        model = architectures.build("linear", seed=0)
        before = mean_loss(model)
        train_on_digits(model, rate, n_steps=5)
        losses[rate] = mean_loss(model)
    answer = "up" if losses[5.0] > before else "faster" if losses[5.0] < losses[0.01] else "slower"
    return Outcome(answer, {"before": before, "small": losses[0.01], "large": losses[5.0]})


def training_zero() -> Outcome:
    reached = {}
    for start in ("random", "zero"):
        model = architectures.build("mlp", seed=0)
        if start == "zero":
            for parameter in model.parameters():
                nn.init.zeros_(parameter)
        train_on_digits(model, learning_rate=0.1, n_steps=200)
        reached[start] = accuracy(model, *bundled_digits().split("test"))
    answer = closest({"same": reached["random"], "slower": 0.5, "stuck": 0.1}, reached["zero"])
    hidden = dict(model.named_parameters())["l1.weight"]
    moved = int(hidden.count_nonzero())
    return Outcome(answer, reached | {"moved": moved, "hidden": hidden.numel()})


def evaluation_always() -> Outcome:
    model = architectures.build("linear", seed=0)
    always_1 = torch.eye(10)[1]  # whatever the image, logit 1 is the largest
    model.load_state_dict({"l1.weight": torch.zeros(10, 784), "l1.bias": always_1})
    images, labels = bundled_digits().split("test")
    share = accuracy(model, images, labels)
    numbers = {"share": share, "ones": int((labels == 1).sum()), "n": len(labels)}
    return Outcome(closest({"none": 0.0, "tenth": 0.1, "half": 0.5}, share), numbers)


def evaluation_shift() -> Outcome:
    model = architectures.build("linear", seed=0)
    train_on_digits(model, learning_rate=0.1, n_steps=450)
    images, labels = bundled_digits().split("test")
    shares = [
        accuracy(model, np.roll(images, -pixels, axis=2), labels)  # the left margin is 4 wide
        for pixels in range(5)
    ]
    answer = "keeps" if shares[4] > shares[0] / 2 else "fewer"
    return Outcome(answer, {f"by_{pixels}": share for pixels, share in enumerate(shares)})


def model_zero_grad() -> Outcome:
    images, labels = bundled_digits().split("train")
    x, y = to_input(images[:32]), torch.tensor(labels[:32])
    model = architectures.build("linear", seed=0)
    lengths = []
    for _ in range(2):  # no zero_grad in between
        cross_entropy(model(x), y).backward()
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        lengths.append(torch.cat(gradients).norm().item())
    guesses = {"same": lengths[0], "double": 2 * lengths[0], "nothing": 0.0}
    return Outcome(closest(guesses, lengths[1]), {"first": lengths[0], "second": lengths[1]})


def model_softmax() -> Outcome:
    sure = torch.eye(10)[:1]  # softmax at its best: 1 for class 0, which is right, and 0 elsewhere
    loss = nn.functional.cross_entropy(sure, torch.tensor([0])).item()
    wrong = nn.functional.cross_entropy(sure, torch.tensor([1])).item()
    return Outcome(f"{loss:.3f}", {"loss": loss, "wrong": wrong})


def training_steps_an_epoch() -> Outcome:
    steps = TrainingConfig("mnist", "linear", batch_size=32, epochs=1).total_steps(60_000)
    n = len(bundled_digits().train_images)
    small = TrainingConfig("digits", "linear", batch_size=32, epochs=1).total_steps(n)
    return Outcome(str(steps), {"steps": steps, "n": n, "small": small, "last": n % 32})


def evaluation_luck() -> Outcome:
    rng = np.random.default_rng(0)
    labels, new_labels = (bundled_digits().split(part)[1][:360] for part in ("test", "train"))
    guesses = rng.integers(10, size=(100, 360))  # 100 networks that guess
    shares = (guesses == labels).mean(axis=1)
    new_share = float((guesses[shares.argmax()] == new_labels).mean())
    best = float(shares.max())
    numbers = {"n": len(labels), "mean": float(shares.mean()), "best": best, "new": new_share}
    return Outcome(closest({"ten": 0.1, "more": 0.14, "half": 0.5}, best), numbers)


def smiley() -> np.ndarray:
    y, x = np.mgrid[:28, :28] - 13.5
    radius = np.hypot(x, y)
    face = abs(radius - 10) < 1.2
    eyes = np.hypot(abs(x) - 3.5, y + 3) < 1.5
    mouth = (abs(radius - 5.5) < 1) & (y > 2)
    return np.where(face | eyes | mouth, 255, 0).astype(np.uint8)


def drawing_smiley() -> Outcome:
    sure = {}
    for name in ("linear", "deep"):
        p = probabilities(load_pretrained(name), smiley()[None])[0]
        sure[name], predicted = float(p.max()), int(p.argmax())
        sure[f"{name}_class"] = predicted
    answer = closest({"tenth": 0.1, "half": 0.5, "sure": 1.0}, sure["linear"])
    return Outcome(answer, sure)


def drawing_corner() -> Outcome:
    images, labels = bundled_digits().split("test")
    shares = {}
    for name, prepare in (("lesson", prepare_as_lesson), ("mnist", prepare_as_mnist)):
        prepared = []
        for image in images[:100]:
            ink = np.zeros((112, 112), np.float32)
            ink[8:64, 8:64] = image.repeat(2, axis=0).repeat(2, axis=1) / 255  # top left quarter
            prepared.append(prepare(ink).pixels)
        shares[name] = accuracy(load_pretrained("mlp"), np.stack(prepared), labels[:100])
    gap = shares["mnist"] - shares["lesson"]
    answer = "centred" if gap > 0.2 else "shrunk" if gap < -0.2 else "both"
    return Outcome(answer, shares)


def race_order() -> Outcome:
    weights = architectures.build("linear", seed=0).get_parameter("l1.weight").detach().numpy()
    pixels = bundled_digits().test_images[0].reshape(784) / np.float32(255)
    products = weights[3] * pixels  # float32
    forwards, backwards = (float(np.cumsum(part)[-1]) for part in (products, products[::-1]))
    difference = abs(forwards - backwards)
    guesses = {"same": 1e-12, "rounding": 1e-7, "other": 1e-2}
    answer = min(guesses, key=lambda option: abs(np.log10(guesses[option] / (difference + 1e-15))))
    return Outcome(answer, {"forwards": forwards, "backwards": backwards, "n": 784})


def replay_halfway() -> Outcome:
    images, labels = bundled_digits().split("test")
    model = architectures.build("linear", seed=0)
    engine = AutogradEngine(model, SGD(model.parameters(), 0.01))
    train = bundled_digits().split("train")
    steps = training_steps(engine, *train, batch_size=32, seed=0, learning_rate=lambda _step: 0.01)
    shares = {0: accuracy(model, images, labels)}
    for step, _loss in enumerate(islice(steps, 200), start=1):
        if step % 10 == 0:
            shares[step] = accuracy(model, images, labels)
    half = next(step for step, share in shares.items() if share >= shares[200] / 2)
    answer = closest({"early": 30, "middle": 100, "late": 170}, half)
    numbers = {"half": half, "first": shares[0], "then": shares[100], "last": shares[200]}
    return Outcome(answer, numbers)


def playground_neurons() -> Outcome:
    errors = {}
    for neurons in (1, 2, 3):
        run = PlaygroundRun(Setup(data="circle", layers=(neurons,), learning_rate=0.3, seed=2))
        run.run_to(30)  # epochs
        errors[neurons] = run.snapshot(2).test_error
    enough = [neurons for neurons, error in errors.items() if error < 0.05]
    answer = str(enough[0]) if enough else "more"
    return Outcome(answer, {f"with_{neurons}": error for neurons, error in errors.items()})


QUESTIONS = {
    row.name: row
    for row in (
        Question("layer_double", layer_double, (closest,)),
        Question("layer_parameters", layer_parameters),
        Question("activation_slope", activation_slope),
        Question("activation_line", activation_line),
        Question("loss_guess", loss_guess, (charge,)),
        Question("loss_tenth", loss_tenth, (charge, closest)),
        Question("loss_add", loss_add, (closest,)),
        Question("dataset_exam", dataset_exam, (train_on_digits, closest)),
        Question("model_hidden", model_hidden, (closest,)),
        Question("model_step", model_step),
        Question("model_zero_grad", model_zero_grad, (closest,)),
        Question("model_softmax", model_softmax),
        Question("training_rate", training_rate, (train_on_digits, mean_loss)),
        Question("training_zero", training_zero, (train_on_digits, closest)),
        Question("training_steps_an_epoch", training_steps_an_epoch),
        Question("evaluation_always", evaluation_always, (closest,)),
        Question("evaluation_shift", evaluation_shift, (train_on_digits,)),
        Question("evaluation_luck", evaluation_luck, (closest,)),
        Question("drawing_smiley", drawing_smiley, (smiley, closest)),
        Question("drawing_corner", drawing_corner),
        Question("race_order", race_order),
        Question("replay_halfway", replay_halfway, (closest,)),
        Question("playground_neurons", playground_neurons),
    )
}


@cache
def outcome(name: str) -> Outcome:
    """Compute the outcome of a question, once in a process; do not change it.

    Parameters
    ----------
    name : str
        A key of `QUESTIONS`.

    Raises
    ------
    ValueError
        If there is no question of this name.
    """
    if name not in QUESTIONS:
        raise ValueError(f"expected one of {', '.join(QUESTIONS)}, got {name!r}.")
    return QUESTIONS[name].compute()
