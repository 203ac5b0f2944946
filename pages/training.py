import streamlit as st

from pages.parts import caches, frame, texts, training_controls, training_panel

frame.header("training")

dataset = caches.current_dataset()
config = training_controls.settings(dataset)
training_controls.buttons(dataset, config)
training_panel.show(config)
with st.expander("What the settings and buttons mean"):
    texts.show("training", "settings")
training_panel.code(config)
frame.footer("training")
