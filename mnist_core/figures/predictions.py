"""Predictions for a drawing as HTML, which a page can replace ten times a second.

A chart library takes a third of the time between two live predictions, and ten bars need no axes.
Class names and model names are escaped; everything else is numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from mnist_core.drawing.prediction import Prediction
from mnist_core.figures.style import CLASS_COLOURS

__all__ = ["bars_html", "models_html", "note_html"]


def bars_html(prediction: Prediction, names: Sequence[str]) -> str:
    """Return ten bars of probability, with a line at the confidence from which the model is sure.

    The classes of the style sheet are ``prediction-bars`` and, for the largest, ``predicted``.
    """
    predicted = prediction.predicted
    alt = f"Ten confidences; the largest is {names[predicted]} with {prediction.confidence:.1%}."
    rows = "".join(
        f"<div{' class=predicted' if i == predicted else ''}><span>{escape(name)}</span>"
        f'<i><i style="width:{100 * p:.1f}%;background:{colour}"></i>'
        f'<u style="left:{100 * prediction.threshold:.1f}%"></u></i><b>{p:.1%}</b></div>'
        for i, (name, p, colour) in enumerate(zip(names, prediction.p, CLASS_COLOURS, strict=True))
    )
    return f'<div class="prediction-bars" role="img" aria-label="{escape(alt)}">{rows}</div>'


def models_html(
    by_model: Mapping[str, Mapping[str, Prediction]],
    names: Mapping[str, Sequence[str]],
    titles: Mapping[str, str],
) -> str:
    """Return a table of each model's prediction for the drawing prepared in each way.

    Parameters
    ----------
    by_model : dict of model to (dict of way to Prediction)
    names : dict of model to its ten class names
    titles : dict of model to its title
    """
    ways = list(next(iter(by_model.values())))
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in ("Model", *ways))
    rows = "".join(
        f'<tr><th scope="row">{escape(titles[model])}</th>'
        + "".join(f"<td>{_cell(by_way[way], names[model])}</td>" for way in ways)
        + "</tr>"
        for model, by_way in by_model.items()
    )
    return (
        '<table class="prediction-models"><caption>Every model on this drawing, prepared in either '
        f"way</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def note_html(sentence: str) -> str:
    """Return a sentence in small print."""
    return f'<p class="prediction-note">{escape(sentence)}</p>'


def _cell(prediction: Prediction, names: Sequence[str]) -> str:
    doubt = "" if prediction.sure else " (not sure)"
    return f"<b>{escape(names[prediction.predicted])}</b> {prediction.confidence:.0%}{doubt}"
