"""What a visitor can take from the playground: the script and the link of the setup."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from mnist_core.playground.script import playground_script
from mnist_core.playground.url_query import to_query
from pages.parts.playground.session import playground
from pages.parts.shell import texts

__all__ = ["code", "link"]


def code() -> None:
    """Show the same network and training loop as a script in plain PyTorch."""
    setup = playground().setup
    if "code" in setup.hide:
        return
    with st.expander("Show the code", icon=":material/code:"):
        texts.show("playground", "code")
        with st.container(key="playground_code"):
            try:
                st.code(playground_script(setup))
            except ValueError as error:  # no points yet
                st.info(str(error), icon=":material/info:")


def link() -> None:
    """Show the URL of the setup, without the visitor's workspace, with a copy button."""
    with st.popover("Copy link", icon=":material/link:"):
        texts.show("playground", "link")
        query = urlencode(to_query(playground().setup))
        address = (st.context.url or "").partition("?")[0]
        with st.container(key="playground_link"):
            st.code(f"{address}?{query}" if query else address, language=None, wrap_lines=True)
