import streamlit as st

from mnist_core.common.settings import settings
from pages.parts.session import current_data
from pages.parts.shell import frame, texts
from pages.parts.training import training_controls, training_panel
from pages.parts.widgets import questions_panel

frame.header("training")

dataset = current_data.dataset()
config = training_controls.show(dataset)
job = training_panel.show(config, len(dataset.train_images))
if job:
    questions_panel.ask("training_rate")
    questions_panel.ask("training_zero")
    questions_panel.ask("training_steps_an_epoch")
with st.expander("What the presets and buttons do"):
    texts.show("training", "settings", minutes=settings().unwatched_min)
if job:
    training_panel.code(job.run.config)
frame.footer("training")
