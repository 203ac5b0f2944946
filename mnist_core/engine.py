"""Training with autograd: one step, and the loop over batches. It yields; it knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn, optim

from mnist_core.pixels import to_input

__all__ = ["OPTIMISERS", "batches", "epoch_order", "training_step", "training_steps"]

_BLOCK = 4096  # images converted at once: enough to make it cheap, few enough to be small (13 MB)

OPTIMISERS: dict[str, Callable[[list[nn.Parameter], float], optim.Optimizer]] = {
    "SGD": lambda parameters, lr: optim.SGD(parameters, lr=lr),
    "SGD with momentum": lambda parameters, lr: optim.SGD(parameters, lr=lr, momentum=0.9),
    "Adam": lambda parameters, lr: optim.Adam(parameters, lr=lr),
}

cross_entropy = nn.CrossEntropyLoss()


def training_step(
    model: nn.Module, optimiser: optim.Optimizer, x: Tensor, labels: Tensor
) -> Tensor:
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


def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order in which an epoch visits n images: (n,) int64, a permutation.

    It depends on nothing but its arguments, so a run can be taken up again anywhere.
    """
    generator = np.random.Generator(np.random.PCG64([seed, epoch]))
    return generator.permutation(n)


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
    model: nn.Module,
    optimiser: optim.Optimizer,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    first_step: int = 0,
) -> Iterator[Tensor]:
    """Train for ever, an epoch after the other; yield each step's loss as a tensor.

    Nothing is read back from the tensors here: ``.item()`` at every step would make the loop wait
    for each number. Whoever drives the loop decides when to look, and when to stop.
    """
    steps_an_epoch = -(-len(images) // batch_size)
    epoch, first = divmod(first_step, steps_an_epoch)
    while True:
        order = epoch_order(len(images), seed, epoch)
        for x, y in batches(images, labels, order, batch_size, first):
            yield training_step(model, optimiser, x, y)
        epoch, first = epoch + 1, 0
