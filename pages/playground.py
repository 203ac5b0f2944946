import streamlit as st

from pages.parts import (
    frame,
    playground_controls,
    playground_desk,
    playground_extras,
    playground_panel,
    questions_panel,
    texts,
)

frame.header("playground", playground_desk.PARAMETERS)
playground_desk.enter()

with st.container():  # whatever is said in there, the picture below keeps its place and stays
    playground_extras.experiments()
    playground_extras.task()
playground_controls.data()
playground_controls.learning()
playground_controls.buttons()
with st.container():
    playground_extras.notes()
playground_panel.show()
with st.container(horizontal=True, vertical_alignment="center"):
    playground_controls.drawing()
    playground_extras.link()
playground_controls.own_points()
questions_panel.ask("playground_neurons")

with st.expander("What there is to see, and what the controls mean"):
    texts.show("playground", "picture")
    texts.show("playground", "controls")
playground_extras.code()
playground_desk.write_address()
frame.footer("playground")
