"""The address's parameters: what a teacher's link may choose for the visitor."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

from mnist_core.common.formatting import word_of_address
from mnist_core.data.datasets import NAMES
from pages.parts.session import state
from pages.parts.session.choices import ARCHITECTURES
from pages.parts.session.visitor import PARAMETER, visitor

__all__ = ["apply", "problems"]

VALUES: Mapping[str, tuple[str, ...]] = {"dataset": NAMES, "model": ARCHITECTURES}
_APPLIED = "parameters"  # slot of the parameters that were last acted on


def apply(page_parameters: Collection[str] = ()) -> list[str]:
    """Choose what the address asks for, once; return a sentence for each unknown part.

    Parameters
    ----------
    page_parameters : collection of str
        Parameters that the page itself reads.
    """
    parameters = _parameters(page_parameters)
    if parameters != state.stored(_APPLIED, {}):
        for name, values in VALUES.items():
            if parameters.get(name) in values:
                _choose(name, parameters[name])
    else:
        _drop_outdated(parameters)
    state.store(_APPLIED, _parameters(page_parameters))
    return problems(parameters, page_parameters)


def _choose(parameter: str, value: str) -> None:
    choices = visitor().choices
    if parameter == "dataset":
        choices.dataset = value
    else:  # the architecture to build and train, and its bundled model to try
        choices.architecture = choices.model = value


def _drop_outdated(parameters: Mapping[str, str]) -> None:
    """Remove parameters that the visitor's later choices contradict: a reload would undo these."""
    choices = visitor().choices
    current = {"dataset": choices.dataset, "model": choices.architecture}
    for name, values in VALUES.items():
        if parameters.get(name) in values and parameters[name] != current[name]:
            del st.query_params[name]


def _parameters(page_parameters: Collection[str]) -> dict[str, str]:
    """Return the address's parameters without the workspace and those the page itself reads."""
    left_out = {PARAMETER, *page_parameters}
    return {k: v for k, v in st.query_params.to_dict().items() if k not in left_out}


def problems(parameters: Mapping[str, str], page_parameters: Collection[str] = ()) -> list[str]:
    """Return a sentence for each parameter or value that is not known."""
    sentences = []
    for name, value in parameters.items():
        if name not in VALUES:
            sentences.append(
                f"This address has a part that means nothing here, {word_of_address(name)}; it was "
                f"left out. Known are: {', '.join((*VALUES, *page_parameters))}."
            )
        elif value not in VALUES[name]:
            sentences.append(
                f"This address asks for the {name} {word_of_address(value)}, which does not exist; "
                f"it was left out. There are: {', '.join(VALUES[name])}."
            )
    return sentences
