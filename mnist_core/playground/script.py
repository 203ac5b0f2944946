"""A setup of the playground as a short script in plain PyTorch, with the same losses."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from torch.nn import functional as F

from mnist_core.common.source_code import fill_template, source_of
from mnist_core.playground.network import ACTIVATION_LAYERS, loss_function
from mnist_core.playground.own_points import MAX_POINTS, RADIUS
from mnist_core.playground.points import N_POINTS, SETS
from mnist_core.playground.setups import DATA, Setup

__all__ = ["playground_script"]

_TEMPLATE = Path(__file__).with_name("script.py.jinja")
_FEATURES = {
    "x1": "x1",
    "x2": "x2",
    "x1sq": "x1**2",
    "x2sq": "x2**2",
    "x1x2": "x1 * x2",
    "sinx1": "x1.sin()",
    "sinx2": "x2.sin()",
}
_LOSSES = {
    F.binary_cross_entropy_with_logits: "BCEWithLogitsLoss",
    F.cross_entropy: "CrossEntropyLoss",
    F.mse_loss: "MSELoss",
}


def playground_script(setup: Setup, epochs: int = 100) -> str:
    """Return a script of under 40 lines that trains as a `PlaygroundRun` of this setup does.

    It prints the training loss and the test loss after each epoch. They are those of the run, as
    long as nobody changes a setting or edits a weight while it trains.

    Raises
    ------
    ValueError
        If there are no points to learn from, or no epochs to train.
    """
    if setup.data == "own" and not setup.points:
        raise ValueError("Expected points to write a script for, got none: add some first.")
    if type(epochs) is not int or epochs < 1:
        raise ValueError(f"The number of epochs must be a whole number from 1, got {epochs!r}.")
    sizes = [len(setup.features), *setup.layers]
    activation = ACTIVATION_LAYERS[setup.activation].__name__
    bounded = setup.effective_loss == "squared" and setup.n_classes > 0
    return fill_template(
        _TEMPLATE,
        setup=setup,
        epochs=epochs,
        title=DATA[setup.data],
        draw_points=source_of(SETS[setup.data]) if setup.data in SETS else None,
        max_points=MAX_POINTS,
        n_points=N_POINTS,
        n_train=round(N_POINTS * (setup.train_share / 100)),
        radius=f"{RADIUS:g}",
        features=[_FEATURES[name] for name in setup.features],
        hidden=[f"nn.Linear({a}, {b}), nn.{activation}()," for a, b in pairwise(sizes)],
        n_last=sizes[-1],
        tanh=bounded and setup.n_outputs == 1,
        softmax=bounded and setup.n_outputs > 1,
        loss=_LOSSES[loss_function(setup)],
    )
