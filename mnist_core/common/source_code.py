"""Python source as text: a function's own source, and scripts written from templates."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

__all__ = ["fill_template", "source_of"]

_DOCSTRING = re.compile(r'\A((?:@[^\n]*\n)*def .*?:)\n    """.*?"""', re.DOTALL)


def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a function without its docstring. The source of a class is complete."""
    source = textwrap.dedent(inspect.getsource(function))
    return _DOCSTRING.sub(r"\1", source).strip()


def fill_template(path: Path, **values: Any) -> str:
    """Return a Jinja template, filled in with values.

    A line with nothing but a ``{% ... %}`` tag leaves no line in the result.

    Raises
    ------
    jinja2.UndefinedError
        If the template uses a value that is not given.
    """
    return _template(path).render(values)


@cache
def _template(path: Path) -> jinja2.Template:
    import jinja2  # takes 45 ms

    environment = jinja2.Environment(  # noqa: S701 (it escapes nothing: the result is not HTML)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.from_string(path.read_text("utf-8"))
