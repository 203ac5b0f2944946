from collections.abc import Iterable

import streamlit as st

from mnist_core.concepts import losses
from mnist_core.figures.classes import gradient_figure, logits_and_probabilities
from mnist_core.figures.concepts import loss_curves_figure
from pages.parts.concepts import loss_editor, overflow_panel
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box, elements, questions_panel

WAYS = {
    "cross-entropy": (losses.cross_entropy_in_torch, losses.cross_entropy_in_numpy),
    "squared error": (losses.squared_error_in_torch, losses.squared_error_in_numpy),
}

frame.header("loss")

top = st.container(horizontal=True)
left, right = st.columns(2, gap="medium")
z, label, names = loss_editor.logits_and_label(top, left)
kind = elements.pick("Loss", WAYS, "loss_kind", "cross-entropy")
result = losses.loss_of(kind, z, label)
right.echarts_chart(
    logits_and_probabilities(z, result.p, names, label),
    height=250,
    key="loss_probabilities",
    alt=f"Ten logits, ten probabilities; the right class {names[label]} has {result.p[label]:.1%}.",
)
values = {
    "Loss, by PyTorch": f"{result.in_torch:.6f}",
    "Loss, by NumPy": f"{result.in_numpy:.6f}",
}
if kind == "cross-entropy":
    values["Loss, in two parts"] = f"{result.in_two_parts:.6f}"
elements.numbers(values, width=200)
elements.check(result.check, "loss_check", "Loss and gradient, PyTorch and NumPy")
questions_panel.ask("loss_guess")
texts.show("loss", "softmax" if kind == "cross-entropy" else "squared")
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
code_box.code(*WAYS[kind], title="The code that ran", folded=True)

if kind == "cross-entropy":
    texts.show("loss", "gradient")
else:
    st.header("The gradient, through softmax", anchor=False)
st.plotly_chart(
    gradient_figure(result.by_hand, result.by_autograd, names),
    key="loss_gradient",
    config=elements.STILL,
)
texts.show("loss", "graph")

questions_panel.ask("loss_tenth")
texts.show("loss", "curves")
st.plotly_chart(
    loss_curves_figure(float(result.p[label])), key="loss_curves", config=elements.STILL
)

questions_panel.ask("loss_add")
with st.expander("How it is really computed: log-sum-exp", icon=":material/functions:"):
    overflow_panel.show(z, label)
st.page_link(
    "pages/network.py",
    label="How a network comes to its logits: open one up",
    icon=":material/zoom_in:",
)
frame.footer("loss")
