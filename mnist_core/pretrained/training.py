"""How the bundled models are trained: longer and on more data than on the Training page."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mnist_core.data.augmentation import redrawn
from mnist_core.data.inputs import to_input
from mnist_core.nn.architectures import build

__all__ = ["Recipe", "Trained", "folded", "train", "train_network", "with_batch_norm"]

AVERAGE_DECAY = 0.998  # of the moving average of the weights, about 500 steps
TEACHER_TEMPERATURE, TEACHER_SHARE = 3.0, 0.8  # the share is that of the teacher in the loss


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is trained, with AdamW and one cycle of the learning rate.

    Attributes
    ----------
    strength, last_strength : float
        Of `augmentation.redrawn` in the first and in the last epoch; 0 for no augmentation.
    normalised : bool
        Whether to train with batch normalisation and fold it into the weights afterwards.
    non_digits : bool
        Whether to train also on drawings that are not digits.
    taught : bool
        Whether to train also on the predictions of the Deeper CNN.
    """

    epochs: int
    learning_rate: float
    strength: float = 1.0
    last_strength: float = 1.0
    normalised: bool = True
    non_digits: bool = True
    taught: bool = False
    batch_size: int = 128
    weight_decay: float = 0.01

    def strength_in(self, epoch: int) -> float:
        """Return the strength in an epoch, counted from 0. It changes linearly."""
        share = epoch / max(1, self.epochs - 1)
        return self.strength + (self.last_strength - self.strength) * share

    def __str__(self) -> str:
        to = f" to {self.last_strength:g}" * (self.last_strength != self.strength)
        changes = f"images redrawn, strength {self.strength:g}{to}"
        parts = [
            f"AdamW {self.learning_rate:g}, one cycle, weight decay {self.weight_decay:g}",
            f"{self.epochs} epochs in batches of {self.batch_size}",
            changes if self.strength else "images as they are",
            *["batch normalisation, folded in"] * self.normalised,
            *["taught by the Deeper CNN"] * self.taught,
        ]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network, and the weights of the architecture without batch normalisation."""

    network: nn.Sequential
    weights: dict[str, Tensor]


def with_batch_norm(model: nn.Sequential) -> nn.Sequential:
    """Add a batch normalisation after each layer with weights except the last."""
    layers: list[nn.Module] = []
    for layer, following in pairwise([*model, None]):
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(nn.BatchNorm2d(layer.out_channels))
        elif isinstance(layer, nn.Linear) and following is not None:
            layers.append(nn.BatchNorm1d(layer.out_features))
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def folded(model: nn.Sequential) -> list[tuple[Tensor, Tensor]]:
    """Return the weight and bias of each layer, with the following normalisation folded in.

    gamma (W x + b - mean) / sqrt(variance + epsilon) + beta is itself a linear layer, so the
    network (in ``eval`` mode) computes the same without the normalisation.
    """
    parts: list[tuple[Tensor, Tensor]] = []
    for layer, following in pairwise([*model, None]):
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        weight, bias = layer.weight.detach(), layer.get_parameter("bias").detach()
        if isinstance(following, nn.BatchNorm1d | nn.BatchNorm2d):
            mean, variance = (following.get_buffer(f"running_{n}") for n in ("mean", "var"))
            scale = following.weight.detach() / (variance + following.eps).sqrt()
            weight = weight * scale.view(-1, *[1] * (weight.ndim - 1))
            bias = (bias - mean) * scale + following.bias.detach()
        parts.append((weight.contiguous(), bias.contiguous()))
    return parts


def train_network(
    network: nn.Sequential,
    recipe: Recipe,
    images: np.ndarray,
    targets: Tensor,
    seed: int,
    teacher: nn.Module | None = None,
    report: Callable[[str], None] = print,
) -> nn.Sequential:
    """Train a network; return the moving average of its weights, as a network in ``eval`` mode.

    Averaging: Polyak and Juditsky (1992), as a moving average. With a teacher, the loss also
    compares with the teacher's softened predictions for the same images: Hinton, Vinyals and Dean,
    "Distilling the Knowledge in a Neural Network" (2015).

    Parameters
    ----------
    network : nn.Sequential
        With its initial weights; trained in place.
    images : (N, 28, 28) uint8
    targets : (N, 10) float32
        The probability of each class; 0.1 each if the image is not a digit.
    report : callable
        Called with a line of text after each epoch.
    """
    average = copy.deepcopy(network).eval()
    optimiser, schedule = _adamw_in_one_cycle(network, recipe, len(images))
    generator = torch.Generator().manual_seed(seed)
    started = time.perf_counter()
    network.train()
    step = 0
    for epoch in range(recipe.epochs):
        order, losses = torch.randperm(len(images), generator=generator), []
        for batch in order.split(recipe.batch_size):
            x = to_input(images[batch.numpy()])  # (B, 1, 28, 28)
            if recipe.strength:
                x = redrawn(x, generator, recipe.strength_in(epoch))
            loss = _loss(network(x), targets[batch], _softened(teacher, x))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            _update(average, network, min(AVERAGE_DECAY, (1 + step) / (10 + step)))
            step += 1
            losses.append(loss.detach())
        mean, took = float(torch.stack(losses).mean()), time.perf_counter() - started
        report(f"epoch {epoch + 1} of {recipe.epochs}, loss {mean:.4f}, {took:.0f} s")
    return average


def _adamw_in_one_cycle(
    network: nn.Module, recipe: Recipe, n_images: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    rate, steps = recipe.learning_rate, -(-n_images // recipe.batch_size) * recipe.epochs
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=recipe.weight_decay)
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.2)


def _softened(teacher: nn.Module | None, x: Tensor) -> Tensor | None:
    if teacher is None:
        return None
    with torch.no_grad():
        return torch.softmax(teacher(x) / TEACHER_TEMPERATURE, dim=1)


def _loss(logits: Tensor, target: Tensor, softened: Tensor | None) -> Tensor:
    plain = functional.cross_entropy(logits, target)
    if softened is None:
        return plain
    log_p = torch.log_softmax(logits / TEACHER_TEMPERATURE, dim=1)
    taught = TEACHER_TEMPERATURE**2 * functional.kl_div(log_p, softened, reduction="batchmean")
    return (1 - TEACHER_SHARE) * plain + TEACHER_SHARE * taught


@torch.no_grad()
def _update(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Update the moving average of the weights and of the normalisations' statistics."""
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    for mean, current in pairs:
        if mean.is_floating_point():  # not the step counters of batch normalisation
            mean.lerp_(current, 1 - decay)


def train(
    name: str,
    recipe: Recipe,
    images: np.ndarray,
    targets: Tensor,
    seed: int,
    teacher: nn.Module | None = None,
    report: Callable[[str], None] = print,
) -> Trained:
    """Train an architecture of `architectures.ARCHITECTURES`, see `train_network`.

    The same seed gives the same weights on the same kind of machine.
    """
    plain = build(name, seed)
    network = with_batch_norm(plain) if recipe.normalised else plain
    trained = train_network(network, recipe, images, targets, seed, teacher, report)
    tensors = [tensor for pair in folded(trained) for tensor in pair]  # weight, bias, weight, ...
    return Trained(trained, dict(zip(plain.state_dict(), tensors, strict=True)))
