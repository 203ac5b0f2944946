"""How the bundled models are trained: more slowly and on more than a run of the Training page."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from mnist_core.data.augmentation import redrawn
from mnist_core.nn.architectures import build

__all__ = ["Recipe", "Trained", "folded", "train", "train_network", "with_batch_norm"]

MEMORY = 0.998  # of the average over the weights of the last steps, about 500 of them
SOFTNESS, TRUST = 3.0, 0.8  # temperature of the teacher's answers; their share in the loss


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is trained, with AdamW and one cycle of the learning rate.

    Attributes
    ----------
    strength, last_strength : float
        Of the changes to each image in the first and the last epoch, see `augmentation.redrawn`;
        0: none.
    normalised : bool
        Whether to train with batch normalisation, which is folded into the weights afterwards.
    non_digits : bool
        Whether it also learns to doubt what is no digit.
    taught : bool
        Whether it also learns from the answers of the Deeper CNN.
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
        """Return the strength in an epoch, counted from 0: it changes evenly."""
        way = epoch / max(1, self.epochs - 1)
        return self.strength + (self.last_strength - self.strength) * way

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
    """A network as it was trained, and the weights of the plain one that computes the same."""

    network: nn.Sequential
    weights: dict[str, Tensor]


def with_batch_norm(model: nn.Sequential) -> nn.Sequential:
    """Put a batch normalisation behind each layer with weights but the last."""
    layers: list[nn.Module] = []
    for layer, following in pairwise([*model, None]):
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(nn.BatchNorm2d(layer.out_channels))
        elif isinstance(layer, nn.Linear) and following is not None:
            layers.append(nn.BatchNorm1d(layer.out_features))
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def folded(model: nn.Sequential) -> list[tuple[Tensor, Tensor]]:
    """Return the weight and bias of each layer with the normalisation behind it multiplied in.

    gamma (W x + b - mean) / sqrt(variance + epsilon) + beta is a linear layer itself: the network
    computes the same (in ``eval`` mode) without the normalisation.
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
    images: Tensor,
    targets: Tensor,
    seed: int,
    teacher: nn.Module | None = None,
    report: Callable[[str], None] = print,
) -> nn.Sequential:
    """Train a network and return the average of it over the last steps, in ``eval`` mode.

    Averaging: Polyak and Juditsky (1992), as a moving average. A teacher's softened answers to the
    same images are part of what is to be answered: Hinton, Vinyals and Dean, "Distilling the
    Knowledge in a Neural Network" (2015).

    Parameters
    ----------
    network : nn.Sequential
        With its first weights; trained in place.
    images : (N, 1, 28, 28) uint8
    targets : (N, 10) float32
        The probability each class should get; a tenth each for what is no digit.
    report : callable
        Called with a line after each epoch.
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
            x = images[batch].float() / 255  # (B, 1, 28, 28)
            if recipe.strength:
                x = redrawn(x, generator, recipe.strength_in(epoch))
            loss = _loss(network(x), targets[batch], _softened(teacher, x))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            _move(average, network, min(MEMORY, (1 + step) / (10 + step)))
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
        return torch.softmax(teacher(x) / SOFTNESS, dim=1)


def _loss(logits: Tensor, target: Tensor, softened: Tensor | None) -> Tensor:
    plain = functional.cross_entropy(logits, target)
    if softened is None:
        return plain
    log_p = torch.log_softmax(logits / SOFTNESS, dim=1)
    taught = SOFTNESS**2 * functional.kl_div(log_p, softened, reduction="batchmean")
    return (1 - TRUST) * plain + TRUST * taught


@torch.no_grad()
def _move(average: nn.Module, network: nn.Module, memory: float) -> None:
    """Move the average a little towards the network as it is now; by more in the first steps."""
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    for kept, now in pairs:
        if kept.is_floating_point():  # not the counters of batch normalisation
            kept.lerp_(now, 1 - memory)


def train(
    name: str,
    recipe: Recipe,
    images: Tensor,
    targets: Tensor,
    seed: int,
    teacher: nn.Module | None = None,
    report: Callable[[str], None] = print,
) -> Trained:
    """Train an architecture of `models.ARCHITECTURES`, see `train_network`.

    The result is the same for the same seed on the same kind of machine.
    """
    plain = build(name, seed)
    network = with_batch_norm(plain) if recipe.normalised else plain
    trained = train_network(network, recipe, images, targets, seed, teacher, report)
    tensors = [tensor for pair in folded(trained) for tensor in pair]  # weight, bias, weight, ...
    return Trained(trained, dict(zip(plain.state_dict(), tensors, strict=True)))
