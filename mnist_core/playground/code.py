"""A set-up as a short script in plain PyTorch: the same points, network and loop, and it runs."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise

from torch.nn import functional as F

from mnist_core.playground.network import ACTIVATION_LAYERS, loss_function
from mnist_core.playground.own_points import MAX_POINTS, RADIUS
from mnist_core.playground.points import N_POINTS, SETS
from mnist_core.playground.setups import DATA, Setup

__all__ = ["script"]

_IN_CODE = {
    "x1": "x1",
    "x2": "x2",
    "x1sq": "x1**2",
    "x2sq": "x2**2",
    "x1x2": "x1 * x2",
    "sinx1": "x1.sin()",
    "sinx2": "x2.sin()",
}
_LOSSES = {
    F.binary_cross_entropy_with_logits: "nn.BCEWithLogitsLoss()",
    F.cross_entropy: "nn.CrossEntropyLoss()",
    F.mse_loss: "nn.MSELoss()",
}
_ROWS = 3  # more hidden layers are written two a line


def script(setup: Setup, epochs: int = 100) -> str:
    """Return a script of under 40 lines that trains as a `PlaygroundRun` of this set-up does.

    It prints both losses after each epoch, and they are those of the run, as long as nothing was
    changed or edited on its way.

    Raises
    ------
    ValueError
        If there are no points to learn from, or no epochs to train.
    """
    if setup.data == "own" and not setup.points:
        raise ValueError("Expected points to write a script for, got none: add some first.")
    if type(epochs) is not int or epochs < 1:
        raise ValueError(f"The number of epochs must be a whole number from 1, got {epochs!r}.")
    points = _own_points(setup) if setup.data == "own" else _drawn_points(setup)
    lines = [
        f'"""A small network on points in the plane: {DATA[setup.data]}."""',
        "import torch",
        "from torch import nn",
        "",
        f"g = torch.Generator().manual_seed({setup.seed})  # draws the points",
        *points,
        *_features(setup),
        f"target = {_target(setup)}",
        "",
        f"torch.manual_seed({setup.seed})  # draws the weights and the order of the batches",
        *_model(setup),
        *_loop(setup, epochs),
    ]
    return "\n".join(lines) + "\n"


def _drawn_points(setup: Setup) -> list[str]:
    n_train = round(N_POINTS * (setup.train_share / 100))
    return [
        *_source(setup.data),
        f"x, y = {setup.data}({N_POINTS}, {setup.noise / 100}, g)",
        f"train, test = torch.randperm({N_POINTS}, generator=g).split([{n_train}, "
        f"{N_POINTS - n_train}])",
    ]


def _source(name: str) -> list[str]:
    """Return the function that draws the points as it runs here, without types and description."""
    source = textwrap.dedent(inspect.getsource(SETS[name]))
    (function,) = ast.parse(source).body
    first = function.body[1].lineno  # type: ignore[attr-defined]
    return [f"def {name}(n, noise, g):", *source.rstrip().splitlines()[first - 1 :]]


def _own_points(setup: Setup) -> list[str]:
    return [
        f"points = {list(setup.points)}",
        "x, y = torch.tensor([p[:2] for p in points]), torch.tensor([p[2] for p in points])",
        f"chosen = torch.rand({MAX_POINTS}, generator=g)[: len(x)] < {setup.train_share / 100}",
        "chosen[:1] = True",
        "train, test = chosen.nonzero()[:, 0], (~chosen).nonzero()[:, 0]",
    ]


def _features(setup: Setup) -> list[str]:
    columns = ", ".join(_IN_CODE[name] for name in setup.features)
    return [
        f"x1, x2 = x.clamp(-{RADIUS:g}, {RADIUS:g}).T",
        f"features = torch.stack([{columns}], dim=1)",
    ]


def _target(setup: Setup) -> str:
    squared = setup.effective_loss == "squared"
    if setup.n_outputs > 1:
        return f"nn.functional.one_hot(y, {setup.n_outputs}).float()" if squared else "y"
    return "2 * y.float()[:, None] - 1" if squared and setup.n_classes else "y.float()[:, None]"


def _model(setup: Setup) -> list[str]:
    sizes = [len(setup.features), *setup.layers]
    activation = f"nn.{ACTIVATION_LAYERS[setup.activation].__name__}()"
    hidden = [f"nn.Linear({a}, {b}), {activation}," for a, b in pairwise(sizes)]
    if len(hidden) > _ROWS:
        hidden = [" ".join(hidden[i : i + 2]) for i in range(0, len(hidden), 2)]
    output = f"nn.Linear({sizes[-1]}, {setup.n_outputs}),"
    if setup.effective_loss == "squared" and setup.n_classes:
        output += " nn.Tanh()," if setup.n_outputs == 1 else " nn.Softmax(dim=1),"
    return ["model = nn.Sequential(", *(f"    {row}" for row in (*hidden, output)), ")"]


def _loop(setup: Setup, epochs: int) -> list[str]:
    return [
        f"loss_of = {_LOSSES[loss_function(setup)]}",
        f"optimiser = torch.optim.SGD(model.parameters(), lr={setup.learning_rate})",
        f"for epoch in range(1, {epochs} + 1):",
        f"    for batch in train[torch.randperm(len(train))].split({setup.batch_size}):",
        "        loss = loss_of(model(features[batch]), target[batch])",
        *_penalty(setup),
        "        optimiser.zero_grad()",
        "        loss.backward()",
        "        optimiser.step()",
        "    with torch.no_grad():",
        "        losses = [loss_of(model(features[part]), target[part]) for part in (train, test)]",
        '    print(f"epoch {epoch}: training loss {losses[0]:.6f}, test loss {losses[1]:.6f}")',
        *_stop(setup),
    ]


def _penalty(setup: Setup) -> list[str]:
    if setup.regularisation == "none":
        return []
    size = "abs().sum()" if setup.regularisation == "L1" else "square().sum() / 2"
    return [
        "        w = torch.cat([p.flatten() for p in model.parameters() if p.dim() == 2])",
        f"        loss = loss + {setup.regularisation_rate} * w.{size}  # {setup.regularisation}",
    ]


def _stop(setup: Setup) -> list[str]:
    if setup.stop_below is None:
        return []
    return [f"    if losses[0] < {setup.stop_below}: break"]
