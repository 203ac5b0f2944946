import streamlit as st
from torch import nn

from mnist_core import engine, evaluation, loaders, models, numpy_engine
from mnist_core.figures.classes import softmax_figure
from mnist_core.single_step import single_step, step_in_numpy, step_in_torch
from pages.parts import caches, frame, open_panel, questions_panel, state, texts

BATCH_SIZE, SAMPLES = 32, 4

frame.header("model")

questions_panel.ask("model_hidden")
texts.show("model", "choose")
name = state.choose(
    st.segmented_control,
    "Architecture",
    list(models.ARCHITECTURES),
    state.architecture(),
    state.choose_architecture,
    "model_architecture",
    required=True,
    format_func=lambda n: models.ARCHITECTURES[n].title,
)
architecture = models.ARCHITECTURES[name]
seed = state.counter("model")
model = models.build(name, seed)
st.markdown(f"**{architecture.title}**: {architecture.summary}. As PyTorch prints it:")
st.code(str(model), language=None)
frame.code(architecture.layers)

parameters = models.parameters_of(model)
left, right = st.columns(2)
with left, st.container(key="model_parameters"):
    st.metric("Parameters", f"{models.count_parameters(model):,}")
    texts.show("model", "parameters")
    frame.table(
        tensor=[p.name for p in parameters],
        shape=[str(p.shape) for p in parameters],
        numbers=[p.count for p in parameters],
    )
with right:
    texts.show("model", "shapes")
    shapes = models.layer_shapes(model)
    frame.table(layer=[n for n, _ in shapes], output=[str(s) for _, s in shapes])

texts.show("model", "forward")
frame.again("Fresh weights and batch", "model_fresh", "model")
dataset = caches.current_dataset()
images, labels = loaders.random_images(dataset.train_images, dataset.train_labels, BATCH_SIZE, seed)
p = evaluation.probabilities(model, images[:SAMPLES])
st.plotly_chart(
    softmax_figure(p, dataset.class_names, labels[:SAMPLES], frame.dark()),
    key="model_softmax",
    config=frame.STILL,
)
frame.code(evaluation.probabilities, folded=True)

questions_panel.ask("model_step")
texts.show("model", "step")
step = single_step(model, images, labels)
frame.numbers(
    {
        "Loss before": f"{step.loss_before:.6f}",
        "NumPy's loss before": f"{step.numpy_loss_before:.6f}",
        "Loss after": f"{step.loss_after:.6f}",
        "Change": f"{step.loss_after - step.loss_before:+.6f}",
    }
)
frame.check(step.check, "model_step_check", "Weights after the step, PyTorch and NumPy")
with st.expander("The largest difference in each tensor"):
    frame.table(
        tensor=list(step.differences), difference=[f"{d:.1e}" for d in step.differences.values()]
    )
frame.code(engine.training_step, step_in_torch)
frame.code(
    step_in_numpy,
    numpy_engine.Network.training_step,
    numpy_engine.cross_entropy,
    numpy_engine.Linear.find_gradients,
    folded=True,
)
open_panel.show(dataset, model, name)
with st.expander("What is an `nn.Module`?"):
    texts.show("model", "module")
    st.code(nn.Module.__doc__, language=None)
frame.footer("model")
