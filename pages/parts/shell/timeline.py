"""The timeline on the home page: a slider of years, a chart with the same axis, and the cards."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core.figures.timeline import timeline_chart
from mnist_core.lesson.milestones import Milestone, load_milestones, nearest_year, span
from pages.parts.session import state
from pages.parts.shell import texts

__all__ = ["show"]


def show() -> None:
    """Show the milestones of the chosen year; a click on a point chooses its year."""
    milestones = load_milestones(texts.FOLDER / "timeline.toml")
    first, last = span(milestones)
    at = st.slider("Year", first, last, format="%d", key="home_milestone", persist_state="session")
    year = nearest_year(milestones, at)
    st.echarts_chart(
        timeline_chart(milestones, year),
        height=460,
        key="home_timeline",
        on_select=lambda: _follow_click(milestones),
        alt=f"Timeline of {len(milestones)} milestones from {milestones[0].year} to "
        f"{milestones[-1].year}; the slider moves through the years.",
    )
    chosen = [m for m in milestones if m.year == year]
    with st.container(key="home_milestone_card"):
        for column, milestone in zip(st.columns(len(chosen)), chosen, strict=True):
            with column.container(border=True, height="stretch"):
                _card(milestone)
    with st.expander("All milestones as a list"):
        st.markdown("\n".join(f"- **{m.year}** · {m.title} · {m.who}" for m in milestones))


def _card(milestone: Milestone) -> None:
    st.markdown(f"#### {milestone.year} · {milestone.title}")
    st.markdown(f"*{milestone.who}* · {milestone.lane_title}")
    st.markdown(milestone.sentence)
    link = f" [Open the source]({milestone.url})" if milestone.url else ""
    st.caption(f"Source: {milestone.source}.{link}")


def _follow_click(milestones: Sequence[Milestone]) -> None:
    clicked = state.clicked_point("home_timeline")
    if clicked is not None:
        state.set_widget("home_milestone", milestones[clicked].year)
