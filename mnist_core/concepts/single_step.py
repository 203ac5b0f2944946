"""One step of SGD in PyTorch and in NumPy, compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from mnist_core.common.comparison import Check
from mnist_core.concepts.step_tensors import compared_step

__all__ = ["SingleStep", "single_step"]


@dataclass(frozen=True, slots=True)
class SingleStep:
    """The losses and weights of a step that PyTorch and NumPy both took.

    Attributes
    ----------
    loss_before, loss_after : float
        PyTorch's loss of the batch before and after the step.
    numpy_loss_before : float
    checks : dict of str to Check
        For each weight tensor, the difference between PyTorch and NumPy after the step.
    check : Check
        The worst check of all tensors of the step.
    """

    loss_before: float
    loss_after: float
    numpy_loss_before: float
    checks: dict[str, Check]
    check: Check


def single_step(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, lr: float = 0.01
) -> SingleStep:
    """Take the same step with both engines from the same weights. The model is changed.

    Parameters
    ----------
    images : (B, 28, 28) uint8
    labels : (B,) int64
    """
    step = compared_step(model, images, labels, lr)
    return SingleStep(
        float(step.in_torch.loss),
        step.loss_after,
        float(step.in_numpy.loss),
        {name: step.check("after", name) for name in step.in_torch.after},
        step.check_all(),
    )
