"""What models say of a drawing, as HTML that a page can replace ten times a second.

A chart library takes a third of the time that a live answer has, and ten bars need no axes. The
words that come in (class names, names of models) are escaped; nothing else but numbers is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from mnist_core.drawing.prediction import Answer
from mnist_core.figures.style import CLASS_COLOURS

__all__ = ["bars_html", "models_html", "note_html"]


def bars_html(answer: Answer, names: Sequence[str]) -> str:
    """Return ten bars of probability, with a line where the model begins to be sure.

    The classes of the style sheet are ``answer-bars`` and, for the largest, ``said``.
    """
    said = names[answer.said]
    alt = f"Ten confidences; the largest is {said} with {answer.confidence:.1%}."
    rows = "".join(
        f"<div{' class=said' if i == answer.said else ''}><span>{escape(name)}</span>"
        f'<i><i style="width:{100 * p:.1f}%;background:{colour}"></i>'
        f'<u style="left:{100 * answer.threshold:.1f}%"></u></i><b>{p:.1%}</b></div>'
        for i, (name, p, colour) in enumerate(zip(names, answer.p, CLASS_COLOURS, strict=True))
    )
    return f'<div class="answer-bars" role="img" aria-label="{escape(alt)}">{rows}</div>'


def models_html(
    answers: Mapping[str, Mapping[str, Answer]],
    names: Mapping[str, Sequence[str]],
    titles: Mapping[str, str],
) -> str:
    """Return a table: what each model says of the drawing, prepared in each way.

    Parameters
    ----------
    answers : dict of model to (dict of way to Answer)
    names : dict of model to its ten class names
    titles : dict of model to what it is called
    """
    ways = list(next(iter(answers.values())))
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in ("Model", *ways))
    rows = "".join(
        f'<tr><th scope="row">{escape(titles[model])}</th>'
        + "".join(f"<td>{_cell(by_way[way], names[model])}</td>" for way in ways)
        + "</tr>"
        for model, by_way in answers.items()
    )
    return (
        '<table class="answer-models"><caption>Every model on this drawing, prepared in either '
        f"way</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def note_html(sentence: str) -> str:
    """Return a sentence in small print."""
    return f'<p class="answer-note">{escape(sentence)}</p>'


def _cell(answer: Answer, names: Sequence[str]) -> str:
    doubt = "" if answer.sure else " (not sure)"
    return f"<b>{escape(names[answer.said])}</b> {answer.confidence:.0%}{doubt}"
