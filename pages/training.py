import streamlit as st

from pages.parts import caches, frame, questions_panel, texts, training_controls, training_panel

frame.header("training")

questions_panel.ask("training_rate")
dataset = caches.current_dataset()
config = training_controls.settings(dataset)
training_controls.buttons(dataset, config)
training_panel.show(config)
questions_panel.ask("training_zero")
with st.expander("What the settings and buttons mean"):
    texts.show("training", "settings")
training_panel.code(config)
frame.footer("training")
