"""Page config and the page table, and nothing else: ``streamlit run app.py``."""

import streamlit as st

from pages.parts.table import PAGE_CONFIG, navigation

st.set_page_config(**PAGE_CONFIG)
navigation().run()
