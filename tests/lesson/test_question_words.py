"""Questions are cut out of prose, and prose that does not fit is named."""

from __future__ import annotations

import pytest

from mnist_core.lesson.question_words import page_of, parse

TEXT = """Up or
down?

- [up] It goes up
- 0.25

---
It went from {before:.1f} to {after:,}, which
is up.

---
A rule below."""


def test_a_text_is_cut_into_its_parts():
    words = parse(TEXT)
    assert words.question == "Up or\ndown?"
    assert words.options == {"up": "It goes up", "0.25": "0.25"}
    explained = words.explained({"before": 2.34, "after": 1234, "unused": 0})
    assert explained == "It went from 2.3 to 1,234, which\nis up.\n\n---\nA rule below."


def test_a_missing_number_is_an_error():
    with pytest.raises(KeyError, match="after"):
        parse(TEXT).explained({"before": 1.0})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Up?\n\n- up\n- down",
        "Up?\n\n- up\n- down\n---\n",
        "- up\n- down\n---\nWhy.",
        "Up?\n\n- up\n---\nWhy.",
        "Up?\n\n- 1\n- 2\n- 3\n- 4\n- 5\n---\nWhy.",
        "Up?\n---\nWhy.",
    ],
)
def test_what_is_no_question_is_refused(text):
    with pytest.raises(ValueError, match="expected a question, two to four options"):
        parse(text)


@pytest.mark.parametrize(
    "asked", ["Up?\n- [a] up\n- [a] down\n- b", "Up?\n- up\nor\n- down", "Up?\n- a\n- b\nWell?"]
)
def test_options_differ_and_come_last(asked):
    with pytest.raises(ValueError, match="different keys, one a line and last"):
        parse(f"{asked}\n---\nWhy.")


def test_a_question_begins_with_its_page():
    assert page_of("layer_parameters") == "layer"
