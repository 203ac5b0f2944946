"""The lesson's prose: one Markdown file a page, cut into named sections, and the questions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import streamlit as st

from mnist_core.lesson.glossary import Term, load_terms
from mnist_core.lesson.question_words import Words, load_words

__all__ = ["FOLDER", "glossary", "questions", "section", "sections", "show"]

FOLDER = Path(__file__).parents[2] / "texts" / "en"
_MARK = re.compile(r"^<!-- section: (\w+) -->\s*$", re.MULTILINE)


@cache
def sections(page: str) -> dict[str, str]:
    """Return {section: Markdown} of a page's text, split at ``<!-- section: NAME -->``."""
    _, *parts = _MARK.split((FOLDER / f"{page}.md").read_text("utf-8"))
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def section(page: str, name: str) -> str:
    """Return one section of a page's text.

    Raises
    ------
    KeyError
        If the text has no such section.
    """
    return sections(page)[name]


def show(page: str, name: str, **numbers: object) -> None:
    """Write a section onto the page; ``numbers`` fill in its ``{fields}``, if it has any."""
    body = section(page, name)
    st.markdown(body.format_map(numbers) if numbers else body)


def questions() -> Mapping[str, Words]:
    """Return the words of every question, by its name."""
    return load_words(FOLDER / "questions.toml")


def glossary() -> Mapping[str, Term]:
    """Return the meaning of every term of the lesson, by the term."""
    return load_terms(FOLDER / "glossary.toml")
