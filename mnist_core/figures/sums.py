"""A sum as a figure: each bar begins where the one above it ended, the last one is the result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mnist_core.figures.style import LABEL, NEGATIVE, NEUTRAL, POSITIVE, framed

__all__ = ["waterfall"]


def waterfall(
    names: Sequence[str], values: Sequence[float], texts: Sequence[str], hover: str, height: int
) -> go.Figure:
    """Draw a sum.

    Parameters
    ----------
    names, values, texts : sequences of one length
        The terms and then their sum: what each is called, and how its number is written.
    hover : str
        Plotly's template for the pointer.
    height : int
        Pixels.
    """
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=list(names),
            x=list(values),
            measure=["relative"] * (len(values) - 1) + ["total"],
            text=list(texts),
            textposition="outside",
            textfont={"color": LABEL},
            cliponaxis=False,
            increasing={"marker": {"color": POSITIVE}},
            decreasing={"marker": {"color": NEGATIVE}},
            totals={"marker": {"color": NEUTRAL}},
            connector={"line": {"color": NEUTRAL, "width": 1}},
            hovertemplate=hover,
        )
    )
    ends = np.cumsum([0, *values[:-1]])
    low, high = float(ends.min()), float(ends.max())
    room = 0.3 * (high - low or 1)  # for the numbers beside the bars, on a phone too
    figure.update_xaxes(range=[low - room, high + room], zeroline=True, zerolinecolor=NEUTRAL)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return framed(figure, height=height)
