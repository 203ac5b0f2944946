import streamlit as st

from mnist_core.concepts import batching
from mnist_core.concepts.single_step import single_step
from mnist_core.concepts.step_tensors import step_in_torch, trace_step_in_numpy
from mnist_core.evaluation import metrics
from mnist_core.figures.classes import softmax_figure
from mnist_core.nn import architectures, numpy_network
from mnist_core.training import engine
from pages.parts.session import current_data, state
from pages.parts.session.choices import Choices
from pages.parts.session.visitor import visitor
from pages.parts.shell import frame, texts
from pages.parts.widgets import code_box, elements, questions_panel

BATCH_SIZE, SAMPLES = 32, 4

frame.header("model")
name = state.choose(
    st.segmented_control,
    "Architecture",
    list(architectures.ARCHITECTURES),
    visitor().choices.architecture,
    Choices.architecture.set,
    "model_architecture",
    required=True,
    format_func=lambda n: architectures.ARCHITECTURES[n].title,
)
architecture = architectures.ARCHITECTURES[name]
seed = state.counter("model")
model = architectures.build(name, seed)
left, right = st.columns(2, gap="large")
with left, st.container(key="model_parameters"):
    parameters = architectures.parameters_of(model)
    st.metric("Parameters", f"{architectures.count_parameters(model):,}")
    elements.table(
        tensor=[p.name for p in parameters],
        shape=[str(p.shape) for p in parameters],
        numbers=[p.count for p in parameters],
    )
with right, st.container(key="model_layers"):
    st.markdown(f"**{architecture.title}**: {architecture.summary}. As PyTorch prints it:")
    st.code(str(model), language=None)
texts.show("model", "choose")
texts.show("model", "parameters")
questions_panel.ask("model_hidden")

texts.show("model", "forward")
elements.again("Fresh weights and batch", "model_fresh", "model")
dataset = current_data.dataset()
images, labels = batching.random_images(
    dataset.train_images, dataset.train_labels, BATCH_SIZE, seed
)
p = metrics.probabilities(model, images[:SAMPLES])
st.plotly_chart(
    softmax_figure(p, dataset.class_names, labels[:SAMPLES], elements.dark()),
    key="model_softmax",
    config=elements.STILL,
)
questions_panel.ask("model_step")
texts.show("model", "step")
step = single_step(model, images, labels)
elements.numbers(
    {
        "Loss before": f"{step.loss_before:.6f}",
        "NumPy's loss before": f"{step.numpy_loss_before:.6f}",
        "Loss after": f"{step.loss_after:.6f}",
        "Change": f"{step.loss_after - step.loss_before:+.6f}",
    }
)
elements.check(step.check, "model_step_check", "All tensors of the step, PyTorch and NumPy")
with st.expander("The weights after the step: the largest difference in each tensor"):
    elements.table(
        tensor=list(step.checks),
        difference=[f"{check.largest_difference:.1e}" for check in step.checks.values()],
        **{"rounding explains": [f"{check.explained:.1e}" for check in step.checks.values()]},
    )
code_box.code(
    architecture.layers,
    metrics.probabilities,
    engine.training_step,
    step_in_torch,
    trace_step_in_numpy,
    numpy_network.cross_entropy,
    numpy_network.Linear.find_gradients,
    numpy_network.Layer.update,
    folded=True,
)
with st.expander("Two more predictions", icon=":material/psychology_alt:"):
    questions_panel.ask("model_softmax")
    questions_panel.ask("model_zero_grad")
texts.show("model", "inside")
frame.footer("model")
