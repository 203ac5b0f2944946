"""A network opened level by level: the network, a layer, a unit, the arithmetic of one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.evaluation.metrics import probabilities
from mnist_core.explain.arithmetic import open_number
from mnist_core.explain.layer_outputs import (
    DivergedModelError,
    LayerOutput,
    layer_outputs,
    strongest_place,
)
from mnist_core.explain.zoom_path import ZoomPath
from mnist_core.figures.network import network_cards, unit_tiles
from mnist_core.figures.style import signed_rgb
from mnist_core.figures.tensors import vector_cells
from pages.parts.explain import arithmetic_panel, zoom_picture
from pages.parts.session import state
from pages.parts.shell import texts
from pages.parts.widgets import code_box

__all__ = ["show"]

MOST_TILES = 160  # a longer vector is one picture of cells


@dataclass(frozen=True, slots=True)
class _Zoom:
    """A network at work on an image, and the path into it that is open."""

    model: nn.Sequential
    image: np.ndarray
    names: Sequence[str]
    layers: tuple[LayerOutput, ...]
    slot: str
    path: ZoomPath

    @property
    def layer(self) -> LayerOutput:
        return next(one for one in self.layers if one.name == self.path.layer)

    @property
    def unit_names(self) -> list[str]:
        """The names of the layer's units: classes in the last layer, else numbers."""
        if self.layer is self.layers[-1]:
            return list(self.names)
        return [str(i) for i in range(len(self.layer.maps))]

    def go(self, path: ZoomPath) -> None:
        """Open another path; only from a callback."""
        state.store(self.slot, path)


@st.fragment
def show(
    model: nn.Sequential,
    architecture: str,
    image: np.ndarray,
    names: Sequence[str],
    key: str,
    start: ZoomPath | None = None,
) -> None:
    """Show a network at work on an image, to be opened level by level; once on a page.

    Parameters
    ----------
    model : nn.Sequential
        In ``eval`` mode.
    architecture : str
        A key of `mnist_core.nn.architectures.ARCHITECTURES`; each has its own open path.
    image : (28, 28) uint8
        The model's input.
    names : sequence of 10 str
        The classes.
    key : str
        The name of the page; each page has its own open path.
    start : ZoomPath or None
        The path that is open until the visitor opens another; None for the whole network.
    """
    try:
        layers = layer_outputs(model, image)
    except DivergedModelError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    slot = f"zoom_{key}_{architecture}"
    path = state.stored(slot, start or ZoomPath()).within(layers)
    zoom = _Zoom(model, image, names, layers, slot, path)
    _breadcrumb(zoom)
    _lists(zoom)
    match path:
        case ZoomPath(unit=int(unit), place=tuple(place)):
            _arithmetic(zoom, unit, place)
        case ZoomPath(unit=int(unit)):
            _unit(zoom, unit)
        case ZoomPath(layer=str()):
            _layer(zoom)
        case _:
            _network(zoom)


def _breadcrumb(zoom: _Zoom) -> None:
    """Show the open path: each of its levels is a button, and one more leads one level up."""
    path = zoom.path
    levels = ["Network"]
    if path.layer is not None:
        levels.append(path.layer)
    if path.unit is not None:
        levels.append(_unit_title(zoom, path.unit))
    if path.place is not None:
        levels.append("row {}, column {}".format(*path.place) if path.place else "the sum")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Back",
            key="zoom_back",
            icon=":material/arrow_back:",
            disabled=not path.depth,
            on_click=zoom.go,
            args=(path.up_to(max(0, path.depth - 1)),),
        )
        with st.container(
            horizontal=True, vertical_alignment="center", key="zoom_breadcrumb", gap="small"
        ):
            for depth, level in enumerate(levels[:-1]):
                st.button(
                    f"{level} ›",
                    key=f"zoom_to_{depth}",
                    type="tertiary",
                    width="content",
                    on_click=zoom.go,
                    args=(path.up_to(depth),),
                )
            st.markdown(f"**{levels[-1]}**", width="content")


def _unit_title(zoom: _Zoom, unit: int) -> str:
    what = "map" if zoom.layer.maps.ndim == 3 else "unit"
    name = zoom.unit_names[unit]
    return f"{what} {name}" if name == str(unit) else f"unit {unit}: {name}"


def _lists(zoom: _Zoom) -> None:
    """Show each level as a list: for the keyboard, and to change one level alone."""
    path = zoom.path
    with st.container(horizontal=True):
        names = {one.name: one.name for one in zoom.layers}
        _list(zoom, 0, "Layer", names, path.layer, ZoomPath)
        if path.layer is None:
            return
        layer = zoom.layer
        what = "Feature map" if layer.maps.ndim == 3 else "Unit"
        units = {str(i): name for i, name in enumerate(zoom.unit_names)}
        _list(zoom, 1, what, units, path.unit, lambda unit: replace(path, unit=int(unit)), "unit")
        if path.unit is None or layer.maps.ndim == 1:
            return
        place = path.place or strongest_place(layer.maps, path.unit)
        for axis, name in enumerate(("Row", "Column")):
            options = {str(i): str(i) for i in range(layer.maps.shape[1 + axis])}
            current = place[axis] if path.place else None
            _list(zoom, 2, name, options, current, partial(_moved, path, place, axis))


def _moved(path: ZoomPath, place: tuple[int, ...], axis: int, index: str) -> ZoomPath:
    """Return the path to a place on another row or column."""
    return replace(path, place=(*place[:axis], int(index), *place[axis + 1 :]))


def _list(
    zoom: _Zoom,
    depth: int,
    label: str,
    options: Mapping[str, str],
    current: object,
    opened: Callable[[str], ZoomPath],
    key: str = "",
) -> None:
    """Show the options of a level, {value: name}; an emptied list leads up to the level above."""
    state.choose(
        st.selectbox,
        label,
        list(options),
        None if current is None else str(current),
        lambda value: zoom.go(zoom.path.up_to(depth) if value is None else opened(value)),
        f"zoom_{key or label.lower()}",
        index=None,
        format_func=options.__getitem__,
        placeholder="Open one",
        width=130 if depth == 2 else 180,
    )


def _network(zoom: _Zoom) -> None:
    texts.show("zoom", "network")
    p = probabilities(zoom.model, zoom.image[None])[0]
    zoom_picture.cards(
        network_cards(zoom.image, zoom.layers, p, zoom.names),
        "The network, layer by layer",
        lambda layer: zoom.go(ZoomPath(layer)),
    )


def _layer(zoom: _Zoom) -> None:
    layer, n = zoom.layer, len(zoom.layer.maps)
    st.markdown(f"**{layer.name}**, {layer.kind}: gives {layer.dimensions} numbers.")

    def open_unit(unit: int) -> None:
        zoom.go(ZoomPath(layer.name, unit))

    if layer.maps.ndim == 1 and n > MOST_TILES:
        texts.show("zoom", "layer_many")
        cells = vector_cells(layer.maps, columns=round(n**0.5))
        zoom_picture.cells(cells, n, 0, f"{n} units", open_unit, vector=True)
    else:
        texts.show("zoom", "layer_maps" if layer.maps.ndim == 3 else "layer_vector")
        tiles = unit_tiles(layer.maps, zoom.unit_names)
        zoom_picture.tiles(tiles, f"The units of {layer.name}", open_unit)
    st.caption(f"Full colour is ±{np.abs(layer.maps).max():.2f}.")


def _unit(zoom: _Zoom, unit: int) -> None:
    place = strongest_place(zoom.layer.maps, unit)
    if place:
        _map(zoom, unit, place)
        label = f"Open where it is strongest: row {place[0]}, column {place[1]}"
    else:
        opened = open_number(zoom.model, zoom.image, zoom.layer.name, unit)
        arithmetic_panel.show_inputs(opened)
        label = "Open the arithmetic"
    st.button(
        label,
        key="zoom_open",
        icon=":material/zoom_in:",
        on_click=zoom.go,
        args=(replace(zoom.path, place=place),),
    )


def _map(zoom: _Zoom, unit: int, place: tuple[int, ...]) -> None:
    texts.show("zoom", "unit_map")
    values = zoom.layer.maps[unit]
    width, largest = values.shape[1], float(np.abs(values).max())
    left, right = st.columns([2, 3], gap="large")
    with left:
        zoom_picture.cells(
            signed_rgb(values, largest),
            values.size,
            place[0] * width + place[1],
            "The feature map",
            lambda cell: zoom.go(replace(zoom.path, place=divmod(cell, width))),
        )
        st.caption(f"Full colour is ±{largest:.2f}.")
    if zoom.layer.kernels is not None:
        with right:
            arithmetic_panel.show_kernel(zoom.layer.kernels[unit])


def _arithmetic(zoom: _Zoom, unit: int, place: tuple[int, ...]) -> None:
    opened = open_number(zoom.model, zoom.image, zoom.layer.name, unit, place)
    before = [one.name for one in zoom.layers].index(zoom.layer.name) - 1
    source = zoom.layers[before].maps if before >= 0 else to_input(zoom.image[None])[0].numpy()
    with st.container(key="zoom_arithmetic"):
        arithmetic_panel.show(opened, source)
    code_box.code(open_number, folded=True)
