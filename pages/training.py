import streamlit as st

from pages.parts.session import current_data
from pages.parts.shell import frame, texts
from pages.parts.training import training_controls, training_panel
from pages.parts.widgets import questions_panel

frame.header("training")

questions_panel.ask("training_rate")
dataset = current_data.dataset()
config = training_controls.settings(dataset)
training_controls.buttons(dataset, config)
training_panel.show(config)
questions_panel.ask("training_zero")
questions_panel.ask("training_steps_an_epoch")
with st.expander("What the settings and buttons mean"):
    texts.show("training", "settings")
training_panel.code(config)
frame.footer("training")
