"""The code that ran, shown on the page: taken from the core with ``inspect``, never a copy."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import streamlit as st

__all__ = ["code", "source_of"]


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
