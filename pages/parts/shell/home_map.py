"""The home page's parts: the route map with what was done, and the timeline's choice."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core.figures.timeline import timeline_chart
from mnist_core.lesson.milestones import Milestone
from mnist_core.lesson.question_words import page_of
from pages.parts.session import state
from pages.parts.session.visitor import visitor
from pages.parts.shell import navigation, results

__all__ = ["chosen_milestone", "show", "show_timeline"]

_ICON = ":material/psychology_alt:"


def show() -> None:
    """Show the lesson's pages as a map: which were gone through, and with what result."""
    done, predictions = results.done(), _predictions()
    stops = [page for page in navigation.PAGES if page.name != "home"]
    for row in range(0, len(stops), 3):
        for column, page in zip(st.columns(3), stops[row : row + 3], strict=False):
            with column.container(border=True, height="stretch"):
                st.page_link(page.file, label=f"**{page.title}**", icon=page.icon)
                st.caption(page.about)
                if page.name in done:
                    st.markdown(f":green-badge[:material/check: seen] {done[page.name]}")
                if page.name in predictions:
                    st.markdown(_mark(predictions[page.name]))
    seen = sum(page.name in done for page in stops)
    st.progress(seen / len(stops), text=f"{seen} of {len(stops)} pages behind you")
    answered = [right for page in predictions.values() for right in page]
    if answered:
        with st.container(key="home_predictions"):
            right, asked = sum(answered), len(answered)
            st.markdown(f"{_ICON} {right} of {asked} {_noun(asked)} right")


def _predictions() -> dict[str, list[bool]]:
    """Return {page: for each prediction made there whether it was right}."""
    predictions: dict[str, list[bool]] = {}
    for name, (_option, right) in visitor().choices.answers.items():
        predictions.setdefault(page_of(name), []).append(right)
    return predictions


def _mark(predictions: list[bool]) -> str:
    right, n = sum(predictions), len(predictions)
    return f":blue-badge[{_ICON} {right} of {n}] {_noun(n)} right"


def _noun(n: int) -> str:
    return "prediction" if n == 1 else "predictions"


def chosen_milestone(milestones: Sequence[Milestone]) -> int:
    """Show the slider through the milestones; return which is chosen."""
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
