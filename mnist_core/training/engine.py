"""Training with autograd: one step, and the loop over batches. It yields; it knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.data.augmentation import augmented, generator_for
from mnist_core.data.inputs import to_input
from mnist_core.nn.optimisers import Optimiser

__all__ = [
    "AutogradEngine",
    "Engine",
    "batches",
    "epoch_order",
    "training_step",
    "training_steps",
]

_BLOCK = 1024  # images converted at once: enough to make it cheap, few enough for the CPU's cache

cross_entropy = nn.CrossEntropyLoss()


def training_step(model: nn.Module, optimiser: Optimiser, x: Tensor, labels: Tensor) -> Tensor:
    """Take one training step: look at a batch, measure the error, move the weights.

    Parameters
    ----------
    x : (B, 1, 28, 28) float32, 0 to 1
    labels : (B,) int64, 0 to 9

    Returns
    -------
    Tensor
        () float32: the loss of this batch before the step, cut off from the graph.
    """
    logits = model(x)  # forward: (B, 10)
    loss = cross_entropy(logits, labels)  # how wrong, one number
    optimiser.zero_grad()  # forget the last step's gradients
    loss.backward()  # backward: d loss / d weight, for every weight
    optimiser.step()  # move every weight a little against its gradient
    return loss.detach()


class Engine(Protocol):
    """What can train: `AutogradEngine` here, and ``NumpyEngine`` with every gradient by hand."""

    def train(self, x: Tensor, labels: Tensor, learning_rate: float) -> Any:
        """Take one step; return the loss before it, in whatever form is cheap."""

    def numbers(self, losses: list[Any]) -> np.ndarray:
        """Return losses that `train` gave as (N,) float32."""

    def weights(self) -> dict[str, Any]:
        """Return the weights themselves, by PyTorch's names."""

    def memory(self) -> dict[str, Any]:
        """Return what the optimiser remembers between steps, as named tensors."""

    def restore(self, weights: dict[str, Tensor], memory: dict[str, Tensor]) -> None:
        """Go on from what `weights` and `memory` once gave; ValueError if they do not fit."""


class AutogradEngine:
    """Trains any model with PyTorch's automatic differentiation."""

    def __init__(self, model: nn.Module, optimiser: Optimiser) -> None:
        self.model, self.optimiser = model, optimiser

    def train(self, x: Tensor, labels: Tensor, learning_rate: float) -> Tensor:
        self.optimiser.learning_rate = learning_rate
        return training_step(self.model, self.optimiser, x, labels)

    def numbers(self, losses: list[Tensor]) -> np.ndarray:
        return torch.stack(losses).numpy()

    def weights(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def memory(self) -> dict[str, Tensor]:
        named = {
            f"{name}.{i}": tensor
            for name, tensors in self.optimiser.memory.items()
            for i, tensor in enumerate(tensors)
        }
        return named | {"steps": torch.tensor(self.optimiser.steps)}

    def restore(self, weights: dict[str, Tensor], memory: dict[str, Tensor]) -> None:
        own = self.memory()
        if {n: (t.shape, t.dtype) for n, t in memory.items()} != {
            n: (t.shape, t.dtype) for n, t in own.items()
        } or not 0 <= memory["steps"] < 2**31:
            raise ValueError("what the optimiser remembered does not fit it.")
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"the saved weights do not fit this network: {error}") from error
        self.optimiser.steps = int(memory["steps"])
        for name, tensor in own.items():
            tensor.copy_(memory[name])


def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order in which an epoch visits n images: (n,) int64, a permutation.

    It depends on nothing but its arguments, so a run can be taken up again anywhere.
    """
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(n)


def batches(
    images: np.ndarray, labels: np.ndarray, order: np.ndarray, batch_size: int, first: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of an epoch from batch number ``first`` on; the last may be smaller.

    The images stay where they are as bytes; a few thousand at a time are gathered and converted,
    which costs a tenth of doing it image by image as a ``DataLoader`` does.

    Yields
    ------
    (B, 1, 28, 28) float32 in [0, 1] and (B,) int64.
    """
    block = max(1, _BLOCK // batch_size) * batch_size
    for start in range(first * batch_size, len(order), block):
        chosen = order[start : start + block]
        x, y = to_input(images[chosen]), torch.from_numpy(labels[chosen])
        yield from zip(x.split(batch_size), y.split(batch_size), strict=True)


def training_steps(
    engine: Engine,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    learning_rate: Callable[[int], float],
    augment: bool = False,
    first_step: int = 0,
) -> Iterator[Any]:
    """Train for ever, an epoch after the other; yield each step's loss as the engine gives it.

    Nothing is read back from the tensors here: ``.item()`` at every step would make the loop wait
    for each number. Whoever drives the loop decides when to look, and when to stop.

    Parameters
    ----------
    learning_rate : callable
        Takes the number of the step, from 0 on, and returns the rate to take it with.
    augment : bool
        Whether each image is changed a little every time, see `mnist_core.data.augmentation`.
    first_step : int
        Where to begin, as if the steps before had been taken.
    """
    steps_an_epoch = -(-len(images) // batch_size)
    step = first_step
    while True:
        epoch, first = divmod(step, steps_an_epoch)
        order = epoch_order(len(images), seed, epoch)
        for x, y in batches(images, labels, order, batch_size, first):
            if augment:
                x = augmented(x, generator_for(seed, step))
            yield engine.train(x, y, learning_rate(step))
            step += 1
