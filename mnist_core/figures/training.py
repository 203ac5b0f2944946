"""The loss of a run: while it trains (ECharts) and when it has stopped (Plotly, to zoom)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_core.figures.style import LABEL, NEGATIVE, NEUTRAL, POSITIVE, framed

__all__ = ["log_loss_axis", "loss_figure", "loss_stream", "streamed", "thinned"]

MOST_POINTS = 500
_FEW_POINTS = 20  # fewer are drawn as points too: a single point makes no line


def thinned(n: int, most: int = MOST_POINTS) -> np.ndarray:
    """Return at most ``most`` indices evenly spread over 0 to n - 1, with both ends: int64."""
    if n <= most:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, most).round().astype(np.int64))


Rates = Sequence[tuple[int, float]]


def loss_stream(
    mean_loss: np.ndarray, total_steps: int, log_axis: bool, new_rates: Rates = ()
) -> dict[str, Any]:
    """Return ECharts options for the loss of a run in training: at most 500 points, no animation.

    Parameters
    ----------
    mean_loss : (step,) float64
        The loss so far, averaged over the last 100 steps.
    total_steps : int
        The length of the whole run. The axis is fixed to it, except in the first hundredth of the
        run, where it is shorter.
    log_axis : bool
    new_rates : sequence of (step, rate)
        The steps at which the learning rate was changed; they are marked.
    """
    return streamed(
        {"mean of the last 100 steps": mean_loss}, total_steps, log_axis, [POSITIVE], new_rates
    )


def streamed(
    curves: dict[str, np.ndarray],
    total_steps: int,
    log_axis: bool,
    colours: Sequence[str],
    new_rates: Rates = (),
) -> dict[str, Any]:
    """Return ECharts options for one or more curves that grow; see `loss_stream`."""
    step = max(len(curve) for curve in curves.values())
    early = step < total_steps / 100  # or the first steps would be a speck at the left edge
    series = [
        _streamed_line(name, curve, colour)
        for (name, curve), colour in zip(curves.items(), colours, strict=True)
    ]
    if new_rates:
        series[0]["markLine"] = _rate_marks(new_rates)
    chosen = np.array([y for one in series for _, y in one["data"]])
    return {
        "animation": False,
        "grid": {"left": 64, "right": 20, "top": 32 if len(series) > 1 else 16, "bottom": 48},
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": min(total_steps, max(20, 2 * step)) if early else total_steps,
            "name": "step",
            "nameLocation": "middle",
            "nameGap": 28,
        },
        "yAxis": _stream_y_axis(chosen, log_axis),
        "series": series,
        "legend": {"show": len(series) > 1, "top": 0},
        "tooltip": {"trigger": "axis"},
    }


def _streamed_line(name: str, curve: np.ndarray, colour: str) -> dict[str, Any]:
    finite = np.flatnonzero(np.isfinite(curve))
    chosen = finite[thinned(len(finite))]
    points = [[int(i) + 1, float(f"{curve[i]:.5g}")] for i in chosen]
    return {
        "type": "line",
        "name": name,
        "data": points,
        "showSymbol": len(points) < _FEW_POINTS,
        "symbolSize": 7,
        "lineStyle": {"width": 2.5, "color": colour},
        "itemStyle": {"color": colour},
    }


def _rate_marks(new_rates: Rates) -> dict[str, Any]:
    return {
        "symbol": "none",
        "animation": False,
        "lineStyle": {"color": NEGATIVE, "type": "dashed", "width": 1.5},
        "label": {"color": LABEL, "formatter": "{b}"},
        "data": [{"xAxis": step, "name": f"rate {rate:g}"} for step, rate in new_rates],
    }


def _stream_y_axis(visible: np.ndarray, log_axis: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "type": "log" if log_axis else "value",
        "name": "loss",
        "nameLocation": "middle",
        "nameGap": 44,
        "scale": True,
        "axisLabel": {"showMinLabel": True, "showMaxLabel": True},
    }
    if log_axis and len(visible):
        axis["min"] = _nice(float(visible.min()), down=True)
        axis["max"] = _nice(float(visible.max()))
    return axis


def _nice(value: float, down: bool = False) -> float:
    """Round a positive number up (or down) to one digit, so that the axis rarely changes."""
    value = max(value, 1e-6)
    unit = 10.0 ** np.floor(np.log10(value))
    rounded = (np.floor(value / unit) if down else np.ceil(value / unit)) * unit
    return float(f"{rounded:.1g}")  # 0.3, not 0.30000000000000004, on the axis


def loss_figure(
    losses: np.ndarray,
    mean_loss: np.ndarray,
    accuracies: list[tuple[int, float]],
    log_axis: bool,
    new_rates: Rates = (),
) -> go.Figure:
    """Draw the loss of a run that is not training now, to zoom and hover.

    Parameters
    ----------
    losses, mean_loss : (step,) float
        The loss of each batch, and averaged over the last 100 steps.
    accuracies : list of (step, accuracy)
        Accuracy on the test set after each epoch; the right axis shows it in percent.
    new_rates : sequence of (step, rate)
        The steps at which the learning rate was changed; they are marked.
    """
    chosen = thinned(len(losses), 2_000)
    figure = go.Figure()
    figure.add_scatter(
        x=chosen + 1,
        y=losses[chosen],
        name="each batch",
        mode="lines",
        line={"color": NEUTRAL, "width": 1},
        opacity=0.35,
    )
    figure.add_scatter(
        x=chosen + 1,
        y=mean_loss[chosen],
        name="mean of the last 100 steps",
        line={"color": POSITIVE, "width": 3},
    )
    if accuracies:
        _add_accuracies(figure, accuracies)
    figure = framed(figure, height=420, x="step", legend=True)
    figure.update_layout(
        yaxis=log_loss_axis(losses[chosen]) if log_axis else {},
        yaxis_title="loss",
        xaxis_tickformat=",",
        dragmode="zoom",
        margin_t=64,  # the tool bar is above the legend
    )
    for step, rate in new_rates:
        figure.add_vline(
            x=step,
            line={"color": NEGATIVE, "dash": "dash", "width": 1.5},
            annotation={"text": f"rate {rate:g}", "font": {"color": LABEL}},
        )
    return figure


def _add_accuracies(figure: go.Figure, accuracies: list[tuple[int, float]]) -> None:
    figure.add_scatter(
        x=[step for step, _ in accuracies],
        y=[100 * accuracy for _, accuracy in accuracies],
        name="test accuracy, %",
        mode="lines+markers",
        yaxis="y2",
        line={"color": NEGATIVE, "width": 2, "dash": "dot"},
        marker={"size": 9, "symbol": "diamond"},
    )
    figure.update_layout(
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "title": "test accuracy, %",
            "showgrid": False,
            "tickmode": "auto",
        }
    )


def log_loss_axis(values: np.ndarray) -> dict[str, Any]:
    """Return a log axis with a few ticks, for a wide or a narrow range.

    Plotly's own labels shorten 0.5 and 0.2 to 5 and 2.
    """
    visible = values[np.isfinite(values) & (values > 0)]
    if not len(visible):
        return {"type": "log"}
    low, high = float(visible.min()), float(visible.max())
    decades = np.log10(high / low)
    if decades < 0.5:
        ticks = list(np.linspace(low, high, 5))
    else:
        digits = (1, 2, 5) if decades <= 3 else (1,)
        powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        ticks = ticks[:: max(1, round(len(ticks) / 9))]
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:.3g}" for tick in ticks]}
