"""The words of the questions: what is asked, the options, and why the right one is right.

The first page counts the predictions, so this module does not import PyTorch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Words", "load_words", "page_of"]


@dataclass(frozen=True, slots=True)
class Words:
    """One question in words.

    Attributes
    ----------
    question : str
        Markdown.
    options : dict of str to str
        {key: Markdown}, two to four, in the order in which they are shown.
    explanation : str
        Markdown, with the computed numbers as format fields, such as ``{loss:.3f}``.
    hint : str
        Markdown, shown before a second try; "" for none.
    """

    question: str
    options: Mapping[str, str]
    explanation: str
    hint: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.options, Mapping) or not 2 <= len(self.options) <= 4:
            raise ValueError(f"expected a table of two to four options, got {self.options}.")
        texts = (self.question, self.explanation, *self.options.values())
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ValueError(f"expected a text in each part, got {texts}.")
        if not isinstance(self.hint, str):
            raise ValueError(f"expected a text as the hint, got {self.hint!r}.")

    def explained(self, numbers: Mapping[str, float]) -> str:
        """Return the explanation with the numbers filled in.

        Raises
        ------
        KeyError
            If a number is missing.
        """
        return self.explanation.format_map(numbers)


@cache
def load_words(path: Path) -> Mapping[str, Words]:
    """Read the words of every question, by its name, from a TOML file with a table for each.

    Raises
    ------
    ValueError
        If a part of a question is missing, unknown or empty; the message names the question.
    """
    with path.open("rb") as file:
        tables = tomllib.load(file)
    words = {}
    for name, table in tables.items():
        try:
            words[name] = Words(**table)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name}: {name}: {error}") from error
    return words


def page_of(name: str) -> str:
    """Return the name of the page that asks a question: the part before the first underscore."""
    return name.partition("_")[0]
