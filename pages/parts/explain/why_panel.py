"""Why a model says what it says of one image: evidence by pixel, layers, and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.data.datasets import Dataset
from mnist_core.evaluation import neighbours
from mnist_core.explain import attribution
from mnist_core.explain.attribution import Activation, ExplanationError, LinearEvidence
from mnist_core.figures import explain as figures
from mnist_core.figures.pictures import as_url, enlarged
from pages.parts.session import caches, state
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.shell import texts
from pages.parts.widgets import code_box, elements

__all__ = ["evidence", "layers", "nearest"]

SIDE, TILE, NEIGHBOURS = 280, 84, 8


@st.fragment
def evidence(
    model: nn.Sequential, architecture: str, image: np.ndarray, names: Sequence[str], said: int
) -> None:
    """Show which pixels spoke for a class: exactly for a linear model, else in two ways.

    Parameters
    ----------
    model : nn.Sequential
        Ready to predict.
    architecture : str
        A key of `mnist_core.nn.architectures.ARCHITECTURES`.
    image : (28, 28) uint8
        What the model read.
    names : sequence of 10 str
    said : int
        The class the model named: the one that is explained until another is chosen.
    """
    linear = architecture == "linear"
    texts.show("why", "evidence_linear" if linear else "evidence_network")
    label = _class(names, said)
    try:
        if linear:
            _exact(model, image, names, label)
        else:
            _two_ways(model, image, label)
    except ExplanationError as problem:
        st.info(str(problem), icon=":material/info:")


def _class(names: Sequence[str], said: int) -> int:
    """Show the choice of a class; another answer of the model chooses that one anew."""
    if state.stored("drawing_evidence_said", None) != names[said]:
        state.store("drawing_evidence_said", names[said])
        state.store("drawing_evidence_class", names[said])
    return names.index(
        _choose(
            st.segmented_control,
            "Evidence for the class",
            names,
            "drawing_evidence_class",
            names[said],
            required=True,
        )
    )


def _choose(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[str],
    key: str,
    default: str,
    **more: Any,
) -> str:
    """Show a choice that is kept while the page is left, as long as it is among the options."""
    kept = state.stored(key, default)
    current = kept if kept in options else default
    return state.choose(widget, label, options, current, partial(state.store, key), key, **more)


def _exact(model: nn.Sequential, image: np.ndarray, names: Sequence[str], label: int) -> None:
    every = [attribution.linear_evidence(model, image, i) for i in range(len(names))]
    largest = max(float(np.abs(one.map).max()) for one in every)  # one scale for all ten
    chosen = every[label]
    left, right = st.columns([2, 3], gap="large")
    with left, st.container(key="drawing_evidence_map"):
        st.image(
            as_url(figures.evidence_picture(chosen.map, image, SIDE, largest)),
            width=SIDE,
            caption=f"Weight × pixel for {names[label]}; full colour is ±{largest:.2f}",
            alt=f"Blue and orange pixels: the evidence for {names[label]}",
        )
    with right:
        st.plotly_chart(
            figures.sum_figure(chosen.total_for, chosen.total_against, chosen.bias, chosen.logit),
            key="drawing_evidence_bars",
            config=elements.STILL,
            alt="Pixels for, pixels against and bias add up to the logit",
        )
        _sum(chosen, names[label])
    with st.expander("The evidence for all ten classes, on one scale"):
        pictures = [figures.evidence_picture(one.map, image, TILE, largest) for one in every]
        captions = [
            f"{name}: {_signed(one.logit, 2)}" for name, one in zip(names, every, strict=True)
        ]
        elements.pictures(pictures, captions, 96, "drawing_evidence_all")
    code_box.code(attribution.linear_evidence)


def _sum(chosen: LinearEvidence, name: str) -> None:
    """Write out a sum that adds up digit by digit to the logit."""
    total_for, total_against, bias, remainder, logit = chosen.rounded()
    terms = [f"{total_for:.5f}"]
    terms += [_signed(term, 5, " ") for term in (total_against, bias)]
    terms += [_signed(remainder, 5, " ")] * (remainder != 0)
    with st.container(key="drawing_evidence_sum"):
        st.markdown(f"`{' '.join(terms)} = {_signed(logit, 5).removeprefix('+')}`")
    rest = ", rounding" * (remainder != 0)
    st.caption(f"Pixels for, pixels against, bias{rest}; the logit of {name}, as PyTorch gives it.")


def _signed(value: float, decimals: int, gap: str = "") -> str:
    return f"{'−' if value < 0 else '+'}{gap}{abs(value):.{decimals}f}"


def _two_ways(model: nn.Sequential, image: np.ndarray, label: int) -> None:
    ways = {
        "gradient": attribution.gradient_times_input(model, image, label),
        "occlusion": attribution.occlusion(model, image, label),
    }
    with st.container(key="drawing_evidence_map"):
        for place, (way, evidence_map) in zip(
            st.columns(2, gap="large"), ways.items(), strict=True
        ):
            with place:
                st.image(
                    as_url(figures.evidence_picture(evidence_map, image, SIDE)),
                    width=SIDE,
                    caption=f"Full colour is ±{np.abs(evidence_map).max():.2f} in the logit",
                    alt=f"Blue and orange pixels: the evidence by {way}",
                )
                texts.show("why", way)
    code_box.code(attribution.gradient_times_input, attribution.occlusion)


@st.fragment
def layers(model: nn.Sequential, image: np.ndarray, names: Sequence[str]) -> None:
    """Show what one layer gives for an image of (28, 28) uint8, and one feature map large."""
    texts.show("why", "layers")
    try:
        every = {one.name: one for one in attribution.activations(model, image)}
    except ExplanationError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    first = next(name for name in every if name != "flatten")
    name = _choose(
        st.segmented_control, "Layer", list(every), "drawing_layer", first, required=True
    )
    chosen = every[name]
    shape = " × ".join(f"{n:,}" for n in chosen.maps.shape)
    st.markdown(f"**{name}**, {chosen.kind}: gives {shape} numbers.")
    if chosen.maps.ndim == 3:
        _maps(chosen)
    else:
        _vector(chosen, names if name == list(every)[-1] else None)
    code_box.code(attribution.activations)


def _maps(chosen: Activation) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        sheet = figures.feature_sheet(chosen.maps)
        with st.container(key="drawing_layer_maps"):
            st.image(as_url(sheet), width=sheet.shape[1], alt=f"{len(chosen.maps)} feature maps")
        st.caption(f"One scale: full colour is ±{np.abs(chosen.maps).max():.2f}.")
    with right:
        options = [str(i) for i in range(len(chosen.maps))]
        number = int(_choose(st.selectbox, "Feature map", options, "drawing_feature_map", "0"))
        values = chosen.maps[number]
        pictures = [figures.map_picture(values, 200, float(np.abs(chosen.maps).max()))]
        captions = [f"Map {number}: {_signed(values.min(), 2)} to {_signed(values.max(), 2)}"]
        if chosen.kernels is not None:
            kernel = chosen.kernels[number]
            pictures.append(_kernel(kernel))
            windows = (
                "Its kernel" if len(kernel) == 1 else "Its kernel, a window on each map before"
            )
            captions.append(f"{windows}; full colour is ±{np.abs(kernel).max():.2f}")
        elements.pictures(pictures, captions, 208, "drawing_feature_map_large")


def _kernel(kernel: np.ndarray) -> np.ndarray:
    """Draw a kernel of (C_in, k, k): one window, or one for each map that it reads."""
    if len(kernel) == 1:
        return figures.map_picture(kernel[0], 200)
    return figures.feature_sheet(kernel, columns=4, tile=42)


def _vector(chosen: Activation, names: Sequence[str] | None) -> None:
    with st.container(key="drawing_layer_maps"):
        if len(chosen.maps) <= figures.MOST_BARS:
            st.plotly_chart(
                figures.vector_figure(chosen.maps, names),
                key="drawing_layer_bars",
                config=elements.STILL,
                alt=f"{len(chosen.maps)} outputs of {chosen.name} as bars",
            )
        else:
            strip = figures.vector_strip(chosen.maps)
            st.image(as_url(strip), width=strip.shape[1], alt=f"{len(chosen.maps)} outputs")
            st.caption(
                f"All {len(chosen.maps):,} in a row, line by line; full colour is "
                f"±{np.abs(chosen.maps).max():.2f}."
            )


def nearest(offer: ModelOnOffer, image: np.ndarray, dataset: Dataset, said: int | None) -> None:
    """Show the training images most like an image, in pixels and in the model's last hidden layer.

    Parameters
    ----------
    offer : ModelOnOffer
    image : (28, 28) uint8
    said : int or None
        The class to measure the distance to; None where the model's classes are not the data's.
    """
    texts.show("why", "nearest")
    st.markdown("**In pixels**")
    row = neighbours.pixel_rows(image[None])[0]
    by_pixels = neighbours.nearest(row, neighbours.pixel_rows(dataset.train_images), NEIGHBOURS)
    _neighbours(by_pixels, dataset, "drawing_nearest_pixels")
    if said is not None:
        _class_distance(image, dataset, said)
    if neighbours.reads_pixels(caches.model_of(offer)):
        texts.show("why", "nearest_linear")
    else:
        _by_features(offer, image, dataset)
    code_box.code(neighbours.nearest)
    code_box.code(
        neighbours.features, neighbours.class_distance, neighbours.own_distances, folded=True
    )


def _by_features(offer: ModelOnOffer, image: np.ndarray, dataset: Dataset) -> None:
    st.markdown("**In the network's last hidden layer**")
    rows = caches.features_of(offer, dataset)
    (query,) = neighbours.features(caches.model_of(offer), image[None])
    try:
        found = neighbours.nearest(query, rows, NEIGHBOURS)
    except ValueError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    _neighbours(found, dataset, "drawing_nearest_features")
    n, width = rows.shape
    total = len(dataset.train_images)
    which = f"the first {n:,} of {total:,}" if n < total else f"all {n:,}"
    st.caption(f"Among {which} training images, by the {width} numbers the last layer reads.")


def _neighbours(found: neighbours.Nearest, dataset: Dataset, key: str) -> None:
    images = [enlarged(dataset.train_images[i], TILE) for i in found.indices]
    captions = [
        f"{dataset.class_names[dataset.train_labels[i]]} · {distance:.2f}"
        for i, distance in zip(found.indices, found.distances, strict=True)
    ]
    elements.pictures(images, captions, TILE, key)


def _class_distance(image: np.ndarray, dataset: Dataset, said: int) -> None:
    name = dataset.class_names[said]
    try:
        far = neighbours.class_distance(
            image,
            dataset.train_images,
            dataset.train_labels,
            said,
            caches.own_distances(dataset, said),
        )
    except ValueError:
        return  # a class without images: there is no distance to tell
    with st.container(key="drawing_class_distance"):
        st.markdown(
            f"The nearest **{name}** in {dataset.title} is **{far.nearest:.2f}** away. Of its own "
            f"images of this class, **{far.share_farther:.0%}** are farther than that from their "
            "nearest other one."
        )
