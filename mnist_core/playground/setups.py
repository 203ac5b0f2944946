"""A setup of the playground: every choice and its valid values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mnist_core.playground.own_points import OwnPoint, check_points

__all__ = [
    "ACTIVATIONS",
    "CLASSIFICATION",
    "CONTROLS",
    "DATA",
    "FEATURES",
    "LIVE",
    "LOSSES",
    "MAX_LAYERS",
    "MAX_NEURONS",
    "MAX_TASK",
    "RANGES",
    "REGRESSION",
    "REGULARISATIONS",
    "Setup",
]

CLASSIFICATION = {
    "circle": "Circle",
    "xor": "Exclusive or",
    "gauss": "Two Gaussians",
    "spiral": "Spiral",
    "moons": "Two moons",
    "three": "Three classes",
    "four": "Four classes",
}
REGRESSION = {"plane": "Plane", "gaussian": "Gaussian hills"}
DATA = CLASSIFICATION | REGRESSION | {"own": "Own points"}
FEATURES = {  # name in the URL -> name in the picture
    "x1": "x₁",
    "x2": "x₂",
    "x1sq": "x₁²",
    "x2sq": "x₂²",
    "x1x2": "x₁x₂",
    "sinx1": "sin x₁",
    "sinx2": "sin x₂",
}
ACTIVATIONS = {
    "relu": "ReLU",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "linear": "none (linear)",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
}
LOSSES = {"cross-entropy": "Cross-entropy", "squared": "Squared error"}
REGULARISATIONS = {"none": "None", "L1": "L1", "L2": "L2"}
NAMED: dict[str, Mapping[str, str]] = {
    "data": DATA,
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "regularisation": REGULARISATIONS,
}
RANGES: dict[str, tuple[float, float]] = {  # both ends included
    "noise": (0, 50),
    "train_share": (10, 90),
    "batch_size": (1, 30),
    "seed": (0, 2**31 - 1),
    "learning_rate": (0.00001, 10.0),
    "regularisation_rate": (0.0, 10.0),
    "stop_below": (0.00001, 10.0),
}
MAX_LAYERS, MAX_NEURONS, MAX_TASK = 6, 8, 300
CONTROLS = (  # what a teacher's link can hide; the last four are not fields of `Setup`
    "data",
    "noise",
    "train_share",
    "batch_size",
    "seed",
    "features",
    "layers",
    "activation",
    "learning_rate",
    "regularisation",
    "regularisation_rate",
    "loss",
    "stop_below",
    "discrete",
    "show_test",
    "points",
    "experiments",
    "run_to",
    "edit",
    "code",
)
LIVE = frozenset(  # fields that can change during training, without a new network
    (
        "noise",
        "train_share",
        "batch_size",
        "learning_rate",
        "regularisation",
        "regularisation_rate",
        "stop_below",
        "discrete",
        "show_test",
        "hide",
        "task",
        "points",  # if the number of classes stays the same
    )
)


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that determines what the playground shows. Equal setups give equal runs.

    Attributes
    ----------
    data : str
        A key of `DATA`.
    noise : int
        0 to 50 %.
    train_share : int
        10 to 90 % of the points; the others are test points.
    batch_size : int
        1 to 30 points.
    seed : int
        Seed of the points, the initial weights and the order of the batches.
    features : tuple of str
        At least one key of `FEATURES`, in their order there.
    layers : tuple of int
        The neurons of each hidden layer: 0 to 6 layers of 1 to 8.
    activation, loss, regularisation : str
        Keys of `ACTIVATIONS`, `LOSSES`, `REGULARISATIONS`. Regression always uses the squared
        error: see `effective_loss`.
    learning_rate : float
        0.00001 to 10.
    regularisation_rate : float
        0 to 10.
    stop_below : float or None
        Training stops after an epoch with a smaller training loss.
    discrete, show_test : bool
        Whether the plane shows only the predicted class, and whether the test points are drawn.
    hide : tuple of str
        Names of `CONTROLS`, in their order there, that the page does not show.
    task : str
        A teacher's question: one line of plain text, at most 300 characters.
    points : tuple of (x1, x2, class)
        The visitor's own points, used if ``data`` is "own": see `mnist_core.playground.own_points`.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    data: str = "circle"
    noise: int = 0
    train_share: int = 50
    batch_size: int = 10
    seed: int = 0
    features: tuple[str, ...] = ("x1", "x2")
    layers: tuple[int, ...] = (4, 2)
    activation: str = "tanh"
    learning_rate: float = 0.03
    regularisation: str = "none"
    regularisation_rate: float = 0.0
    loss: str = "cross-entropy"
    stop_below: float | None = None
    discrete: bool = False
    show_test: bool = False
    hide: tuple[str, ...] = ()
    task: str = ""
    points: tuple[OwnPoint, ...] = ()

    def __post_init__(self) -> None:
        for name, known in NAMED.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise ValueError(f"{subject(name)} must be one of {', '.join(known)}.")
        for name in RANGES:
            self._check_number(name)
        for name in ("discrete", "show_test"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{subject(name)} must be True or False.")
        _check_names("features", self.features, tuple(FEATURES))
        _check_names("hide", self.hide, CONTROLS)
        if not self.features:
            raise ValueError("The network needs at least one feature, got none.")
        _check_layers(self.layers)
        if not isinstance(self.task, str) or self.task != clean_task(self.task):
            raise ValueError(f"The task must be a line of at most {MAX_TASK} printable characters.")
        check_points(self.points)

    def _check_number(self, name: str) -> None:
        value, (low, high) = getattr(self, name), RANGES[name]
        if name == "stop_below" and value is None:
            return
        kind = type(_DEFAULTS[name]) if name != "stop_below" else float
        if type(value) is not kind or not low <= value <= high:
            whole = "a whole number" if kind is int else "a number (float)"
            raise ValueError(
                f"{subject(name)} must be {whole} from {written(low)} to {written(high)}."
            )

    @property
    def n_classes(self) -> int:
        """The number of classes; 0 for regression."""
        if self.data in REGRESSION:
            return 0
        if self.data == "own":
            return max(2, *(label + 1 for *_, label in self.points), 2)
        return {"three": 3, "four": 4}.get(self.data, 2)

    @property
    def n_outputs(self) -> int:
        """The number of neurons in the last layer: one, or one per class with more than two."""
        return self.n_classes if self.n_classes > 2 else 1

    @property
    def effective_loss(self) -> str:
        """The loss in use: always the squared error for regression."""
        return self.loss if self.n_classes else "squared"

    def differences(self, other: Setup) -> dict[str, object]:
        """Return {name: value in the other setup} for every field that differs."""
        values = {field.name: getattr(other, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if getattr(self, name) != value}


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Setup)}


def clean_task(text: str) -> str:
    """Return text as one printable line of at most 300 characters."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line.strip()[:MAX_TASK].strip()


def _check_names(field: str, names: object, known: tuple[str, ...]) -> None:
    if not isinstance(names, tuple) or names != tuple(name for name in known if name in names):
        raise ValueError(
            f"{subject(field)} must be a tuple of some of {', '.join(known)}, in that order."
        )


def _check_layers(layers: object) -> None:
    fits = isinstance(layers, tuple) and len(layers) <= MAX_LAYERS
    if not fits or any(type(n) is not int or not 1 <= n <= MAX_NEURONS for n in layers):  # type: ignore[attr-defined]
        raise ValueError(
            f"The layers must be a tuple of at most {MAX_LAYERS} whole numbers from 1 to "
            f"{MAX_NEURONS}, the neurons of each hidden layer."
        )


def subject(name: str) -> str:
    """Return the subject of a sentence about a field: The batch size."""
    return f"The {name.replace('_', ' ')}"


def written(number: float) -> str:
    """Write a number of `RANGES` without an exponent: 2,147,483,647 or 0.00001."""
    return f"{number:,}" if isinstance(number, int) else f"{number:.5f}".rstrip("0").rstrip(".")
