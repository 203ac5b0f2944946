"""The timeline of neural networks as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
LABEL = "#7a818c"  # as `style.LABEL`
_ROWS = {"ideas": 5, "learning": 5, "machines": 4, "results": 8}  # for points; one more for a title
_WIDE, _NARROW, _NARROW_TO = 800, 330, 700  # pixels: two layouts, and the widest narrow chart
_POINT, _LETTER = 10, 6  # pixels: half of a point's place; a letter of a name


@dataclass(frozen=True, slots=True)
class _Place:
    row: int
    left: float  # of point and name together, in pixels
    right: float
    side: str = ""  # of the name; "" if there is no room for it

    def overlaps(self, other: _Place) -> bool:
        return self.row == other.row and self.left < other.right and other.left < self.right


def timeline_chart(milestones: Sequence[Milestone], year: int) -> dict[str, Any]:
    """Return ECharts options: a point for each milestone in one of the rows of its lane.

    The axis goes from the decade of the first milestone to the last one, from edge to edge, so
    that a slider above the chart has the same scale. A narrow chart names only landmarks.

    Parameters
    ----------
    milestones : sequence of Milestone
        In order of year.
    year : int
        The milestones of this year are drawn largest, with their names.
    """
    first, last = milestones[0].year // 10 * 10, milestones[-1].year
    titles = {m.lane: m.lane_title for m in milestones}
    rows = [row for lane, n in _ROWS.items() for row in (titles.get(lane, ""), *[""] * n)]
    wide, narrow = (_points(milestones, year, width) for width in (_WIDE, _NARROW))
    return {
        "animation": False,
        "grid": {"left": 6, "right": 6, "top": 4, "bottom": 24, "outerBoundsMode": "none"},
        "xAxis": _years(first, last),
        "yAxis": {
            "type": "category",
            "data": rows,
            "inverse": True,
            "axisTick": {"show": False},
            "axisLine": {"show": False},
            "axisLabel": {"inside": True, "interval": 0, "margin": 0, "color": LABEL},
        },
        "series": [
            {
                "type": "scatter",
                "data": wide,
                "cursor": "pointer",
                "selectedMode": "single",
                "select": {"itemStyle": {"borderWidth": 0}},
            }
        ],
        "tooltip": {"trigger": "item", "formatter": "{b}", "confine": True},
        "media": [
            {"query": {"maxWidth": _NARROW_TO}, "option": {"series": [{"data": narrow}]}},
            {"option": {"series": [{"data": wide}]}},
        ],
    }


def _years(first: int, last: int) -> dict[str, Any]:
    return {
        "type": "category",  # a value axis would write 1,990
        "boundaryGap": False,
        "data": [str(y) for y in range(first, last + 1)],
        "axisLabel": {
            "interval": 9,
            "hideOverlap": True,
            "alignMinLabel": "left",
            "color": LABEL,
        },
        "axisTick": {"show": False},
        "splitLine": {"show": True, "interval": 9, "lineStyle": {"opacity": 0.25}},
    }


def _points(milestones: Sequence[Milestone], year: int, width: int) -> list[dict[str, Any]]:
    places = _places(milestones, width)
    chosen: list[_Place] = []  # with a name, even where others must give theirs up
    for i, milestone in enumerate(milestones):
        if milestone.year == year:
            places[i] = _with_name(places[i], milestone.title)
            if not any(places[i].overlaps(other) for other in chosen):
                chosen.append(places[i])
    points = []
    for milestone, place in zip(milestones, places, strict=True):
        big = milestone.year == year
        free = place in chosen if big else not any(place.overlaps(other) for other in chosen)
        points.append(
            {
                "name": milestone.title,
                "value": [str(milestone.year), place.row],
                "symbolSize": 18 if big else 12 if milestone.landmark else 9,
                "itemStyle": {
                    "color": LANE_COLOURS[milestone.lane],
                    "opacity": 1.0 if big else 0.75,
                },
                "label": {
                    "show": bool(place.side) and free,
                    "formatter": "{b}",
                    "color": LABEL,
                    "distance": 4,
                    "position": place.side or "right",
                    "fontWeight": "bold" if big else "normal",
                },
            }
        )
    return points


def _with_name(place: _Place, title: str) -> _Place:
    if place.side:
        return place
    right = place.left < _LETTER * len(title)  # on the left there is no room
    return _options((place.left + place.right) / 2, _LETTER * len(title), [place.row])[not right]


def _places(milestones: Sequence[Milestone], width: int) -> list[_Place]:
    """Return a place for each milestone, so that no name covers another name or a point.

    It does not depend on the chosen year: nothing moves when the year changes. Landmarks choose
    first, and a milestone without room for its name gets only its point.
    """
    first, last = milestones[0].year // 10 * 10, milestones[-1].year
    start, rows = 0, {}
    for lane, count in _ROWS.items():
        rows[lane] = range(start + 1, start + 1 + count)
        start += 1 + count
    places: dict[int, _Place] = {}
    order = sorted(range(len(milestones)), key=lambda i: not milestones[i].landmark)
    for named in (True, False):
        for i in (i for i in order if i not in places):
            m = milestones[i]
            x = width * (m.year - first) / (last - first)
            options = _options(x, _LETTER * len(m.title) if named else 0, rows[m.lane])
            conflicts = [sum(o.overlaps(p) for p in places.values()) for o in options]
            if not named:
                places[i] = options[conflicts.index(min(conflicts))]
            elif m.landmark or width > _NARROW:
                free = [o for o, n in zip(options, conflicts, strict=True) if not n]
                inside = [o for o in free if o.left >= -_POINT and o.right <= width + _POINT]
                if inside:
                    places[i] = inside[0]
    return [places[i] for i in range(len(milestones))]


def _options(x: float, name: int, rows: Sequence[int]) -> list[_Place]:
    """Return where a point at ``x`` with a name of so many pixels could be."""
    if not name:
        return [_Place(row, x - _POINT, x + _POINT) for row in rows]
    return [
        place
        for row in rows
        for place in (
            _Place(row, x - _POINT, x + _POINT + name, "right"),
            _Place(row, x - _POINT - name, x + _POINT, "left"),
        )
    ]
