"""The timeline of the home page."""

from __future__ import annotations

from mnist_core.figures import timeline
from mnist_core.lesson.milestones import LANES
from tests.figures.samples import MILESTONES


def test_the_timeline_has_a_point_for_each_milestone_in_its_row():
    options = timeline.timeline_chart(MILESTONES, chosen=2)
    points = options["series"][0]["data"]
    assert [point["name"] for point in points] == [m.title for m in MILESTONES]
    assert [point["value"] for point in points] == [
        ["1943", 0],
        ["1953", 1],
        ["1963", 2],
        ["1973", 3],
    ]
    assert all(point["value"][0] in options["xAxis"]["data"] for point in points)
    assert options["yAxis"]["data"] == list(LANES.values())
    colours = [point["itemStyle"]["color"] for point in points]
    assert colours == list(timeline.LANE_COLOURS.values())
    sizes = [point["symbolSize"] for point in points]
    assert sizes.index(max(sizes)) == 2
    assert sizes.count(max(sizes)) == 1
