import streamlit as st

from pages.parts.shell import data_panel, frame, home_map, opening, texts, timeline

frame.header("home")
opening.show()

st.header("Why networks?", anchor=False)
texts.show("home", "why")
texts.show("home", "composition")

st.header("Your way through", anchor=False)
texts.show("home", "route")
home_map.show()

st.header("Eighty years in one line", anchor=False)
texts.show("home", "timeline")
timeline.show()

st.header("The data in use", anchor=False)
data_panel.show("home_data_status")

st.header("Credits", anchor=False)
texts.show("home", "credits")
frame.footer("home")
