"""The loss and the accuracy of a run: one chart (ECharts) while it trains and afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mnist_core.figures.style import LABEL, NEGATIVE, NEUTRAL, POSITIVE

__all__ = ["log_loss_axis", "loss_chart", "streamed", "thinned"]

MOST_POINTS = 500
_FEW_POINTS = 20  # fewer are drawn as points too: a single point makes no line


def thinned(n: int, most: int = MOST_POINTS) -> np.ndarray:
    """Return at most ``most`` indices evenly spread over 0 to n - 1, with both ends: int64."""
    if n <= most:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, most).round().astype(np.int64))


Rates = Sequence[tuple[int, float]]


def loss_chart(
    mean_loss: np.ndarray,
    total_steps: int,
    log_axis: bool,
    new_rates: Rates = (),
    accuracies: Sequence[tuple[int, float, float]] = (),
    ended: bool = False,
    sentence: str = "",
) -> dict[str, Any]:
    """Return ECharts options for the loss and the accuracy of a run: no animation.

    The options differ little while the run goes on and when it has ended, so nothing jumps.

    Parameters
    ----------
    mean_loss : (step,) float64
        The loss so far, averaged over the last 100 steps; at most 500 points of it are drawn.
    total_steps : int
        The length of the whole run. The axis is fixed to it, except in the first hundredth of the
        run, where it is shorter.
    log_axis : bool
    new_rates : sequence of (step, rate)
        The steps at which the learning rate was changed; they are marked.
    accuracies : sequence of (step, test, train)
        Accuracy after each epoch, 0 to 1; the right axis shows it in percent.
    ended : bool
        Whether the run takes no more steps: a slider below the chart then zooms into it.
    sentence : str
        What will be drawn here; it stands in the empty chart.
    """
    options = streamed({"loss": mean_loss}, total_steps, log_axis, [POSITIVE], new_rates)
    options["grid"] |= {"top": 36, "bottom": 40}  # room for the legend and the slider
    options["yAxis"] = [options["yAxis"], _accuracy_axis(accuracies)]
    options["series"] += [
        _accuracy_line("test accuracy, %", [(a[0], a[1]) for a in accuracies], NEGATIVE, "diamond"),
        _accuracy_line(
            "training accuracy, %", [(a[0], a[2]) for a in accuracies], NEUTRAL, "circle"
        ),
    ]
    options["legend"] = {"show": True, "top": 0, "itemGap": 12, "itemWidth": 18}
    if ended:
        options["dataZoom"] = [{"type": "slider", "height": 22, "bottom": 6, "filterMode": "none"}]
    if sentence:
        style = {"text": sentence, "fill": LABEL, "fontSize": 15, "lineHeight": 22}
        options["graphic"] = {"type": "text", "left": "center", "top": "40%", "style": style}
    return options


def _accuracy_axis(accuracies: Sequence[tuple[int, float, float]]) -> dict[str, Any]:
    """Return the right axis, from the next lower multiple of 10 % to 100 %: it rarely changes."""
    lowest = min((share for _, *shares in accuracies for share in shares), default=0.0)
    return {
        "type": "value",
        "min": 10 * int(min(9.0, 10 * lowest)),
        "max": 100,
        "splitLine": {"show": False},
        "axisLabel": {"formatter": "{value} %"},
    }


def _accuracy_line(
    name: str, points: Sequence[tuple[int, float]], colour: str, symbol: str
) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "yAxisIndex": 1,
        "data": [[step, float(f"{100 * share:.2f}")] for step, share in points],
        "symbol": symbol,
        "symbolSize": 8,
        "showSymbol": len(points) < _FEW_POINTS,
        "lineStyle": {"width": 1.5, "color": colour, "type": "dashed"},
        "itemStyle": {"color": colour},
    }


def streamed(
    curves: dict[str, np.ndarray],
    total_steps: int,
    log_axis: bool,
    colours: Sequence[str],
    new_rates: Rates = (),
) -> dict[str, Any]:
    """Return ECharts options for one or more curves that grow; see `loss_chart`."""
    step = max(len(curve) for curve in curves.values())
    early = 0 < step < total_steps / 100  # or the first steps would be a speck at the left edge
    series = [
        _streamed_line(name, curve, colour)
        for (name, curve), colour in zip(curves.items(), colours, strict=True)
    ]
    if new_rates:
        series[0]["markLine"] = _rate_marks(new_rates)
    chosen = np.array([y for one in series for _, y in one["data"]])
    return {
        "animation": False,
        "grid": {"left": 6, "right": 12, "top": 32, "bottom": 6},  # around the axes' labels, too
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
        "lineStyle": {"color": NEUTRAL, "type": "dashed", "width": 1.5},
        "label": {"color": LABEL, "formatter": "{b}"},
        "data": [{"xAxis": step, "name": f"rate {rate:g}"} for step, rate in new_rates],
    }


def _stream_y_axis(visible: np.ndarray, log_axis: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "type": "log" if log_axis else "value",
        "name": "loss",
        "nameLocation": "middle",
        "nameGap": 32,
        "scale": True,
        "axisLabel": {"showMinLabel": True, "showMaxLabel": True},
    }
    if log_axis:
        low, high = (visible.min(), visible.max()) if len(visible) else (0.1, 2.5)
        axis |= {"min": _nice(float(low), down=True), "max": _nice(float(high))}
    return axis


def _nice(value: float, down: bool = False) -> float:
    """Round a positive number up (or down) to one digit, so that the axis rarely changes."""
    value = max(value, 1e-6)
    unit = 10.0 ** np.floor(np.log10(value))
    rounded = (np.floor(value / unit) if down else np.ceil(value / unit)) * unit
    return float(f"{rounded:.1g}")  # 0.3, not 0.30000000000000004, on the axis


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
