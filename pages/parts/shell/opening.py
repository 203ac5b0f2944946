"""The home page's first screen: a network that learns in the browser, and the way into the lesson.

It is JavaScript alone, so that the first page needs no PyTorch on the server.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.shell import navigation, texts

__all__ = ["show"]

_FILE = Path(__file__).with_name("boundary")
_boundary = st.components.v2.component(
    "home_boundary",
    html=_FILE.with_suffix(".html").read_text("utf-8"),
    css=_FILE.with_suffix(".css").read_text("utf-8"),
    js=_FILE.with_suffix(".js").read_text("utf-8"),
)


def show() -> None:
    """Show the network at work, and beside it the button that starts the lesson."""
    picture, words = st.columns([5, 4], gap="large", vertical_alignment="center")
    with picture, st.container(key="home_boundary"):
        _boundary(key="home_boundary_picture")
    first = navigation.after("home")
    with words:
        if first and st.button(
            "Start the lesson", key="home_start", type="primary", icon=":material/arrow_forward:"
        ):
            st.switch_page(first.file)
        texts.show("home", "boundary")
