import streamlit as st

from mnist_core.playground.url_query import PARAMETERS
from pages.parts.playground import (
    controls,
    experiments_panel,
    export_panel,
    live_panel,
    session,
)
from pages.parts.shell import frame, texts
from pages.parts.widgets import questions_panel

frame.header("playground", PARAMETERS)
session.enter()

with st.container():  # when its contents change, the picture below stays mounted
    experiments_panel.experiments()
    experiments_panel.task()
controls.data()
controls.learning()
controls.buttons()
with st.container():
    live_panel.notes()
live_panel.show()
with st.container(horizontal=True, vertical_alignment="center"):
    controls.drawing()
    export_panel.link()
controls.own_points()
questions_panel.ask("playground_neurons")

with st.expander("What there is to see, and what the controls mean"):
    texts.show("playground", "picture")
    texts.show("playground", "controls")
export_panel.code()
session.write_address()
frame.footer("playground")
