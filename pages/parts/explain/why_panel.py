"""Why a model predicts what it does for an image: attribution, its layers, and neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.common.formatting import signed
from mnist_core.data.datasets import Dataset
from mnist_core.evaluation import neighbours
from mnist_core.explain import attribution
from mnist_core.explain.layer_outputs import DivergedModelError, LayerOutput, layer_outputs
from mnist_core.figures import tensors
from mnist_core.figures.arithmetic import sum_figure
from mnist_core.figures.pictures import as_url, enlarged
from pages.parts.session import caches, state
from pages.parts.session.model_offer import ModelOnOffer
from pages.parts.shell import texts
from pages.parts.widgets import code_box, elements

__all__ = ["show_attribution", "show_layers", "show_nearest"]

SIDE, TILE, NEIGHBOURS = 280, 84, 8


@st.fragment
def show_attribution(
    model: nn.Sequential, architecture: str, image: np.ndarray, names: Sequence[str], predicted: int
) -> None:
    """Show which pixels speak for a class: exactly for a linear model, else in two ways.

    Parameters
    ----------
    model : nn.Sequential
        In ``eval`` mode.
    architecture : str
        A key of `mnist_core.nn.architectures.ARCHITECTURES`.
    image : (28, 28) uint8
        The model's input.
    names : sequence of 10 str
    predicted : int
        The class to explain until the visitor chooses another one.
    """
    linear = architecture == "linear"
    texts.show("why", "evidence_linear" if linear else "evidence_network")
    label = _class(names, predicted)
    try:
        if linear:
            _exact(model, image, names, label)
        else:
            _two_ways(model, image, label)
    except DivergedModelError as problem:
        st.info(str(problem), icon=":material/info:")


def _class(names: Sequence[str], predicted: int) -> int:
    """Show the choice of a class; when the prediction changes, it is chosen again."""
    if state.stored("drawing_evidence_predicted", None) != names[predicted]:
        state.store("drawing_evidence_predicted", names[predicted])
        state.store("drawing_evidence_class", names[predicted])
    return names.index(
        elements.stored_choice(
            st.segmented_control,
            "Evidence for the class",
            names,
            "drawing_evidence_class",
            names[predicted],
            required=True,
        )
    )


def _exact(model: nn.Sequential, image: np.ndarray, names: Sequence[str], label: int) -> None:
    every = [attribution.linear_attribution(model, image, i) for i in range(len(names))]
    largest = max(float(np.abs(one.map).max()) for one in every)  # one scale for all ten
    chosen = every[label]
    left, right = st.columns([2, 3], gap="large")
    with left, st.container(key="drawing_evidence_map"):
        st.image(
            as_url(tensors.attribution_picture(chosen.map, image, SIDE, largest)),
            width=SIDE,
            caption=f"Weight × pixel for {names[label]}; full colour is ±{largest:.2f}",
            alt=f"Blue and orange pixels: the evidence for {names[label]}",
        )
    with right:
        st.plotly_chart(
            sum_figure(chosen.written(), "logit"),
            key="drawing_evidence_bars",
            config=elements.STILL,
            alt="Pixels for, pixels against and bias add up to the logit",
        )
        with st.container(key="drawing_evidence_sum"):
            st.markdown(f"`{chosen.written()}`")
        terms = chosen.written().names.capitalize()
        st.caption(f"{terms}; the logit of {names[label]}, as PyTorch gives it.")
    with st.expander("The evidence for all ten classes, on one scale"):
        pictures = [tensors.attribution_picture(one.map, image, TILE, largest) for one in every]
        captions = [f"{n}: {signed(one.logit, 2)}" for n, one in zip(names, every, strict=True)]
        elements.pictures(pictures, captions, 96, "drawing_evidence_all")
    code_box.code(attribution.linear_attribution)


def _two_ways(model: nn.Sequential, image: np.ndarray, label: int) -> None:
    ways = {
        "gradient": attribution.gradient_times_input(model, image, label),
        "occlusion": attribution.occlusion(model, image, label),
    }
    with st.container(key="drawing_evidence_map"):
        for place, (way, values) in zip(st.columns(2, gap="large"), ways.items(), strict=True):
            with place:
                st.image(
                    as_url(tensors.attribution_picture(values, image, SIDE)),
                    width=SIDE,
                    caption=f"Full colour is ±{np.abs(values).max():.2f} in the logit",
                    alt=f"Blue and orange pixels: the evidence by {way}",
                )
                texts.show("why", way)
    code_box.code(attribution.gradient_times_input, attribution.occlusion)


@st.fragment
def show_layers(model: nn.Sequential, image: np.ndarray, names: Sequence[str]) -> None:
    """Show the output of one layer for an image of (28, 28) uint8, and one feature map large."""
    texts.show("why", "layers")
    try:
        every = {one.name: one for one in layer_outputs(model, image)}
    except DivergedModelError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    first = next(name for name in every if name != "flatten")
    name = elements.stored_choice(
        st.segmented_control, "Layer", list(every), "drawing_layer", first, required=True
    )
    chosen = every[name]
    st.markdown(f"**{name}**, {chosen.kind}: gives {chosen.dimensions} numbers.")
    if chosen.maps.ndim == 3:
        _maps(chosen)
    else:
        _vector(chosen, names if name == list(every)[-1] else None)
    code_box.code(layer_outputs)


def _maps(chosen: LayerOutput) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        sheet = tensors.feature_sheet(chosen.maps)
        with st.container(key="drawing_layer_maps"):
            st.image(as_url(sheet), width=sheet.shape[1], alt=f"{len(chosen.maps)} feature maps")
        st.caption(f"One scale: full colour is ±{np.abs(chosen.maps).max():.2f}.")
    with right:
        options = [str(i) for i in range(len(chosen.maps))]
        number = int(
            elements.stored_choice(st.selectbox, "Feature map", options, "drawing_feature_map", "0")
        )
        values = chosen.maps[number]
        pictures = [tensors.map_picture(values, 200, float(np.abs(chosen.maps).max()))]
        captions = [f"Map {number}: {signed(values.min(), 2)} to {signed(values.max(), 2)}"]
        if chosen.kernels is not None:
            kernel = chosen.kernels[number]
            pictures.append(tensors.stack_picture(kernel, side=200, tile=42, columns=4))
            windows = "" if len(kernel) == 1 else ", a window on each map before"
            captions.append(f"Its kernel{windows}; full colour is ±{np.abs(kernel).max():.2f}")
        elements.pictures(pictures, captions, 208, "drawing_feature_map_large")


def _vector(chosen: LayerOutput, names: Sequence[str] | None) -> None:
    with st.container(key="drawing_layer_maps"):
        if len(chosen.maps) <= tensors.MOST_BARS:
            st.plotly_chart(
                tensors.vector_figure(chosen.maps, names),
                key="drawing_layer_bars",
                config=elements.STILL,
                alt=f"{len(chosen.maps)} outputs of {chosen.name} as bars",
            )
        else:
            strip = tensors.vector_strip(chosen.maps)
            st.image(as_url(strip), width=strip.shape[1], alt=f"{len(chosen.maps)} outputs")
            st.caption(
                f"All {len(chosen.maps):,} in a row, line by line; full colour is "
                f"±{np.abs(chosen.maps).max():.2f}."
            )


def show_nearest(
    offer: ModelOnOffer, image: np.ndarray, dataset: Dataset, predicted: int | None
) -> None:
    """Show the nearest training images, in pixels and in the model's last hidden layer.

    Parameters
    ----------
    offer : ModelOnOffer
    image : (28, 28) uint8
    predicted : int or None
        The class to measure the distance to; None if the data set has other classes than the model.
    """
    texts.show("why", "nearest")
    st.markdown("**In pixels**")
    row = neighbours.pixel_rows(image[None])[0]
    by_pixels = neighbours.nearest(row, neighbours.pixel_rows(dataset.train_images), NEIGHBOURS)
    _neighbours(by_pixels, dataset, "drawing_nearest_pixels")
    if predicted is not None:
        _class_distance(image, dataset, predicted)
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


def _class_distance(image: np.ndarray, dataset: Dataset, predicted: int) -> None:
    name = dataset.class_names[predicted]
    try:
        far = neighbours.class_distance(
            image,
            dataset.train_images,
            dataset.train_labels,
            predicted,
            caches.own_distances(dataset, predicted),
        )
    except ValueError:
        return  # the class has no images
    with st.container(key="drawing_class_distance"):
        st.markdown(
            f"The nearest **{name}** in {dataset.title} is **{far.nearest:.2f}** away. To compare: "
            f"for **{far.share_farther:.0%}** of the images of this class, the nearest other image "
            "of the class is farther away than that."
        )
