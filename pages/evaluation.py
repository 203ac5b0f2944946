import streamlit as st

from pages.parts.evaluation import evaluation_panel
from pages.parts.session import current_data, offers
from pages.parts.shell import frame
from pages.parts.widgets import questions_panel

frame.header("evaluation")

questions_panel.ask("evaluation_always")
dataset = current_data.dataset()
offer = offers.model_choice("evaluation_model", dataset=dataset)
if offer.class_names == dataset.class_names:
    evaluation_panel.show(offer, dataset)
else:
    st.page_link("pages/training.py", label="Train a model", icon=":material/model_training:")
questions_panel.ask("evaluation_shift")
frame.footer("evaluation")
