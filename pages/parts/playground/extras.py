"""What stands around the playground: experiments, a teacher's question, the code, the link."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from mnist_core.playground.code import script
from mnist_core.playground.experiments import EXPERIMENTS
from mnist_core.playground.url_query import to_query
from pages.parts.playground.desk import desk
from pages.parts.session import state
from pages.parts.shell import texts

__all__ = ["code", "experiments", "link", "notes", "task"]


def notes() -> None:
    """Show what was said about the address or the last click."""
    for sentence in desk().notes:
        st.info(sentence, icon=":material/info:")


def task() -> None:
    """Show the question that came with a teacher's link: a stranger's words, so as plain text."""
    if desk().setup.task:
        with st.container(border=True, key="playground_task"):
            st.caption("The task in this link:")
            st.text(desk().setup.task)


def experiments() -> None:
    """Show the choice of a ready experiment, its question and, when asked for, the answer."""
    here = desk()
    if "experiments" in here.setup.hide:
        return
    key = "playground_experiment"
    if state.widget(key) != here.experiment:
        state.set_widget(key, here.experiment)
    st.selectbox(
        "Experiment",
        list(EXPERIMENTS),
        format_func=lambda name: EXPERIMENTS[name].title,
        key=key,
        on_change=_chosen,
        placeholder="Eight, each with a question",
        index=None,
        width=560,
    )
    if here.experiment is None:
        return
    with st.container(border=True, key="playground_question", gap="small"):
        texts.show("playground", f"{here.experiment}_question")
        epochs = EXPERIMENTS[here.experiment].epochs
        if here.answered:
            texts.show("playground", f"{here.experiment}_answer")
        else:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Show the answer", key="playground_answer", on_click=here.reveal)
                st.caption(f"Decide first, then play to about epoch {epochs:,}.")


def _chosen() -> None:
    desk().choose(state.widget("playground_experiment"))


def code() -> None:
    """Show the same network and loop as a script of plain PyTorch."""
    here = desk()
    if "code" in here.setup.hide:
        return
    with st.expander("Show the code", icon=":material/code:"):
        texts.show("playground", "code")
        with st.container(key="playground_code"):
            try:
                st.code(script(here.setup))
            except ValueError as error:  # no points yet
                st.info(str(error), icon=":material/info:")


def link() -> None:
    """Show the address of this set-up, without the visitor's own workspace, with a copy button."""
    with st.popover("Copy link", icon=":material/link:"):
        texts.show("playground", "link")
        query = urlencode(to_query(desk().setup))
        address = (st.context.url or "").partition("?")[0]
        with st.container(key="playground_link"):
            st.code(f"{address}?{query}" if query else address, language=None, wrap_lines=True)
