import streamlit as st

from mnist_core.nn import numpy_network
from mnist_core.training.engine import AutogradEngine, training_step
from pages.parts.session import current_data
from pages.parts.shell import frame, texts
from pages.parts.training import race_panel
from pages.parts.widgets import code_box, questions_panel

frame.header("race")

dataset = current_data.dataset()
config = race_panel.settings(dataset)
race_panel.show(race_panel.buttons(dataset, config), dataset, config)
questions_panel.ask("race_order")
texts.show("race", "why")
code_box.code(training_step, numpy_network.Network.training_step)
code_box.code(
    AutogradEngine.train,
    numpy_network.Network.forward,
    numpy_network.Network.backward,
    numpy_network.Layer.update,
    numpy_network.Linear,
    numpy_network.ReLU,
    numpy_network.cross_entropy,
    numpy_network.log_softmax,
    folded=True,
)
with st.expander("How the race is run"):
    texts.show("race", "rules")
frame.footer("race")
