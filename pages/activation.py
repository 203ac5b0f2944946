import numpy as np
import streamlit as st

from mnist_core.concepts.activations import ACTIVATIONS, collapse, curve
from mnist_core.figures.concepts import activation_figure, collapse_figure
from pages.parts.concepts import own_values_panel
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box, elements, questions_panel

RANGE = 6.0
NOTES = {"GELU": "gelu", "softmax": "softmax"}

frame.header("activation")

name = st.pills(
    "Activation",
    list(ACTIVATIONS),
    default="ReLU",
    required=True,
    key="activation_name",
    persist_state="session",
    label_visibility="collapsed",
)
activation = ACTIVATIONS[name]
left, right = st.columns([3, 2], vertical_alignment="center")
with right:
    z = st.slider(
        "z, your point", -RANGE, RANGE, 1.0, 0.05, key="activation_z", persist_state="session"
    )
    at = curve(activation, np.array([z]))
    value, slope = float(at.value[0]), float(at.slope[0])
    elements.numbers({"Value f(z)": f"{value:.4f}", "Slope f′(z)": f"{slope:.4f}"}, width=140)
    st.latex(f"f(z) = {activation.formula}")
result = curve(activation, np.linspace(-RANGE, RANGE, 481))
left.plotly_chart(
    activation_figure(result, (z, value, slope)),
    key="activation_figure",
    config=elements.STILL,
    alt=f"{name} and its slope; at z = {z:.2f} the value is {value:.4f}, the slope {slope:.4f}.",
)
with st.container(key="activation_check"):
    elements.check(result.value_check, "activation_value_check", "Value, PyTorch and NumPy")
    elements.check(result.slope_check, "activation_slope_check", "Slope, autograd and by hand")
if name in NOTES:
    texts.show("activation", NOTES[name])
questions_panel.ask("activation_slope")
texts.show("activation", "curve")
code_box.code(activation.in_numpy, activation.slope, title="The code that ran", folded=True)
code_box.code(curve, title="The comparison with PyTorch", folded=True)

texts.show("activation", "between")
bend = elements.pick(
    "Between the two layers",
    ["nothing", *(n for n in ACTIVATIONS if n != "softmax")],
    "activation_between",
    "ReLU",
)
seed = elements.again("Fresh weights", "activation_fresh", "activation_collapse")
collapsed = collapse(ACTIVATIONS.get(bend), seed)
st.plotly_chart(
    collapse_figure(collapsed, "no activation" if bend == "nothing" else bend),
    key="activation_collapse",
    config=elements.STILL,
)
with st.container(key="activation_collapse_result"):
    if bend == "nothing":
        st.success(f"One layer does the same: the largest gap is {collapsed.largest_gap:.1e}.")
    else:
        gap = f"{collapsed.largest_gap:.3f}"
        st.info(f"No single layer does it: the best one is off by up to {gap}.")
questions_panel.ask("activation_line")
with st.expander("Why: multiply it out", icon=":material/functions:"):
    texts.show("activation", "why")
code_box.code(collapse, title="The code that ran", folded=True)
own_values_panel.show()
texts.show("activation", "choose")
frame.footer("activation")
