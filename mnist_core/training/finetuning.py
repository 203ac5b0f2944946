"""Tuning a trained model on a visitor's own drawings, without letting it forget.

One image in eight of each step's batch is a drawing, every time changed a little; the others are
training images of the data the model comes from: rehearsal, the oldest remedy against forgetting
(Robins, 1995). The drawings left out of tuning, and the test set, show before and after what it
gained and what it lost.

The mix and the rates were measured with eleven writers' pen digits, each writer a visitor with ten
drawings to learn from and ten left out, on the bundled models. The left-out ones go from 76
to 90 % (linear), 97 to 100 % (MLP) and 98 to 99 % (CNN); MNIST's test set changes by +0.1 points at
the mean and -0.4 at the worst (linear), by less than 0.1 at the worst (MLP, CNN). Half and half,
the linear model forgets 3 of its 91 points and the CNN up to 0.2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mnist_core.data.augmentation import augmented, generator_for
from mnist_core.data.datasets import Dataset
from mnist_core.data.inputs import to_input
from mnist_core.evaluation import metrics
from mnist_core.nn import architectures
from mnist_core.nn.optimisers import AdamW
from mnist_core.nn.schedules import one_cycle
from mnist_core.training.engine import AutogradEngine
from mnist_core.training.history import History, Snapshot
from mnist_core.training.run import TrainingFailedError

__all__ = [
    "FEWEST",
    "FineTuning",
    "Scores",
    "mixed_batch",
    "too_few",
]

FEWEST = 5  # drawings to tune on, and as many to judge by
STEPS = 300
Labelled = tuple[np.ndarray, np.ndarray]
OWN, REHEARSED = 16, 112  # images a batch
# the highest of one cycle
LEARNING_RATES = {"linear": 0.002, "mlp": 0.002, "cnn": 0.001, "deep": 0.001}


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of right answers, 0 to 1.

    Attributes
    ----------
    left_out : float
        On the drawings that were left out of the tuning.
    tuned_on : float
        On the drawings it learns from.
    test : float
        On the whole test set of the data that is rehearsed.
    """

    left_out: float
    tuned_on: float
    test: float


def too_few(tune: int, left_out: int) -> str:
    """Return what is missing before a model can be tuned on so many drawings, a sentence, or ""."""
    if tune >= FEWEST and left_out >= FEWEST:
        return ""
    return (
        f"Tuning needs at least {FEWEST} drawings to learn from and {FEWEST} left out to judge by; "
        f"so far there are {tune} and {left_out}. The second drawing of a digit is left out: draw "
        f"{FEWEST} digits twice, for example."
    )


def mixed_batch(
    drawings: tuple[np.ndarray, np.ndarray],
    training: tuple[np.ndarray, np.ndarray],
    seed: int,
    step: int,
) -> tuple[Tensor, Tensor]:
    """Return a batch of 16 drawings, changed a little, and 112 training images, as they are.

    It depends on nothing but its arguments.

    Parameters
    ----------
    drawings, training : (N, 28, 28) uint8 and (N,) int64
        Images and labels.

    Returns
    -------
    (128, 1, 28, 28) float32 in [0, 1] and (128,) int64.
    """
    rng = np.random.Generator(np.random.PCG64([seed, step]))
    own = rng.integers(len(drawings[0]), size=OWN)  # some several times: they are few
    old = rng.integers(len(training[0]), size=REHEARSED)
    x = augmented(to_input(drawings[0][own]), generator_for(seed, step))  # (16, 1, 28, 28)
    labels = np.concatenate([drawings[1][own], training[1][old]])
    return torch.cat([x, to_input(training[0][old])]), torch.from_numpy(labels)


class FineTuning:
    """A model on its way to somebody's handwriting: what a worker of ``TrainingQueue`` can drive.

    Attributes
    ----------
    before, after : Scores or None
        Measured before the first step and after the last.
    reason : str
        Where the tuned weights come from, in words; kept with them.
    saved_as : str
        Id of the run that holds the tuned weights, once it is kept.

    Parameters
    ----------
    architecture : str
        A key of ``models.ARCHITECTURES``.
    weights : mapping of str to Tensor
        Where to begin; not changed.
    drawings, left_out : tuple of (N, 28, 28) uint8 and (N,) int64
        Images and labels: those to learn from, and those left out, which judge.
    dataset : Dataset
        What is rehearsed, and whose test set shows what was forgotten.
    source : str
        What the model is called that it begins from.

    Raises
    ------
    ValueError
        If there are too few drawings, or the weights do not fit.
    """

    threads = 1

    def __init__(
        self,
        architecture: str,
        weights: Mapping[str, Tensor],
        drawings: Labelled,
        left_out: Labelled,
        dataset: Dataset,
        source: str = "a model",
        seed: int = 0,
    ) -> None:
        if lacking := too_few(len(drawings[1]), len(left_out[1])):
            raise ValueError(lacking)
        self.dataset, self.seed = dataset, seed
        self.drawings, self.left_out = drawings, left_out
        self.reason = f"Tuned on {len(drawings[1])} drawings of mine, from: {source}."
        copies = {name: tensor.detach().clone() for name, tensor in weights.items()}
        # it stays in evaluation mode: so few drawings would spoil the statistics of a batch norm
        self._model = architectures.with_weights(architecture, copies).requires_grad_(True)
        rate = LEARNING_RATES[architecture]
        self._engine = AutogradEngine(self._model, AdamW(self._model.parameters(), rate))
        self.total_steps = STEPS
        self.history = History(
            np.zeros(STEPS, dtype=np.float32), np.zeros(STEPS, dtype=np.float32), [(0, rate)]
        )
        self.before: Scores | None = None
        self.after: Scores | None = None
        self.saved_as = ""
        self.publish_weights()

    @property
    def finished(self) -> bool:
        return self.after is not None

    @property
    def seconds_left(self) -> float | None:
        """How long the steps that are left will take, or None before that is known."""
        rate = self.history.steps_per_s
        return (self.total_steps - self.history.step) / rate if rate else None

    def advance(self, max_steps: int, max_s: float = math.inf) -> None:
        """Take up to so many steps for up to so many seconds; measure before and after them all.

        Raises
        ------
        TrainingFailedError
            If the loss is no longer a number.
        """
        self.before = self.before or self._scores()
        history, started = self.history, time.perf_counter()
        already = history.training_s
        for step in range(history.step, min(history.step + max_steps, self.total_steps)):
            batch = mixed_batch(self.drawings, self.dataset.split("train"), self.seed, step)
            loss = float(self._engine.train(*batch, self.learning_rate_at(step)))
            spent = time.perf_counter() - started
            history.losses[step], history.seconds[step] = loss, already + spent
            history.training_s, history.step = already + spent, step + 1
            if not math.isfinite(loss):
                raise TrainingFailedError(
                    f"The loss is no longer a number at step {step + 1} of {self.total_steps}, so "
                    "this model cannot be tuned: choose another one."
                )
            if spent > max_s:
                break
        if history.step == self.total_steps:
            self.after = self._scores()

    def learning_rate_at(self, step: int) -> float:
        """Return the rate of a step: one cycle, rising and falling."""
        return self.history.learning_rates[-1][1] * one_cycle(step, self.total_steps)

    def set_learning_rate(self, rate: float) -> None:
        """Go on with another highest learning rate."""
        history = self.history
        history.learning_rates = [*history.learning_rates, (history.step, rate)]

    def rest(self) -> None:
        """Nothing is held ahead."""

    def publish_weights(self) -> None:
        """Replace ``snapshot`` by a copy of the weights as they are now."""
        weights = {
            name: w.detach().clone(memory_format=torch.contiguous_format)
            for name, w in self._model.state_dict().items()
        }
        self.snapshot = Snapshot(self.history.step, weights)

    def _scores(self) -> Scores:
        test = self.dataset.test_images, self.dataset.test_labels
        return Scores(
            *(metrics.accuracy(self._model, *s) for s in (self.left_out, self.drawings, test))
        )
