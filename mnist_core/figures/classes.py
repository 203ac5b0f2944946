"""Figures over the ten classes: probabilities, counts, confusion, gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_core.common.formatting import counted
from mnist_core.figures.style import (
    CLASS_COLOURS,
    LABEL,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    SHARE_SCALE,
    framed,
    ground_colour,
    ink_colour,
)

__all__ = [
    "confidence_bars",
    "confusion_chart",
    "counts_figure",
    "gradient_figure",
    "logits_and_probabilities",
    "softmax_figure",
]

_MISTAKE_TO_RIGHT = ["rgba(224,112,26,0.95)", "rgba(139,146,156,0.03)", "rgba(47,116,208,0.75)"]
_TITLE = {
    "top": 4,
    "padding": 0,
    "textStyle": {
        "fontSize": 13,
        "color": LABEL,
        "fontWeight": "normal",
        "fontFamily": "sans-serif",
    },
}
_MUTED = "66"  # hexadecimal alpha (40 %) of the bars of the other classes


def confidence_bars(
    p: np.ndarray, class_names: Sequence[str], right: int | None = None
) -> dict[str, Any]:
    """Return ECharts options for ten bars of probability.

    Parameters
    ----------
    p : (10,) float, 0 to 1
    right : int or None
        The true class, marked with a check mark.
    """
    names = [f"{name} ✓" if i == right else str(name) for i, name in enumerate(class_names)]
    predicted = int(np.argmax(p))
    data = [
        {
            "value": round(float(value) * 100, 2) if np.isfinite(value) else None,
            "itemStyle": {
                "color": CLASS_COLOURS[i] if i == predicted else f"{CLASS_COLOURS[i]}{_MUTED}",
                "borderRadius": [0, 4, 4, 0],
            },
        }
        for i, value in enumerate(p)
    ]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 56, "top": 4, "bottom": 24, "containLabel": True},
        "xAxis": {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value} %"}},
        "yAxis": {"type": "category", "data": names, "inverse": True, "axisTick": {"show": False}},
        "series": [
            {
                "type": "bar",
                "data": data,
                "barCategoryGap": "25%",
                "label": {
                    "show": True,
                    "position": "right",
                    "formatter": "{c} %",
                    "color": LABEL,
                    "textBorderWidth": 0,
                },
            }
        ],
        "tooltip": {"trigger": "axis"},
    }


def logits_and_probabilities(
    z: np.ndarray, p: np.ndarray, class_names: Sequence[str], right: int
) -> dict[str, Any]:
    """Return ECharts options for ten logits and, beside them, their ten probabilities.

    Parameters
    ----------
    z : (10,) float
    p : (10,) float, 0 to 1
    right : int
        The true class, marked with a check mark.
    """
    bars = confidence_bars(p, class_names, right)
    reach = max(10.0, float(np.abs(z).max()))
    logits = [
        {
            "value": round(float(value), 2),
            "itemStyle": {"color": POSITIVE if value >= 0 else NEGATIVE},
            "label": {"position": "right" if value >= 0 else "left"},
        }
        for value in z
    ]
    labels = 16 + 7 * max(len(name) for name in bars["yAxis"]["data"])  # pixels
    label = {"show": True, "formatter": "{c}", "color": LABEL, "textBorderWidth": 0}
    right_side = {**bars["series"][0], "xAxisIndex": 1, "yAxisIndex": 1}
    hidden = {**bars["yAxis"], "gridIndex": 1, "axisLabel": {"show": False}}
    limits = {"type": "value", "min": -1.5 * reach, "max": 1.5 * reach, "show": False}
    return {
        "animation": False,
        "title": [
            {"text": "logits z", "left": labels, **_TITLE},
            {"text": "softmax: probabilities p", "left": "54%", **_TITLE},
        ],
        "grid": [
            {"left": labels, "right": "50%", "top": 24, "bottom": 4},
            {"left": "54%", "right": 60, "top": 24, "bottom": 4},
        ],
        "xAxis": [limits, {"type": "value", "min": 0, "max": 100, "show": False, "gridIndex": 1}],
        "yAxis": [{**bars["yAxis"], "axisLine": {"show": False}}, hidden],
        "series": [
            {"type": "bar", "data": logits, "barCategoryGap": "25%", "label": label},
            right_side,
        ],
        "tooltip": {"trigger": "axis"},
    }


def softmax_figure(
    p: np.ndarray, class_names: Sequence[str], labels: np.ndarray, dark: bool = False
) -> go.Figure:
    """Draw the probabilities of a few samples as a heat map with a frame around the true class.

    Parameters
    ----------
    p : (N, 10) float32
    labels : (N,) int64
    dark : bool
        Whether the page is dark.
    """
    rows = [f"sample {i + 1}" for i in range(len(p))]
    figure = go.Figure(
        go.Heatmap(
            z=p,
            x=list(class_names),
            y=rows,
            zmin=0,
            zmax=1,
            colorscale=SHARE_SCALE,
            texttemplate="%{z:.2f}",
            textfont={"color": ink_colour(dark)},
            hovertemplate="%{y}, class %{x}: %{z:.4f}<extra></extra>",
            xgap=2,
            ygap=2,
            showscale=False,
        )
    )
    for row, label in enumerate(labels):
        figure.add_shape(
            type="rect",
            x0=label - 0.5,
            x1=label + 0.5,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"color": NEGATIVE, "width": 3},
        )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(type="category", showgrid=False)
    return framed(figure, height=90 + 48 * len(p), x="class (orange frame: the true one)")


def confusion_chart(
    confusion: np.ndarray,
    class_names: Sequence[str],
    predicted_names: Sequence[str],
    dark: bool = False,
    chosen: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Return ECharts options for a confusion matrix whose cells can be clicked.

    The counts are text. The colour is a cell's share of its row: blue on the diagonal, orange
    beside it, where the most frequent mistake has the full colour.

    Parameters
    ----------
    confusion : (10, 10) int64
        Row: true class. Column: predicted class.
    predicted_names : sequence of str
        The model's class names.
    dark : bool
        Whether the page is dark.
    chosen : (row, column) or None
        A cell with a frame.
    """
    diagonal = np.eye(len(confusion), dtype=bool)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    scale = max(float(share[~diagonal].max()), 1e-9)
    z = np.where(diagonal, share, -share / scale).round(4)
    cells = []
    for row, column in np.ndindex(confusion.shape):
        true, predicted, count = class_names[row], predicted_names[column], confusion[row, column]
        sentence = f"true {true}, predicted {predicted}: {counted(int(count), 'image')}"
        value = [column, row, float(z[row, column]), int(count), sentence]
        framed_cell = (row, column) == chosen
        style = {
            "borderColor": ink_colour(dark) if framed_cell else ground_colour(dark),
            "borderWidth": 3 if framed_cell else 1,
        }
        cells.append({"value": value, "itemStyle": style, "select": {"itemStyle": style}})
    return _matrix_of(cells, class_names, predicted_names, dark)


def _matrix_of(
    cells: list[dict[str, Any]],
    class_names: Sequence[str],
    predicted_names: Sequence[str],
    dark: bool,
) -> dict[str, Any]:
    """Return the ECharts options around the cells of a confusion matrix."""
    axis = {"type": "category", "axisTick": {"show": False}, "nameLocation": "middle"}
    long_names = max(map(len, predicted_names)) > 3
    return {
        "animation": False,
        "grid": {"left": 24, "right": 4, "top": 4, "bottom": 22, "containLabel": True},
        "xAxis": axis
        | {"data": list(predicted_names), "name": "predicted class"}
        | {"nameGap": 62 if long_names else 26}
        | {"axisLabel": {"interval": 0, "rotate": 40 if long_names else 0}},
        "yAxis": axis
        | {"data": list(class_names), "name": "true class", "inverse": True}
        | {"nameGap": 74 if long_names else 24, "axisLabel": {"interval": 0}},
        "visualMap": {
            "show": False,
            "min": -1,
            "max": 1,
            "dimension": 2,
            "inRange": {"color": _MISTAKE_TO_RIGHT},
        },
        "series": [
            {
                "type": "heatmap",
                "data": cells,
                "selectedMode": "single",
                "label": {"show": True, "formatter": "{@[3]}", "color": ink_colour(dark)},
                "emphasis": {"itemStyle": {"borderColor": ink_colour(dark), "borderWidth": 2}},
            }
        ],
        "tooltip": {"formatter": "{@[4]}"},
    }


def counts_figure(train: np.ndarray, test: np.ndarray, class_names: Sequence[str]) -> go.Figure:
    """Draw the number of images of each class: two (10,) arrays of counts."""
    figure = go.Figure()
    figure.add_bar(x=list(class_names), y=train, name="training", marker_color=POSITIVE)
    figure.add_bar(x=list(class_names), y=test, name="test", marker_color=NEGATIVE)
    figure.update_layout(barmode="group")
    figure.update_xaxes(type="category")
    return framed(figure, height=300, x="class", y="images", legend=True)


def gradient_figure(
    by_hand: np.ndarray, by_autograd: np.ndarray, class_names: Sequence[str]
) -> go.Figure:
    """Draw d loss / d logit of the ten classes, by hand as bars and by autograd as points."""
    classes = list(class_names)
    figure = go.Figure()
    figure.add_bar(
        x=classes,
        y=by_hand,
        name="by hand",
        marker_color=[POSITIVE if g >= 0 else NEGATIVE for g in by_hand],
    )
    figure.add_scatter(
        x=classes,
        y=by_autograd,
        name="autograd",
        mode="markers",
        marker={"symbol": "x", "size": 10, "color": NEUTRAL},
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(exponentformat="power")
    return framed(figure, height=300, x="class", y="d loss / d logit", legend=True)
