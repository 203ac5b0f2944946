"""Questions to answer with the playground: ready experiments, and the task in a teacher's link."""

from __future__ import annotations

import streamlit as st

from mnist_core.playground.experiments import EXPERIMENTS
from pages.parts.playground.session import playground
from pages.parts.session import state
from pages.parts.shell import texts

__all__ = ["experiments", "task"]


def task() -> None:
    """Show the task in a teacher's link. It is untrusted, so it is shown as plain text."""
    if playground().setup.task:
        with st.container(border=True, key="playground_task"):
            st.caption("The task in this link:")
            st.text(playground().setup.task)


def experiments() -> None:
    """Show the choice of an experiment, its question and, on request, the answer."""
    session = playground()
    if "experiments" in session.setup.hide:
        return
    key = "playground_experiment"
    if state.widget(key) != session.experiment:
        state.set_widget(key, session.experiment)
    st.selectbox(
        "Experiment",
        list(EXPERIMENTS),
        format_func=lambda name: EXPERIMENTS[name].title,
        key=key,
        on_change=lambda: session.choose(state.widget(key)),
        placeholder="Eight, each with a question",
        index=None,
        width=560,
    )
    if session.experiment is None:
        return
    with st.container(border=True, key="playground_question", gap="small"):
        texts.show("playground", f"{session.experiment}_question")
        if session.answer_shown:
            texts.show("playground", f"{session.experiment}_answer")
        else:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Show the answer", key="playground_answer", on_click=session.show_answer)
                epochs = EXPERIMENTS[session.experiment].epochs
                st.caption(f"Decide first, then play to about epoch {epochs:,}.")
