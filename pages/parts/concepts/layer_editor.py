"""The controls of the layer page: sizes, fresh weights, and tables to edit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.concepts.linear import fresh_layer
from pages.parts.session import state
from pages.parts.widgets import elements

__all__ = ["editable_layer", "show_shapes"]

MOST_INPUTS, MOST_OUTPUTS = 8, 6


def editable_layer() -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Show sizes, a bias switch and tables; return W (n_out, n_in), b (n_out,) or None, x."""
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    n_in = left.slider("Inputs", 1, MOST_INPUTS, 3, key="layer_inputs", persist_state="session")
    n_out = middle.slider(
        "Outputs", 1, MOST_OUTPUTS, 2, key="layer_outputs", persist_state="session"
    )
    with right:
        bias = st.toggle("Bias b", value=True, key="layer_bias", persist_state="session")
        seed = elements.again("Fresh weights", "layer_free_fresh", "layer_free")
    layer = fresh_layer(n_in, n_out, bias, seed)
    version = f"{n_in}x{n_out}-{seed}"  # a new version starts a new table
    x_names = [f"x{i + 1}" for i in range(n_in)]
    y_names = [f"y{o + 1}" for o in range(n_out)]
    if n_in > 5:  # W takes the whole width
        weights, (biases, inputs) = st.container(), st.columns(2)
    else:
        weights, biases, inputs = st.columns([max(2, n_in), 1.4, 1.4])
    W = _table(weights, "W", layer.weight.detach().numpy(), y_names, x_names, f"W-{version}")
    x = _table(inputs, "x", np.ones((n_in, 1), np.float32), x_names, ["x"], f"x-{n_in}")[:, 0]
    if layer.bias is None:
        return W, None, x
    b = _table(biases, "b", layer.bias.detach().numpy()[:, None], y_names, ["b"], f"b-{version}")
    return W, b[:, 0], x


def _table(
    place: st.delta_generator.DeltaGenerator,
    name: str,
    values: np.ndarray,
    rows: list[str],
    columns: list[str],
    version: str,
) -> np.ndarray:
    place.markdown(f"**{name}** · shape `{values.shape if name == 'W' else values.shape[:1]}`")
    key = f"layer_table_{version}"
    base = state.base_of(key, values)
    edited = place.data_editor(
        pd.DataFrame(base, index=rows, columns=columns),
        column_config={c: st.column_config.NumberColumn(c, format="%.3f") for c in columns},
        key=key,
        alt=f"The numbers of {name}, to edit",
    )
    numbers = edited.to_numpy(dtype=np.float32)
    state.store(key, numbers)
    return numbers


def show_shapes(W: np.ndarray, b: np.ndarray | None, x: np.ndarray) -> None:
    """Show the shapes of W, x and y, and the number of parameters."""
    n_out, n_in = W.shape
    n_biases = 0 if b is None else n_out
    st.markdown(
        f"Shapes: $W$ `({n_out}, {n_in})` · $x$ `({len(x)},)` → $y$ `({n_out},)`. "
        f"Parameters: {n_out} × {n_in} weights + {n_biases} biases = **{W.size + n_biases}**."
    )
