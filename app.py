"""Page config and the page table, and nothing else: ``streamlit run app.py``."""

import streamlit as st

from pages.parts.shell.navigation import PAGE_CONFIG, navigation

st.set_page_config(**PAGE_CONFIG)
page = navigation()
st.set_page_config(page_title=f"{page.title} · What is a neural network?")
page.run()
