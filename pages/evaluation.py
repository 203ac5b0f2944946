import streamlit as st

from pages.parts import caches, current, evaluation_panel, frame

frame.header("evaluation")

dataset = caches.current_dataset()
offer = current.model_choice("evaluation_model", dataset=dataset)
if offer.class_names == dataset.class_names:
    evaluation_panel.show(offer, dataset)
else:
    st.page_link("pages/training.py", label="Train a model", icon=":material/model_training:")
frame.footer("evaluation")
