"""Every page opens, shows its title and the data in use, and links to the next page."""

from __future__ import annotations

import itertools
import re

import pytest

from mnist_core.nn import architectures
from mnist_core.playground.experiments import EXPERIMENTS
from pages.parts.session.choices import ARCHITECTURES
from pages.parts.shell import links, navigation, texts
from tests.pages.conftest import ROOT, words

NAMES = [page.name for page in navigation.PAGES]
OF_PARTS = ("handwriting", "walk", "why", "zoom")  # texts of what several pages show


@pytest.mark.parametrize("name", NAMES)
def test_every_page_opens(open_page, name):
    app = open_page(name)
    assert app.title[0].value == texts.section(name, "intro").partition("\n")[0].removeprefix("# ")
    assert "In use: Bundled digits" in words(app)
    assert not app.error


def test_table_and_files_agree():
    files = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert files == set(NAMES)
    assert {path.stem for path in texts.FOLDER.glob("*.md")} == {*NAMES, *OF_PARTS}


def test_every_section_of_the_texts_is_shown_somewhere():
    files = [*(ROOT / "pages").rglob("*.py"), ROOT / "mnist_core" / "explain" / "training_step.py"]
    code = "\n".join(path.read_text("utf-8") for path in files)
    experiments = {f"{name}_{part}" for name in EXPERIMENTS for part in ("question", "answer")}
    for name in (*NAMES, *OF_PARTS):
        for section in texts.sections(name):
            shown = section in ("intro", *experiments) or f'"{section}"' in code
            assert shown, f"{name}: {section}"


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_text_are_filled_in(open_page, name):
    formulas = re.compile(r"\$\$.*?\$\$|\$.*?\$", re.DOTALL)
    prose = formulas.sub("", " ".join(texts.sections(name).values()))
    fields = re.findall(r"\{\w+(?::[^}]*)?\}", prose)
    assert not [field for field in fields if field in words(open_page(name))]


@pytest.mark.parametrize("name", NAMES)
def test_texts_hold_no_html(name):
    body = re.sub(r"<!-- section: \w+ -->", "", (texts.FOLDER / f"{name}.md").read_text("utf-8"))
    assert "<" not in body.replace("<-", "")


def test_next_page_follows_the_table():
    lesson = ["home", "layer", "activation", "loss", "playground", "dataset", "model"]
    lesson += ["training", "evaluation", "drawing", "conclusions"]
    assert [name for name in NAMES if name in lesson] == lesson
    for name, following in itertools.pairwise(lesson):
        assert navigation.after(name).name in (following, "convolution")
    assert navigation.after("conclusions") is None


def test_an_extra_belongs_to_a_page_of_the_lesson_and_leads_back_to_it():
    extras = [page for page in navigation.PAGES if page.extra_of]
    assert {"race", "runs", "replay"} <= {page.name for page in extras}
    for page in extras:
        assert navigation.after(page.name).name == page.extra_of
        assert page in navigation.extras_of(page.extra_of)
        assert not navigation.BY_NAME[page.extra_of].extra_of


def test_unknown_parameters_are_named_and_ignored(open_page):
    app = open_page("model", foo="1", model="transformer")
    sentences = [i.value for i in app.info]
    assert any("`foo`" in s and "Known are: dataset, model" in s for s in sentences)
    assert any("`transformer`, which does not exist" in s for s in sentences)
    assert app.button_group(key="model_architecture").value == "linear"


def test_parameters_set_the_pages_up(open_page):
    app = open_page("model", model="cnn")
    assert app.button_group(key="model_architecture").value == "cnn"
    assert not any("Known are" in info.value for info in app.info)
    app.button_group(key="model_architecture").set_value("mlp").run()
    assert app.button_group(key="model_architecture").value == "mlp"
    assert "model" not in app.query_params  # the address does not contradict the choice


@pytest.mark.parametrize(
    "nasty", ["<script>alert(1)</script>", "![x](http://127.0.0.1/x)", "`a`", ""]
)
def test_what_comes_with_the_address_is_never_markdown(nasty):
    for sentence in [*links.problems({nasty: "1"}), *links.problems({"model": nasty})]:
        assert "(not a plain word)" in sentence
        assert nasty == "" or nasty not in sentence


def test_links_know_the_architectures():
    assert tuple(architectures.ARCHITECTURES) == ARCHITECTURES
