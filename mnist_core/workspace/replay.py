"""Looking back at a run: the networks it went through, and what they said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from mnist_core.evaluation.metrics import probabilities
from mnist_core.nn import architectures
from mnist_core.workspace.checkpoints import RunFolder

__all__ = ["answers", "models_of"]


def models_of(folder: RunFolder, architecture: str) -> dict[int, nn.Sequential]:
    """Return {step: the network at that step} for every moment that is kept, in order.

    Raises
    ------
    OSError, ValueError
        If a moment is gone or damaged.
    """
    return {
        step: architectures.with_weights(architecture, folder.moment(step).weights)
        for step in folder.moment_steps()
    }


def answers(networks: Sequence[nn.Module], image: np.ndarray) -> np.ndarray:
    """Return what each network says about one image.

    Parameters
    ----------
    networks : sequence of M models
    image : (28, 28) uint8

    Returns
    -------
    (M, 10) float32; rows are probabilities.
    """
    return np.concatenate([probabilities(network, image[None]) for network in networks])
