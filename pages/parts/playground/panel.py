"""The playground as it goes: the network learns a moment, is drawn, and learns again.

Training happens in the fragment's own ticks, a bounded time each: no thread, no job. A tab that is
closed stops by itself, and a pause is nothing but no ticks.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import streamlit as st

from mnist_core.figures.playground import loss_chart
from mnist_core.playground.network import features_of, grid
from mnist_core.playground.own_points import MAX_CLASSES, MAX_POINTS, own_point
from mnist_core.playground.setups import FEATURES
from mnist_core.playground.results import Curves, View
from pages.parts.playground import net
from pages.parts.playground.desk import Desk, desk

__all__ = ["show"]

TICK_S, TRAIN_S = 0.125, 0.05
_COLOURS = {"running": "blue", "paused": "orange", "stopped": "green", "diverged": "red"}


def show() -> None:
    """Show status, network and curves; while it plays, several times a second."""
    st.fragment(_tick, run_every=TICK_S if desk().playing else None)()


def _tick() -> None:
    here = desk()
    with here.lock:
        before = here.status, here.setup
        notes = _obey(here)
        here.train(TRAIN_S)
        here.notes = notes or here.notes
        changed = bool(notes) or (here.status, here.setup) != before
        run, view, curves = here.run, here.run.snapshot(net.RESOLUTION), here.run.curves
        setup, heard = run.setup, here.heard
    if changed:
        st.rerun()  # the whole page once more: buttons, controls and the address change
    _status(here, view)
    with st.container(key="playground_boundary"):
        net.show(view, run.points, _feature_maps(), setup, heard)
    _curves(curves)


@cache
def _feature_maps() -> np.ndarray:
    """Return what each feature is over the plane, (7, R, R) float32, used or not."""
    side = net.RESOLUTION
    return features_of(grid(side), tuple(FEATURES)).T.reshape(-1, side, side).numpy()


def _obey(here: Desk) -> list[str]:
    """Do what the visitor did in the picture; return a sentence for each thing that cannot be."""
    notes = []
    for event in net.events(here.heard):
        here.heard = event["n"]
        try:
            _carry_out(here, event)
        except (KeyError, TypeError, ValueError) as error:
            notes.append(str(error) if isinstance(error, ValueError) else "That is not possible.")
    return notes


def _carry_out(here: Desk, event: net.Event) -> None:
    """Change the set-up or the weights by one event.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it holds what no picture of ours sends, or what cannot be.
    """
    setup, what = here.setup, event["do"]
    if what in ("layers", "features", "edit") and what in setup.hide:
        raise ValueError("This set-up keeps that as it is.")
    if what in ("layers", "features"):
        here.become(replace(setup, **{what: tuple(event[what])}))
    elif what == "edit":
        source = "bias" if event["source"] == -1 else event["source"]
        here.run.edit(event["layer"], event["unit"], source, float(event["value"]))
    elif what in ("point", "unpoint", "clear") and setup.data == "own":
        here.change(points=_points_after(setup.points, event))
    else:
        raise ValueError("That is not possible.")


def _points_after(points: tuple, event: net.Event) -> tuple:
    if event["do"] == "clear":
        return ()
    if event["do"] == "unpoint":
        return points[:-1]
    if len(points) >= MAX_POINTS:
        raise ValueError(f"There is room for {MAX_POINTS} points.")
    if event["label"] not in range(MAX_CLASSES):
        raise ValueError(f"A point's class must be 0 to {MAX_CLASSES - 1}.")
    return (*points, own_point(float(event["x"]), float(event["y"]), int(event["label"])))


def _status(here: Desk, view: View) -> None:
    with st.container(key="playground_status", gap="xsmall"):
        values = [f"epoch **{view.epoch:,}**", f"training loss **{_loss(view.train_loss)}**"]
        values.append(f"test loss **{_loss(view.test_loss)}**")
        if view.n_classes:
            values.append(f"test error **{_share(view.test_error)}**")
        badge = f":{_COLOURS[here.status]}-badge[{here.status}]"
        st.markdown(" &nbsp; ".join([badge, *values]))
        if here.run.diverged:
            st.error(here.run.diverged, icon=":material/error:")
        elif here.run.stopped:
            st.info(here.run.stopped, icon=":material/flag:")


def _loss(value: float) -> str:
    if math.isnan(value):  # there are no such points; a diverged loss is never shown
        return "–"
    return f"{value:.4f}" if value < 1000 else f"{value:.3g}"


def _share(value: float) -> str:
    return f"{value:.1%}" if np.isfinite(value) else "–"


def _curves(curves: Curves) -> None:
    with st.container(key="playground_loss"):
        st.echarts_chart(
            loss_chart(curves.epoch, curves.train_loss, curves.test_loss),
            height=210,
            key="playground_curves",
            alt=f"Training and test loss by epoch, up to epoch {curves.epoch[-1]}",
        )
