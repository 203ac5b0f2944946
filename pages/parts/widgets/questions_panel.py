"""A question that asks for a prediction before the result is computed and shown."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from mnist_core.lesson.question_words import Words
from mnist_core.lesson.questions import QUESTIONS, outcome
from pages.parts.session import state
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.widgets import code_box

__all__ = ["ask"]


@st.fragment
def ask(name: str) -> None:
    """Show a question; a wrong first prediction can be followed by a second try.

    The first prediction counts for the score. The right option and its explanation appear after a
    right prediction, after the second try, or on "Show me".

    Parameters
    ----------
    name : str
        A key of `mnist_core.lesson.questions.QUESTIONS` and of `texts.questions`.
    """
    words, given = texts.questions()[name], visitor().choices.answers.get(name)
    with st.container(border=True, key=f"question_{name}_box"):
        st.caption(":material/psychology_alt: Predict, then look")
        st.markdown(words.question)
        if given is None:
            _options(name, words, f"question_{name}", "Your prediction", list(words.options))
            return
        first, right = given
        second = state.stored(_second_of(name), None)
        if right or second is not None or len(words.options) < 3:
            _answer(name, words, first, second or "")
        else:
            _second_try(name, words, first)


def _second_of(name: str) -> str:
    """Return the slot of the second try: an option, or "" if the visitor asked to be shown."""
    return f"question_{name}_second_try"


def _options(name: str, words: Words, key: str, label: str, options: list[str]) -> None:
    chosen = st.radio(
        label,
        options,
        index=None,
        format_func=words.options.__getitem__,
        key=key,
        persist_state="session",
    )
    st.button(
        "Check",
        key=f"{key}_check",
        icon=":material/check:",
        disabled=chosen is None,
        on_click=_check,
        args=(name, key),
    )


def _check(name: str, key: str) -> None:
    """Store a first prediction with whether it is right, or a second try."""
    option = state.widget(key)
    if name in visitor().choices.answers:
        state.store(_second_of(name), option)
        return
    visitor().choices.answer(name, option, option == outcome(name).answer)
    visitor().save()


def _second_try(name: str, words: Words, first: str) -> None:
    hint = f" {words.hint}" if words.hint else ""
    tried = words.options.get(first, first)
    st.info(f"It is not **{tried}**.{hint}", icon=":material/lightbulb:")
    left = [option for option in words.options if option != first]
    _options(name, words, f"question_{name}_again", "Try once more", left)
    st.button(
        "Show me",
        key=f"question_{name}_show",
        icon=":material/visibility:",
        on_click=state.store,
        args=(_second_of(name), ""),
    )


def _marked(words: Words, first: str, second: str, right: str) -> Iterator[str]:
    """Yield the options as list items; words, not colour alone, mark the right and chosen ones."""
    marks = {second: "your second try", first: "your prediction"}
    for option, text in words.options.items():
        mark = f"**{text}** :green[:material/check:]" if option == right else text
        yield f"- {mark}{f' · *{marks[option]}*' if option in marks else ''}"


def _answer(name: str, words: Words, first: str, second: str) -> None:
    result = outcome(name)
    with st.container(key=f"question_{name}_answer"):
        st.markdown("\n".join(_marked(words, first, second, result.answer)))
        if first == result.answer:
            st.success("Right, as you predicted.", icon=":material/check:")
        elif second == result.answer:
            st.success("Right at the second try.", icon=":material/check:")
        else:
            right = words.options[result.answer]
            st.info(f"It came out differently: **{right}**", icon=":material/lightbulb:")
        st.markdown(words.explained(result.numbers))
    question = QUESTIONS[name]
    code_box.code(
        question.compute, *question.helpers, title="The code that computed the answer", folded=True
    )
