"""The path into a network: from the whole network to a layer, a unit and one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mnist_core.explain.layer_outputs import LayerOutput

__all__ = ["ZoomPath"]


@dataclass(frozen=True, slots=True)
class ZoomPath:
    """How deep a network is opened; units and places are counted from 0.

    Attributes
    ----------
    layer : str or None
    unit : int or None
    place : tuple of int or None
        (row, column) of the number on a feature map; () in a vector, where a unit is one number.
    """

    layer: str | None = None
    unit: int | None = None
    place: tuple[int, ...] | None = None

    @property
    def depth(self) -> int:
        """0 for the network, 1 for a layer, 2 for a unit, 3 for a number."""
        return sum(step is not None for step in (self.layer, self.unit, self.place))

    def up_to(self, depth: int) -> ZoomPath:
        """Return the path to the level of this depth."""
        return replace(self, **dict.fromkeys(("layer", "unit", "place")[depth:]))

    def within(self, layers: Sequence[LayerOutput]) -> ZoomPath:
        """Return the longest part of the path that exists in a network of these layers."""
        maps = {layer.name: layer.maps for layer in layers}.get(self.layer or "")
        if maps is None:
            return ZoomPath()
        if self.unit is None or not 0 <= self.unit < len(maps):
            return self.up_to(1)
        size, place = maps.shape[1:], self.place or ()
        fits = len(place) == len(size) and all(0 <= i < n for i, n in zip(place, size, strict=True))
        return self if fits else self.up_to(2)
