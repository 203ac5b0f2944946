"""The playground's controls. Each shows what the set-up says and, when it is moved, changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from mnist_core.playground.own_points import parse_points
from mnist_core.playground.setups import (
    ACTIVATIONS,
    DATA,
    LOSSES,
    RANGES,
    REGULARISATIONS,
)
from pages.parts.playground.desk import Desk, desk
from pages.parts.session import state
from pages.parts.shell import texts

__all__ = ["buttons", "data", "drawing", "learning", "own_points"]

RATES = (0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
PENALTIES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
WIDTH = 142  # pixels: five side by side, on a phone two
RUN_TO = "playground_run_to_open"
Widget = Callable[..., Any]


def _control(name: str, widget: Widget, label: str, *given: Any, **arguments: Any) -> None:
    """Show a widget for one field of the set-up, unless a teacher's link hides it."""
    setup = desk().setup
    if name in setup.hide:
        return
    key = "playground_loss_kind" if name == "loss" else f"playground_{name}"  # the curves' is _loss
    value = setup.effective_loss if name == "loss" else getattr(setup, name)
    if state.widget(key) != value:
        state.set_widget(key, value)
    widget(label, *given, key=key, on_change=_changed, args=(name, key), **arguments)


def _changed(name: str, key: str) -> None:
    desk().change(**{name: state.widget(key)})


def _choice(name: str, label: str, titles: Mapping[str, str], **arguments: Any) -> None:
    _control(name, st.selectbox, label, list(titles), format_func=titles.get, **arguments)


def _rate(name: str, label: str, usual: Sequence[float], **arguments: Any) -> None:
    """Show a rate as a choice of usual ones; one that came with the address is added to them."""
    options = sorted({*usual, getattr(desk().setup, name)})
    _control(name, st.selectbox, label, options, format_func=_plain, **arguments)


def _plain(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".") if 0 < value < 0.001 else f"{value:g}"


def _whole(name: str, label: str, **arguments: Any) -> None:
    low, high = map(int, RANGES[name])
    _control(name, st.slider, label, low, high, **arguments)


def buttons() -> None:
    """Show Play, Pause, the steps and Rewind; each is off when it would do nothing."""
    here = desk()
    dead, playing = bool(here.run.diverged), here.playing
    with st.container(horizontal=True, vertical_alignment="bottom", key="playground_buttons"):
        ended = dead or bool(here.run.stopped)
        _button("start", "Play", "play_arrow", here.play, playing or ended, type="primary")
        if dead:
            _button("undo", "Undo", "undo", here.undo, off=False, type="primary")
        else:
            _button("pause", "Pause", "pause", here.pause, not playing)
        _button("step", "One batch", "skip_next", here.step, playing or dead)
        _button("epoch", "One epoch", "fast_forward", here.epoch, playing or dead)
        at_start = here.run.step_count == 0 and not here.run.edited
        _button("reset", "Rewind", "replay", here.rewind, at_start and not playing)
        if "run_to" not in here.setup.hide:
            _run_to(here, dead)


def _button(
    name: str, label: str, icon: str, act: Callable[[], None], off: bool, **arguments: Any
) -> None:
    key = f"playground_{name}"
    st.button(label, key=key, icon=f":material/{icon}:", disabled=off, on_click=act, **arguments)


def _run_to(here: Desk, dead: bool) -> None:
    with st.popover(
        "Run to …", icon=":material/flag:", disabled=dead, key=RUN_TO, on_change="rerun"
    ):
        st.number_input(
            "Epoch",
            1,
            100_000,
            100,
            key="playground_run_to_epoch",
            persist_state="session",
        )
        st.button("Run to it", key="playground_run_to", on_click=_play_to)
        if "stop_below" not in here.setup.hide:
            low, high = RANGES["stop_below"]
            _control(
                "stop_below",
                st.number_input,
                "Stop when the training loss is below",
                low,
                high,
                value=None,
                step=0.01,
                format="%.6g",
                placeholder="never",
            )


def _play_to() -> None:
    here = desk()
    epoch = int(state.widget("playground_run_to_epoch"))
    if epoch > here.run.epoch_count:
        here.play(until=epoch)
        state.set_widget(RUN_TO, False)  # out of the way of what there is to see
    else:
        here.notes = [f"The run is at epoch {here.run.epoch_count} already: rewind it first."]


def data() -> None:
    """Show the choice of the points, and what they are made with."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choice("data", "Data", DATA, width=WIDTH)
        own = desk().setup.data == "own"  # these are where the visitor put them
        _whole("noise", "Noise, %", disabled=own, width=WIDTH)
        _whole("train_share", "For training, %", width=WIDTH)
        _whole("batch_size", "Batch size", width=120)
        if "seed" not in desk().setup.hide:
            low, high = map(int, RANGES["seed"])
            _control("seed", st.number_input, "Seed", low, high, step=1, width=80)
            st.button(
                ":material/casino:",
                key="playground_fresh",
                help="Fresh points and fresh weights: the next seed",
                on_click=_fresh,
            )


def _fresh() -> None:
    here = desk()
    here.change(seed=(here.setup.seed + 1) % (int(RANGES["seed"][1]) + 1))


def learning() -> None:
    """Show what decides how the network learns."""
    quantity = desk().setup.n_classes == 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _rate("learning_rate", "Learning rate", RATES, width=WIDTH)
        _choice("activation", "Activation", ACTIVATIONS, width=WIDTH)
        _choice("loss", "Loss", LOSSES, disabled=quantity, width=WIDTH)
        _choice("regularisation", "Regularisation", REGULARISATIONS, width=WIDTH)
        off = desk().setup.regularisation == "none"
        _rate("regularisation_rate", "Its rate", PENALTIES, disabled=off, width=WIDTH)


def drawing() -> None:
    """Show how the plane is drawn."""
    with st.container(horizontal=True):
        for name, label in (("show_test", "Show test points"), ("discrete", "Decision only")):
            with st.container(width=200):
                _control(name, st.toggle, label)


def own_points() -> None:
    """Show where points can be pasted, if the visitor's own are chosen."""
    setup = desk().setup
    if setup.data != "own" or "points" in setup.hide:
        return
    with st.expander("Paste points, or write them", expanded=not setup.points):
        texts.show("playground", "own")
        st.text_area(
            "x1, x2, class",
            key="playground_points",
            persist_state="session",
            height=140,
            placeholder="1.5, -2, 0\n-3, 0.5, 1",
        )
        st.button("Use these points", key="playground_use_points", on_click=_use_points)


def _use_points() -> None:
    here = desk()
    try:
        read = parse_points(state.widget("playground_points") or "")
    except ValueError as error:
        here.notes = [str(error)]
        return
    here.change(points=read.points)
    here.notes = [read.note] if read.note else []
