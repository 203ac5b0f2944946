"""The timeline of neural networks as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mnist_core.lesson.milestones import Milestone

__all__ = ["LANE_COLOURS", "timeline_chart"]

# In the order of the rows. Written out: the home page does not load Plotly, as `style` does.
LANE_COLOURS = {
    "ideas": "#2f74d0",
    "learning": "#59a14f",
    "machines": "#b07aa1",
    "results": "#e0701a",
}


def timeline_chart(milestones: Sequence[Milestone], chosen: int) -> dict[str, Any]:
    """Return ECharts options: a point for each milestone in the row of its lane.

    Parameters
    ----------
    milestones : sequence of Milestone
    chosen : int
        The index of the milestone that is drawn larger.
    """
    titles = {m.lane: m.lane_title for m in milestones}
    return {
        "animation": False,
        "grid": {"left": 8, "right": 18, "top": 12, "bottom": 28, "containLabel": True},
        "xAxis": {
            "type": "category",  # a value axis would write 1,990
            "data": [str(year) for year in range(1940, 2031)],
            "axisLabel": {"interval": 9, "hideOverlap": True},
            "axisTick": {"show": False},
            "splitLine": {"show": True, "interval": 9, "lineStyle": {"opacity": 0.3}},
        },
        "yAxis": {
            "type": "category",
            "data": [titles.get(lane, "") for lane in LANE_COLOURS],
            "inverse": True,
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "series": [
            {
                "type": "scatter",
                "data": [_point(m, i == chosen) for i, m in enumerate(milestones)],
                "cursor": "pointer",
                "selectedMode": "single",
                "select": {"itemStyle": {"borderWidth": 0}},
            }
        ],
        "tooltip": {"trigger": "item", "formatter": "{b}"},
    }


def _point(milestone: Milestone, chosen: bool) -> dict[str, Any]:
    return {
        "name": milestone.title,
        "value": [str(milestone.year), list(LANE_COLOURS).index(milestone.lane)],
        "symbolSize": 22 if chosen else 13,
        "itemStyle": {
            "color": LANE_COLOURS[milestone.lane],
            "opacity": 1.0 if chosen else 0.6,
        },
    }
