import streamlit as st

from pages.parts.session.visitor import visitor
from pages.parts.shell import frame, texts
from pages.parts.training import run_details, runs_table

frame.header("runs")

records = visitor().runs.records()
if records:
    runs_table.show(records)
    st.header("One run", anchor=False)
    run_details.show(records)
else:
    with st.container(key="runs_table"):
        st.info("No runs yet: train one on the Training page, and it stays here.")
    st.page_link("pages/training.py", label="Train a model", icon=":material/model_training:")
st.header("Bring a run or weights in", anchor=False)
run_details.upload()
st.header("Where your work is kept", anchor=False)
texts.show("runs", "kept")
runs_table.disk()
frame.footer("runs")
