"""Home: the way in, the map of the lesson, and the timeline."""

from __future__ import annotations

from mnist_core.figures import style
from mnist_core.lesson.milestones import load_milestones
from pages.parts.shell import texts
from pages.parts.shell.navigation import LESSON
from tests.pages.conftest import ROOT, go_to, words

MILESTONES = load_milestones(texts.FOLDER / "timeline.toml")
SCRIPT = ROOT / "pages" / "parts" / "shell" / "boundary.js"


def test_start_leads_to_the_first_page_of_the_lesson(open_page):
    app = open_page("home")
    app.button(key="home_start").click().run()
    assert not app.exception
    assert app.title[0].value == texts.section("layer", "intro").partition("\n")[0].removeprefix(
        "# "
    )


def test_the_boundary_has_the_colours_of_signed_numbers():
    script = SCRIPT.read_text("utf-8")
    for name, colour in (("BLUE", style.POSITIVE), ("ORANGE", style.NEGATIVE)):
        rgb = ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
        assert f"{name} = [{rgb}]" in script


def test_the_timeline_shows_all_milestones_of_the_chosen_year_and_remembers_it(open_page):
    app = open_page("home")
    assert "1943 · The artificial neuron" in words(app)
    slider = app.slider(key="home_milestone")
    assert (slider.min, slider.max) == (1940, MILESTONES[-1].year)
    slider.set_value(2018).run()
    assert not app.exception
    titles = [m.title for m in MILESTONES if m.year == 2018]
    assert len(titles) == 3
    assert all(f"#### 2018 · {title}" in words(app) for title in titles)
    go_to(app, "loss")
    go_to(app, "home")
    assert f"#### 2018 · {titles[0]}" in words(app)


def test_a_year_without_a_milestone_shows_the_nearest(open_page):
    app = open_page("home")
    app.slider(key="home_milestone").set_value(1953).run()
    assert "#### 1949 · Hebb's learning rule" in words(app)


def test_the_map_marks_the_pages_seen_and_leaves_the_extras_out(open_page):
    app = open_page("layer")
    go_to(app, "runs")
    go_to(app, "home")
    assert words(app).count("-badge[:material/check: seen]") == 2
    progress = app.get("progress")[0].proto.text
    assert progress == f"1 of {len(LESSON) - 1} pages of the lesson behind you"
