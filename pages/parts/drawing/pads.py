"""The pads of the drawing page. They differ in how one draws; each gives a `Drawing`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mnist_core.drawing.pad_reports import Drawing
from pages.parts.drawing import canvas_pad, component_pads, photo_pad

__all__ = ["PADS", "Pad"]


@dataclass(frozen=True, slots=True)
class Pad:
    """A pad to choose.

    Attributes
    ----------
    title : str
    held : callable
        Returns the drawing on the pad and a function that shows the pad. The drawing is known
        before the pad is shown, so that drawing and predictions reach the browser together. Each
        pad holds a drawing of its own, also while another pad or page is shown.
    """

    title: str
    held: Callable[[], tuple[Drawing, Callable[[], None]]]


PADS = {
    "live": Pad("Live pad", component_pads.live),
    "canvas": Pad("With tools", canvas_pad.held),
    "grid": Pad("Keyboard", component_pads.grid),
    "photo": Pad("Photo", photo_pad.held),
}
