from __future__ import annotations

import jinja2
import pytest

from mnist_core.common.source_code import fill_template, source_of


def long_function(
    first: int,
    second: int = 2,
) -> int:
    """Add.

    The text of a docstring ends here.
    """
    return first + second  # a comment


class Documented:
    """A class."""

    def method(self) -> str:
        return """a text"""


def test_the_source_of_a_function_has_no_docstring():
    assert source_of(long_function) == (
        "def long_function(\n    first: int,\n    second: int = 2,\n) -> int:\n"
        "    return first + second  # a comment"
    )


def test_the_source_of_a_method_is_dedented_and_keeps_its_strings():
    assert source_of(Documented.method) == 'def method(self) -> str:\n    return """a text"""'


def test_the_source_of_a_class_is_complete():
    assert source_of(Documented).startswith('class Documented:\n    """A class."""\n')


def test_a_line_with_a_tag_alone_leaves_no_line(tmp_path):
    template = tmp_path / "a.py.jinja"
    template.write_text('{% if big %}\nx = {{ n }} * "<"\n{% endif %}\ny = {{ n }}\n', "utf-8")
    assert fill_template(template, big=True, n=3) == 'x = 3 * "<"\ny = 3\n'
    assert fill_template(template, big=False, n=3) == "y = 3\n"
    with pytest.raises(jinja2.UndefinedError, match="n"):
        fill_template(template, big=False)
