"""Figures over the ten classes: probabilities, counts, confusion, gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_core.figures.style import (
    CLASS_COLOURS,
    LABEL,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    SHARE_SCALE,
    framed,
    ink_colour,
)

__all__ = [
    "confidence_bars",
    "confusion_figure",
    "counts_figure",
    "gradient_figure",
    "softmax_figure",
]

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


def confusion_figure(
    confusion: np.ndarray,
    class_names: Sequence[str],
    predicted_names: Sequence[str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw a confusion matrix: counts as text, coloured by their share of the row.

    Parameters
    ----------
    confusion : (10, 10) int64
        Row: true class. Column: predicted class.
    predicted_names : sequence of str or None
        The model's class names, where they differ from ``class_names``.
    dark : bool
        Whether the page is dark.
    """
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    mistakes = share * (1 - np.eye(len(confusion)))
    scale = max(float(mistakes.max()), 1e-9)
    z = np.where(np.eye(len(confusion), dtype=bool), share, -mistakes / scale)
    figure = go.Figure(
        go.Heatmap(
            z=z,
            x=list(predicted_names or class_names),
            y=list(class_names),
            zmin=-1,
            zmax=1,
            colorscale=[
                [0.0, "rgba(224,112,26,0.95)"],
                [0.5, "rgba(139,146,156,0.03)"],
                [1.0, "rgba(47,116,208,0.75)"],
            ],
            text=confusion,
            customdata=share,
            texttemplate="%{text}",
            textfont={"color": ink_colour(dark)},
            hovertemplate="true %{y}, predicted %{x}: %{text} images (%{customdata:.2%} of the row)"
            "<extra></extra>",
            xgap=2,
            ygap=2,
            showscale=False,
        )
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(type="category", showgrid=False)
    return framed(figure, height=480, x="predicted class", y="true class")


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
