"""The map of the lesson on the home page: a card for each page, with what the visitor did there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from mnist_core.lesson.question_words import page_of
from pages.parts.session.visitor import visitor
from pages.parts.shell.navigation import EXTRAS, LESSON, PAGES, Page

__all__ = ["show"]

_STYLE = Path(__file__).with_suffix(".css")
_ICON = ":material/psychology_alt:"
_COLUMNS = 3


def show() -> None:
    """Show the lesson's pages in order, then the extras, and how far the visitor is."""
    st.html(_STYLE)
    results, predictions = visitor().results(), _predictions()
    stops = [page for page in LESSON if page.name != "home"]
    _cards(stops, results, predictions)
    seen = sum(page.name in results for page in stops)
    st.progress(seen / len(stops), text=f"{seen} of {len(stops)} pages of the lesson behind you")
    if predictions:
        with st.container(key="home_predictions"):
            share, what = _score([right for page in predictions.values() for right in page])
            st.markdown(f"{share} {what}")
    st.markdown(f"**{EXTRAS}**, for later or never")
    _cards([page for page in PAGES if page.extra_of], results, predictions)


def _cards(
    pages: Sequence[Page], results: Mapping[str, str], predictions: Mapping[str, list[bool]]
) -> None:
    for row in range(0, len(pages), _COLUMNS):
        columns = st.columns(_COLUMNS)
        for column, page in zip(columns, pages[row : row + _COLUMNS], strict=False):
            with column.container(border=True, height="stretch", key=f"home_card_{page.name}"):
                st.page_link(page.file, label=f"**{page.title}**", icon=page.icon)
                st.caption(page.about)
                if page.name in results:
                    st.markdown(f":green-badge[:material/check: seen] {results[page.name]}")
                if page.name in predictions:
                    share, what = _score(predictions[page.name])
                    st.markdown(f":blue-badge[{share}] {what}")


def _predictions() -> dict[str, list[bool]]:
    """Return {page: whether each prediction made there was right}."""
    predictions: dict[str, list[bool]] = {}
    for name, (_option, right) in visitor().choices.answers.items():
        predictions.setdefault(page_of(name), []).append(right)
    return predictions


def _score(predictions: list[bool]) -> tuple[str, str]:
    """Return how many predictions were right in words, in two halves."""
    n = len(predictions)
    noun = "prediction" if n == 1 else "predictions"
    return f"{_ICON} {sum(predictions)} of {n}", f"{noun} right"
