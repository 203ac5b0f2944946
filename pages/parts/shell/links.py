"""The part of the address after the question mark: what a teacher's link may set."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

import streamlit as st

from mnist_core.data.datasets import NAMES
from pages.parts.session import state, visitor

__all__ = ["apply", "problems"]

Choose, Chosen = Callable[[str], None], Callable[[], str | None]
_PARAMETERS: dict[str, tuple[tuple[str, ...], Choose, Chosen]] = {
    "dataset": (NAMES, state.choose_dataset, state.chosen_dataset),
    "model": (state.ARCHITECTURES, state.choose_architecture_and_model, state.architecture),
}
_PLAIN = re.compile(r"[\w-]{1,24}", re.ASCII)


def apply(own: Collection[str] = ()) -> list[str]:
    """Set what the address asks for, once; return a sentence for each part that is not known.

    Parameters
    ----------
    own : collection of str
        Parameters that the page itself reads.
    """
    parameters = _parameters(own)
    if parameters != state.applied_parameters():
        state.set_applied_parameters(parameters)
        for name, (values, choose, _) in _PARAMETERS.items():
            if parameters.get(name) in values:
                choose(parameters[name])
    else:
        _drop_what_was_changed(parameters, own)
    return problems(parameters, own)


def _drop_what_was_changed(parameters: dict[str, str], own: Collection[str]) -> None:
    """Take out of the address what the visitor has chosen otherwise since: a reload keeps that."""
    for name, (values, _, chosen) in _PARAMETERS.items():
        if parameters.get(name) in values and chosen() != parameters[name]:
            del st.query_params[name]
    state.set_applied_parameters(_parameters(own))


def _parameters(own: Collection[str]) -> dict[str, str]:
    """Return what the address asks for, without the workspace and what the page itself reads."""
    left_out = {visitor.PARAMETER, *own}
    return {k: v for k, v in st.query_params.to_dict().items() if k not in left_out}


def problems(parameters: Mapping[str, str], own: Collection[str] = ()) -> list[str]:
    """Return a sentence for each parameter or value that is not known."""
    sentences = []
    for name, value in parameters.items():
        if name not in _PARAMETERS:
            sentences.append(
                f"This address has a part that means nothing here, {_quoted(name)}; it was left "
                f"out. Known are: {', '.join((*_PARAMETERS, *own))}."
            )
        elif value not in _PARAMETERS[name][0]:
            sentences.append(
                f"This address asks for the {name} {_quoted(value)}, which does not exist; it was "
                f"left out. There are: {', '.join(_PARAMETERS[name][0])}."
            )
    return sentences


def _quoted(text: str) -> str:
    """Quote what came with the address, if it is a plain word; never as Markdown."""
    return f"`{text}`" if _PLAIN.fullmatch(text) else "(not a plain word)"
