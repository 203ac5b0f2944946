"""The glossary's words on a page, and all of them on Conclusions."""

from __future__ import annotations

import pytest

from pages.parts.shell import texts
from pages.parts.widgets import glossary
from tests.pages.conftest import words


def test_conclusions_lists_every_term_with_its_page(open_page):
    listed = words(open_page("conclusions"))
    for term, about in texts.glossary().items():
        assert f"- **{term}**: {about.meaning} *(" in listed


def test_a_page_shows_its_own_terms(open_page):
    shown = words(open_page("convolution"))
    assert f"**stride**: {texts.glossary()['stride'].meaning}" in shown
    assert texts.glossary()["softmax"].meaning not in shown


def test_an_unknown_term_is_an_error():
    with pytest.raises(KeyError, match="strides"):
        glossary.words("strides", key="some_words")
