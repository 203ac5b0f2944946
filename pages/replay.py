import streamlit as st

from pages.parts.session.visitor import visitor
from pages.parts.shell import frame
from pages.parts.training import replay_panel, run_details
from pages.parts.widgets import questions_panel

frame.header("replay")

records = [record for record in visitor().runs.records() if record.step]
job = run_details.choose(records, "replay_run") if records else None
if not records:
    with st.container(key="replay_step"):
        st.info("No runs yet: train one on the Training page, and come back to watch it again.")
    st.page_link("pages/training.py", label="Train a model", icon=":material/model_training:")
if job:
    replay_panel.show(job)
questions_panel.ask("replay_halfway")
frame.footer("replay")
