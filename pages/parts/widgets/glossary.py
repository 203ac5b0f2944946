"""All words of the lesson in one section; a page's own are shown by its frame."""

from __future__ import annotations

import streamlit as st

from pages.parts.shell import texts
from pages.parts.shell.navigation import BY_NAME

__all__ = ["show_all"]


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
