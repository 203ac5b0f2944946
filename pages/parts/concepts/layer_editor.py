"""The controls of the layer page: sizes, fresh weights, and a field for each number."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.common.formatting import name_of
from mnist_core.concepts.linear import LayerResult, fresh_layer
from mnist_core.concepts.written_layer import number_of, sum_in_numbers, sum_in_symbols
from pages.parts.session import state
from pages.parts.widgets import elements

__all__ = ["editable_layer", "show_shapes", "show_sums"]

MOST_INPUTS, MOST_OUTPUTS = 8, 6


def editable_layer(
    place: st.delta_generator.DeltaGenerator,
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Show the numbers in a place and the sizes here; return W (n_out, n_in), b or None, x.

    b has shape (n_out,), x (n_in,); all are float32.
    """
    n_in, n_out, bias, seed = _sizes()
    layer = fresh_layer(n_in, n_out, bias, seed)
    version = f"{n_in}x{n_out}_{seed}"  # a new version starts with new weights
    row = [()] if n_out == 1 else [(o,) for o in range(n_out)]
    with place.container(key="layer_numbers", gap="xsmall"):
        with _row():
            x = [_field(name_of("x", i), 1.0, f"layer_x{i}") for i in range(n_in)]
        W, b = np.empty((n_out, n_in), np.float32), np.empty(n_out, np.float32)
        for o in range(n_out):
            with _row():
                for i, weight in enumerate(layer.weight[o].tolist()):
                    W[o, i] = _field(name_of("w", *row[o], i), weight, f"layer_w{o}{i}_{version}")
                if layer.bias is not None:
                    b[o] = _field(name_of("b", o), layer.bias[o].item(), f"layer_b{o}_{version}")
    return W, b if bias else None, np.array(x, np.float32)


def _sizes() -> tuple[int, int, bool, int]:
    """Show the sizes; return the numbers of inputs and outputs, whether it has a bias, the seed."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        n_in = st.slider(
            "Inputs", 1, MOST_INPUTS, 3, key="layer_inputs", persist_state="session", width=150
        )
        n_out = st.slider(
            "Outputs", 1, MOST_OUTPUTS, 1, key="layer_outputs", persist_state="session", width=150
        )
        bias = st.toggle("Bias b", value=True, key="layer_bias", persist_state="session")
        pressed = elements.again("Fresh weights", "layer_free_fresh", "layer_free")
    return n_in, n_out, bias, 5 + pressed  # the first layer has weights of both signs


def _row() -> st.delta_generator.DeltaGenerator:
    return st.container(horizontal=True, gap="xsmall")


def _field(name: str, fresh: float, key: str) -> float:
    """Show a field for one number; what is not a number is refused, and the last number stays."""
    start = f"{fresh:.3f}".rstrip("0").rstrip(".")
    text = st.text_input(
        name, start, max_chars=12, key=key, persist_state="session", width=78, autocomplete="off"
    )
    try:
        state.store(key, number_of(text, name))
    except ValueError as refused:
        used = state.stored(key, float(start))
        st.error(f"{refused} The layer goes on with {used:g}.", icon=":material/edit:")
        return used
    return state.stored(key, 0.0)


def show_sums(W: np.ndarray, b: np.ndarray | None, x: np.ndarray, result: LayerResult) -> None:
    """Write the sum of the first output in symbols, and the sum of every output in numbers."""
    n_out, n_in = W.shape
    with st.container(key="layer_sum", gap="xsmall"):
        st.markdown(sum_in_symbols(n_in, n_out, b is not None, 0))
        for o, y in enumerate(result.in_torch):
            bias = None if b is None else float(b[o])
            st.markdown(f"{name_of('y', o)} = {sum_in_numbers(W[o], bias, x, float(y))}")


def show_shapes(W: np.ndarray, b: np.ndarray | None, x: np.ndarray) -> None:
    """Show the shapes of W, x and y, and the number of parameters."""
    n_out, n_in = W.shape
    n_biases = 0 if b is None else n_out
    st.markdown(
        f"Shapes: $W$ `({n_out}, {n_in})` · $x$ `({len(x)},)` → $y$ `({n_out},)`. "
        f"Parameters: {n_out} × {n_in} weights + "
        f"{n_biases} bias{'' if n_biases == 1 else 'es'} = **{W.size + n_biases}**."
    )
