"""The home page's parts: the map of pages with the visitor's results, and the timeline."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core.figures.timeline import timeline_chart
from mnist_core.lesson.milestones import Milestone
from mnist_core.lesson.question_words import page_of
from pages.parts.session import state
from pages.parts.session.visitor import visitor
from pages.parts.shell import navigation

__all__ = ["chosen_milestone", "show", "show_timeline"]

_ICON = ":material/psychology_alt:"


def show() -> None:
    """Show the lesson's pages as a map: which were seen, and with what result."""
    results, predictions = visitor().results(), _predictions()
    stops = [page for page in navigation.PAGES if page.name != "home"]
    for row in range(0, len(stops), 3):
        for column, page in zip(st.columns(3), stops[row : row + 3], strict=False):
            with column.container(border=True, height="stretch"):
                st.page_link(page.file, label=f"**{page.title}**", icon=page.icon)
                st.caption(page.about)
                if page.name in results:
                    st.markdown(f":green-badge[:material/check: seen] {results[page.name]}")
                if page.name in predictions:
                    share, what = _score(predictions[page.name])
                    st.markdown(f":blue-badge[{share}] {what}")
    seen = sum(page.name in results for page in stops)
    st.progress(seen / len(stops), text=f"{seen} of {len(stops)} pages behind you")
    if predictions:
        with st.container(key="home_predictions"):
            share, what = _score([right for page in predictions.values() for right in page])
            st.markdown(f"{share} {what}")


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


def chosen_milestone(milestones: Sequence[Milestone]) -> int:
    """Show the slider through the milestones; return the chosen one's index."""
    labels = _labels(milestones)
    chosen = st.select_slider("Milestone", labels, key="home_milestone", persist_state="session")
    return labels.index(chosen)


def show_timeline(milestones: Sequence[Milestone], chosen: int) -> None:
    """Show the timeline as a chart; a click on a point moves the slider to it."""
    st.echarts_chart(
        timeline_chart(milestones, chosen),
        height=260,
        key="home_timeline",
        on_select=lambda: _follow_click(_labels(milestones)),
        alt=f"Timeline of {len(milestones)} milestones from 1943 on; the slider moves through it.",
    )


def _labels(milestones: Sequence[Milestone]) -> list[str]:
    return [f"{m.year} {m.title}" for m in milestones]


def _follow_click(labels: list[str]) -> None:
    clicked = state.clicked_point("home_timeline")
    if clicked is not None:
        state.set_widget("home_milestone", labels[clicked])
