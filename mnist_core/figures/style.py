"""The colours of all figures: one for each class, and a blue-orange scale for signed numbers."""

from __future__ import annotations

import numpy as np
import pandas  # noqa: F401  or Plotly may find it in sys.modules half imported by another thread
import plotly.graph_objects as go

__all__ = [
    "CLASS_COLOURS",
    "LABEL",
    "NEGATIVE",
    "NEUTRAL",
    "POSITIVE",
    "SHARE_SCALE",
    "SIGNED_SCALE",
    "framed",
    "ground_colour",
    "ink_colour",
    "signed_colour",
    "signed_rgb",
]

CLASS_COLOURS = (
    "#4e79a7",
    "#f28e2b",
    "#e15759",
    "#76b7b2",
    "#59a14f",
    "#d4ac1f",
    "#b07aa1",
    "#ff9da7",
    "#9c755f",
    "#8c8c94",
)
LABEL = "#7a818c"  # readable on a light and on a dark page
POSITIVE, NEGATIVE, NEUTRAL = "#2f74d0", "#e0701a", "#8b929c"
_POSITIVE_RGB, _NEGATIVE_RGB = np.array([47, 116, 208]), np.array([224, 112, 26])

# Zero is transparent and shows the page's background, light or dark.
SIGNED_SCALE = [
    [0.0, "rgba(224,112,26,1)"],
    [0.5, "rgba(139,146,156,0.06)"],
    [1.0, "rgba(47,116,208,1)"],
]
SHARE_SCALE = [[0.0, "rgba(47,116,208,0.03)"], [1.0, "rgba(47,116,208,1)"]]


def ground_colour(dark: bool) -> str:
    """Return the background colour of the page, as in ``.streamlit/config.toml``."""
    return "#12161c" if dark else "#fffefb"


def ink_colour(dark: bool) -> str:
    """Return the colour of text on a figure with a transparent background."""
    return "#eceff4" if dark else "#1d2430"


def signed_colour(value: float, largest: float) -> str:
    """Return blue for a positive value, orange for a negative one, fainter near 0 (CSS rgba)."""
    strength = 0.15 + 0.85 * min(1.0, abs(value) / largest) if largest else 0.15
    r, g, b = _POSITIVE_RGB if value >= 0 else _NEGATIVE_RGB
    return f"rgba({r},{g},{b},{strength:.2f})"


def signed_rgb(values: np.ndarray, largest: float) -> np.ndarray:
    """Colour signed numbers for a picture, white at zero: (H, W) float -> (H, W, 3) uint8."""
    strength = (np.abs(values) / largest).clip(0, 1)[..., None] if largest else 0.0
    colour = np.where(values[..., None] >= 0, _POSITIVE_RGB, _NEGATIVE_RGB)
    return np.rint(255 + (colour - 255) * strength).astype(np.uint8)


def framed(
    figure: go.Figure,
    *,
    height: int,
    x: str = "",
    y: str = "",
    legend: bool = False,
) -> go.Figure:
    """Set a figure's margins, transparent background, axis titles and height in pixels.

    Plotly leaves out points of a line that it takes for invisible; a curve then has corners, and
    SiLU looks like ReLU. So all points are drawn.
    """
    figure.update_traces(line_simplify=False, selector={"type": "scatter"})
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30 if legend else 10, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"align": "left"},
        dragmode=False,
    )
    figure.update_xaxes(title_text=x, automargin=True)
    figure.update_yaxes(title_text=y, automargin=True)
    return figure
