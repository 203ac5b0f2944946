"""The playground's picture: the network, its maps and the plane, on Streamlit's components v2.

What it shows goes there as a few base64 arrays; what the visitor does in it comes back as a list of
numbered events, each of which is sent until an answer has counted it.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.figures.style import CLASS_COLOURS, NEGATIVE, POSITIVE
from mnist_core.playground.setups import FEATURES, Setup
from pages.parts.session import state

__all__ = ["KEY", "RESOLUTION", "Event", "events", "show", "sound_events"]

KEY = "playground_net"
RESOLUTION = 48  # numbers along a side of the plane; a neuron's own picture has half of it
# Of the classes 0 to 3; the first two as everything negative and positive.
COLOURS = (NEGATIVE, POSITIVE, CLASS_COLOURS[6], CLASS_COLOURS[3])
MOST_EVENTS = 1000  # in one report; more than a hand can do between two answers
Event = dict[str, Any]
_FILES = ("plane", "editor", "shape", "events", "net")
_FOLDER = Path(__file__).parent
_component = st.components.v2.component(
    "playground_net",
    html=(_FOLDER / "net.html").read_text("utf-8"),
    css="\n".join(
        path.read_text("utf-8")
        for path in (_FOLDER.parent / "widgets" / "button.css", _FOLDER / "net.css")
    ),
    js="\n".join((_FOLDER / f"{name}.js").read_text("utf-8") for name in _FILES),
)


def events(answered: int) -> list[Event]:
    """Return what the visitor did in the picture since the event of this number, in order."""
    widget = state.widget(KEY)
    return sound_events(widget.get("events") if isinstance(widget, dict) else None, answered)


def sound_events(raw: object, answered: int) -> list[Event]:
    """Return the numbered events in a report; one that no picture of ours sends counts as none."""
    if not isinstance(raw, list | tuple) or len(raw) > MOST_EVENTS:
        return []
    numbered = [one for one in raw if isinstance(one, dict) and type(one.get("n")) is int]
    return sorted((one for one in numbered if one["n"] > answered), key=lambda one: one["n"])


def show(view: Any, points: Any, feature_maps: np.ndarray, setup: Setup, answered: int) -> None:
    """Show the network.

    Parameters
    ----------
    view : mnist_core.playground.run.View
        Of `RESOLUTION`.
    points : mnist_core.playground.points.Points
    feature_maps : (7, RESOLUTION, RESOLUTION) float32
        Of all features, used or not.
    setup : Setup
    answered : int
        The number of the last event that was heard.
    """
    maps = [feature_maps, *view.maps[1:]]
    parameters = [array for pair in zip(view.weights, view.biases, strict=True) for array in pair]
    data = {
        "answered": answered,
        "all_features": list(FEATURES.items()),
        "features": setup.features,
        "layers": setup.layers,
        "outputs": [str(i) for i in range(setup.n_classes)] if setup.n_outputs > 1 else ["output"],
        "fixed": [name for name in ("features", "layers", "edit") if name in setup.hide],
        "own": setup.data == "own" and "points" not in setup.hide,
        "classes": setup.n_classes,
        "side": RESOLUTION // 2,
        "maps": _levels(_halved(_within_one(np.concatenate(maps)))),
        "plane_side": RESOLUTION,
        "plane": _plane(view.maps[-1]),
        "weights": _floats(np.concatenate([array.ravel() for array in parameters])),
        "train": _points(points.train_x, points.train_y),
        "test": _points(points.test_x, points.test_y),
        "show_test": setup.show_test,
        "discrete": setup.discrete,
        "flow": view.step % 10_000 / 10,
        "colours": {"positive": POSITIVE, "negative": NEGATIVE, "classes": COLOURS},
        "alt": _in_words(view),
    }
    _component(key=KEY, data=data, on_events_change=lambda: None)


def _within_one(maps: np.ndarray) -> np.ndarray:
    """Scale each map that leaves [-1, 1] to it, so that it is seen how it rises and falls."""
    largest = np.abs(maps).max(axis=(1, 2), keepdims=True)
    return maps / np.maximum(largest, 1.0)


def _halved(maps: np.ndarray) -> np.ndarray:
    """Return maps of half the resolution, each number the mean of four."""
    n, side, _ = maps.shape
    return maps.reshape(n, side // 2, 2, side // 2, 2).mean(axis=(2, 4))


def _plane(output: np.ndarray) -> str:
    """Pack the outputs: one from -1 to 1, or the probabilities of more than two classes."""
    return _levels(output if len(output) == 1 else 2 * output - 1)


def _levels(maps: np.ndarray) -> str:
    """Pack numbers from -1 to 1 as a byte each; what is not a number counts as 0."""
    levels = np.rint(127.5 + 127.5 * np.nan_to_num(maps).clip(-1, 1))
    return _text(levels.astype(np.uint8))


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return _floats(np.column_stack([x, y]))


def _floats(values: np.ndarray) -> str:
    return _text(values.astype("<f4"))


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _in_words(view: Any) -> str:
    said = f"The plane from -6 to 6, coloured by what the network says, at epoch {view.epoch}"
    if np.isfinite(view.test_error):
        said += f": {view.test_error:.0%} of the test points lie on the wrong side"
    return f"{said}."
