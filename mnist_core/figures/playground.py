"""The playground's loss curves, as ECharts options that are cheap to redraw."""

from __future__ import annotations

from typing import Any

import numpy as np

from mnist_core.figures.style import LABEL, NEGATIVE, POSITIVE
from mnist_core.playground.results import LossCurves

__all__ = ["loss_chart"]


def loss_chart(curves: LossCurves) -> dict[str, Any]:
    """Return ECharts options for the training and test loss, without values that are not finite."""
    epoch = curves.epoch
    return {
        "animation": False,
        "grid": {"left": 56, "right": 16, "top": 30, "bottom": 40},
        "legend": {"top": 0, "right": 0, "textStyle": {"color": LABEL}},
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": max(10, int(epoch[-1])),
            "name": "epoch",
            "nameLocation": "middle",
            "nameGap": 24,
            "axisLabel": {"color": LABEL, "showMaxLabel": False},
            "nameTextStyle": {"color": LABEL},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "name": "loss",
            "axisLabel": {"color": LABEL},
            "nameTextStyle": {"color": LABEL},
            "splitNumber": 3,
        },
        "tooltip": {"trigger": "axis"},
        "series": [
            _line("training", epoch, curves.train_loss, POSITIVE, "solid"),
            _line("test", epoch, curves.test_loss, NEGATIVE, "dashed"),
        ],
    }


def _line(name: str, x: np.ndarray, y: np.ndarray, colour: str, dash: str) -> dict[str, Any]:
    finite = np.isfinite(y)
    points = zip(x[finite].tolist(), np.round(y[finite], 5).tolist(), strict=True)
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "data": [list(point) for point in points],
        "lineStyle": {"color": colour, "width": 2, "type": dash},
        "itemStyle": {"color": colour},
    }
