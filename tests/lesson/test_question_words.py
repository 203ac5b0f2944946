"""The words of the questions are read from TOML; a mistake in the file is named."""

from __future__ import annotations

import pytest

from mnist_core.lesson.question_words import load_words, page_of

QUESTION = {
    "question": '"""\nUp or\ndown?"""',
    "options.up": '"It goes up"',
    'options."0.25"': '"0.25"',
    "explanation": '"From {before:.1f} to {after:,}."',
}
COUNT = "expected a table of two to four options, got"


def read(folder, parts: dict[str, str]):
    path = folder / "words.toml"
    lines = (f"{key} = {value}" for key, value in parts.items())
    path.write_text("\n".join(["[loss_up]", *lines]), "utf-8")
    return load_words(path)


def test_a_question_is_read_exactly(tmp_path):
    words = read(tmp_path, QUESTION)["loss_up"]
    assert words.question == "Up or\ndown?"
    assert words.options == {"up": "It goes up", "0.25": "0.25"}
    explained = words.explained({"before": 2.34, "after": 1234, "unused": 0})
    assert explained == "From 2.3 to 1,234."
    assert words.hint == ""


def test_a_question_can_have_a_hint(tmp_path):
    assert read(tmp_path, QUESTION | {"hint": '"Think."'})["loss_up"].hint == "Think."


def test_a_missing_number_is_an_error(tmp_path):
    with pytest.raises(KeyError, match="after"):
        read(tmp_path, QUESTION)["loss_up"].explained({"before": 1.0})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"question": None}, "missing .*'question'"),
        ({"explanation": None}, "missing .*'explanation'"),
        ({"options.up": None, 'options."0.25"': None}, "missing .*'options'"),
        ({"clue": '"Think."'}, "unexpected .*'clue'"),
        ({"hint": "7"}, "expected a text as the hint, got 7"),
        ({"question": '" "'}, "expected a text in each part"),
        ({"explanation": "7"}, "expected a text in each part"),
        ({"options.up": "1"}, "expected a text in each part"),
        ({"options.up": None}, f"{COUNT} {{'0.25'"),
        (
            {f"options.o{i}": f'"{i}"' for i in range(3)},
            COUNT,
        ),
        (
            {"options.up": None, 'options."0.25"': None, "options": '["a", "b"]'},
            COUNT,
        ),
    ],
)
def test_a_mistake_is_named_with_its_question(change, sentence, tmp_path):
    parts = {key: value for key, value in (QUESTION | change).items() if value is not None}
    with pytest.raises(ValueError, match=rf"words\.toml: loss_up: .*{sentence}"):
        read(tmp_path, parts)


def test_a_question_s_name_begins_with_its_page():
    assert page_of("layer_parameters") == "layer"
