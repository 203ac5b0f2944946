"""The training doctor: reads a run's history and says what ails it, and one thing to try."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mnist_core.configs import IN_NUMPY, TrainingConfig
from mnist_core.models import ARCHITECTURES
from mnist_core.records import Checkup, History
from mnist_core.runs import DIVERGED_LOSS

__all__ = ["KINDS", "SEVERITIES", "Finding", "examine"]

KINDS = (  # the worst first
    "diverging",
    "one class",
    "dead units",
    "too slow",
    "overfitting",
    "plateau",
    "healthy",
    "too early",
)
SEVERITIES = ("problem", "hint", "fine")

# Every threshold stands in a gap between good and bad runs of a grid of 580: linear, MLP and CNN,
# all optimisers, rates of 1e-5 to 10, both schedules, MNIST and the bundled digits.
GUESSING = math.log(10)  # the loss of one tenth for every class
WORSE_THAN_GUESSING = 1.1 * GUESSING  # runs that collapsed to one class rest at 2.30 to 2.50
SHOT_UP = 1.3 * GUESSING  # a fresh network begins at 2.2 to 2.45
CALM, WILD = 1.1, 3.0  # noise for a batch of one: 0.9 at a rate that fits, above 1.2 at a large one
DEAD, NEARLY_ALL_DEAD = 0.5, 0.9  # the good runs reach 0.43; where learning is slow it is 0.25
ONE_CLASS = 0.5  # of ten balanced classes: 0.11 to 0.14 where it learns
HARDLY_LEARNT, HALF_LEARNT = 1.0, 0.5  # the loss at the end
FALLING, FLAT = 1.05, 1.02  # mean loss of the third quarter over that of the fourth
FAR_FROM_ZERO = 0.1
GAP, RISE = 0.1, 1.25  # train minus test accuracy; test loss over its lowest
CERTAIN = 0.025  # standard error of that ratio
HIGHEST_RATE = {"SGD": 0.1, "SGD with momentum": 0.01, "Adam": 0.01, "AdamW": 0.01}
# ... at which no architecture of the grid broke down

FEWEST_STEPS, FEWEST_PER_LEVEL, LEVELS, CHECKUPS = 50, 8, 64, 200
NOISE_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor says about a run.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    severity : str
        ``"problem"``: the run is spoilt by it; ``"hint"``: it could do better; ``"fine"``.
    title : str
        What it is, in a few words.
    evidence : str
        One sentence with this run's numbers.
    advice : str
        One sentence: one thing to try.
    """

    kind: str
    severity: str
    title: str
    evidence: str
    advice: str

    def __post_init__(self) -> None:
        for value, known in ((self.kind, KINDS), (self.severity, SEVERITIES)):
            if value not in known:
                raise ValueError(f"expected one of {', '.join(known)}, got {value!r}.")


def examine(config: TrainingConfig, history: History, total_steps: int) -> list[Finding]:
    """Say what ails a run, the worst first, or that it is well, or that it is too early to say.

    It may be asked while the run goes on. While a run is broken (its loss jumps, its units are
    dead), the milder complaints are left out: they would be of the same cause, and their advice
    would contradict.

    Parameters
    ----------
    total_steps : int
        How long the run is meant to be.

    Returns
    -------
    list of Finding
        At least one; a finding of the kind "healthy" or "too early" stands alone.
    """
    chart = _read(config, history, total_steps)
    broken: tuple[_Rule, ...] = (_diverging, _one_class, _dead_units)
    mild: tuple[_Rule, ...] = (_too_slow, _overfitting, _plateau)
    with np.errstate(all="ignore"):
        found = [finding for rule in broken if (finding := rule(chart))]
        if not any(f.severity == "problem" for f in found):
            found += [finding for rule in mild if (finding := rule(chart))]
    found.sort(key=lambda f: (SEVERITIES.index(f.severity), KINDS.index(f.kind)))
    return found or [_well(chart)]


@dataclass(frozen=True, slots=True)
class _Chart:
    """What the rules look at.

    Attributes
    ----------
    rate : float
        The chosen learning rate now.
    since : int
        The step at which it was chosen; what came before is not held against it.
    losses : (step - since,) float32
    levels : (at most 2 * LEVELS,) float64
        Means of equally many losses each, in order.
    checkups : list of Checkup
        Some of those since then, the last one among them.
    """

    config: TrainingConfig
    total_steps: int
    step: int
    rate: float
    since: int
    losses: np.ndarray
    levels: np.ndarray
    checkups: list[Checkup]

    @property
    def finished(self) -> bool:
        return self.step >= self.total_steps

    @property
    def recent(self) -> float:
        """Mean loss of the last tenth."""
        return float(self.levels[-max(1, len(self.levels) // 10) :].mean())

    @property
    def quarters(self) -> tuple[float, float]:
        """Mean loss of the third and of the fourth quarter."""
        n = len(self.levels)
        return float(self.levels[n // 2 : 3 * n // 4].mean()), float(self.levels[3 * n // 4 :].mean())

    @property
    def noise(self) -> float:
        """How far the loss of one image strays, from one batch to the next; trends left out."""
        steps = np.diff(self.losses[-NOISE_STEPS:].astype(np.float64))
        return float(steps.std()) / math.sqrt(2) * math.sqrt(self.config.batch_size)

    @property
    def enough(self) -> bool:
        """Whether slow changes can be judged."""
        return len(self.losses) >= max(FEWEST_STEPS, self.total_steps // 20)


_Rule = Callable[[_Chart], Finding | None]


def _read(config: TrainingConfig, history: History, total_steps: int) -> _Chart:
    step = max(0, min(history.step, len(history.losses)))
    since, rate = history.learning_rates[-1] if history.learning_rates else (0, config.learning_rate)
    since = max(0, min(since, step))
    losses = history.losses[since:step]
    count = len(history.checkups)
    chosen = sorted({*range(0, count, max(1, count // CHECKUPS)), count - 1} - {-1})
    checkups = [c for c in (history.checkups[i] for i in chosen) if since < c.step <= step]
    return _Chart(config, total_steps, step, rate, since, losses, _levels(losses), checkups)


def _levels(losses: np.ndarray) -> np.ndarray:
    size = max(FEWEST_PER_LEVEL, len(losses) // LEVELS)
    used = len(losses) // size * size
    return losses[len(losses) - used :].reshape(-1, size).mean(axis=1, dtype=np.float64)


def _diverging(chart: _Chart) -> Finding | None:
    if len(chart.losses) and not (chart.losses[-1] < DIVERGED_LOSS and _finite(chart.levels)):
        return _exploded(chart)
    if len(chart.losses) < FEWEST_STEPS:
        return None
    recent, noise, top = chart.recent, chart.noise, float(chart.levels.max())
    if recent > WORSE_THAN_GUESSING or noise > WILD:
        return Finding(
            "diverging",
            "problem",
            "The loss jumps up and down instead of falling",
            f"Over the last batches the loss is {_loss(recent)} on average; pure guessing gives "
            f"{_loss(GUESSING)}."
            if recent > WORSE_THAN_GUESSING
            else f"The loss is {_loss(recent)} on average, but jumps by about "
            f"{_loss(noise / math.sqrt(chart.config.batch_size))} from batch to batch.",
            _start_again(chart),
        )
    if top > SHOT_UP:
        return Finding(
            "diverging",
            "hint",
            "The loss shot up on the way",
            f"It rose to {_loss(top)}, where pure guessing gives {_loss(GUESSING)}, and then came "
            f"back to {_loss(recent)}.",
            _start_again(chart),
        )
    return None


def _exploded(chart: _Chart) -> Finding:
    bad = np.flatnonzero(~(chart.losses < DIVERGED_LOSS))
    at = int(bad[0]) if len(bad) else len(chart.losses) - 1
    value = float(chart.losses[at])
    became = f"grew to {value:.3g}" if math.isfinite(value) else "was no longer a number"
    return Finding(
        "diverging",
        "problem",
        "The loss explodes instead of falling",
        f"At step {chart.since + at + 1:,} of {chart.total_steps:,} the loss {became}.",
        _start_again(chart),
    )


def _one_class(chart: _Chart) -> Finding | None:
    last = _last(chart)
    if last is None or not last.largest_class >= ONE_CLASS:
        return None
    shot_up = len(chart.levels) > 0 and chart.levels.max() > SHOT_UP
    if not (last.dead_units >= DEAD or shot_up):  # a network that has hardly begun does it too
        return None
    return Finding(
        "one class",
        "problem",
        "It gives nearly every image the same answer",
        f"{_percent(last.largest_class)} of the test images are put into one class, where about "
        "10 % belong there.",
        _start_again(chart),
    )


def _dead_units(chart: _Chart) -> Finding | None:
    last = _last(chart)
    if last is None or not last.dead_units >= DEAD:
        return None
    spoilt = last.dead_units >= NEARLY_ALL_DEAD or last.train_accuracy < 0.8
    return Finding(
        "dead units",
        "problem" if spoilt else "hint",
        "Many hidden units are dead",
        f"{_percent(last.dead_units)} of the hidden units give 0 for every image looked at, so "
        "their ReLU passes no gradient back and they cannot learn.",
        _start_again(chart),
    )


def _too_slow(chart: _Chart) -> Finding | None:
    rising = chart.config.schedule == "one-cycle" and chart.step < chart.total_steps // 2
    if not chart.enough or rising:
        return None
    earlier, now = chart.quarters
    pace = (earlier - now) / (len(chart.losses) / 4)
    end = now - max(0.0, pace) * (chart.total_steps - chart.step)  # at best: it gets slower
    if not (end > HARDLY_LEARNT or (end > HALF_LEARNT and earlier > FALLING * now)):
        return None
    higher = _higher(chart)
    if higher is None and not chart.finished:
        return None
    severity = "problem" if end > HARDLY_LEARNT else "hint"
    title = "Too few steps" if higher is None else "The learning rate is too low"
    evidence = (
        f"In {len(chart.losses):,} steps the loss has only come down from "
        f"{_loss(float(chart.levels[0]))} to {_loss(chart.recent)}."
    )
    if higher is None:
        return Finding("too slow", severity, title, evidence, _more_steps(chart.config))
    return Finding("too slow", severity, title, evidence, f"{_go_on(chart)} {_rate(higher)}.")


def _overfitting(chart: _Chart) -> Finding | None:
    last = _last(chart)
    if last is None or len(chart.checkups) < 3:
        return None
    best = min(chart.checkups, key=lambda c: c.test_loss)
    gap = last.train_accuracy - last.test_accuracy
    rise = last.test_loss / max(best.test_loss, 1e-9)
    by_heart = gap >= GAP and rise >= 1.03
    if not (by_heart or (rise >= RISE and last.train_loss < last.test_loss / 2)):
        return None
    epochs = max(1, round(best.step * chart.config.epochs / max(1, chart.total_steps)))
    return Finding(
        "overfitting",
        "problem" if by_heart else "hint",
        "It learns its training images by heart",
        f"It knows {_percent(last.train_accuracy)} of the training images but "
        f"{_percent(last.test_accuracy)} of the test images, whose loss has risen from "
        f"{_loss(best.test_loss)} after epoch {epochs:,} to {_loss(last.test_loss)}.",
        f"Try {epochs} epochs.",
    )


def _plateau(chart: _Chart) -> Finding | None:
    waiting = chart.config.schedule == "one-cycle" and not chart.finished
    if not chart.enough or waiting:
        return None
    earlier, now = chart.quarters
    spread = chart.noise / math.sqrt(chart.config.batch_size)
    error = spread * math.sqrt(8 / len(chart.losses)) / max(now, 1e-9)
    if not (now > FAR_FROM_ZERO and earlier < FLAT * now and error < CERTAIN):
        return None
    return Finding(
        "plateau",
        "hint",
        "The loss no longer falls",
        f"It stays at about {_loss(now)}: a quarter of the run earlier it was {_loss(earlier)}.",
        _off_the_plateau(chart),
    )


def _off_the_plateau(chart: _Chart) -> str:
    config = chart.config
    larger = _larger(config)
    jumpy = chart.noise > CALM
    if larger and not jumpy:
        return f"Try the larger model {larger}."
    if chart.finished and config.schedule == "constant":
        return "Try the one-cycle schedule, which ends with small steps."
    return f"{_go_on(chart)} {_rate(_lower(chart))}."


def _well(chart: _Chart) -> Finding:
    n, last = len(chart.losses), _last(chart)
    if n < FEWEST_STEPS or not (chart.enough or last):
        return _too_early(chart, f"Only {n:,} of {chart.total_steps:,} steps are taken.")
    first = float(chart.levels[0])
    if not chart.finished and HARDLY_LEARNT < chart.recent > 0.95 * first:
        return _too_early(chart, f"After {n:,} steps the loss is {_loss(chart.recent)}.")
    earlier, now = chart.quarters
    evidence = f"The loss came from {_loss(first)} to {_loss(chart.recent)}"
    if last:
        evidence += f", and {_percent(last.test_accuracy)} of the test images are right"
    if not chart.finished:
        advice = f"Let it go on to step {chart.total_steps:,}."
    elif earlier > FALLING * now:
        advice = f"Try {2 * chart.config.epochs} epochs, for the loss was still falling."
    else:
        larger = _larger(chart.config)
        advice = f"Try the larger model {larger}." if larger else "Nothing needs a change."
    return Finding("healthy", "fine", "It learns well", f"{evidence}.", advice)


def _too_early(chart: _Chart, evidence: str) -> Finding:
    advice = _more_steps(chart.config) if chart.finished else "Let it go on for a while."
    return Finding("too early", "fine", "Too early to say", evidence, advice)


def _last(chart: _Chart) -> Checkup | None:
    return chart.checkups[-1] if chart.checkups else None


def _lower(chart: _Chart) -> float:
    return _one_digit(min(chart.rate / 10, HIGHEST_RATE[chart.config.optimiser]))


def _higher(chart: _Chart) -> float | None:
    """Return a higher rate that breaks nothing, a hundredfold if hardly anything happened."""
    highest = HIGHEST_RATE[chart.config.optimiser]
    times = 100 if chart.recent > 0.9 * GUESSING else 10
    return _one_digit(min(times * chart.rate, highest)) if chart.rate < highest else None


def _larger(config: TrainingConfig) -> str | None:
    """Return the title of the next larger model that the engine can train."""
    names = list(ARCHITECTURES) if config.engine == "autograd" else list(IN_NUMPY)
    later = names[names.index(config.architecture) + 1 :]
    return ARCHITECTURES[later[0]].title if later else None


def _start_again(chart: _Chart) -> str:
    return f"Start again with {_rate(_lower(chart))}."


def _go_on(chart: _Chart) -> str:
    return "Try" if chart.finished else "Go on with"


def _more_steps(config: TrainingConfig) -> str:
    return "Try batches of 32." if config.batch_size > 64 else f"Try {4 * config.epochs} epochs."


def _one_digit(value: float) -> float:
    return float(f"{value:.0e}")


def _finite(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all())


def _rate(value: float) -> str:
    return f"a learning rate of {value:g}"


def _loss(value: float) -> str:
    return f"{value:.2f}" if 0.1 <= abs(value) < 100 else f"{value:.2g}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
