"""The visitor's own drawings: kept with their true labels, and how every model reads them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.data.datasets import TITLES, class_names
from mnist_core.drawing.handwriting import MOST, Handwriting, Sample, from_zip, to_zip
from mnist_core.figures.classes import confusion_figure
from mnist_core.figures.pictures import as_url, enlarged
from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.workspace.handwriting_store import SavedHandwriting
from pages.parts.drawing import tuning_panel
from pages.parts.session import caches, state
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.session.visitor import visitor
from pages.parts.shell import texts
from pages.parts.widgets import elements

__all__ = ["show"]

DIGITS = class_names("mnist")
LABEL = "drawing_true_label"
PER_PAGE, MOST_MODELS = 24, 8


def show(
    pixels: np.ndarray | None,
    said: int | None,
    offer: ModelOnOffer,
    offers: list[ModelOnOffer],
) -> None:
    """Show the set, what can be done with it, and how the models do on it.

    Parameters
    ----------
    pixels : (28, 28) uint8 or None
        The drawing now on the pad, as the model sees it.
    said : int or None
        What the chosen model reads in it.
    offer : ModelOnOffer
        The chosen model.
    offers : list of ModelOnOffer
        All models.
    """
    st.fragment(_panel)(pixels, said, offer, offers)


def _panel(
    pixels: np.ndarray | None,
    said: int | None,
    offer: ModelOnOffer,
    offers: list[ModelOnOffer],
) -> None:
    texts.show("handwriting", "intro")
    readers = [o for o in offers if o.class_names == DIGITS]
    label = None
    if pixels is not None:
        suggested = said if offer.class_names == DIGITS else None
        label = state.settle_label(LABEL, Sample(pixels, 0).id, suggested)
    wish = state.take_press()
    try:
        kept = _obey(wish, pixels, label)
        _keep_row(pixels, label, kept.handwriting)
        _files(kept.handwriting)
    except OSError as error:
        st.error(
            f"Your drawings cannot be read from the server's disk ({error.strerror}). Nothing is "
            "lost: come back later, or tell whoever runs this server.",
            icon=":material/hard_drive:",
        )
        return
    if kept.problem:
        st.warning(kept.problem, icon=":material/hard_drive:")
    if not len(kept.handwriting):
        texts.show("handwriting", "empty")
        return
    _grid(kept.handwriting)
    if readers:
        tuned = tuning_panel.tuned_models()
        _scores(kept.handwriting, offer, readers, tuned)
        _confusion(kept.handwriting, offer if offer in readers else readers[0], tuned)
        tuning_panel.show(wish, kept.handwriting, offer)


def _obey(wish: str, pixels: np.ndarray | None, label: int | None) -> SavedHandwriting:
    """Keep or remove what was asked for; return the set as it is now."""
    drawings = visitor().handwriting
    change: Callable[[Handwriting], Handwriting]
    if wish == "drawing_keep" and pixels is not None and label is not None:
        drawing, digit = pixels, label
        change = lambda kept: kept.plus(drawing, digit, time.time())  # noqa: E731
    elif wish == "drawing_remove_all":
        change = lambda _: Handwriting()  # noqa: E731
    elif wish.startswith("drawing_remove_"):
        change = lambda kept: kept.without(wish.removeprefix("drawing_remove_"))  # noqa: E731
    else:
        return drawings.load()
    try:
        return drawings.change(change)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return drawings.load()


def _keep_row(pixels: np.ndarray | None, label: int | None, kept: Handwriting) -> None:
    if pixels is None:
        st.info("Draw a digit, and it can be kept here.", icon=":material/draw:")
        return
    known = kept.label_of(pixels)
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
    """Show download and upload, and take in what comes."""
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
            _bring_in(upload.getvalue(), handwriting)


def _bring_in(data: bytes, mine: Handwriting) -> None:
    try:
        others = from_zip(data)
        new = visitor().handwriting.change(lambda kept: kept.merged(others.samples))
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    came = len(new.handwriting) - len(mine)
    st.toast(f"{came} of {len(others)} drawings were new and are yours now.")
    state.count_up("drawing_sets")  # an empty upload field again
    st.rerun()


def _grid(kept: Handwriting) -> None:
    """Show the drawings, the newest first, each with a button to remove it."""
    newest_first, n_left_out = kept.samples[::-1], int(kept.left_out.sum())
    n_pages = -(-len(kept) // PER_PAGE)
    with st.container(key="drawing_kept"):
        st.markdown(
            f"**{len(kept)} of at most {MOST} drawings**: {len(kept) - n_left_out} to tune on, "
            f"{n_left_out} to test with."
        )
        page = st.pagination(n_pages, key=f"drawing_kept_{n_pages}") if n_pages > 1 else 1
        with st.container(horizontal=True, gap="small"):
            for sample in newest_first[(page - 1) * PER_PAGE : page * PER_PAGE]:
                _kept_one(sample)
        texts.show("handwriting", "kept")
        with st.popover("Remove all", icon=":material/delete:", key="drawing_remove"):
            st.markdown("They cannot be brought back, unless you have downloaded them.")
            st.button(
                f"Remove all {len(kept)} drawings",
                key="drawing_remove_all",
                on_click=state.press,
                args=("drawing_remove_all",),
            )


def _kept_one(sample: Sample) -> None:
    half = "test" if sample.left_out else "tune"
    with st.container(width=76, gap=None, horizontal_alignment="center"):
        st.image(
            as_url(enlarged(sample.pixels, 56)),
            width=56,
            alt=f"A kept drawing of a {sample.label}",
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
    kept: Handwriting, offer: ModelOnOffer, readers: list[ModelOnOffer], tuned: set[str]
) -> None:
    """Show how many drawings each model reads, beside its accuracy on its own data's test set."""
    texts.show("handwriting", "scores")
    readers = sorted(readers, key=lambda o: o.key != offer.key)  # stable: the others stay in order
    bundled = [o for o in readers[MOST_MODELS:] if o.key in ARCHITECTURES]
    shown = [*readers[: MOST_MODELS - len(bundled)], *bundled]
    with st.container(key="drawing_set_scores"):
        st.table(
            pd.DataFrame([_row(kept, o, o.key in tuned) for o in shown]),
            hide_index=True,
            alt="Accuracy of each model on your drawings and on its test set",
        )
    if any(o.key in tuned for o in shown):
        st.caption("A tuned model has learnt from the tune half, so only the test half judges it.")


def _row(kept: Handwriting, offer: ModelOnOffer, is_tuned: bool) -> dict[str, str]:
    reading, dataset = caches.handwriting_evaluation(offer, kept), tuning_panel.test_set_of(offer)
    right = reading.predicted == kept.labels
    return {
        "Model": f"{offer.label} (tuned)" if is_tuned else offer.label,
        "Test half of your drawings": _share(right[kept.left_out]),
        "All of them": "–" if is_tuned else _share(right),
        "Test set": f"{caches.test_accuracy_of(offer, dataset):.2%} of {TITLES[dataset.name]}",
    }


def _share(right: np.ndarray) -> str:
    return f"{right.mean():.0%} ({right.sum()} of {len(right)})" if len(right) else "–"


def _confusion(kept: Handwriting, offer: ModelOnOffer, tuned: set[str]) -> None:
    """Show the chosen model's confusion matrix: of all drawings, or of those it has not seen."""
    judged = kept.part(left_out=True) if offer.key in tuned else kept
    if not len(judged):
        return
    texts.show("handwriting", "confusion")
    part = "the test half of your drawings" if offer.key in tuned else "all your drawings"
    st.caption(f"{offer.label}, {part}.")
    with st.container(key="drawing_set_confusion"):
        st.plotly_chart(
            confusion_figure(
                caches.handwriting_evaluation(offer, judged).confusion,
                DIGITS,
                DIGITS,
                elements.dark(),
            ),
            key="drawing_set_confusion_figure",
            config=elements.STILL,
            alt=f"Confusion matrix of {offer.label} on {part}",
        )
