"""One model that a page offers to evaluate, to open or to draw for. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_core.data.datasets import class_names

__all__ = ["ModelOnOffer"]


@dataclass(frozen=True, slots=True)
class ModelOnOffer:
    """A model that can predict; `caches.model_of` builds it.

    Attributes
    ----------
    key : str
        "mine" for the visitor's current run, else a run's id, or a bundled model's architecture.
    version : str
        Changes when the weights do.
    dataset : str
        Name of the data set it was trained on.
    architecture : str
    workspace, run_id : str
        Where its run is; "" for a bundled model.
    training : bool
        Whether it is being trained right now.
    """

    key: str
    label: str
    version: str
    dataset: str
    architecture: str
    workspace: str = ""
    run_id: str = ""
    training: bool = False

    @property
    def bundled(self) -> bool:
        return not self.run_id

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes it tells apart: clothes if it was trained on FashionMNIST, else digits."""
        return class_names(self.dataset)
