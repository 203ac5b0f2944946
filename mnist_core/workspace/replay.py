"""The replay of a run: its networks at earlier steps, and their predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from mnist_core.evaluation.metrics import probabilities
from mnist_core.nn import architectures
from mnist_core.workspace.checkpoints import RunFolder

__all__ = ["models_of", "predictions"]


def models_of(folder: RunFolder, architecture: str) -> dict[int, nn.Sequential]:
    """Return {step: the network at that step} for every saved snapshot, in order.

    Raises
    ------
    OSError, ValueError
        If a snapshot is missing or damaged.
    """
    return {
        step: architectures.with_weights(architecture, folder.snapshot(step).weights)
        for step in folder.snapshot_steps()
    }


def predictions(networks: Sequence[nn.Module], image: np.ndarray) -> np.ndarray:
    """Return each network's prediction for one image.

    Parameters
    ----------
    networks : sequence of M models
    image : (28, 28) uint8

    Returns
    -------
    (M, 10) float32; rows are probabilities.
    """
    return np.concatenate([probabilities(network, image[None]) for network in networks])
