"""Softmax as it is written, which overflows, beside softmax as it is computed."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.concepts.losses import naive_softmax, stable_softmax
from pages.parts.shell import texts
from pages.parts.widgets import code_box, elements

__all__ = ["show"]


def show(z: np.ndarray, label: int) -> None:
    """Show the right class's probability in both ways, with a number added to all logits.

    Parameters
    ----------
    z : (10,) float32
    label : int, 0 to 9
    """
    texts.show("loss", "overflow")
    shift = st.slider(
        "Add this to all ten logits", 0, 200, 0, 5, key="loss_shift", persist_state="session"
    )
    shifted = z + np.float32(shift)
    naive, stable = naive_softmax(shifted), stable_softmax(shifted)
    st.caption("Probability of the right class:")
    probabilities = {
        "as written": f"{naive[label]:.6f}",
        "largest logit subtracted first": f"{stable[label]:.6f}",
    }
    elements.numbers(probabilities, width=240)
    with st.container(key="loss_overflow"):
        if np.isfinite(naive).all():
            st.info("Both work. Add 100 or more.")
        else:
            st.warning("As written, it has overflowed: some of the ten are not a number any more.")
    code_box.code(naive_softmax, stable_softmax)
