import streamlit as st

from pages.parts.playground import (
    controls,
    desk,
    extras,
    panel,
)
from pages.parts.shell import frame, texts
from pages.parts.widgets import questions_panel

frame.header("playground", desk.PARAMETERS)
desk.enter()

with st.container():  # whatever is said in there, the picture below keeps its place and stays
    extras.experiments()
    extras.task()
controls.data()
controls.learning()
controls.buttons()
with st.container():
    extras.notes()
panel.show()
with st.container(horizontal=True, vertical_alignment="center"):
    controls.drawing()
    extras.link()
controls.own_points()
questions_panel.ask("playground_neurons")

with st.expander("What there is to see, and what the controls mean"):
    texts.show("playground", "picture")
    texts.show("playground", "controls")
extras.code()
desk.write_address()
frame.footer("playground")
