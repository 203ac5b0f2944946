"""Training with autograd: one step, and the loop over batches, which yields each loss."""

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
    """Take one training step: predict a batch, measure the loss, move the weights.

    Parameters
    ----------
    x : (B, 1, 28, 28) float32, 0 to 1
    labels : (B,) int64, 0 to 9

    Returns
    -------
    Tensor
        () float32: the loss of this batch before the step, detached from the graph.
    """
    logits = model(x)  # forward: (B, 10)
    loss = cross_entropy(logits, labels)  # how wrong: one number
    optimiser.zero_grad()  # forget the last step's gradients
    loss.backward()  # backward: d loss / d weight, for every weight
    optimiser.step()  # move every weight a little against its gradient
    return loss.detach()


class Engine(Protocol):
    """What trains a network: `AutogradEngine`, or ``NumpyEngine`` with gradients by hand."""

    def train(self, x: Tensor, labels: Tensor, learning_rate: float) -> Any:
        """Take one step; return the loss before it, in the form that is cheapest."""

    def numbers(self, losses: list[Any]) -> np.ndarray:
        """Convert losses that `train` returned: (N,) float32."""

    def weights(self) -> dict[str, Any]:
        """Return the weights by PyTorch's names, not copied."""

    def optimiser_state(self) -> dict[str, Any]:
        """Return the state of the optimiser as named tensors."""

    def restore(self, weights: dict[str, Tensor], state: dict[str, Tensor]) -> None:
        """Restore saved `weights` and `optimiser_state`; ValueError if they do not fit."""


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

    def optimiser_state(self) -> dict[str, Tensor]:
        named = {
            f"{name}.{i}": tensor
            for name, tensors in self.optimiser.state.items()
            for i, tensor in enumerate(tensors)
        }
        return named | {"steps": torch.tensor(self.optimiser.steps)}

    def restore(self, weights: dict[str, Tensor], state: dict[str, Tensor]) -> None:
        own = self.optimiser_state()
        if {n: (t.shape, t.dtype) for n, t in state.items()} != {
            n: (t.shape, t.dtype) for n, t in own.items()
        } or not 0 <= state["steps"] < 2**31:
            raise ValueError("the saved state does not fit this optimiser.")
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"the saved weights do not fit this network: {error}") from error
        self.optimiser.steps = int(state["steps"])
        for name, tensor in own.items():
            tensor.copy_(state[name])


def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order in which an epoch visits n images: (n,) int64, a permutation.

    It depends only on its arguments, so a run can be resumed at any step.
    """
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(n)


def batches(
    images: np.ndarray, labels: np.ndarray, order: np.ndarray, batch_size: int, first: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of an epoch from batch number ``first`` on; the last may be smaller.

    The images stay bytes in one array; about a thousand at a time are gathered and converted. A
    ``DataLoader`` converts them one by one, which takes ten times as long.

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
    """Train without end, epoch after epoch; yield each step's loss as the engine returns it.

    No tensor is read here: ``.item()`` at every step would make the loop wait for each number. The
    caller decides when to read the losses, and when to stop.

    Parameters
    ----------
    learning_rate : callable
        Takes the number of the step, from 0 on, and returns its learning rate.
    augment : bool
        Whether each image is changed a little every time, see ``data.augmentation``.
    first_step : int
        The step to begin with; those before it are skipped.
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
