"""Fine-tuning of a trained model on a visitor's drawings, with rehearsal against forgetting.

One image in eight of each batch is a drawing, changed a little every time; the others are training
images of the model's own data (rehearsal: Robins, 1995). The accuracy on drawings left out of the
tuning and on the test set, before and after, shows what the model gained and lost.
``benchmarks/README.md`` reports how the mix and the learning rates were chosen.
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
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.engine import AutogradEngine
from mnist_core.training.history import History, Snapshot
from mnist_core.training.run import TrainingFailedError

__all__ = ["FEWEST", "FineTuning", "Scores", "mixed_batch", "too_few"]

Labelled = tuple[np.ndarray, np.ndarray]  # images (N, 28, 28) uint8 and labels (N,) int64
FEWEST = 5  # drawings to tune on, and as many to test on
STEPS = 300
OWN, REHEARSED = 16, 112  # images in a batch
# the highest rate of one cycle
LEARNING_RATES = {"linear": 0.002, "mlp": 0.002, "cnn": 0.001, "deep": 0.001}


@dataclass(frozen=True, slots=True)
class Scores:
    """Accuracies, 0 to 1.

    Attributes
    ----------
    left_out : float
        On the drawings that were left out of the tuning.
    tuned_on : float
        On the drawings it was tuned on.
    test : float
        On the whole test set of the rehearsed data.
    """

    left_out: float
    tuned_on: float
    test: float


def too_few(tune: int, left_out: int) -> str:
    """Return why these are too few drawings for a tuning, a sentence, or ""."""
    if tune >= FEWEST and left_out >= FEWEST:
        return ""
    return (
        f"Tuning needs at least {FEWEST} drawings to learn from and {FEWEST} left out to judge by; "
        f"so far there are {tune} and {left_out}. The second drawing of a digit is left out: draw "
        f"{FEWEST} digits twice, for example."
    )


def mixed_batch(
    drawings: Labelled, training: Labelled, seed: int, step: int
) -> tuple[Tensor, Tensor]:
    """Return a batch of 16 drawings, changed a little, and 112 unchanged training images.

    It depends only on its arguments.

    Parameters
    ----------
    drawings, training : (N, 28, 28) uint8 and (N,) int64
        Images and labels.

    Returns
    -------
    (128, 1, 28, 28) float32 in [0, 1] and (128,) int64.
    """
    rng = np.random.Generator(np.random.PCG64([seed, step]))
    own = rng.integers(len(drawings[0]), size=OWN)  # with repetition: they are few
    old = rng.integers(len(training[0]), size=REHEARSED)
    x = augmented(to_input(drawings[0][own]), generator_for(seed, step))  # (16, 1, 28, 28)
    labels = np.concatenate([drawings[1][own], training[1][old]])
    return torch.cat([x, to_input(training[0][old])]), torch.from_numpy(labels)


class FineTuning:
    """A model that is tuned on drawings; a ``Run`` for the ``TrainingQueue``.

    Parameters
    ----------
    architecture : str
        A key of ``ARCHITECTURES``.
    weights : mapping of str to Tensor
        The weights to begin with; not changed.
    drawings, left_out : tuple of (N, 28, 28) uint8 and (N,) int64
        Images and labels: those to tune on, and those to test on.
    dataset : Dataset
        Its training images are rehearsed; its test set shows what was forgotten.
    source : str
        The title of the model that is tuned.

    Attributes
    ----------
    config : TrainingConfig
        The settings of the steps; there are ``total_steps`` of them, whatever the epochs.
    before, after : Scores or None
        Measured before the first step and after the last.
    reason : str
        Where the tuned weights come from, a sentence for their run.
    saved_as : str
        Id of the run that holds the tuned weights, once there is one.

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
        # in evaluation mode: a few drawings would spoil the statistics of batch normalisation
        self._model = architectures.with_weights(architecture, copies).requires_grad_(True)
        rate = LEARNING_RATES[architecture]
        self.config = TrainingConfig(
            dataset.name, architecture, "AdamW", rate, OWN + REHEARSED, 1, seed, "one-cycle", True
        )
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
        """How long the remaining steps will take, or None before the first one."""
        rate = self.history.steps_per_s
        return (self.total_steps - self.history.step) / rate if rate else None

    def advance(self, max_steps: int, max_s: float = math.inf) -> None:
        """Take at most ``max_steps`` steps in about ``max_s`` seconds.

        The scores are measured before the first step and after the last.

        Raises
        ------
        TrainingFailedError
            If the loss is no longer a finite number.
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
        """Return the learning rate of a step: it rises and falls in one cycle."""
        return self.history.learning_rates[-1][1] * one_cycle(step, self.total_steps)

    def set_learning_rate(self, rate: float) -> None:
        """Use another highest learning rate from the next step on."""
        history = self.history
        history.learning_rates = [*history.learning_rates, (history.step, rate)]

    def rest(self) -> None:
        """Do nothing: no images are prefetched."""

    def publish_weights(self) -> None:
        """Replace ``snapshot`` by a copy of the present weights."""
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
