"""Small inputs for the figures, and what a figure sends to the browser."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from mnist_core.concepts.activations import ACTIVATIONS
from mnist_core.figures import compare
from mnist_core.lesson.milestones import LANES, Milestone
from mnist_core.training.history import running_mean

NAMES = tuple("0123456789")
RNG = np.random.default_rng(0)
P = np.array([0.02, 0.03, 0.6, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05], dtype=np.float32)
ROWS_P = RNG.dirichlet(np.ones(10), 4).astype(np.float32)
CONFUSION = RNG.integers(0, 50, (10, 10)) + 900 * np.eye(10, dtype=np.int64)
CONFUSION[6] = 0  # a class without an image
LOSSES = RNG.uniform(0.1, 3, 5_000).astype(np.float32)
MEAN = running_mean(LOSSES)
W = np.array([[1.0, -2.0, 0.5], [0.0, 4.0, -0.25]], dtype=np.float32)
B, X = np.array([0.5, -1], dtype=np.float32), np.array([1, 2, 3], dtype=np.float32)
Y = W @ X + B
TANH = ACTIVATIONS["tanh"]
Z = np.linspace(-6, 6, 101)
CURVES = [
    compare.RunCurve(f"Run {n}", np.arange(1, n + 1), np.arange(1, n + 1) / 1e3, MEAN[:n])
    for n in (5_000, 700)
]
MILESTONES = [
    Milestone(1943 + 10 * i, f"Title {i}", "Who", lane, "Sentence.", "Source", "")
    for i, lane in enumerate(LANES)
]


def as_json(figure):
    """Return what the browser gets: Plotly's own JSON, or strict JSON, as Streamlit demands it."""
    text = json.dumps(figure, allow_nan=False) if isinstance(figure, dict) else figure.to_json()
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in the JSON"))


def decoded(part):
    """Replace Plotly's base64 arrays by lists."""
    if isinstance(part, dict) and "bdata" in part:
        array = np.frombuffer(base64.b64decode(part["bdata"]), dtype=part["dtype"])
        if "shape" in part:
            array = array.reshape([int(n) for n in part["shape"].split(",")])
        return array.tolist()
    if isinstance(part, dict):
        return {key: decoded(value) for key, value in part.items()}
    return [decoded(value) for value in part] if isinstance(part, list) else part


def traces(figure):
    return decoded(as_json(figure))["data"]
