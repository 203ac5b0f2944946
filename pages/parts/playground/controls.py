"""The playground's controls. Each shows a field of the setup and changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from mnist_core.playground.own_points import parse_points
from mnist_core.playground.setups import ACTIVATIONS, DATA, LOSSES, RANGES, REGULARISATIONS
from pages.parts.playground.session import PlaygroundSession, playground
from pages.parts.session import state
from pages.parts.shell import texts

__all__ = ["buttons", "data", "drawing", "learning", "own_points"]

RATES = (0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
PENALTIES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
WIDTH = 142  # pixels: five controls in a row, two on a phone
RUN_TO = "playground_run_to_open"
Widget = Callable[..., Any]


def _control(name: str, widget: Widget, label: str, *given: Any, **arguments: Any) -> None:
    """Show a widget for one field of the setup, unless a teacher's link hides it."""
    setup = playground().setup
    if name in setup.hide:
        return
    key = (
        "playground_loss_kind" if name == "loss" else f"playground_{name}"
    )  # playground_loss is the curves
    value = setup.effective_loss if name == "loss" else getattr(setup, name)
    if state.widget(key) != value:
        state.set_widget(key, value)
    widget(label, *given, key=key, on_change=_changed, args=(name, key), **arguments)


def _changed(name: str, key: str) -> None:
    playground().change(**{name: state.widget(key)})


def _choice(name: str, label: str, titles: Mapping[str, str], **arguments: Any) -> None:
    _control(name, st.selectbox, label, list(titles), format_func=titles.get, **arguments)


def _rate(name: str, label: str, common: Sequence[float], **arguments: Any) -> None:
    """Show a choice of common rates, plus the current one if it came with the URL."""
    options = sorted({*common, getattr(playground().setup, name)})
    _control(name, st.selectbox, label, options, format_func=_rate_text, **arguments)


def _rate_text(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".") if 0 < value < 0.001 else f"{value:g}"


def _whole(name: str, label: str, **arguments: Any) -> None:
    low, high = map(int, RANGES[name])
    _control(name, st.slider, label, low, high, **arguments)


def buttons() -> None:
    """Show Play, Pause, the steps and Rewind; a button without effect is disabled."""
    session = playground()
    diverged, playing = bool(session.run.diverged), session.playing
    with st.container(horizontal=True, vertical_alignment="bottom", key="playground_buttons"):
        ended = diverged or bool(session.run.stopped)
        _button("start", "Play", "play_arrow", session.play, playing or ended, type="primary")
        if diverged:
            _button("undo", "Undo", "undo", session.undo, disabled=False, type="primary")
        else:
            _button("pause", "Pause", "pause", session.pause, not playing)
        _button("step", "One batch", "skip_next", session.step, playing or diverged)
        _button("epoch", "One epoch", "fast_forward", session.epoch, playing or diverged)
        at_start = session.run.step_count == 0 and not session.run.edited
        _button("reset", "Rewind", "replay", session.rewind, at_start and not playing)
        if "run_to" not in session.setup.hide:
            _run_to(session, diverged)


def _button(
    name: str, label: str, icon: str, act: Callable[[], None], disabled: bool, **arguments: Any
) -> None:
    key = f"playground_{name}"
    st.button(
        label, key=key, icon=f":material/{icon}:", disabled=disabled, on_click=act, **arguments
    )


def _run_to(session: PlaygroundSession, diverged: bool) -> None:
    with st.popover(
        "Run to …", icon=":material/flag:", disabled=diverged, key=RUN_TO, on_change="rerun"
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
        if "stop_below" not in session.setup.hide:
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
    session = playground()
    epoch = int(state.widget("playground_run_to_epoch"))
    if epoch > session.run.epoch_count:
        session.play(until=epoch)
        state.set_widget(RUN_TO, False)  # the popover would cover the picture
    else:
        session.notes = [f"The run is at epoch {session.run.epoch_count} already: rewind it first."]


def data() -> None:
    """Show the choice of the data and how the points are drawn and split."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choice("data", "Data", DATA, width=WIDTH)
        own = playground().setup.data == "own"  # noise does not move own points
        _whole("noise", "Noise, %", disabled=own, width=WIDTH)
        _whole("train_share", "For training, %", width=WIDTH)
        _whole("batch_size", "Batch size", width=120)
        if "seed" not in playground().setup.hide:
            low, high = map(int, RANGES["seed"])
            _control("seed", st.number_input, "Seed", low, high, step=1, width=80)
            st.button(
                ":material/casino:",
                key="playground_fresh",
                help="Fresh points and fresh weights: the next seed",
                on_click=_fresh,
            )


def _fresh() -> None:
    session = playground()
    session.change(seed=(session.setup.seed + 1) % (int(RANGES["seed"][1]) + 1))


def learning() -> None:
    """Show the settings of training."""
    regression = playground().setup.n_classes == 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _rate("learning_rate", "Learning rate", RATES, width=WIDTH)
        _choice("activation", "Activation", ACTIVATIONS, width=WIDTH)
        _choice("loss", "Loss", LOSSES, disabled=regression, width=WIDTH)
        _choice("regularisation", "Regularisation", REGULARISATIONS, width=WIDTH)
        off = playground().setup.regularisation == "none"
        _rate("regularisation_rate", "Its rate", PENALTIES, disabled=off, width=WIDTH)


def drawing() -> None:
    """Show how the plane is drawn."""
    with st.container(horizontal=True):
        for name, label in (("show_test", "Show test points"), ("discrete", "Decision only")):
            with st.container(width=200):
                _control(name, st.toggle, label)


def own_points() -> None:
    """Show a field to paste points into, if the data are the visitor's own points."""
    setup = playground().setup
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
    session = playground()
    try:
        parsed = parse_points(state.widget("playground_points") or "")
    except ValueError as error:
        session.notes = [str(error)]
        return
    session.change(points=parsed.points)
    session.notes = [parsed.note] if parsed.note else []
