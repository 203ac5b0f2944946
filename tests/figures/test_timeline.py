"""The timeline of the home page."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_core.figures import style, timeline
from mnist_core.lesson.milestones import LANES, load_milestones
from tests.figures.samples import MILESTONES

ALL = load_milestones(Path(__file__).parents[2] / "pages" / "texts" / "en" / "timeline.toml")


def test_the_timeline_has_a_point_for_each_milestone_in_a_row_of_its_lane():
    options = timeline.timeline_chart(MILESTONES, year=1963)
    points = options["series"][0]["data"]
    assert [point["name"] for point in points] == [m.title for m in MILESTONES]
    titles = options["yAxis"]["data"]
    assert [title for title in titles if title] == list(LANES.values())
    for point, milestone in zip(points, MILESTONES, strict=True):
        year, row = point["value"]
        assert year == str(milestone.year)
        assert titles[row] == ""  # the row of a lane's title holds no point
        assert [t for t in titles[:row] if t][-1] == milestone.lane_title
    colours = [point["itemStyle"]["color"] for point in points]
    assert colours == list(timeline.LANE_COLOURS.values())
    sizes = [point["symbolSize"] for point in points]
    assert sizes.index(max(sizes)) == 2
    assert sizes.count(max(sizes)) == 1
    assert timeline.LABEL == style.LABEL


def test_the_axis_goes_from_the_first_decade_to_the_last_milestone():
    years = timeline.timeline_chart(MILESTONES, year=1943)["xAxis"]["data"]
    assert (years[0], years[-1], len(years)) == ("1940", "1973", 34)


def boxes(points, width, first, last):
    """Return (row, left, right) of each name that is shown and of each point, in pixels."""
    for i, point in enumerate(points):
        year, row = point["value"]
        x = width * (int(year) - first) / (last - first)
        yield i, row, x - point["symbolSize"] / 2, x + point["symbolSize"] / 2
        if point["label"]["show"]:
            length = 5.6 * len(point["name"])  # as a browser measured it, in the theme's font
            left = x + 10 if point["label"]["position"] == "right" else x - 10 - length
            yield i, row, left, left + length


@pytest.mark.parametrize(("layout", "width"), [(0, 330), (1, 800)])
@pytest.mark.parametrize("year", sorted({m.year for m in ALL}))
def test_no_name_covers_another_name_and_the_chosen_one_is_shown(layout, width, year):
    options = timeline.timeline_chart(ALL, year)
    points = options["media"][layout]["option"]["series"][0]["data"]
    shown = [p for p in points if p["label"]["show"]]
    assert any(p["value"][0] == str(year) for p in shown)
    assert len(shown) >= (10 if layout == 0 else 32)
    names = [b for b in boxes(points, width, 1940, ALL[-1].year) if b[3] - b[2] > 18]
    for a in names:
        for b in names:
            assert a[0] == b[0] or a[1] != b[1] or a[3] <= b[2] or b[3] <= a[2], (a, b)
