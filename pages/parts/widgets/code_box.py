"""The code that ran, shown on the page: the core's own source, never a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from mnist_core.common.source_code import source_of

__all__ = ["code"]


def code(*functions: Callable[..., Any], title: str = "", folded: bool = False) -> None:
    """Show the source of functions that have just run, below a title or folded behind it."""
    body = "\n\n\n".join(source_of(function) for function in functions)
    if folded:
        with st.expander(title or "More of the code that ran", icon=":material/code:"):
            st.code(body)
    else:
        st.caption(title or "The code that ran:")
        st.code(body)
