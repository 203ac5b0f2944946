"""From a network to one of its numbers, a level at a time: network, layer, unit, arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.evaluation.metrics import probabilities
from mnist_core.explain import arithmetic, attribution
from mnist_core.explain.attribution import Activation, ExplanationError
from mnist_core.figures import explain as explain_figures
from mnist_core.figures import network as network_figures
from mnist_core.figures.style import signed_rgb
from pages.parts.explain import arithmetic_panel, zoom_picture
from pages.parts.session import state
from pages.parts.shell import texts
from pages.parts.widgets import code_box

__all__ = ["show"]

TILES = 160  # a longer vector is one picture of cells


@dataclass(frozen=True, slots=True)
class _Zoom:
    """What is opened, and how deep: ``path`` is (), (layer,), (layer, unit) or with a place."""

    model: nn.Sequential
    image: np.ndarray
    names: Sequence[str]
    layers: tuple[Activation, ...]
    slot: str
    path: arithmetic.Path

    @property
    def layer(self) -> Activation:
        return next(one for one in self.layers if one.name == self.path[0])

    @property
    def unit_names(self) -> list[str]:
        """What the layer's units are called: by class in the last layer, else by number."""
        if self.layer is self.layers[-1]:
            return list(self.names)
        return [str(i) for i in range(len(self.layer.maps))]

    def go(self, *path: object) -> None:
        """Go somewhere; only from a callback."""
        state.store(self.slot, path)


@st.fragment
def show(
    model: nn.Sequential, architecture: str, image: np.ndarray, names: Sequence[str], key: str
) -> None:
    """Show a network at work on an image, to be opened level by level; one on a page.

    Parameters
    ----------
    model : nn.Sequential
        Ready to predict.
    architecture : str
        A key of `mnist_core.nn.architectures.ARCHITECTURES`; where one was is kept for each.
    image : (28, 28) uint8
        What the model reads.
    names : sequence of 10 str
        The classes.
    key : str
        Whose zoom it is: each page remembers its own.
    """
    try:
        layers = attribution.activations(model, image)
    except ExplanationError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    slot = f"zoom_{key}_{architecture}"
    path = arithmetic.held(state.stored(slot, ()), layers)
    at = _Zoom(model, image, names, layers, slot, path)
    _breadcrumb(at)
    _choices(at)
    (_network, _layer, _unit, _arithmetic)[len(path)](at)


def _breadcrumb(at: _Zoom) -> None:
    """Show the way here; each step of it leads back, and a button leads one level up."""
    path = at.path
    steps = ["Network"]
    if path:
        steps.append(path[0])
    if len(path) > 1:
        steps.append(_unit_title(at))
    if len(path) > 2:
        steps.append(f"row {path[2][0]}, column {path[2][1]}" if path[2] else "the sum")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Back",
            key="zoom_back",
            icon=":material/arrow_back:",
            disabled=not path,
            on_click=at.go,
            args=path[:-1],
        )
        with st.container(
            horizontal=True, vertical_alignment="center", key="zoom_breadcrumb", gap="small"
        ):
            for depth, step in enumerate(steps[:-1]):
                st.button(
                    f"{step} ›",
                    key=f"zoom_to_{depth}",
                    type="tertiary",
                    width="content",
                    on_click=at.go,
                    args=path[:depth],
                )
            st.markdown(f"**{steps[-1]}**", width="content")


def _unit_title(at: _Zoom) -> str:
    what = "map" if at.layer.maps.ndim == 3 else "unit"
    name = at.unit_names[at.path[1]]
    return f"{what} {name}" if name == str(at.path[1]) else f"unit {at.path[1]}: {name}"


def _choices(at: _Zoom) -> None:
    """Show the same way in as lists: for the keyboard, and to change a level without going back."""
    path = at.path
    with st.container(horizontal=True):
        _choice(at, "Layer", [one.name for one in at.layers], 0)
        if path:
            what = "Feature map" if at.layer.maps.ndim == 3 else "Unit"
            _choice(at, what, at.unit_names, 1)
        if len(path) > 1 and at.layer.maps.ndim == 3:
            height, width = at.layer.maps.shape[1:]
            _place_choice(at, "Row", height, 0)
            _place_choice(at, "Column", width, 1)


def _choice(at: _Zoom, label: str, names: list[str], depth: int) -> None:
    """Show a list of layers (depth 0) or units (depth 1)."""
    path = at.path
    options = names if depth == 0 else [str(i) for i in range(len(names))]

    def choose(value: str | None) -> None:
        if value is None:
            at.go(*path[:depth])
        elif depth == 0:
            at.go(value)
        else:
            at.go(path[0], int(value), *path[2:])  # another unit, as deep as before

    state.choose(
        st.selectbox,
        label,
        options,
        str(path[depth]) if len(path) > depth else None,
        choose,
        ("zoom_layer", "zoom_unit")[depth],
        index=None,
        format_func=dict(zip(options, names, strict=True)).__getitem__,
        placeholder="Open one",
        width=180,
    )


def _place_choice(at: _Zoom, label: str, size: int, axis: int) -> None:
    layer, unit = at.path[:2]
    place = at.path[2] if len(at.path) > 2 else None

    def choose(value: str | None) -> None:
        if value is None:
            at.go(layer, unit)
            return
        moved = list(place or arithmetic.strongest_place(at.layer.maps, unit) or (0, 0))
        moved[axis] = int(value)
        at.go(layer, unit, tuple(moved))

    state.choose(
        st.selectbox,
        label,
        [str(i) for i in range(size)],
        str(place[axis]) if place else None,
        choose,
        f"zoom_{label.lower()}",
        index=None,
        placeholder="Open one",
        width=130,
    )


def _network(at: _Zoom) -> None:
    texts.show("zoom", "network")
    p = probabilities(at.model, at.image[None])[0]
    cards = network_figures.network_cards(at.image, at.layers, p, at.names)
    zoom_picture.cards(cards, "The network, layer by layer", at.go)


def _layer(at: _Zoom) -> None:
    layer = at.layer
    shape = " × ".join(f"{n:,}" for n in layer.maps.shape)
    st.markdown(f"**{layer.name}**, {layer.kind}: gives {shape} numbers.")
    largest = f"Full colour is ±{np.abs(layer.maps).max():.2f}."
    if layer.maps.ndim == 1 and len(layer.maps) > TILES:
        texts.show("zoom", "layer_many")
        columns = round(len(layer.maps) ** 0.5)
        rows = -(-len(layer.maps) // columns)
        cells = explain_figures.vector_cells(layer.maps, columns)
        zoom_picture.cells(
            cells,
            (rows, columns),
            len(layer.maps),
            0,
            f"{len(layer.maps)} units",
            lambda unit: at.go(layer.name, unit),
            vector=True,
        )
    else:
        texts.show("zoom", "layer_maps" if layer.maps.ndim == 3 else "layer_vector")
        zoom_picture.tiles(
            network_figures.unit_tiles(layer.maps, at.unit_names),
            f"The units of {layer.name}",
            lambda unit: at.go(layer.name, unit),
        )
    st.caption(largest)


def _unit(at: _Zoom) -> None:
    layer, (name, unit) = at.layer, at.path
    place = arithmetic.strongest_place(layer.maps, unit)
    if place is None:
        opened = arithmetic.arithmetic(at.model, at.image, name, unit)
        arithmetic_panel.unit(opened)
        target, label = (), "Open the arithmetic"
    else:
        _map(at, layer.maps[unit], place)
        target, label = place, f"Open where it is strongest: row {place[0]}, column {place[1]}"
    st.button(
        label, key="zoom_open", icon=":material/zoom_in:", on_click=at.go, args=(*at.path, target)
    )


def _map(at: _Zoom, values: np.ndarray, place: tuple[int, int]) -> None:
    texts.show("zoom", "unit_map")
    height, width = values.shape
    left, right = st.columns([2, 3], gap="large")
    with left:
        zoom_picture.cells(
            signed_rgb(values, float(np.abs(values).max())),
            (height, width),
            height * width,
            place[0] * width + place[1],
            "The feature map",
            lambda cell: at.go(*at.path, divmod(cell, width)),
        )
        st.caption(f"Full colour is ±{np.abs(values).max():.2f}.")
    kernels = at.layer.kernels
    if kernels is not None:
        with right:
            arithmetic_panel.kernel(kernels[at.path[1]])


def _arithmetic(at: _Zoom) -> None:
    name, unit, place = at.path
    opened = arithmetic.arithmetic(at.model, at.image, name, unit, place or None)
    number = [one.name for one in at.layers].index(name)
    source = at.layers[number - 1].maps if number else at.image[None] / np.float32(255)
    with st.container(key="zoom_arithmetic"):
        arithmetic_panel.show(opened, source)
    code_box.code(arithmetic.arithmetic, folded=True)
