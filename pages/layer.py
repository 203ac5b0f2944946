import streamlit as st

from mnist_core.concepts.linear import (
    apply_layer,
    check_lesson,
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

left, right = st.columns(2, vertical_alignment="center")
sums = st.container()  # above the sizes
W, b, x = layer_editor.editable_layer(left)
result = apply_layer(W, b, x)
right.plotly_chart(
    layer_figure(W, b, x, result.in_torch, elements.dark()),
    key="layer_figure",
    config=elements.STILL,
    alt=f"A layer of {len(x)} inputs and {len(W)} outputs; the sums below have its numbers.",
)
with sums:
    layer_editor.show_sums(W, b, x, result)
elements.check(result.check, "layer_free_check")
texts.show("layer", "free")
questions_panel.ask("layer_parameters")
layer_editor.show_shapes(W, b, x)
texts.show("layer", "shapes")
code_box.code(layer_in_torch, layer_in_numpy, folded=True)

texts.show("layer", "lesson")
seed = elements.again("Fresh weights", "layer_lesson_fresh", "layer_lesson")
layer, in_torch = lesson_in_torch(seed)
in_numpy = lesson_in_numpy(layer)
check = check_lesson(layer, in_torch, in_numpy)
elements.numbers(
    {
        "PyTorch: layer(x)": f"{in_torch.item():.8f}",
        "NumPy: W.dot(x)": f"{in_numpy.item():.8f}",
        "Difference": f"{check.largest_difference:.2g}",
    }
)
elements.check(check, "layer_check")
st.markdown(f"$W$ = `{layer.weight.detach().numpy().round(4)}`, $x$ = `[1. 1. 1. 1.]`")
questions_panel.ask("layer_double")
code_box.code(lesson_in_torch, lesson_in_numpy, fresh_layer)
with st.expander("Why “match” and not “equal”?"):
    texts.show("layer", "rounding")
frame.footer("layer")
