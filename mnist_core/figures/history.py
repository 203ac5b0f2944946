"""The timeline of neural networks as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mnist_core.lesson.milestones import LANES, Milestone

__all__ = ["timeline_chart"]


def timeline_chart(milestones: Sequence[Milestone], chosen: int) -> dict[str, Any]:
    """Return ECharts options: a point for each milestone, its kind as the row, one chosen."""
    rows = list(LANES)
    data = [
        {
            "name": m.title,
            "value": [str(m.year), rows.index(m.lane)],
            "symbolSize": 22 if i == chosen else 13,
            "itemStyle": {
                "color": LANES[m.lane][1],
                "opacity": 1.0 if i == chosen else 0.6,
            },
        }
        for i, m in enumerate(milestones)
    ]
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
            "data": [LANES[row][0] for row in rows],
            "inverse": True,
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "series": [
            {
                "type": "scatter",
                "data": data,
                "cursor": "pointer",
                "selectedMode": "single",
                "select": {"itemStyle": {"borderWidth": 0}},
            }
        ],
        "tooltip": {"trigger": "item", "formatter": "{b}"},
    }
