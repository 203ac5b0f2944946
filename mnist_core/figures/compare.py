"""Several runs in one chart, the two engines of a race, and predictions during training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_core.figures.style import CLASS_COLOURS, LABEL, NEGATIVE, NEUTRAL, POSITIVE, framed
from mnist_core.figures.training import log_loss_axis, streamed, thinned

__all__ = [
    "RunCurve",
    "compare_figure",
    "confidence_figure",
    "lanes_chart",
    "race_figure",
    "race_stream",
]

_MATTERS = 0.08  # a class that never reaches this probability is left out
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True, slots=True)
class RunCurve:
    """The loss of a run.

    Attributes
    ----------
    name : str
    steps, seconds, loss : (N,) float
        Steps and seconds of training so far, and the loss, after each step.
    """

    name: str
    steps: np.ndarray
    seconds: np.ndarray
    loss: np.ndarray


def compare_figure(curves: list[RunCurve], by_time: bool, log_axis: bool) -> go.Figure:
    """Draw the loss of several runs by step or by seconds, each with a colour and a dash."""
    figure, seen = go.Figure(), [np.empty(0)]
    for i, curve in enumerate(curves):
        chosen = thinned(len(curve.loss), 1_000)
        seen.append(curve.loss[chosen])
        figure.add_scatter(
            x=(curve.seconds if by_time else curve.steps)[chosen],
            y=curve.loss[chosen],
            name=curve.name,
            mode="lines",
            line={
                "color": CLASS_COLOURS[i % len(CLASS_COLOURS)],
                "dash": _DASHES[i % len(_DASHES)],
                "width": 2.5,
            },
        )
    figure = framed(figure, height=440, x="seconds of training" if by_time else "step", legend=True)
    figure.update_layout(
        yaxis=log_loss_axis(np.concatenate(seen)) if log_axis else {},
        yaxis_title="loss, mean of 100 steps",
        showlegend=True,
        legend={"orientation": "v", "y": -0.22, "yanchor": "top", "x": 0},
        dragmode="zoom",
        xaxis_tickformat=",",
    )
    return figure


_LANES = (("PyTorch", POSITIVE), ("NumPy", NEGATIVE))


def race_stream(
    torch_loss: np.ndarray, numpy_loss: np.ndarray, total_steps: int, log_axis: bool
) -> dict[str, Any]:
    """Return ECharts options for the running losses of the two engines in a race."""
    curves = dict(zip((name for name, _ in _LANES), (torch_loss, numpy_loss), strict=True))
    options = streamed(curves, total_steps, log_axis, [colour for _, colour in _LANES])
    options["series"][0]["lineStyle"]["width"] = 6  # both lines show where they coincide
    options["series"][0]["lineStyle"]["opacity"] = 0.45
    return options


def lanes_chart(
    steps: tuple[int, int], step_s: tuple[float, float], total_steps: int
) -> dict[str, Any]:
    """Return ECharts options for the two lanes of a race, PyTorch above NumPy.

    Parameters
    ----------
    steps : (int, int)
        How far each engine is.
    step_s : (float, float)
        Seconds of computing for a step; 0 if not known yet.
    total_steps : int
        The finish.
    """
    bars = []
    for (_name, colour), step, seconds in zip(_LANES, steps, step_s, strict=True):
        time = f", {1e6 * seconds:,.0f} µs a step" if seconds else ""
        text = f"step {step:,}{time}{' 🏁' if step >= total_steps else ''}"
        inside = step > total_steps / 2
        label: dict[str, Any] = {"position": "insideRight" if inside else "right"}
        label |= {"formatter": text, "show": True, "textBorderWidth": 0}
        label["color"] = "#ffffff" if inside else LABEL
        bars.append({"value": step, "itemStyle": {"color": colour}, "label": label})
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 4, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "min": 0, "max": total_steps, "splitNumber": 3},
        "yAxis": {
            "type": "category",
            "data": [name for name, _ in _LANES],
            "inverse": True,
            "axisTick": {"show": False},
        },
        "series": [
            {
                "type": "bar",
                "data": bars,
                "barCategoryGap": "20%",
                "showBackground": True,
                "backgroundStyle": {"color": f"{NEUTRAL}22"},
            }
        ],
    }


def race_figure(differences: np.ndarray) -> go.Figure:
    """Draw the largest difference between two loss curves up to each step: (N,) float32."""
    chosen = thinned(len(differences), 1_000)
    so_far = np.maximum.accumulate(differences)[chosen] if len(differences) else differences
    figure = go.Figure(go.Scatter(x=chosen + 1, y=so_far, line={"color": POSITIVE, "width": 2.5}))
    figure = framed(figure, height=260, x="step", y="largest difference so far")
    figure.update_xaxes(tickformat=",")
    figure.update_yaxes(exponentformat="e", rangemode="tozero")
    return figure


def confidence_figure(
    steps: Sequence[int], p: np.ndarray, class_names: Sequence[str], now: int
) -> go.Figure:
    """Draw the probability of each class during training, with a line at the step ``now``.

    Parameters
    ----------
    steps : sequence of M int
        Drawn at equal distances, whatever lies between them.
    p : (M, 10) float32
        The probabilities at each of these steps. Classes that stay below 8 % are left out.
    """
    figure, places = go.Figure(), list(range(len(steps)))
    for label in np.flatnonzero(p.max(axis=0) >= _MATTERS).tolist():
        figure.add_scatter(
            x=places,
            y=100 * p[:, label],
            name=class_names[label],
            mode="lines",
            line={"color": CLASS_COLOURS[label], "dash": _DASHES[label % len(_DASHES)]},
            hovertemplate="%{y:.1f} %",
        )
    figure.add_vline(x=list(steps).index(now), line={"color": NEUTRAL, "width": 2, "dash": "dot"})
    figure = framed(figure, height=300, x="step", y="confidence, %", legend=True)
    shown = places[:: max(1, len(places) // 8)]
    figure.update_xaxes(tickvals=shown, ticktext=[f"{steps[i]:,}" for i in shown])
    figure.update_yaxes(range=[0, 103])
    return figure
