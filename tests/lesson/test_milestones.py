from pathlib import Path

import pytest

from mnist_core.lesson.milestones import LANES, Milestone, load_milestones, nearest_year, span

FILE = Path(__file__).parents[2] / "pages" / "texts" / "en" / "timeline.toml"

PARTS = {
    "year": "1958",
    "title": '"The perceptron"',
    "who": '"Frank Rosenblatt"',
    "lane": '"learning"',
    "sentence": '"It learns."',
    "source": '"F. Rosenblatt, 1958"',
    "url": '""',
}


def write(path, *milestones):
    blocks = [
        "\n".join(["[[milestone]]", *(f"{k} = {v}" for k, v in m.items())]) for m in milestones
    ]
    path.write_text("\n\n".join(blocks), "utf-8")
    return path


def test_a_file_is_read_exactly(tmp_path):
    path = write(tmp_path / "a.toml", PARTS)
    assert load_milestones(path) == [
        Milestone(
            1958,
            "The perceptron",
            "Frank Rosenblatt",
            "learning",
            "It learns.",
            "F. Rosenblatt, 1958",
            "",
        )
    ]


def test_milestones_come_in_order_of_year_and_then_as_in_the_file(tmp_path):
    rows = [
        PARTS | {"year": y, "title": t}
        for y, t in (("1990", '"c"'), ("1958", '"b"'), ("1958", '"a"'))
    ]
    path = write(tmp_path / "a.toml", *rows)
    assert [m.title for m in load_milestones(path)] == ["b", "a", "c"]


def test_a_bad_lane_is_refused_with_its_milestone(tmp_path):
    path = write(tmp_path / "a.toml", PARTS, PARTS | {"lane": '"magic"', "title": '"Bad one"'})
    with pytest.raises(ValueError, match="expected a lane of ideas, learning") as caught:
        load_milestones(path)
    assert "magic" in str(caught.value)
    assert "Bad one" in str(caught.value)
    assert "a.toml" in str(caught.value)


def test_the_axis_and_the_nearest_year():
    milestones = [Milestone(year, "", "", "ideas", "", "", "") for year in (1943, 1949, 1958)]
    assert span(milestones) == (1940, 1958)
    asked = {1940: 1943, 1946: 1943, 1947: 1949, 1958: 1958, 2000: 1958}
    assert {year: nearest_year(milestones, year) for year in asked} == asked


@pytest.mark.parametrize("missing", PARTS)
def test_a_missing_part_is_refused_by_name(missing, tmp_path):
    path = write(tmp_path / "a.toml", {k: v for k, v in PARTS.items() if k != missing})
    with pytest.raises(ValueError, match=rf"a\.toml.*'{missing}'"):
        load_milestones(path)


def test_an_unknown_part_is_refused_by_name(tmp_path):
    path = write(tmp_path / "a.toml", PARTS | {"month": "3"})
    with pytest.raises(ValueError, match="'month'"):
        load_milestones(path)


def test_the_lesson_s_timeline_is_long_and_in_order():
    milestones = load_milestones(FILE)
    titles = {m.title for m in milestones}
    assert {"The Lighthill report", "Vanishing gradients", "TensorFlow", "DeepSeek-R1"} <= titles
    years = [m.year for m in milestones]
    assert years == sorted(years)
    assert years[0] == 1943
    assert years[-1] == 2025
    assert {m.lane for m in milestones} == set(LANES)


def test_every_milestone_has_a_title_people_a_sentence_and_a_source():
    for m in load_milestones(FILE):
        assert isinstance(m.year, int)
        for part in (m.title, m.who, m.sentence, m.source):
            assert isinstance(part, str)
            assert part.strip() == part != "", m
        assert m.url == "" or m.url.startswith("https://"), m


def test_no_milestone_appears_twice():
    titles = [m.title for m in load_milestones(FILE)]
    assert len(set(titles)) == len(titles)
