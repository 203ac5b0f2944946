import streamlit as st

from mnist_core.lesson.milestones import load_milestones
from pages.parts.shell import data_panel, frame, home_map, texts

frame.header("home")
texts.show("home", "composition")

st.header("Your way through", anchor=False)
texts.show("home", "route")
home_map.show()

st.header("The data in use", anchor=False)
data_panel.show("home_data_status")

st.header("Eighty years in one line", anchor=False)
texts.show("home", "timeline")
milestones = load_milestones(texts.FOLDER / "timeline.toml")
chosen = home_map.chosen_milestone(milestones)
home_map.show_timeline(milestones, chosen)
milestone = milestones[chosen]
with st.container(border=True, key="home_milestone_card"):
    st.markdown(f"#### {milestone.year} · {milestone.title}")
    st.markdown(f"*{milestone.who}* · {milestone.lane_title}")
    st.markdown(milestone.sentence)
    st.caption(f"Source: {milestone.source}")
    if milestone.url:
        st.link_button("Read the source", milestone.url, icon=":material/open_in_new:")
with st.expander("All milestones as a list"):
    for m in milestones:
        st.markdown(f"**{m.year}** · {m.title} · {m.who}")
frame.footer("home")
