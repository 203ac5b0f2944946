"""The visitor's own drawings, saved with their true labels, and every model's accuracy on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.data.datasets import TITLES, class_names
from mnist_core.drawing.handwriting import MOST, Handwriting, Sample, from_zip, to_zip
from mnist_core.figures.pictures import as_url, enlarged
from mnist_core.workspace.handwriting_store import SavedHandwriting
from pages.parts.drawing import tuning_panel
from pages.parts.session import caches, state
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.widgets import confusion_matrix

__all__ = ["show"]

DIGITS = class_names("mnist")
LABEL = "drawing_true_label"
PER_PAGE, MOST_MODELS = 24, 8


@st.fragment
def show(
    pixels: np.ndarray | None,
    predicted: int | None,
    offer: ModelOnOffer,
    offers: list[ModelOnOffer],
) -> None:
    """Show the saved drawings, their download and upload, and the models' accuracy on them.

    Parameters
    ----------
    pixels : (28, 28) uint8 or None
        The drawing on the pad, as the model sees it.
    predicted : int or None
        The class that the chosen model predicts for it.
    offer : ModelOnOffer
        The chosen model.
    offers : list of ModelOnOffer
        All models.
    """
    texts.show("handwriting", "intro")
    digit_models = [o for o in offers if o.class_names == DIGITS]
    label = None
    if pixels is not None:
        suggested = predicted if offer in digit_models else None
        label = state.settle(LABEL, suggested, Sample(pixels, 0).id)
    pressed = state.take_press()
    try:
        saved = _changed(pressed, pixels, label)
        _save_row(pixels, label, saved.handwriting)
        _files(saved.handwriting)
    except OSError as error:
        st.error(
            f"Your drawings cannot be read from the server's disk ({error.strerror}). Nothing is "
            "lost: come back later, or tell whoever runs this server.",
            icon=":material/hard_drive:",
        )
        return
    if saved.problem:
        st.warning(saved.problem, icon=":material/hard_drive:")
    drawings = saved.handwriting
    if not len(drawings):
        texts.show("handwriting", "empty")
        return
    _grid(drawings)
    if digit_models:
        tuned = tuning_panel.tuned_models()
        _scores(drawings, offer, digit_models, tuned)
        _confusion(drawings, offer if offer in digit_models else digit_models[0], tuned)
        tuning_panel.show(pressed, drawings, offer)


def _changed(pressed: str, pixels: np.ndarray | None, label: int | None) -> SavedHandwriting:
    """Do what a button was pressed for; return the set as it is then."""
    saved = visitor().handwriting
    change: Callable[[Handwriting], Handwriting] | None = None
    if pressed == "drawing_keep" and pixels is not None and label is not None:
        change = partial(Handwriting.plus, pixels=pixels, label=label, created=time.time())
    elif pressed == "drawing_remove_all":
        change = lambda _: Handwriting()  # noqa: E731
    elif pressed.startswith("drawing_remove_"):
        change = partial(Handwriting.without, sample_id=pressed.removeprefix("drawing_remove_"))
    try:
        return saved.change(change) if change else saved.load()
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return saved.load()


def _save_row(pixels: np.ndarray | None, label: int | None, drawings: Handwriting) -> None:
    if pixels is None:
        st.info("Draw a digit, and you can keep it here.", icon=":material/draw:")
        return
    known = drawings.label_of(pixels)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.image(as_url(enlarged(pixels, 56)), width=56, alt="The drawing as the model sees it")
        st.segmented_control("This is a", range(10), key=LABEL, wrap=True)
        st.button(
            "Keep",
            key="drawing_keep",
            type="primary",
            icon=":material/bookmark_add:",
            disabled=label is None or known == label,
            on_click=state.press,
            args=("drawing_keep",),
        )
    if known is not None:
        again = "" if known == label else " Keep corrects its label."
        st.caption(f"This drawing is kept as a {known}.{again}")


def _files(handwriting: Handwriting) -> None:
    """Show the download and the upload, and add an uploaded set."""
    with st.expander("Take your drawings away, or bring some in", icon=":material/folder_zip:"):
        texts.show("handwriting", "file")
        st.download_button(
            f"Download {len(handwriting)} drawings",
            lambda: to_zip(handwriting),
            "handwriting.zip",
            "application/zip",
            key="drawing_set_download",
            icon=":material/download:",
            on_click="ignore",
            disabled=not len(handwriting),
        )
        with st.container(key="drawing_set_upload"):
            upload = st.file_uploader(
                "A set of drawings",
                type=["zip"],
                key=f"drawing_set_upload_{state.counter('drawing_sets')}",
            )
        if upload is not None:
            _add_set(upload.getvalue(), handwriting)


def _add_set(data: bytes, mine: Handwriting) -> None:
    try:
        others = from_zip(data)
        new = visitor().handwriting.change(lambda drawings: drawings.merged(others.samples))
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    came = len(new.handwriting) - len(mine)
    st.toast(f"{came} of {len(others)} drawings were new and are yours now.")
    state.count_up("drawing_sets")  # another key empties the upload field
    st.rerun()


def _grid(drawings: Handwriting) -> None:
    """Show the drawings, the newest first, each with a button to remove it."""
    newest_first, n_left_out = drawings.samples[::-1], int(drawings.left_out.sum())
    n_pages = -(-len(drawings) // PER_PAGE)
    with st.container(key="drawing_kept"):
        st.markdown(
            f"**{len(drawings)} of at most {MOST} drawings**: "
            f"{len(drawings) - n_left_out} to tune on, "
            f"{n_left_out} to test with."
        )
        page = st.pagination(n_pages, key=f"drawing_kept_{n_pages}") if n_pages > 1 else 1
        with st.container(horizontal=True, gap="small"):
            for sample in newest_first[(page - 1) * PER_PAGE : page * PER_PAGE]:
                _one(sample)
        texts.show("handwriting", "kept")
        with st.popover("Remove all", icon=":material/delete:", key="drawing_remove"):
            st.markdown("They cannot be brought back, unless you have downloaded them.")
            st.button(
                f"Remove all {len(drawings)} drawings",
                key="drawing_remove_all",
                on_click=state.press,
                args=("drawing_remove_all",),
            )


def _one(sample: Sample) -> None:
    half = "test" if sample.left_out else "tune"
    with st.container(width=76, gap=None, horizontal_alignment="center"):
        st.image(
            as_url(enlarged(sample.pixels, 56)),
            width=56,
            alt=f"A saved drawing of a {sample.label}",
        )
        st.button(
            f":small[{sample.label} {half}]",
            key=f"drawing_remove_{sample.id}",
            icon=":material/close:",
            icon_position="right",
            type="tertiary",
            help=f"Remove this {sample.label}",
            on_click=state.press,
            args=(f"drawing_remove_{sample.id}",),
        )


def _scores(
    drawings: Handwriting, chosen: ModelOnOffer, models: list[ModelOnOffer], tuned: set[str]
) -> None:
    """Show each model's accuracy on the drawings and on the test set of its own data."""
    texts.show("handwriting", "scores")
    models = sorted(models, key=lambda o: o.key != chosen.key)  # stable: the others stay in order
    bundled = [o for o in models[MOST_MODELS:] if o.bundled]
    shown = [*models[: MOST_MODELS - len(bundled)], *bundled]
    with st.container(key="drawing_set_scores"):
        st.table(
            pd.DataFrame([_row(drawings, o, o.key in tuned) for o in shown]),
            hide_index=True,
            alt="Accuracy of each model on your drawings and on its test set",
        )
    if any(o.key in tuned for o in shown):
        st.caption("A tuned model has learnt from the tune half, so only the test half tests it.")


def _row(drawings: Handwriting, offer: ModelOnOffer, is_tuned: bool) -> dict[str, str]:
    right = caches.handwriting_evaluation(offer, drawings).predicted == drawings.labels
    dataset = tuning_panel.test_set_of(offer)
    return {
        "Model": f"{offer.label} (tuned)" if is_tuned else offer.label,
        "Test half of your drawings": _share(right[drawings.left_out]),
        "All of them": "–" if is_tuned else _share(right),
        "Test set": f"{caches.test_accuracy_of(offer, dataset):.2%} of {TITLES[dataset.name]}",
    }


def _share(right: np.ndarray) -> str:
    return f"{right.mean():.0%} ({right.sum()} of {len(right)})" if len(right) else "–"


def _confusion(drawings: Handwriting, offer: ModelOnOffer, tuned: set[str]) -> None:
    """Show a model's confusion matrix: on all drawings, or on those it was not tuned on."""
    judged = drawings.part(left_out=True) if offer.key in tuned else drawings
    if not len(judged):
        return
    texts.show("handwriting", "confusion")
    part = "the test half of your drawings" if offer.key in tuned else "all your drawings"
    st.caption(f"{offer.label}, {part}.")
    with st.container(key="drawing_set_confusion"):
        confusion_matrix.show(
            caches.handwriting_evaluation(offer, judged).confusion,
            DIGITS,
            DIGITS,
            "drawing_set_confusion_figure",
            f"{offer.label} on {part}",
        )
