"""The playground's picture: the network, its maps and the plane, as a Streamlit component (v2).

Python sends the data as base64 arrays. The browser sends the visitor's actions as numbered events,
and repeats each event until Python has confirmed its number.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.figures.style import CLASS_COLOURS, NEGATIVE, POSITIVE
from mnist_core.playground.points import Points
from mnist_core.playground.results import PlaygroundSnapshot
from mnist_core.playground.setups import FEATURES, Setup
from pages.parts.session import state

__all__ = ["KEY", "RESOLUTION", "Event", "events", "show", "sound_events"]

KEY = "playground_net"
RESOLUTION = 48  # pixels along each side of the plane; the map of a neuron has half of it
# Classes 0 to 3; the first two have the colours of negative and positive values.
COLOURS = (NEGATIVE, POSITIVE, CLASS_COLOURS[6], CLASS_COLOURS[3])
MAX_EVENTS = 1000  # per report; a visitor cannot do more between two runs of the script
Event = dict[str, Any]
_FILES = ("plane", "editor", "layout", "events", "network_picture")
_FOLDER = Path(__file__).parent
_component = st.components.v2.component(
    "playground_net",
    html=(_FOLDER / "network_picture.html").read_text("utf-8"),
    css="\n".join(
        path.read_text("utf-8")
        for path in (_FOLDER.parent / "widgets" / "button.css", _FOLDER / "network_picture.css")
    ),
    js="\n".join((_FOLDER / f"{name}.js").read_text("utf-8") for name in _FILES),
)


def events(last_event: int) -> list[Event]:
    """Return the visitor's actions in the picture after the event of this number, in order."""
    widget = state.widget(KEY)
    return sound_events(widget.get("events") if isinstance(widget, dict) else None, last_event)


def sound_events(raw: object, last_event: int) -> list[Event]:
    """Return the new numbered events of a report from the browser; ignore malformed ones."""
    if not isinstance(raw, list | tuple) or len(raw) > MAX_EVENTS:
        return []
    numbered = [one for one in raw if isinstance(one, dict) and type(one.get("n")) is int]
    return sorted((one for one in numbered if one["n"] > last_event), key=lambda one: one["n"])


def show(
    snapshot: PlaygroundSnapshot,
    points: Points,
    feature_maps: np.ndarray,
    setup: Setup,
    last_event: int,
) -> None:
    """Show the network.

    Parameters
    ----------
    snapshot : PlaygroundSnapshot
        With maps of `RESOLUTION`.
    points : Points
    feature_maps : (7, RESOLUTION, RESOLUTION) float32
        Maps of all features, also those that are not in use.
    setup : Setup
    last_event : int
        The number of the last event that was handled.
    """
    maps = [feature_maps, *snapshot.maps[1:]]
    parameters = [
        array for pair in zip(snapshot.weights, snapshot.biases, strict=True) for array in pair
    ]
    data = {
        "last_event": last_event,
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
        "plane": _plane(snapshot.maps[-1]),
        "weights": _floats(np.concatenate([array.ravel() for array in parameters])),
        "train": _points(points.train_x, points.train_y),
        "test": _points(points.test_x, points.test_y),
        "show_test": setup.show_test,
        "discrete": setup.discrete,
        "flow": snapshot.step % 10_000 / 10,
        "colours": {"positive": POSITIVE, "negative": NEGATIVE, "classes": COLOURS},
        "alt": _in_words(snapshot),
    }
    _component(key=KEY, data=data, on_events_change=lambda: None)


def _within_one(maps: np.ndarray) -> np.ndarray:
    """Scale each map with values outside [-1, 1] to that range."""
    largest = np.abs(maps).max(axis=(1, 2), keepdims=True)
    return maps / np.maximum(largest, 1.0)


def _halved(maps: np.ndarray) -> np.ndarray:
    """Return maps of half the resolution: each value is the mean of four."""
    n, side, _ = maps.shape
    return maps.reshape(n, side // 2, 2, side // 2, 2).mean(axis=(2, 4))


def _plane(output: np.ndarray) -> str:
    """Pack the output: one map from -1 to 1, or the probabilities of more than two classes."""
    return _levels(output if len(output) == 1 else 2 * output - 1)


def _levels(maps: np.ndarray) -> str:
    """Pack values from -1 to 1 as one byte each; NaN becomes 0."""
    levels = np.rint(127.5 + 127.5 * np.nan_to_num(maps).clip(-1, 1))
    return _text(levels.astype(np.uint8))


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return _floats(np.column_stack([x, y]))


def _floats(values: np.ndarray) -> str:
    return _text(values.astype("<f4"))


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _in_words(snapshot: PlaygroundSnapshot) -> str:
    text = f"The plane from -6 to 6, coloured by the network's output, at epoch {snapshot.epoch}"
    if np.isfinite(snapshot.test_error):
        text += f": {snapshot.test_error:.0%} of the test points are misclassified"
    return f"{text}."
