"""What every page has around its own: title, data status, code boxes, the way on."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.checks import Check
from pages.parts import data_panel, links, state, texts, warm, workspace
from pages.parts.table import after, enter_by_the_door

__all__ = [
    "STILL",
    "again",
    "check",
    "code",
    "dark",
    "footer",
    "header",
    "numbers",
    "pick",
    "pictures",
    "source_of",
    "table",
]

# Plotly's own tool bar stays away from figures that are only looked at; a phone scrolls past them.
STILL = {"displayModeBar": False, "scrollZoom": False}


def header(name: str, parameters: Collection[str] = ()) -> None:
    """Begin a page: its title, first words, and what the address asks for.

    Parameters
    ----------
    name : str
        The page's name in the table.
    parameters : collection of str
        What of the address the page reads itself.
    """
    enter_by_the_door()
    warm.start()
    trouble = workspace.enter()
    unknown = links.apply(parameters)  # before anything is shown: it may choose the data
    workspace.keep()
    with st.sidebar:
        data_panel.show("sidebar_data")
    for sentence in filter(None, [trouble, *unknown]):
        st.info(sentence, icon=":material/link:")
    title, _, first = texts.section(name, "intro").partition("\n")
    st.title(title.removeprefix("# "), anchor=False)
    st.markdown(first)


def footer(name: str) -> None:
    """End a page: note that it was seen, and lead on."""
    state.mark_done(name)
    workspace.keep()
    following = after(name)
    if following:
        st.divider()
        st.page_link(
            following.file,
            label=f"Next: **{following.title}** · {following.about}",
            icon=":material/arrow_forward:",
        )


def check(result: Check, key: str, what: str = "PyTorch and NumPy") -> None:
    """Show whether two computations agree, in a container of this key."""
    with st.container(key=key):
        if result.matches:
            st.success(f"{what}: {result}", icon=":material/check:")
        else:
            st.error(f"{what}: {result}", icon=":material/close:")


def pick(label: str, options: Iterable[Any], key: str, default: Any, **arguments: Any) -> Any:
    """Show a choice of one among a few, always made, remembered for the session."""
    return st.segmented_control(
        label,
        list(options),
        default=default,
        required=True,
        key=key,
        persist_state="session",
        **arguments,
    )


def again(label: str, key: str, counter: str) -> int:
    """Show a button that draws something anew; return how often it was pressed, to seed with."""
    st.button(label, key=key, icon=":material/casino:", on_click=state.count_up, args=(counter,))
    return state.counter(counter)


def numbers(values: Mapping[str, str], key: str | None = None, width: int = 164) -> None:
    """Show labelled numbers in a row; on a phone two fit side by side."""
    with st.container(horizontal=True, key=key):
        for label, value in values.items():
            st.metric(label, value, width=width)


def table(first_width: int | None = None, /, **columns: Sequence[object]) -> None:
    """Show columns side by side as a small table, the first one so many pixels wide."""
    import pandas as pd  # a third of a second that the first page does not wait for

    widths = {next(iter(columns)): st.column_config.Column(width=first_width)}
    st.dataframe(pd.DataFrame(columns), hide_index=True, column_config=widths)


def pictures(
    images: Sequence[np.ndarray], captions: Sequence[str], width: int, key: str | None = None
) -> None:
    """Show pictures side by side, with a gap, as many in a row as fit."""
    from mnist_core.figures.pictures import as_url  # brings Plotly's style along: not at first

    with st.container(horizontal=True, key=key):
        for image, caption in zip(images, captions, strict=True):
            st.image(as_url(image), caption=caption, width=width, alt=caption)


def dark() -> bool:
    """Return whether this visitor's page is dark."""
    return st.context.theme.type == "dark"


def code(*functions: Callable[..., Any], folded: bool = False) -> None:
    """Show the source of functions that have just run, without their docstrings."""
    body = "\n\n\n".join(source_of(function) for function in functions)
    if folded:
        with st.expander("More of the code that ran", icon=":material/code:"):
            st.code(body)
    else:
        st.caption("The code that ran:")
        st.code(body)


def source_of(function: Callable[..., Any]) -> str:
    """Return a function's source without its docstring, which the page's prose replaces."""
    source = textwrap.dedent(inspect.getsource(function))
    node = ast.parse(source).body[0]
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
        lines = source.splitlines()
        doc = node.body[0]
        del lines[doc.lineno - 1 : doc.end_lineno]
        source = "\n".join(lines)
    return source.strip()
