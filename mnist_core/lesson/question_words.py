"""A question's words, taken from the lesson's prose: what is asked, the options, why it is so.

This module knows no networks: the first page, which shows the tally, does without torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Words", "page_of", "parse"]

_OPTION = re.compile(r"^- (?:\[(\w+)\] )?(.+)$")


@dataclass(frozen=True, slots=True)
class Words:
    """One question in words.

    Attributes
    ----------
    question : str
        Markdown.
    options : dict of str to str
        {key: Markdown}, two to four, in the order they are shown in.
    explanation : str
        Markdown with the names of computed numbers in braces, each with its format.
    """

    question: str
    options: dict[str, str]
    explanation: str

    def explained(self, numbers: Mapping[str, float]) -> str:
        """Return the explanation with the numbers put in.

        Raises
        ------
        KeyError
            If it asks for a number that is not there.
        """
        return self.explanation.format_map(numbers)


def parse(text: str) -> Words:
    """Cut a question's Markdown into its parts.

    The question comes first, then a list with an option an item, then a line ``---``, then the
    explanation. An option begins with its key in square brackets; without one its whole text is
    the key, as suits a number.

    Raises
    ------
    ValueError
        If the text is not of that form.
    """
    asked, line, explanation = text.partition("\n---\n")
    lines = asked.strip().splitlines()
    found = [match for match in map(_OPTION.match, lines) if match]
    options = {key or words: words for key, words in (match.groups() for match in found)}
    question = "\n".join(lines[: len(lines) - len(found)]).strip()
    if not (line and question and explanation.strip()) or not 2 <= len(options) <= 4:
        raise ValueError(
            "expected a question, two to four options as a list, a line --- and an explanation, "
            f"got {text!r:.80}."
        )
    if len(options) < len(found) or not all(map(_OPTION.match, lines[-len(found) :])):
        raise ValueError(
            f"expected options with different keys, one a line and last before ---, got {asked!r}."
        )
    return Words(question, options, explanation.strip())


def page_of(name: str) -> str:
    """Return the page that a question is on: what stands before its name's first underscore."""
    return name.partition("_")[0]
