"""Figures of the concept pages: a linear layer, activations, losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mnist_core.common.formatting import name_of, plain, short
from mnist_core.concepts.activations import ActivationCurve, Collapse
from mnist_core.figures.style import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    framed,
    ground_colour,
    ink_colour,
    signed_colour,
)

__all__ = [
    "activation_figure",
    "collapse_figure",
    "layer_figure",
    "loss_curves_figure",
    "pre_activation_figure",
]

_MOST_LABELS = 24  # more edge labels than this would cover each other


def layer_figure(
    W: np.ndarray, b: np.ndarray | None, x: np.ndarray, y: np.ndarray, dark: bool = False
) -> go.Figure:
    """Draw a linear layer: inputs left, outputs right; an edge's colour and width show its weight.

    The bias is drawn as the weight of one more input, which is always 1.

    Parameters
    ----------
    W : (n_out, n_in) float32
    b, y : (n_out,) float32
    x : (n_in,) float32
    dark : bool
        Whether the page is dark.
    """
    weights = W if b is None else np.column_stack([W, b])
    n_out, n_in = weights.shape
    left, right = _column(n_in), _column(n_out)
    inputs = [f"{name_of('x', i)} = {short(value)} " for i, value in enumerate(x)]
    outputs = [f" {name_of('y', o)} = {short(value)}" for o, value in enumerate(y)]
    # All traces at once: Plotly validates the whole figure each time one is added.
    figure = go.Figure(
        data=[
            *_edges(weights, left, right),
            _nodes(0, left, inputs if b is None else [*inputs, "1 (for b) "]),
            _nodes(1, right, outputs),
        ],
        layout={"annotations": _weight_labels(weights, left, right, dark)},
    )
    figure.update_xaxes(visible=False, range=[-0.36, 1.36], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-0.6, 0.6], fixedrange=True)
    return framed(figure, height=max(220, 56 * max(n_in, n_out)))


def _column(n: int) -> np.ndarray:
    return np.linspace(0.5, -0.5, n) if n > 1 else np.zeros(1)


def _edges(W: np.ndarray, left: np.ndarray, right: np.ndarray) -> list[dict[str, Any]]:
    largest = float(np.abs(W).max())
    return [
        {
            "type": "scatter",
            "x": [0, 1],
            "y": [left[i], right[o]],
            "mode": "lines",
            "line": {
                "width": 1 + 5 * (abs(float(weight)) / largest if largest else 0),
                "color": signed_colour(float(weight), largest),
            },
            "hoverinfo": "skip",
        }
        for (o, i), weight in np.ndenumerate(W)
    ]


def _weight_labels(
    W: np.ndarray, left: np.ndarray, right: np.ndarray, dark: bool
) -> list[dict[str, Any]]:
    """Return one label for each edge; each output has its column, so labels do not overlap."""
    if W.size > _MOST_LABELS:
        return []
    at = 0.18 + 0.4 * np.arange(len(right)) / max(len(right) - 1, 1)
    return [
        {
            "x": at[o],
            "y": left[i] + (right[o] - left[i]) * at[o],
            "text": plain(float(weight), 3),
            "showarrow": False,
            "bgcolor": ground_colour(dark),
            "opacity": 0.85,
            "borderpad": 1,
            "font": {"size": 13, "color": ink_colour(dark)},
        }
        for (o, i), weight in np.ndenumerate(W)
    ]


def _nodes(at: float, rows: np.ndarray, names: list[str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [at] * len(rows),
        "y": rows,
        "mode": "markers+text",
        "marker": {"size": 20, "color": NEUTRAL},
        "text": names,
        "textposition": "middle left" if at == 0 else "middle right",
        "hoverinfo": "text",
        "cliponaxis": False,
    }


def activation_figure(curve: ActivationCurve, point: tuple[float, float, float]) -> go.Figure:
    """Draw an activation, its derivative (dashed) and the tangent at a point (z, value, slope)."""
    z, value, slope = point
    reach = 1.2
    figure = go.Figure()
    figure.add_scatter(
        x=curve.z, y=curve.value, name="value f(z)", line={"color": POSITIVE, "width": 3}
    )
    figure.add_scatter(
        x=curve.z,
        y=curve.slope,
        name="derivative f′(z)",
        line={"color": NEGATIVE, "width": 3, "dash": "dash"},
    )
    figure.add_scatter(
        x=[z - reach, z + reach],
        y=[value - slope * reach, value + slope * reach],
        name="tangent",
        mode="lines",
        line={"color": NEUTRAL, "width": 2, "dash": "dot"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[z], y=[value], name="your point", mode="markers", marker={"size": 12, "color": POSITIVE}
    )
    figure.update_xaxes(range=[float(curve.z[0]), float(curve.z[-1])])
    low = min(float(curve.value.min()), float(curve.slope.min()), -0.2)
    high = max(float(curve.value.max()), float(curve.slope.max()))
    figure.update_yaxes(range=[low - 0.1, high + 0.1])
    return framed(figure, height=340, x="z", y="", legend=True)


def pre_activation_figure(curve: ActivationCurve, z: np.ndarray, name: str) -> go.Figure:
    """Draw a histogram of a hidden layer's pre-activations below the activation's curve.

    Parameters
    ----------
    curve : ActivationCurve
    z : (N,) float32
        The pre-activations for one image.
    name : str
        The name of the activation.
    """
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06)
    figure.add_scatter(
        x=curve.z, y=curve.value, line={"color": POSITIVE, "width": 3}, row=1, col=1, name=name
    )
    figure.add_histogram(
        x=z,
        nbinsx=40,
        marker={"color": NEUTRAL},
        hovertemplate="z from %{x}: %{y} units<extra></extra>",
        row=2,
        col=1,
    )
    framed(figure, height=420)
    figure.update_xaxes(range=[float(curve.z[0]), float(curve.z[-1])])
    figure.update_xaxes(title_text="z, before the activation", row=2)
    figure.update_yaxes(title_text=f"{name}(z)", row=1)
    figure.update_yaxes(title_text="units", row=2)
    figure.update_layout(bargap=0.05)
    return figure


def collapse_figure(result: Collapse, label: str) -> go.Figure:
    """Draw the output of two layers and of the best single layer."""
    figure = go.Figure()
    figure.add_scatter(
        x=result.x,
        y=result.two_layers,
        name=f"two layers, {label}",
        line={"color": POSITIVE, "width": 4},
    )
    figure.add_scatter(
        x=result.x,
        y=result.one_layer,
        name="best single layer",
        line={"color": NEGATIVE, "width": 2, "dash": "dash"},
    )
    return framed(figure, height=320, x="input x", y="output", legend=True)


def loss_curves_figure(p_right: float) -> go.Figure:
    """Draw both losses over the probability of the right class, for two classes.

    Parameters
    ----------
    p_right : float, 0 to 1
        The position of the marker.
    """
    p = np.linspace(0.002, 1, 250)
    figure = go.Figure()
    figure.add_scatter(
        x=p, y=-np.log(p), name="cross-entropy, −log p", line={"color": POSITIVE, "width": 3}
    )
    figure.add_scatter(
        x=p,
        y=(1 - p) ** 2,
        name="squared error, (1 − p)²",
        line={"color": NEGATIVE, "width": 3, "dash": "dash"},
    )
    at = max(p_right, 1e-9)  # log 0 is not on the axis
    figure.add_scatter(
        x=[at, at],
        y=[-np.log(at), (1 - at) ** 2],
        name="your logits",
        mode="markers",
        marker={"size": 12, "color": [POSITIVE, NEGATIVE]},
        showlegend=False,
    )
    return framed(figure, height=320, x="probability p of the right class", y="loss", legend=True)
