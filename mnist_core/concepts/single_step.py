"""One step of SGD in PyTorch and in NumPy, compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mnist_core.common.comparison import Check, compare
from mnist_core.data.inputs import to_input
from mnist_core.nn.numpy_network import Network
from mnist_core.nn.optimisers import SGD
from mnist_core.training.engine import cross_entropy, training_step

__all__ = ["SingleStep", "single_step"]


@dataclass(frozen=True, slots=True)
class SingleStep:
    """The losses and weights of a step that PyTorch and NumPy both took.

    Attributes
    ----------
    loss_before, loss_after : float
        PyTorch's loss of the batch before and after the step.
    numpy_loss_before : float
    differences : dict of str to float
        For each weight tensor, the largest difference between PyTorch and NumPy after the step.
    check : Check
        The largest difference of all weights and of the loss before the step.
    """

    loss_before: float
    loss_after: float
    numpy_loss_before: float
    differences: dict[str, float]
    check: Check


def step_in_torch(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, lr: float
) -> tuple[float, float]:
    x, y = to_input(images), torch.tensor(labels)
    optimiser = SGD(model.parameters(), learning_rate=lr)
    loss_before = training_step(model, optimiser, x, y).item()
    loss_after = cross_entropy(model(x), y).item()
    return loss_before, loss_after


def step_in_numpy(network: Network, images: np.ndarray, labels: np.ndarray, lr: float) -> float:
    return network.training_step(to_input(images).numpy(), labels, lr)


def single_step(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, lr: float = 0.01
) -> SingleStep:
    """Take the same step with both engines from the same weights. The model is changed.

    Parameters
    ----------
    images : (B, 28, 28) uint8
    labels : (B,) int64
    """
    network = Network.copy_of(model)
    loss_before, loss_after = step_in_torch(model, images, labels, lr)
    numpy_loss = step_in_numpy(network, images, labels, lr)
    by_hand = network.weights()
    checks = {n: compare(t.detach(), by_hand[n]) for n, t in model.named_parameters()}
    differences = {name: check.largest_difference for name, check in checks.items()}
    largest = max([*differences.values(), abs(loss_before - numpy_loss)])
    scale = max(check.largest_value for check in checks.values())
    return SingleStep(loss_before, loss_after, numpy_loss, differences, Check(largest, scale))
