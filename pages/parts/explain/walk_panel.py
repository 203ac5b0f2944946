"""One training step to walk through, layer by layer: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.common.formatting import plain
from mnist_core.concepts import step_tensors
from mnist_core.explain import training_step
from mnist_core.explain.layer_outputs import DivergedModelError
from mnist_core.explain.training_step import STEPS, Pair, StepStage, Walk
from mnist_core.figures import tensors
from mnist_core.figures.pictures import as_url
from pages.parts.session import state
from pages.parts.shell import texts
from pages.parts.widgets import code_box, elements

__all__ = ["show"]

RATES = (0.01, 0.1, 1.0)
COLUMNS, WIDTH = 32, 320  # numbers in a row of a vector, and the row's pixels
SMALL = 0.01  # with a loss below this, nearly all gradients are 0


@st.fragment
def show(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> None:
    """Show one step of SGD to walk through; at most once on a page.

    Parameters
    ----------
    model : nn.Sequential
        Of `mnist_core.nn.architectures`; it is not changed.
    images : (B, 28, 28) uint8
        The step uses the first image or all of them; the pictures show the first.
    labels : (B,) int64
    names : sequence of 10 str
        The classes.
    """
    texts.show("walk", "intro")
    n = 1
    if len(images) > 1:
        n = elements.pick("Images in the step", [1, len(images)], "walk_images", 1)
    rate = elements.pick("Learning rate η", RATES, "walk_rate", RATES[1], format_func="{:g}".format)
    try:
        walk = training_step.walk(model, images[:n], labels[:n], rate)
    except DivergedModelError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    _numbers(walk, n, names[int(labels[0])], rate)
    _moves(walk)
    step = elements.pick("Step", STEPS, "walk_step", STEPS[0])
    texts.show("walk", step)
    stages = {stage.layer: stage for stage in walk.of(step)}
    layer = elements.stored_choice(
        st.segmented_control,
        "Layer",
        list(stages),
        "walk_layer",
        next(iter(stages)),
        f"walk_layer_{step}",
        required=True,
    )
    _stage(stages[layer])
    if step in ("Backward", "Update"):
        _weights_of_a_unit(walk, layer, rate)
    elements.check(
        walk.check,
        "network_step_check",
        "Every tensor of the whole step, PyTorch and NumPy, float32",
    )
    code_box.code(step_tensors.trace_step_in_torch, step_tensors.trace_step_in_numpy, folded=True)


def _numbers(walk: Walk, n: int, name: str, rate: float) -> None:
    elements.numbers(
        {
            "The step's images": f"{n} ({name})" if n == 1 else str(n),
            "Its loss": f"{walk.loss_before:.6f}",
            "Its loss after": f"{walk.loss_after:.6f}",
            "Learning rate": f"{rate:g}",
        },
        "walk_numbers",
    )
    if walk.loss_before < SMALL:
        texts.show("walk", "small")


def _moves(walk: Walk) -> None:
    """Show buttons to the previous and the next layer, through all four steps in order."""
    stops = [(stage.step, stage.layer) for stage in walk.stages]
    step = state.widget("walk_step") or STEPS[0]
    first = next(layer for other, layer in stops if other == step)
    here = (step, state.stored(f"walk_layer_{step}", first))
    at = stops.index(here) if here in stops else 0
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, to in (
            ("Previous", ":material/arrow_back:", at - 1),
            ("Next", ":material/arrow_forward:", at + 1),
        ):
            inside = 0 <= to < len(stops)
            st.button(
                label,
                key=f"walk_{label.lower()}",
                icon=icon,
                disabled=not inside,
                on_click=_go,
                args=stops[to] if inside else stops[at],
            )
        st.caption(f"{at + 1} of {len(stops)}")


def _go(step: str, layer: str) -> None:
    state.set_widget("walk_step", step)
    state.store(f"walk_layer_{step}", layer)


def _stage(stage: StepStage) -> None:
    st.markdown(f"**{stage.layer}**, {stage.kind}")
    st.latex(stage.formula)
    st.caption("The line of PyTorch:")
    st.code(stage.line)
    code_box.code(*stage.in_numpy, title="The same in NumPy:")
    with st.container(key="walk_tensors"):
        elements.table(
            140,
            tensor=[pair.name for pair in stage.pairs],
            shape=[_shape(pair.in_torch) for pair in stage.pairs],
            first=[_first(pair.in_torch) for pair in stage.pairs],
            smallest=[f"{pair.in_torch.min():.5g}" for pair in stage.pairs],
            largest=[f"{pair.in_torch.max():.5g}" for pair in stage.pairs],
            difference=[f"{pair.check.largest_difference:.2g}" for pair in stage.pairs],
            **{"rounding explains": [f"{pair.check.explained:.2g}" for pair in stage.pairs]},
        )
    data = [pair for pair in stage.pairs if not _is_of_weights(pair) and pair.in_torch.ndim > 1]
    with st.container(key="walk_pictures", horizontal=True, gap="large"):  # where there is room
        for pair in data[:2]:
            _picture(pair)


def _shape(values: np.ndarray) -> str:
    return " × ".join(f"{n:,}" for n in values.shape) or "one number"


def _first(values: np.ndarray) -> str:
    """Write out the first three numbers of a tensor."""
    listed = ", ".join(f"{value + 0:.3g}" for value in values.ravel()[:3])
    return f"{listed}, …" if values.size > 3 else listed


def _is_of_weights(pair: Pair) -> bool:
    return pair.name.startswith(("weight", "bias")) or pair.name.endswith(("dL/dW", "dL/db"))


def _picture(pair: Pair) -> None:
    """Show a tensor of data for the first image of the batch."""
    first = pair.in_torch[0]
    sheet = _drawn(first)
    st.image(
        as_url(sheet),
        width=sheet.shape[1],
        alt=pair.name,
        caption=f"{pair.name}, first image; full colour is ±{np.abs(first).max():.3g}",
    )


def _drawn(values: np.ndarray) -> np.ndarray:
    if values.ndim == 1 and len(values) <= COLUMNS:
        return tensors.map_picture(values[None], side=WIDTH // len(values))
    if values.ndim == 1:
        return tensors.vector_strip(values, columns=COLUMNS)
    return tensors.stack_picture(values, side=168, tile=40, columns=6)


def _weights_of_a_unit(walk: Walk, layer: str, rate: float) -> None:
    """Show one unit's weights before the step, their gradient, and the weights after it."""
    stage = next((one for one in walk.of("Update") if one.layer == layer), None)
    if stage is None:
        return
    texts.show("walk", "beside")
    units = [str(i) for i in range(len(stage.pairs[0].in_torch))]
    slot = f"walk_unit_{layer}"
    unit = int(
        elements.stored_choice(st.selectbox, "Unit", units, "walk_unit", units[0], slot, width=180)
    )
    in_torch = {pair.name: pair.in_torch[unit] for pair in stage.pairs}
    with st.container(key="walk_gradients", horizontal=True):  # side by side where there is room
        for title in ("weight W, before", "gradient dL/dW", "weight W, after"):
            values = in_torch[title].reshape(stage.pictured)
            sheet = _drawn(values)
            st.image(
                as_url(sheet),
                width=min(sheet.shape[1], 300),
                alt=title,
                caption=f"{title}; full colour is ±{np.abs(values).max():.3g}",
            )
    before = round(float(in_torch["bias b, before"]), 6)
    gradient = round(float(in_torch["gradient dL/db"]), 6)
    after = before - rate * gradient  # from the printed numbers
    st.markdown(
        f"Its bias: `{plain(before, 6)} − {rate:g} × {plain(gradient, 6)} = {plain(after, 6)}`"
    )
