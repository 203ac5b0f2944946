"""The frame of every page: title and introduction at the top, the next page at the end."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import streamlit as st

from pages.parts.session.visitor import enter, visitor
from pages.parts.shell import data_panel, links, texts, warm
from pages.parts.shell.navigation import BY_NAME, after, ensure_navigation, extras_of

__all__ = ["footer", "header"]

STYLE = Path(__file__).with_name("page.css")


def header(name: str, parameters: Collection[str] = ()) -> None:
    """Begin a page: apply the address's parameters, show the title and the introduction.

    Parameters
    ----------
    name : str
        The page's name in `navigation.PAGES`.
    parameters : collection of str
        Parameters of the address that the page itself reads.
    """
    ensure_navigation()
    st.html(STYLE)
    warm.start()
    problem = enter(texts.questions())
    unknown = links.apply(parameters)  # before anything is shown: it may choose the data set
    visitor().save()
    with st.sidebar:
        data_panel.show("sidebar_data")
    for sentence in filter(None, [problem, *unknown]):
        st.info(sentence, icon=":material/link:")
    title, _, introduction = texts.section(name, "intro").partition("\n")
    st.title(title.removeprefix("# "), anchor=False)
    st.markdown(introduction)


def footer(name: str) -> None:
    """End a page: show its terms, note that it was seen, and link to its extras and onward."""
    _words_of(name)
    visitor().choices.mark_done(name)
    visitor().save()
    for extra in extras_of(name):
        label = f"Extra: {extra.title} · {extra.about}"
        st.page_link(extra.file, label=label, icon=extra.icon)
    following = after(name)
    if following:
        back = bool(BY_NAME[name].extra_of)
        st.page_link(
            following.file,
            label=f"{'Back to' if back else 'Next:'} **{following.title}** · {following.about}",
            icon=f":material/arrow_{'back' if back else 'forward'}:",
        )


def _words_of(page: str) -> None:
    """Show the meanings of the terms that are first met on a page, in a popover."""
    terms = {term: word for term, word in texts.glossary().items() if word.page == page}
    if terms:
        with st.popover("Words on this page", icon=":material/dictionary:", key=f"{page}_words"):
            st.markdown("\n\n".join(f"**{term}**: {word.meaning}" for term, word in terms.items()))
