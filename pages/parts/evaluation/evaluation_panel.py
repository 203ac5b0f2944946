"""The accuracies, the confusion matrix and the worst mistakes of one model on one data set."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mnist_core.data.datasets import Dataset
from mnist_core.evaluation.metrics import Evaluation, accuracy, evaluate, worst_mistakes
from mnist_core.figures.classes import confusion_figure
from mnist_core.figures.pictures import enlarged
from mnist_core.training.status import ACTIVE
from pages.parts.explain import zoom_panel
from pages.parts.session import caches, offers
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.widgets import code_box, elements

__all__ = ["show"]

MISTAKES = 24


def show(offer: ModelOnOffer, dataset: Dataset) -> None:
    """Show a model's accuracies and mistakes; the training set is last, as it takes longest."""
    _still_training(offer)
    left, right = st.columns(2)
    test = caches.evaluation_of(offer, dataset, "test")
    _accuracy(left, "evaluation_test_accuracy", "Accuracy on the test set", test)
    if offer.key == "mine":
        visitor().choices.mark_done("evaluation", f"test accuracy {test.accuracy:.4f}")
    texts.show("evaluation", "two")
    if dataset.name == "mnist":
        texts.show("evaluation", "limit")
    code_box.code(accuracy)
    code_box.code(evaluate, folded=True)
    _confusion(test, offer, dataset)
    _worst(test, offer, dataset)
    with right:
        train = caches.evaluation_of(offer, dataset, "train")
    _accuracy(right, "evaluation_train_accuracy", "Accuracy on the training set", train)


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


def _confusion(test: Evaluation, offer: ModelOnOffer, dataset: Dataset) -> None:
    texts.show("evaluation", "confusion")
    with st.container(key="evaluation_confusion"):
        st.plotly_chart(
            confusion_figure(
                test.confusion, dataset.class_names, offer.class_names, elements.dark()
            ),
            key="evaluation_confusion_figure",
            config=elements.STILL,
            alt="Confusion matrix of the test set",
        )


def _worst(test: Evaluation, offer: ModelOnOffer, dataset: Dataset) -> None:
    texts.show("evaluation", "worst")
    worst = worst_mistakes(test, MISTAKES)
    if not len(worst):
        st.success("Not a single mistake on this test set.")
        return
    captions = [
        f"is {dataset.class_names[test.labels[i]]}, "
        f"predicted {offer.class_names[test.predicted[i]]} ({test.confidence[i]:.0%})"
        for i in worst
    ]
    pictures = [enlarged(dataset.test_images[i], 84) for i in worst]
    elements.pictures(pictures, captions, 96, "evaluation_worst")
    _open(worst.tolist(), captions, offer, dataset)


def _open(worst: list[int], captions: list[str], offer: ModelOnOffer, dataset: Dataset) -> None:
    """Show the choice of a mistake to open, from the network down to a single sum."""
    image = st.selectbox(
        "Open one of them, from the network down to a single sum",
        worst,
        index=None,
        format_func=dict(zip(worst, captions, strict=True)).__getitem__,
        placeholder="Choose a mistake",
        key="evaluation_open",
        width=480,
    )
    if image is not None:
        texts.show("zoom", "intro")
        pixels = dataset.test_images[image]
        zoom_panel.show(
            caches.model_of(offer), offer.architecture, pixels, offer.class_names, "evaluation"
        )
