from collections.abc import Iterable

import numpy as np
import streamlit as st

from mnist_core.concepts import losses
from mnist_core.figures.classes import confidence_bars, gradient_figure
from mnist_core.figures.concepts import loss_curves_figure
from pages.parts.concepts import loss_editor
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box, elements, questions_panel

WAYS = {
    "cross-entropy": (losses.cross_entropy_in_torch, losses.cross_entropy_in_numpy),
    "squared error": (losses.squared_error_in_torch, losses.squared_error_in_numpy),
}

frame.header("loss")

questions_panel.ask("loss_guess")
texts.show("loss", "logits")
z, label, names = loss_editor.logits_and_label()
st.page_link(
    "pages/model.py",
    label="How a network comes to its logits: open one up",
    icon=":material/zoom_in:",
)
kind = elements.pick("Loss", WAYS, "loss_kind", "cross-entropy")
result = losses.loss_of(kind, z, label)

left, right = st.columns([3, 2])
with left:
    st.markdown("**softmax: the ten probabilities** (✓ the right class)")
    st.echarts_chart(
        confidence_bars(result.p, names, label),
        height=330,
        key="loss_probabilities",
        alt=f"Ten probabilities; the right class {names[label]} has {result.p[label]:.1%}.",
    )
with right:
    texts.show("loss", "softmax" if kind == "cross-entropy" else "squared")
values = {
    "Loss, by PyTorch": f"{result.in_torch:.6f}",
    "Loss, by NumPy": f"{result.in_numpy:.6f}",
}
if kind == "cross-entropy":
    values["Loss, in two parts"] = f"{result.in_two_parts:.6f}"
elements.numbers(values, width=200)
elements.check(result.check, "loss_check", "Loss and gradient, PyTorch and NumPy")
with st.expander("All ten classes, number by number"):
    columns: dict[str, Iterable[object]] = {
        "class": [f"{c} ✓" if i == label else c for i, c in enumerate(names)],
        "logit z": z,
        "log-softmax": result.log_p,
        "softmax p": result.p,
        "gradient by hand": result.by_hand,
        "by autograd": result.by_autograd,
    }
    elements.table(**columns)
if kind == "cross-entropy":
    texts.show("loss", "parts")
code_box.code(*WAYS[kind])

if kind == "cross-entropy":
    texts.show("loss", "gradient")
else:
    st.header("The gradient, through softmax", anchor=False)
st.plotly_chart(
    gradient_figure(result.by_hand, result.by_autograd, names),
    key="loss_gradient",
    config=elements.STILL,
)

questions_panel.ask("loss_tenth")
texts.show("loss", "curves")
st.plotly_chart(
    loss_curves_figure(float(result.p[label])), key="loss_curves", config=elements.STILL
)

texts.show("loss", "overflow")
shift = st.slider(
    "Add this to all ten logits", 0, 200, 0, 5, key="loss_shift", persist_state="session"
)
shifted = z + np.float32(shift)
naive, stable = losses.naive_softmax(shifted), losses.stable_softmax(shifted)
st.caption("Probability of the right class:")
elements.numbers(
    {"as written": f"{naive[label]:.6f}", "largest logit subtracted first": f"{stable[label]:.6f}"},
    width=240,
)
with st.container(key="loss_overflow"):
    if np.isfinite(naive).all():
        st.info("Both work. Add 100 or more.")
    else:
        st.warning("As written, it has overflowed: some of the ten are not a number any more.")
code_box.code(losses.naive_softmax, losses.stable_softmax)
frame.footer("loss")
