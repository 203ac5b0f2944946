"""One training step to walk through: forward, loss, backward, update, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from torch import nn

from mnist_core.explain import step_tensors, training_step
from mnist_core.explain.attribution import ExplanationError
from mnist_core.explain.training_step import STEPS, Pair, Stage, Walk
from mnist_core.figures import explain as figures
from mnist_core.figures.pictures import as_url
from pages.parts.session import state
from pages.parts.shell import texts
from pages.parts.widgets import code_box, elements

__all__ = ["show"]

LEARNING_RATE = 0.01
LINE, WIDTH = 32, 320  # numbers of a vector in a line, and the line's pixels
SMALL = 0.01  # a loss below this leaves next to no gradients


@st.fragment
def show(
    model: nn.Sequential, images: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> None:
    """Walk through one step of SGD; one on a page.

    Parameters
    ----------
    model : nn.Sequential
        Of `mnist_core.nn.architectures`; it is not changed.
    images : (B, 28, 28) uint8
        The step is taken with the first alone or with all; the pictures are of the first.
    labels : (B,) int64
    names : sequence of 10 str
        The classes.
    """
    texts.show("walk", "intro")
    n = 1
    if len(images) > 1:
        n = elements.pick("Images in the step", [1, len(images)], "walk_images", 1)
    try:
        walk = training_step.walk(model, images[:n], labels[:n], LEARNING_RATE)
    except ExplanationError as problem:
        st.info(str(problem), icon=":material/info:")
        return
    _numbers(walk, n, names[int(labels[0])])
    step = elements.pick("Step", STEPS, "walk_step", STEPS[0])
    texts.show("walk", step)
    stages = {stage.layer: stage for stage in walk.of(step)}
    stage = stages[_choose(st.segmented_control, "Layer", list(stages), "walk_layer", step)]
    _stage(stage)
    if step in ("Backward", "Update"):
        _beside(walk, stage.layer)
    elements.check(
        walk.check, "walk_check", "Every tensor of the whole step, PyTorch and NumPy, float32"
    )
    code_box.code(step_tensors.step_in_torch, step_tensors.step_in_numpy, folded=True)


def _numbers(walk: Walk, n: int, name: str) -> None:
    elements.numbers(
        {
            "The step's images": f"{n} ({name})" if n == 1 else str(n),
            "Its loss": f"{walk.loss_before:.6f}",
            "Its loss after": f"{walk.loss_after:.6f}",
            "Learning rate η": f"{LEARNING_RATE:g}",
        },
        "walk_numbers",
    )
    if walk.loss_before < SMALL:
        texts.show("walk", "small")


def _choose(widget: Callable[..., Any], label: str, options: list[str], key: str, of: str) -> str:
    """Show a choice that is kept; each step remembers its own."""
    slot = f"{key}_{of}"
    kept = state.stored(slot, options[0])
    current = kept if kept in options else options[0]
    more = {"required": True} if widget is st.segmented_control else {"width": 180}
    return state.choose(widget, label, options, current, partial(state.store, slot), key, **more)


def _stage(stage: Stage) -> None:
    st.markdown(f"**{stage.layer}**, {stage.kind}")
    st.latex(stage.formula)
    st.caption("The line of PyTorch:")
    st.code(stage.line)
    st.caption("The same in NumPy:")
    st.code("\n\n".join(code_box.source_of(function) for function in stage.in_numpy))
    with st.container(key="walk_tensors"):
        elements.table(
            140,
            tensor=[pair.name for pair in stage.pairs],
            shape=[_shape(pair.in_torch) for pair in stage.pairs],
            first=[_first(pair.in_torch) for pair in stage.pairs],
            smallest=[f"{pair.in_torch.min():.5g}" for pair in stage.pairs],
            largest=[f"{pair.in_torch.max():.5g}" for pair in stage.pairs],
            difference=[f"{pair.check.largest_difference:.2g}" for pair in stage.pairs],
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
    if values.ndim == 1 and len(values) <= LINE:
        return figures.map_picture(values[None], side=WIDTH // len(values))
    if values.ndim == 1:
        return figures.vector_strip(values, columns=LINE)
    if len(values) == 1:
        return figures.map_picture(values[0], 168)
    return figures.feature_sheet(values, columns=6, tile=40)


def _beside(walk: Walk, layer: str) -> None:
    """Show one unit's weights, their gradient, and the weights after the step."""
    stage = next((one for one in walk.of("Update") if one.layer == layer), None)
    if stage is None:
        return
    texts.show("walk", "beside")
    n = len(stage.pairs[0].in_torch)
    unit = int(_choose(st.selectbox, "Unit", [str(i) for i in range(n)], "walk_unit", layer))
    with st.container(key="walk_gradients", horizontal=True):  # side by side where there is room
        for title in ("weight W, before", "gradient dL/dW", "weight W, after"):
            values = _of(stage, title)[unit].reshape(stage.pictured)
            sheet = _drawn(values)
            st.image(
                as_url(sheet),
                width=min(sheet.shape[1], 300),
                alt=title,
                caption=f"{title}; full colour is ±{np.abs(values).max():.3g}",
            )
    before, gradient = (
        round(float(_of(stage, title)[unit]), 6) for title in ("bias b, before", "gradient dL/db")
    )
    after = before - LEARNING_RATE * gradient  # of the numbers as they are printed
    st.markdown(
        f"Its bias: `{before:.6f} − {LEARNING_RATE:g} × {gradient:.6f} = {after:.6f}`".replace(
            "-", "−"
        )
    )


def _of(stage: Stage, name: str) -> np.ndarray:
    """Return a tensor of a stage as PyTorch has it."""
    return next(pair.in_torch for pair in stage.pairs if pair.name == name)
