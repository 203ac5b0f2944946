"""The visitor's playground: the run, whether it is playing, and the URL of its setup."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

import streamlit as st

from mnist_core.playground.experiments import EXPERIMENTS
from mnist_core.playground.run import PlaygroundRun
from mnist_core.playground.setups import Setup
from mnist_core.playground.url_query import PARAMETERS, from_query, to_query
from pages.parts.session import state

__all__ = ["PlaygroundSession", "enter", "playground", "write_address"]

MAX_ADDRESSES = 100


@dataclass(slots=True)
class PlaygroundSession:
    """The state of the playground page for one visitor.

    A click runs the page in a new thread while the previous tick may still be training. All access
    to the run therefore holds `lock`.

    Attributes
    ----------
    run : PlaygroundRun
    playing : bool
    until : int or None
        The epoch at which to stop playing; None for no limit.
    last_event : int
        The number of the last event of the picture that was handled.
    experiment : str or None
        The name of the last chosen experiment.
    answer_shown : bool
        Whether its answer is shown.
    notes : list of str
        Sentences about the URL or the points, shown until the next choice.
    addresses : deque of dict
        Parameters read or written before. If the visitor clicks before the browser has the latest
        URL, the browser sends an earlier one again, which must not change the setup.
    lock : RLock
    """

    run: PlaygroundRun
    playing: bool = False
    until: int | None = None
    last_event: int = 0
    experiment: str | None = None
    answer_shown: bool = False
    notes: list[str] = field(default_factory=list)
    addresses: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=MAX_ADDRESSES))
    lock: RLock = field(default_factory=RLock)

    @property
    def setup(self) -> Setup:
        return self.run.setup

    @property
    def status(self) -> str:
        if self.run.diverged:
            return "diverged"
        if self.playing:
            return "running"
        return "stopped" if self.run.stopped else "paused"

    def adopt(self, setup: Setup) -> None:
        """Continue with another setup if the weights can stay, else start a new run, paused."""
        with self.lock:
            self.notes = []
            if self.run.adopt(setup):
                return
            only_points = self.setup.differences(setup).keys() <= {"points", "show_test"}
            self.run = PlaygroundRun(setup)
            self.playing = self.playing and only_points  # the visitor can add points while it plays
            self.until = None

    def change(self, **changes: Any) -> None:
        """Change fields of the setup. With own points, the test points are always shown."""
        if changes.get("data") == "own" or changes.get("points"):
            changes["show_test"] = True
        with self.lock:
            self.adopt(replace(self.setup, **changes))

    def play(self, until: int | None = None) -> None:
        with self.lock:
            self.playing, self.until, self.notes = True, until, []

    def pause(self) -> None:
        with self.lock:
            self.playing = False

    def rewind(self) -> None:
        with self.lock:
            self.playing = False
            self.run.rewind()

    def step(self) -> None:
        with self.lock:
            self.run.step()

    def epoch(self) -> None:
        with self.lock:
            self.run.epoch()

    def undo(self) -> None:
        with self.lock:
            if self.run.diverged:
                self.run.undo()

    def train(self, seconds: float) -> None:
        """Train for a limited time if the run is playing; stop playing when it ends."""
        with self.lock:
            if not self.playing:
                return
            steps = self.run.train_for(seconds, until_epoch=self.until)
            if not steps or self.run.diverged or self.run.stopped:
                self.playing = False

    def choose(self, experiment: str | None) -> None:
        """Start an experiment, paused and with its answer hidden."""
        with self.lock:
            self.experiment, self.answer_shown = experiment, False
            if experiment is not None:
                self.run = PlaygroundRun(EXPERIMENTS[experiment].setup)
                self.playing, self.until, self.notes = False, None, []

    def show_answer(self) -> None:
        self.answer_shown = True


def playground() -> PlaygroundSession:
    """Return this visitor's playground. The page calls `enter` first."""
    return state.stored("playground", None)


def enter() -> None:
    """Create the visitor's playground if there is none; apply each new URL once."""
    parameters = _parameters_of(st.query_params)
    session = state.stored("playground", None)
    if session is None or (parameters and parameters not in session.addresses):
        setup, notes = from_query(parameters)
        if session is None:
            session = PlaygroundSession(PlaygroundRun(setup))
            state.store("playground", session)
        else:
            session.adopt(setup)
        session.notes = notes
        session.addresses.append(parameters)


def write_address() -> None:
    """Write the setup into the URL, so that a reload or a shared link gives the same setup."""
    session = playground()
    parameters = to_query(session.setup)
    if parameters != _parameters_of(st.query_params):
        others = {k: v for k, v in st.query_params.to_dict().items() if k not in PARAMETERS}
        st.query_params.from_dict({**others, **parameters})
    if parameters not in session.addresses:
        session.addresses.append(parameters)


def _parameters_of(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in PARAMETERS if name in query}
