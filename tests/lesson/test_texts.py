"""What the pages' prose claims is so: words with a number or a fact, and their computation."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
import torch

from benchmarks import handwriting as pen_digits
from mnist_core.concepts import activations, losses, single_step
from mnist_core.data import datasets
from mnist_core.evaluation import calibration, metrics, neighbours
from mnist_core.explain import attribution, sums
from mnist_core.nn import architectures
from mnist_core.nn.schedules import one_cycle
from mnist_core.playground import own_points, setups
from mnist_core.pretrained import __main__ as pretraining
from mnist_core.pretrained import bundled
from mnist_core.training import finetuning, queue, run
from mnist_core.training.configs import LESSON, PRESETS, TrainingConfig
from mnist_core.workspace import run_registry
from pages.parts.shell import texts

CARD = bundled.pretrained_card()
CHANGED_IN_TRAINING = {"noise", "train_share", "batch_size", "learning_rate", "regularisation"}


class Claim(NamedTuple):
    """Words of a section, and what must hold for them to be true."""

    page: str
    section: str
    words: str
    holds: Callable[[], bool]


def slope_at(name: str, z: float) -> float:
    return float(activations.ACTIVATIONS[name].slope(np.array([z]))[0])


def sure_and_wrong() -> np.ndarray:
    return np.array([0.0, 40.0, *[0.0] * 8], dtype=np.float32)


def untrained_confidences() -> np.ndarray:
    images = datasets.bundled_digits().test_images
    built = (architectures.build(name, 0) for name in architectures.ARCHITECTURES)
    return np.concatenate([metrics.probabilities(model, images) for model in built])


def default(function: Callable[..., object], parameter: str) -> object:
    return inspect.signature(function).parameters[parameter].default


CLAIMS = [
    Claim(
        "home",
        "boundary",
        "about ten thousand times",
        lambda: 9_000 < LESSON.total_steps(60_000) < 11_000,
    ),
    Claim("layer", "rounding", "2^{-24}", lambda: np.finfo(np.float32).eps / 2 == 2**-24),
    Claim("layer", "rounding", "about seven digits", lambda: 7 < 24 * math.log10(2) < 7.5),
    Claim(
        "activation",
        "between",
        "then eight **hidden units**",
        lambda: default(activations.collapse, "hidden") == 8,
    ),
    Claim(
        "activation",
        "curve",
        "softmax, the last in the list",
        lambda: list(activations.ACTIVATIONS)[-1] == "softmax",
    ),
    Claim("activation", "choose", "slope is 1 for every", lambda: slope_at("ReLU", 0.1) == 1),
    Claim(
        "activation",
        "choose",
        "flat on both sides",
        lambda: all(slope_at(n, z) < 0.01 for n in ("sigmoid", "tanh") for z in (-6, 6)),
    ),
    Claim(
        "activation",
        "choose",
        "LeakyReLU and ELU also have a slope below 0",
        lambda: all(slope_at(n, -2) > 0 for n in ("LeakyReLU", "ELU")),
    ),
    Claim(
        "loss",
        "squared",
        "never larger than 0.2",
        lambda: round(losses.loss_of("squared error", sure_and_wrong(), 0).in_numpy, 6) == 0.2,
    ),
    Claim(
        "loss",
        "squared",
        "its slope is almost 0",
        lambda: np.abs(losses.loss_of("squared error", sure_and_wrong(), 0).by_hand).max() < 1e-6,
    ),
    Claim(
        "loss",
        "overflow",
        "$e^{89}$ is already too large",
        lambda: math.exp(89) > float(np.finfo(np.float32).max) > math.exp(88),
    ),
    Claim(
        "playground",
        "controls",
        "learning rate and the regularisation during training",
        lambda: CHANGED_IN_TRAINING < setups.LIVE and "seed" not in setups.LIVE,
    ),
    Claim(
        "playground",
        "own",
        "up to 500 points with two to four classes",
        lambda: (own_points.MAX_POINTS, own_points.MAX_CLASSES) == (500, 4),
    ),
    Claim("playground", "features_question", "seven features", lambda: len(setups.FEATURES) == 7),
    Claim(
        "model",
        "choose",
        "three larger ones: an **MLP** (multi-layer perceptron) with one hidden layer, and two",
        lambda: list(architectures.ARCHITECTURES) == ["linear", "mlp", "cnn", "deep"],
    ),
    Claim("model", "parameters", "7,850 in all", lambda: CARD["linear"]["parameters"] == 7_850),
    Claim(
        "model",
        "forward",
        "no class gets more than about 20 %",
        lambda: untrained_confidences().max() < 0.22,
    ),
    Claim("model", "step", r"\eta = 0.01", lambda: default(single_step.single_step, "lr") == 0.01),
    Claim(
        "training",
        "schedule",
        "the first 30 % of the steps",
        lambda: max(range(1_000), key=lambda step: one_cycle(step, 1_000)) == 299,
    ),
    Claim("training", "settings", "Three sets of settings", lambda: len(PRESETS) == 3),
    Claim("training", "settings", "every few seconds", lambda: 1 < queue.SAVE_EVERY_S < 5),
    Claim(
        "evaluation",
        "linear",
        "Its two accuracies are close",
        lambda: abs(CARD["linear"]["test_accuracy"] - CARD["linear"]["train_accuracy"]) < 0.01,
    ),
    Claim(
        "evaluation",
        "linear",
        "The linear model underfits",
        lambda: CARD["linear"]["train_accuracy"] < 0.95 < CARD["mlp"]["train_accuracy"],
    ),
    Claim("drawing", "doubt", "on 5,000 of MNIST's", lambda: pretraining.N_VALIDATION == 5_000),
    Claim("drawing", "doubt", "12,000 scribbles", lambda: pretraining.NON_DIGITS == 12_000),
    Claim(
        "drawing",
        "doubt",
        "so it learnt from digits only",
        lambda: [n for n, r in pretraining.RECIPES.items() if not r.non_digits] == ["linear"],
    ),
    Claim("drawing", "doubt", "at most 3 %", lambda: calibration.LEAST_ACCEPTED == 0.97),
    Claim(
        "drawing",
        "measured",
        "at four sizes, in three places and with three pens, 36 times in all",
        lambda: (
            [len(c) for c in (pen_digits.SHARES, pen_digits.PLACES, pen_digits.PENS)] == [4, 3, 3]
        ),
    ),
    Claim(
        "drawing", "measured", "7,920 drawings", lambda: len(pen_digits.CONDITIONS) == 7920 / 220
    ),
    Claim(
        "handwriting",
        "tuning",
        "300 small training steps. In each batch, one image in eight",
        lambda: finetuning.STEPS == 300 and finetuning.REHEARSED == 7 * finetuning.OWN,
    ),
    Claim("why", "occlusion", "5×5", lambda: default(attribution.occlusion, "size") == 5),
    Claim("zoom", "sum", "rounded to five decimals", lambda: sums.DECIMALS == 5),
    Claim("replay", "confusion", "up to 40 times", lambda: run.MOST_SNAPSHOTS == 40),
    Claim("runs", "kept", "up to 50 runs", lambda: run_registry.RUNS_PER_WORKSPACE == 50),
    Claim(
        "race",
        "rules",
        "plain SGD, learning rate 0.01, batches of 32, seed 0",
        lambda: replace(LESSON, epochs=1) == TrainingConfig("mnist", "linear", "SGD", 0.01, 32, 1),
    ),
    Claim(
        "conclusions",
        "convolutions",
        "with about as many parameters",
        lambda: 0.9 < CARD["cnn"]["parameters"] / CARD["mlp"]["parameters"] < 1.1,
    ),
]


def written(page: str, section: str) -> str:
    return " ".join(texts.section(page, section).split())


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.page}: {claim.words}")
def test_a_claim_is_so(claim):
    assert claim.words in written(claim.page, claim.section)
    assert claim.holds()


@pytest.fixture(scope="module")
def mnist(mnist_dir):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as on the server: small models are slower with more
    yield datasets.load("mnist", mnist_dir)
    torch.set_num_threads(threads)


def trained(dataset, **changes):
    """Train on MNIST with the lesson's settings, changed; return the model."""
    job = run.TrainingRun(replace(LESSON, **changes), dataset)
    while not job.finished:
        job.advance(10_000)
    return architectures.with_weights(job.config.architecture, job.weights())


def shifted(images, pixels: int, axis: int):
    return np.roll(images, pixels, axis)


def test_the_linear_model_reads_nine_of_ten_and_misreads_most_when_moved_by_three_pixels(mnist):
    assert "gets nine digits out of ten right" in written("model", "intro")
    assert "by three pixels, and it misreads most" in written("conclusions", "convolutions")
    for model in (trained(mnist), bundled.load_pretrained("linear")):
        assert metrics.accuracy(model, *mnist.split("test")) == pytest.approx(0.91, abs=0.02)
        for pixels, axis in product((-3, 3), (1, 2)):
            moved = shifted(mnist.test_images, pixels, axis)
            assert metrics.accuracy(model, moved, mnist.test_labels) < 0.5


def test_changed_images_help_the_mlp_with_digits_off_the_middle_and_not_the_linear_model(mnist):
    words = "An MLP or a CNN then copes better with digits that are not quite in the middle"
    assert words in written("training", "augment")
    assert "the linear model only gets worse" in written("training", "augment")
    moved = shifted(mnist.test_images, 2, 2), mnist.test_labels
    plain, changed = (
        trained(mnist, architecture="mlp", learning_rate=0.1, epochs=1, augment=augment)
        for augment in (False, True)
    )
    assert metrics.accuracy(changed, *moved) > metrics.accuracy(plain, *moved) + 0.1
    plain, changed = (trained(mnist, epochs=1, augment=augment) for augment in (False, True))
    test = mnist.split("test")
    assert metrics.accuracy(changed, *test) < metrics.accuracy(plain, *test) - 0.01


def test_a_copy_moved_by_two_pixels_is_farther_than_the_nearest_training_image(mnist):
    assert "moved by only two pixels is already far" in written("why", "nearest")
    rows, farther = neighbours.pixel_rows(mnist.train_images), []
    for image in mnist.test_images[:20]:
        nearest = neighbours.nearest(image.ravel(), rows, 1).distances[0]
        copy = shifted(image, 2, 1).astype(float)
        farther.append(np.linalg.norm(copy - image) / 255 > 1.2 * nearest)
    assert np.mean(farther) > 0.8


def test_at_step_0_most_images_are_away_from_the_diagonal():
    assert "most images are away from the diagonal" in written("replay", "confusion")
    test = datasets.bundled_digits().split("test")
    for name, seed in product(architectures.ARCHITECTURES, range(3)):
        assert metrics.accuracy(architectures.build(name, seed), *test) < 0.3
