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
    """Show a question and, once it is answered, the right option and its explanation.

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
            _options(name, words)
        else:
            _answer(name, words, given[0])


def _options(name: str, words: Words) -> None:
    chosen = st.radio(
        "Your prediction",
        list(words.options),
        index=None,
        format_func=words.options.__getitem__,
        key=f"question_{name}",
        persist_state="session",
    )
    st.button(
        "Check",
        key=f"question_{name}_check",
        icon=":material/check:",
        disabled=chosen is None,
        on_click=_check,
        args=(name,),
    )


def _check(name: str) -> None:
    """Compare the chosen option with the computed one, and save both."""
    option = state.widget(f"question_{name}")
    visitor().choices.answer(name, option, option == outcome(name).answer)
    visitor().save()


def _marked(words: Words, given: str, right: str) -> Iterator[str]:
    """Yield the options as list items; words, not colour alone, mark the right and chosen one."""
    for option, text in words.options.items():
        mark = f"**{text}** :green[:material/check:]" if option == right else text
        yield f"- {mark}{' · *your prediction*' if option == given else ''}"


def _answer(name: str, words: Words, given: str) -> None:
    result = outcome(name)
    with st.container(key=f"question_{name}_answer"):
        st.markdown("\n".join(_marked(words, given, result.answer)))
        if given == result.answer:
            st.success("Right, as you predicted.", icon=":material/check:")
        else:
            right = words.options[result.answer]
            st.info(f"It came out differently: **{right}**", icon=":material/lightbulb:")
        st.markdown(words.explained(result.numbers))
    question = QUESTIONS[name]
    code_box.code(
        question.compute, *question.helpers, title="The code that computed the answer", folded=True
    )
