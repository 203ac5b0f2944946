"""The settings of a training run, checked, and the ready-made ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from mnist_core.common.formatting import counted, quoted
from mnist_core.data.datasets import NAMES, TITLES
from mnist_core.nn import architectures
from mnist_core.nn.optimisers import OPTIMISERS
from mnist_core.nn.schedules import SCHEDULES

__all__ = [
    "ENGINES",
    "LESSON",
    "PRESETS",
    "TrainingConfig",
    "check_learning_rate",
    "default_epochs",
    "differences",
    "with_change",
]

ENGINES = {"autograd": "PyTorch", "numpy": "NumPy, gradients by hand"}
IN_NUMPY = ("linear", "mlp")  # convolutions in NumPy would take minutes
MAX_RATE = 1e30  # torch refuses a step size that float32 cannot hold; Adam's is 10 times the rate
MAX_EPOCHS = 15_000  # bounds the epoch metrics in the run's record
MAX_STEPS = 1_000_000  # bounds a run's memory (8 MB of losses and times) and its time
LABELS = {
    "dataset": "data set",
    "architecture": "model",
    "optimiser": "optimiser",
    "learning_rate": "learning rate",
    "schedule": "schedule",
    "batch_size": "batch size",
    "epochs": "epochs",
    "seed": "seed",
    "augment": "augmentation",
    "engine": "engine",
}


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """All settings of a run. Equal settings give equal runs.

    Raises
    ------
    ValueError
        If a value is out of range; the message names what was expected and what came.
    """

    dataset: str = "mnist"
    architecture: str = "linear"
    optimiser: str = "SGD"
    learning_rate: float = 0.01
    batch_size: int = 32
    epochs: int = 5
    seed: int = 0
    schedule: str = "constant"
    augment: bool = False
    engine: str = "autograd"

    def __post_init__(self) -> None:
        for name, known in (
            ("dataset", NAMES),
            ("architecture", architectures.ARCHITECTURES),
            ("optimiser", OPTIMISERS),
            ("schedule", SCHEDULES),
            ("engine", ENGINES),
        ):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise ValueError(
                    f"The {LABELS[name]} must be one of {', '.join(known)}, got {quoted(value)}."
                )
        check_learning_rate(self.learning_rate)
        for label, count in (("batch size", self.batch_size), ("number of epochs", self.epochs)):
            if type(count) is not int or count < 1:
                raise ValueError(
                    f"The {label} must be at least 1, a whole number, got {quoted(count)}."
                )
        if self.epochs > MAX_EPOCHS:
            raise ValueError(
                f"The number of epochs must be at most {MAX_EPOCHS:,}, got {_many(self.epochs)}."
            )
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            came = f"{self.seed:,}" if type(self.seed) is int else quoted(self.seed)
            raise ValueError(f"The seed must be from 0 to 2,147,483,647, got {came}.")
        if type(self.augment) is not bool:
            raise ValueError(f"The augmentation must be on or off, got {quoted(self.augment)}.")
        self._check_engine()

    def _check_engine(self) -> None:
        if self.engine == "numpy" and self.optimiser != "SGD":
            raise ValueError(
                f"The NumPy engine takes plain SGD, got {self.optimiser}: choose SGD, or PyTorch."
            )
        if self.engine == "numpy" and self.architecture not in IN_NUMPY:
            title = architectures.ARCHITECTURES[self.architecture].title
            raise ValueError(
                f"The NumPy engine trains the linear model and the MLP, got {title}: choose one of "
                "these, or PyTorch."
            )

    @classmethod
    def from_json(cls, values: object) -> TrainingConfig:
        """Build a configuration from a run's record; settings left out have defaults.

        Raises
        ------
        ValueError
            If it is not a table of known settings with values in range.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(values, Mapping):
            raise ValueError(f"The settings must be a table, got {quoted(values)}.")
        unknown = sorted(str(name) for name in values if name not in known)
        if unknown:
            raise ValueError(f"The settings hold an unknown one, {quoted(unknown[0])}.")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        title = architectures.ARCHITECTURES[self.architecture].title
        rate = f"learning rate {self.learning_rate:g}"
        parts = [
            f"{title} on {TITLES[self.dataset]}",
            f"{self.optimiser}, {rate}" + (", one cycle" if self.schedule == "one-cycle" else ""),
            f"batches of {self.batch_size:,}",
            counted(self.epochs, "epoch"),
            f"seed {self.seed}",
            *(["images changed a little"] if self.augment else []),
            *(["NumPy"] if self.engine == "numpy" else []),
        ]
        return " · ".join(parts)

    def total_steps(self, n_images: int) -> int:
        """Return the number of steps of a run on ``n_images`` training images.

        Raises
        ------
        ValueError
            If the batch is larger than the data or the run would be too long.
        """
        if self.batch_size > n_images:
            raise ValueError(
                f"The batch size must be at most the {n_images:,} training images, got "
                f"{self.batch_size:,}. Try 32."
            )
        total = -(-n_images // self.batch_size) * self.epochs
        if total > MAX_STEPS:
            raise ValueError(
                f"This run would take {_many(total)} steps; at most {MAX_STEPS:,} are allowed. "
                "Take fewer epochs or larger batches."
            )
        return total


def check_learning_rate(value: object) -> None:
    """Raise ValueError unless the value is a number above 0 (and at most 1e30)."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 < value <= MAX_RATE):  # type: ignore[operator]
        came = f"{value:g}" if isinstance(value, float) else quoted(value)
        raise ValueError(
            f"The learning rate must be a number above 0, got {came}: with 0 nothing is learnt, "
            f"below 0 the loss is driven up, above {MAX_RATE:g} float32 overflows. Try 0.01."
        )


def _many(count: int) -> str:
    return f"{count:,}" if count < 10**12 else "far too many"


LESSON = TrainingConfig()
PRESETS = {
    "The lesson's run": LESSON,
    "A small CNN": TrainingConfig(
        architecture="cnn",
        optimiser="AdamW",
        learning_rate=0.008,
        batch_size=48,
        epochs=2,
        schedule="one-cycle",
    ),
    "Ready for handwriting": TrainingConfig(
        architecture="cnn",
        optimiser="AdamW",
        learning_rate=0.004,
        batch_size=128,
        epochs=10,
        schedule="one-cycle",
        augment=True,
    ),
}


def default_epochs(n_images: int, epochs: int = LESSON.epochs) -> int:
    """Return a number of epochs for a data set: the lesson's 5 on MNIST, more on smaller ones.

    The 1,437 bundled digits need about 60 for the same accuracy (91 %).
    """
    mnist_images, most = 60_000, 60
    as_many_steps = round(epochs * mnist_images / max(n_images, 1))
    return max(epochs, min(most, as_many_steps))


def differences(configs: list[TrainingConfig]) -> dict[str, list[Any]]:
    """Return the settings in which configurations differ: {setting: its value in each}."""
    columns = {name: [getattr(config, name) for config in configs] for name in LABELS}
    return {LABELS[n]: values for n, values in columns.items() if len(set(values)) > 1}


def with_change(config: TrainingConfig, name: str, value: Any) -> TrainingConfig:
    """Return the configuration with one setting changed; ValueError if it is out of range."""
    return replace(config, **{name: value})
