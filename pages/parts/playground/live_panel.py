"""The running playground: status, network and loss curves.

A Streamlit fragment trains the network for a bounded time in each of its ticks, without a thread or
a job. A closed tab therefore stops training, and pausing means no ticks.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import streamlit as st

from mnist_core.common import formatting
from mnist_core.figures.playground import loss_chart
from mnist_core.playground.network import features_of, grid
from mnist_core.playground.own_points import MAX_CLASSES, MAX_POINTS, OwnPoint, own_point
from mnist_core.playground.results import LossCurves, PlaygroundSnapshot
from mnist_core.playground.setups import FEATURES
from pages.parts.playground import network_picture
from pages.parts.playground.network_picture import Event
from pages.parts.playground.session import PlaygroundSession, playground

__all__ = ["notes", "show"]

TICK_S, TRAIN_S = 0.125, 0.05
_COLOURS = {"running": "blue", "paused": "orange", "stopped": "green", "diverged": "red"}


def notes() -> None:
    """Show the messages about the URL or the last click."""
    for sentence in playground().notes:
        st.info(sentence, icon=":material/info:")


def show() -> None:
    """Show status, network and curves, and redraw them several times a second while playing."""
    st.fragment(_tick, run_every=TICK_S if playground().playing else None)()


def _tick() -> None:
    session = playground()
    with session.lock:
        before = session.status, session.setup
        problems = _handle_events(session)
        session.train(TRAIN_S)
        session.notes = problems or session.notes
        changed = bool(problems) or (session.status, session.setup) != before
        run, setup, last_event = session.run, session.setup, session.last_event
        snapshot, curves = run.snapshot(network_picture.RESOLUTION), run.curves
    if changed:
        st.rerun()  # the whole page: buttons, controls and the URL change
    _status(session, snapshot)
    with st.container(key="playground_boundary"):
        network_picture.show(snapshot, run.points, _feature_maps(), setup, last_event)
    _curves(curves)


@cache
def _feature_maps() -> np.ndarray:
    """Return all features over the plane, (7, R, R) float32, also those that are not in use."""
    side = network_picture.RESOLUTION
    return features_of(grid(side), tuple(FEATURES)).T.reshape(-1, side, side).numpy()


def _handle_events(session: PlaygroundSession) -> list[str]:
    """Apply what the visitor did in the picture; return a sentence for each impossible event."""
    problems = []
    for event in network_picture.events(session.last_event):
        session.last_event = event["n"]
        try:
            _apply(session, event)
        except (KeyError, TypeError, ValueError) as error:
            problems.append(
                str(error) if isinstance(error, ValueError) else "That is not possible."
            )
    return problems


def _apply(session: PlaygroundSession, event: Event) -> None:
    """Change the setup or the weights by one event.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the event is malformed or impossible.
    """
    setup, action = session.setup, event["do"]
    if action in ("layers", "features", "edit") and action in setup.hide:
        raise ValueError("This setup does not allow that change.")
    if action in ("layers", "features"):
        session.change(**{action: tuple(event[action])})
    elif action == "edit":
        source = "bias" if event["source"] == -1 else event["source"]
        session.run.edit(event["layer"], event["unit"], source, float(event["value"]))
    elif action in ("point", "unpoint", "clear") and setup.data == "own":
        session.change(points=_points_after(setup.points, event))
    else:
        raise ValueError("That is not possible.")


def _points_after(points: tuple[OwnPoint, ...], event: Event) -> tuple[OwnPoint, ...]:
    if event["do"] == "clear":
        return ()
    if event["do"] == "unpoint":
        return points[:-1]
    if len(points) >= MAX_POINTS:
        raise ValueError(f"There is room for {MAX_POINTS} points.")
    if event["label"] not in range(MAX_CLASSES):
        raise ValueError(f"A point's class must be 0 to {MAX_CLASSES - 1}.")
    return (*points, own_point(float(event["x"]), float(event["y"]), int(event["label"])))


def _status(session: PlaygroundSession, snapshot: PlaygroundSnapshot) -> None:
    values = [
        f":{_COLOURS[session.status]}-badge[{session.status}]",
        f"epoch **{snapshot.epoch:,}**",
        f"training loss **{_loss(snapshot.train_loss)}**",
        f"test loss **{_loss(snapshot.test_loss)}**",
    ]
    if session.setup.n_classes:
        error = snapshot.test_error
        values.append(f"test error **{f'{error:.1%}' if math.isfinite(error) else '–'}**")
    with st.container(key="playground_status", gap="xsmall"):
        st.markdown(" &nbsp; ".join(values))
        if session.run.diverged:
            st.error(session.run.diverged, icon=":material/error:")
        elif session.run.stopped:
            st.info(session.run.stopped, icon=":material/flag:")


def _loss(value: float) -> str:
    return "–" if math.isnan(value) else formatting.loss(value)  # NaN: there are no such points


def _curves(curves: LossCurves) -> None:
    with st.container(key="playground_loss"):
        st.echarts_chart(
            loss_chart(curves),
            height=210,
            key="playground_curves",
            alt=f"Training and test loss by epoch, up to epoch {curves.epoch[-1]}",
        )
