import streamlit as st

from mnist_core.common.comparison import compare
from mnist_core.concepts.linear import (
    apply_layer,
    fresh_layer,
    layer_in_numpy,
    layer_in_torch,
    lesson_in_numpy,
    lesson_in_torch,
)
from mnist_core.figures.concepts import layer_figure
from pages.parts.concepts import layer_editor
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box, elements, questions_panel

frame.header("layer")

texts.show("layer", "lesson")
questions_panel.ask("layer_double")
seed = elements.again("Fresh weights", "layer_lesson_fresh", "layer_lesson")
layer, in_torch = lesson_in_torch(seed)
in_numpy = lesson_in_numpy(layer)
check = compare(in_torch.detach(), in_numpy)
elements.numbers(
    {
        "PyTorch: layer(x)": f"{in_torch.item():.8f}",
        "NumPy: W.dot(x)": f"{in_numpy.item():.8f}",
        "Difference": f"{check.largest_difference:.2g}",
    }
)
elements.check(check, "layer_check")
st.markdown(f"$W$ = `{layer.weight.detach().numpy().round(4)}`, $x$ = `[1. 1. 1. 1.]`")
code_box.code(lesson_in_torch, lesson_in_numpy, fresh_layer)
with st.expander("Why “match” and not “equal”?"):
    texts.show("layer", "rounding")

questions_panel.ask("layer_parameters")
texts.show("layer", "free")
W, b, x = layer_editor.editable_layer()
try:
    result = apply_layer(W, b, x)
except ValueError as error:
    st.error(str(error))
else:
    st.plotly_chart(
        layer_figure(W, b, x, result.in_torch, elements.dark()),
        key="layer_figure",
        config=elements.STILL,
    )
    elements.check(result.check, "layer_free_check")
    layer_editor.show_shapes(W, b, x)
    code_box.code(layer_in_torch, layer_in_numpy, folded=True)
texts.show("layer", "shapes")
frame.footer("layer")
