"""The lesson's words: those of one page in a popover, and all of them in a section."""

from __future__ import annotations

import streamlit as st

from pages.parts.shell import texts
from pages.parts.shell.navigation import BY_NAME

__all__ = ["show_all", "words"]


def words(*terms: str, key: str) -> None:
    """Show a popover with the meanings of a page's terms.

    One popover a page, because one beside each term would break the lines of a phone.

    Raises
    ------
    KeyError
        If the glossary has no such term.
    """
    glossary = texts.glossary()
    with st.popover("Words on this page", icon=":material/dictionary:", key=key):
        st.markdown("\n\n".join(f"**{term}**: {glossary[term].meaning}" for term in terms))


def show_all() -> None:
    """Show every term, in the order of the alphabet, with the page where it is first met."""
    with st.expander("All words of the lesson", icon=":material/dictionary:", key="glossary"):
        st.markdown(
            "\n".join(
                f"- **{term}**: {about.meaning} *({BY_NAME[about.page].title})*"
                for term, about in sorted(
                    texts.glossary().items(), key=lambda item: item[0].casefold()
                )
            )
        )
