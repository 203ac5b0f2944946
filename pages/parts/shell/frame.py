"""The frame of a page: its title and first words, what the address asks for, and the way on."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from pages.parts.session.visitor import enter, visitor
from pages.parts.shell import data_panel, links, texts, warm
from pages.parts.shell.navigation import after, enter_by_the_door

__all__ = ["footer", "header"]


def header(name: str, parameters: Collection[str] = ()) -> None:
    """Begin a page: its title, first words, and what the address asks for.

    Parameters
    ----------
    name : str
        The page's name in the table.
    parameters : collection of str
        What of the address the page reads itself.
    """
    enter_by_the_door()
    warm.start()
    trouble = enter(texts.questions())
    unknown = links.apply(parameters)  # before anything is shown: it may choose the data
    visitor().save()
    with st.sidebar:
        data_panel.show("sidebar_data")
    for sentence in filter(None, [trouble, *unknown]):
        st.info(sentence, icon=":material/link:")
    title, _, first = texts.section(name, "intro").partition("\n")
    st.title(title.removeprefix("# "), anchor=False)
    st.markdown(first)


def footer(name: str) -> None:
    """End a page: note that it was seen, and lead on."""
    visitor().choices.mark_done(name)
    visitor().save()
    following = after(name)
    if following:
        st.divider()
        st.page_link(
            following.file,
            label=f"Next: **{following.title}** · {following.about}",
            icon=":material/arrow_forward:",
        )
