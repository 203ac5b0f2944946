import streamlit as st

from mnist_core import numpy_engine
from mnist_core.engine import AutogradEngine, training_step
from pages.parts import caches, frame, race_panel, texts

frame.header("race")

dataset = caches.current_dataset()
config = race_panel.settings(dataset)
race_panel.show(race_panel.buttons(dataset, config))
texts.show("race", "why")
frame.code(training_step, numpy_engine.Network.training_step)
frame.code(
    AutogradEngine.train,
    numpy_engine.Network.forward,
    numpy_engine.Network.backward,
    numpy_engine.Linear,
    numpy_engine.ReLU,
    numpy_engine.cross_entropy,
    numpy_engine.log_softmax,
    folded=True,
)
with st.expander("How the race is run"):
    texts.show("race", "rules")
frame.footer("race")
