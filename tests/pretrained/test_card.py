"""The model card as JSON and as Markdown."""

from __future__ import annotations

import json

import pytest

from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.pretrained import card as card_module
from mnist_core.pretrained.bundled import FOLDER, pretrained_card
from mnist_core.pretrained.card import markdown, write_card


def numbers_in(entry):
    """Return every number of a card's entry as in the Markdown."""
    yield f"{entry['parameters']:,}"
    yield f"{entry['test_accuracy']:.2%}"
    yield f"{entry['train_accuracy']:.2%}"
    yield f"{entry['calibration']['temperature']:.3f}"
    yield f"{entry['calibration']['threshold']:.0%}"
    yield f"{entry['calibration_error']:.2%}"
    yield f"{entry['calibration_error_at_temperature_1']:.2%}"
    yield f"{entry['test_digits_doubted']:.1%}"
    yield from (f"{share:.0%}" for share in entry["doubted"].values())
    yield from (f"{share:.1%}" for share in entry.get("pen_digits", {}).values())


def columns_of(text):
    """Return the cells of each column of the only table in a text."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert len({len(row) for row in rows}) == 1
    return [[cell.strip(" |") for cell in column] for column in zip(*rows, strict=True)]


def test_model_card_md_is_the_markdown_of_card_json():
    assert (FOLDER / "MODEL_CARD.md").read_text("utf-8") == markdown(pretrained_card())


def test_the_card_in_markdown_has_a_row_for_every_number():
    card = pretrained_card()
    what, *columns = columns_of(markdown(card))
    assert len(columns) == len(card) == 4
    assert len(set(what)) == len(what)
    for (name, entry), (title, *cells) in zip(card.items(), columns, strict=True):
        assert title == ARCHITECTURES[name].title
        assert str(entry["recipe"]) in cells
        shown = list(numbers_in(entry))
        assert all(cells.count(number) >= shown.count(number) for number in shown)
        assert f"{entry['training_s']:,} s" in cells
        assert str(entry["seed"]) in cells
    assert str(card["linear"]["made_with"]) in markdown(card)


@pytest.mark.parametrize("missing", ARCHITECTURES)
def test_a_model_without_pen_digits_has_its_own_column(missing):
    """As after `python -m mnist_core.pretrained --only mlp`."""
    card = pretrained_card()
    for i, (name, entry) in enumerate(card.items()):
        entry["pen_digits"] = {"Like MNIST": 0.111 * (i + 1)}
        if name == missing:
            del entry["pen_digits"]
    what, *columns = columns_of(markdown(card))
    row = [column[what.index("accuracy, pen digits: Like MNIST")] for column in columns]
    place = list(card).index(missing)
    expected = ["11.1%", "22.2%", "33.3%", "44.4%"]
    expected[place] = "not measured"
    assert row == expected


def test_without_pen_digits_the_card_has_no_row_of_them():
    card = pretrained_card()
    for entry in card.values():
        entry.pop("pen_digits", None)
    assert "pen digits:" not in markdown(card)


def test_the_card_is_written_into_the_folder_of_the_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(card_module, "FOLDER", tmp_path)
    card = pretrained_card()
    write_card(card)
    assert json.loads((tmp_path / "card.json").read_text("utf-8")) == card
    assert (tmp_path / "MODEL_CARD.md").read_text("utf-8") == markdown(card)
    assert len(list(tmp_path.iterdir())) == 2
