"""The glossary's words on a page, and all of them on Conclusions."""

from __future__ import annotations

from pages.parts.shell import texts
from tests.pages.conftest import go_to, words


def test_conclusions_lists_every_term_with_its_page(open_page):
    listed = words(open_page("conclusions"))
    for term, about in texts.glossary().items():
        assert f"- **{term}**: {about.meaning} *(" in listed


def test_every_page_shows_its_own_terms(open_page):
    app = open_page("home")
    for page in {about.page for about in texts.glossary().values()}:
        shown = words(go_to(app, page))
        for term, about in texts.glossary().items():
            if about.page == page:
                assert f"**{term}**: {about.meaning}" in shown


def test_a_page_shows_no_term_of_another(open_page):
    shown = words(open_page("convolution"))
    assert f"**stride**: {texts.glossary()['stride'].meaning}" in shown
    assert texts.glossary()["softmax"].meaning not in shown
