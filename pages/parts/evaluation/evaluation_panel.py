"""The accuracies, the confusion matrix and the mistakes of one model on one data set."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mnist_core.common.formatting import counted
from mnist_core.data.datasets import Dataset
from mnist_core.evaluation.metrics import Evaluation, evaluate, logits_of, probabilities, surest
from mnist_core.nn.architectures import with_weights
from mnist_core.training.status import ACTIVE
from pages.parts.explain import zoom_panel
from pages.parts.session import caches, offers, state
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.widgets import code_box, confusion_matrix, image_grid

__all__ = ["choose_and_show", "explain"]

MOST_PICTURES = 24
ANY = "any"
MATRIX, OPEN = "evaluation_confusion_figure", "evaluation_open"
TRUE, PREDICTED = "evaluation_true", "evaluation_predicted"


def choose_and_show(dataset: Dataset) -> ModelOnOffer | None:
    """Show the choice of a model, its accuracies, its confusion matrix and a cell's images.

    The accuracy on the training set is computed last, because it takes longest.

    Returns
    -------
    The model, or None if its classes are not those of the data set.
    """
    left, right = st.columns([2, 3])
    with left:
        offer = offers.model_choice("evaluation_model", dataset=dataset)
        if offer.class_names != dataset.class_names:
            st.page_link(
                "pages/training.py", label="Train a model", icon=":material/model_training:"
            )
            return None
        _still_training(offer)
        with st.container(horizontal=True):
            first, second = st.container(width=164), st.container(width=164)
    test = caches.evaluation_of(offer, dataset, "test")
    _accuracy(first, "evaluation_test_accuracy", "Test accuracy", test)
    if offer.key == "mine":
        visitor().choices.mark_done("evaluation", f"test accuracy {test.accuracy:.4f}")
    with right:
        _confusion(test, dataset, offer)
        texts.show("evaluation", "confusion")
    _images(test, offer, dataset)
    with second:
        train = caches.evaluation_of(offer, dataset, "train")
    _accuracy(second, "evaluation_train_accuracy", "Training accuracy", train)
    return offer


def explain(offer: ModelOnOffer, dataset: Dataset) -> None:
    """Show why there are two accuracies, and the code that predicted the images."""
    texts.show("evaluation", "two")
    if dataset.name == "mnist":
        if offer.architecture == "linear":
            texts.show("evaluation", "linear")
        texts.show("evaluation", "limit")
    texts.show("evaluation", "modes")
    code_box.code(
        evaluate, probabilities, logits_of, with_weights, title="The code that ran", folded=True
    )


def _still_training(offer: ModelOnOffer) -> None:
    job = offers.current_run()
    if offer.key == "mine" and job and job.status in ACTIVE:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("This run is still training; these are its numbers so far.")
            st.button("Look again", key="evaluation_refresh", icon=":material/refresh:")


def _accuracy(place: DeltaGenerator, key: str, label: str, evaluation: Evaluation) -> None:
    with place:
        with st.container(key=key):
            st.metric(label, f"{evaluation.accuracy:#.5g}")
        st.caption(f"{evaluation.correct:,} of {evaluation.total:,} right")


def _class(key: str) -> int | None:
    """Return the class chosen in a select box; None for any class."""
    chosen = state.widget(key)
    return chosen if isinstance(chosen, int) else None


def _confusion(test: Evaluation, dataset: Dataset, offer: ModelOnOffer) -> None:
    true, predicted = _class(TRUE), _class(PREDICTED)
    chosen = None if true is None or predicted is None else (true, predicted)
    with st.container(key="evaluation_confusion"):
        confusion_matrix.show(
            test.confusion,
            dataset.class_names,
            offer.class_names,
            MATRIX,
            "the test set",
            chosen,
            _follow_click,
            height=360,
        )


def _follow_click() -> None:
    cell = confusion_matrix.clicked_cell(MATRIX)
    if cell:
        for key, value in zip((TRUE, PREDICTED), cell, strict=True):
            state.set_widget(key, value)


def _images(test: Evaluation, offer: ModelOnOffer, dataset: Dataset) -> None:
    """Show the images of a cell, or the mistakes; the select boxes serve the keyboard."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, key, names in (
            ("True class", TRUE, dataset.class_names),
            ("Predicted class", PREDICTED, offer.class_names),
        ):
            titles: dict[int | str, str] = {ANY: ANY, **dict(enumerate(names))}
            st.selectbox(label, list(titles), format_func=titles.__getitem__, key=key, width=164)
    found = surest(test, _class(TRUE), _class(PREDICTED))
    shown = found[:MOST_PICTURES].tolist()
    with st.container(key="evaluation_worst"):
        st.markdown(_heading(len(found)))
        if not shown:
            return
        captions = {
            i: f"{dataset.class_names[test.labels[i]]}, "
            f"predicted {offer.class_names[test.predicted[i]]} ({test.confidence[i]:.0%})"
            for i in shown
        }
        image = state.widget(OPEN)
        image_grid.show(
            "evaluation_pictures",
            [dataset.test_images[i] for i in shown],
            list(captions.values()),
            "Test images of this cell",
            columns=(4, 8),
            opened=shown.index(image) if image in shown else None,
            open_it=lambda place: state.set_widget(OPEN, shown[place]),
        )
    _open(captions, offer, dataset)


def _heading(n: int) -> str:
    true, predicted = _class(TRUE), _class(PREDICTED)
    right = true is not None and true == predicted
    kind = counted(n, "right prediction" if right else "mistake")
    if not n:
        return f"**No {'right predictions' if right else 'mistakes'} here.** Choose another cell."
    order = f", the {MOST_PICTURES} most confident" if n > MOST_PICTURES else ""
    return f"**{kind}**{order}. Click an image, and it opens in the network."


def _open(captions: dict[int, str], offer: ModelOnOffer, dataset: Dataset) -> None:
    """Show the choice of an image to open, from the network down to a single sum."""
    image = st.selectbox(
        "Open an image in the network",
        list(captions),
        index=None,
        format_func=captions.__getitem__,
        placeholder="Choose an image",
        key=OPEN,
        width=360,
    )
    if image is not None:
        texts.show("zoom", "intro")
        pixels = dataset.test_images[image]
        zoom_panel.show(
            caches.model_of(offer), offer.architecture, pixels, offer.class_names, "evaluation"
        )
