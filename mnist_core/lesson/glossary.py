"""The lesson's words: one plain meaning for each term, and the page where it is first met.

The first page may show it, so this module does not import PyTorch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["LONGEST", "Term", "load_terms"]

LONGEST = 300  # characters of a meaning: one or two sentences


@dataclass(frozen=True, slots=True)
class Term:
    """A term in plain words.

    Attributes
    ----------
    meaning : str
        One or two sentences, as Markdown, fewer than 300 characters.
    page : str
        The name of the page where it is first met.
    """

    meaning: str
    page: str

    def __post_init__(self) -> None:
        for text in (self.meaning, self.page):
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"expected a text in each part, got {text!r}.")
        if len(self.meaning) >= LONGEST:
            raise ValueError(
                f"expected a meaning of fewer than {LONGEST} characters, got {len(self.meaning)}."
            )


@cache
def load_terms(path: Path) -> Mapping[str, Term]:
    """Read the terms from a TOML file with a table for each.

    Raises
    ------
    ValueError
        If a term is there twice, or a part of it is missing, unknown or empty; the message names
        the term.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:  # a term that is there twice, too
        raise ValueError(f"{path.name}: {error}") from error
    terms: dict[str, Term] = {}
    for name, table in tables.items():
        if name.casefold() in {known.casefold() for known in terms}:
            raise ValueError(f"{path.name}: {name} is there twice.")
        try:
            terms[name] = Term(**table)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name}: {name}: {error}") from error
    return terms
