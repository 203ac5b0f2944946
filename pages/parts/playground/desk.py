"""The visitor's playground: the run, whether it plays, and the address that says the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

import streamlit as st

from mnist_core.playground.experiments import EXPERIMENTS
from mnist_core.playground.url_query import PARAMETERS, from_query, to_query
from mnist_core.playground.run import PlaygroundRun
from mnist_core.playground.setups import Setup
from pages.parts.session import state

__all__ = ["PARAMETERS", "Desk", "desk", "enter", "write_address"]

KEPT = 100  # addresses


@dataclass(slots=True)
class Desk:
    """What a visitor has before them.

    A click starts a new run of the page in a thread of its own while the tick before it may still
    be training: whoever touches the run does so within `held`.

    Attributes
    ----------
    run : PlaygroundRun
    playing : bool
    until : int or None
        The epoch to play to, or None to play on.
    heard : int
        The number of the last event of the picture that was acted on.
    experiment : str or None
        Which ready experiment was chosen last.
    answered : bool
        Whether its answer is shown.
    notes : list of str
        Sentences about the address or the points, shown until something else is chosen.
    addresses : deque of dict
        Parameters that were read or written before. The browser may send one of them once more, if
        the visitor is quicker than the answer: it asks for nothing new.
    lock : RLock
    """

    run: PlaygroundRun
    playing: bool = False
    until: int | None = None
    heard: int = 0
    experiment: str | None = None
    answered: bool = False
    notes: list[str] = field(default_factory=list)
    addresses: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
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

    def become(self, setup: Setup) -> None:
        """Go on under another set-up if the weights can stay, else begin anew, at rest."""
        with self.lock:
            self.notes = []
            if self.run.take(setup):
                return
            points_alone = self.setup.differences(setup).keys() <= {"points", "show_test"}
            self.run = PlaygroundRun(setup)
            self.playing = self.playing and points_alone  # one may click points in while it plays
            self.until = None

    def change(self, **changes: Any) -> None:
        """Change part of the set-up. Whoever gives points of their own is shown all of them."""
        if changes.get("data") == "own" or changes.get("points"):
            changes["show_test"] = True
        with self.lock:
            self.become(replace(self.setup, **changes))

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
        """Train for a moment if it plays; stop playing where there is a reason to."""
        with self.lock:
            if not self.playing:
                return
            steps = self.run.train_for(seconds, until_epoch=self.until)
            if not steps or self.run.diverged or self.run.stopped:
                self.playing = False

    def choose(self, experiment: str | None) -> None:
        """Set a ready experiment up, at rest and with its answer hidden."""
        with self.lock:
            self.experiment, self.answered = experiment, False
            if experiment is not None:
                self.run = PlaygroundRun(EXPERIMENTS[experiment].setup)
                self.playing, self.until, self.notes = False, None, []

    def reveal(self) -> None:
        self.answered = True


def desk() -> Desk:
    """Return this visitor's playground; `enter` has made it."""
    return state.stored("playground", None)


def enter() -> Desk:
    """Make the visitor's playground, or find it again; do what the address asks for, once."""
    asked = _asked(st.query_params)
    here = desk()
    if here is None or (asked and asked not in here.addresses):
        setup, notes = from_query(asked)
        if here is None:
            here = Desk(PlaygroundRun(setup))
            state.store("playground", here)
        else:
            here.become(setup)
        here.notes = notes
        here.addresses.append(asked)
    return here


def write_address() -> None:
    """Let the address say what is set up, so that a reload or a friend gets the same."""
    here = desk()
    wanted = to_query(here.setup)
    if wanted != _asked(st.query_params):
        others = {k: v for k, v in st.query_params.to_dict().items() if k not in PARAMETERS}
        st.query_params.from_dict({**others, **wanted})
    if wanted not in here.addresses:
        here.addresses.append(wanted)


def _asked(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: parameters[name] for name in PARAMETERS if name in parameters}
