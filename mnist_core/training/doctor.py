"""The training doctor: finds problems in a run's history, and suggests one thing to try."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mnist_core.common.formatting import counted
from mnist_core.nn.architectures import ARCHITECTURES
from mnist_core.training.configs import IN_NUMPY, MAX_STEPS, TrainingConfig
from mnist_core.training.history import EpochMetrics, History
from mnist_core.training.run import DIVERGED_LOSS

__all__ = ["KINDS", "SEVERITIES", "Finding", "examine"]

AILMENTS = ("diverging", "one class", "dead units", "slow", "overfitting", "plateau")
KINDS = (*AILMENTS, "healthy", "early")  # the worst first
SEVERITIES = ("problem", "hint", "fine")

# Each threshold lies in a gap between good and bad runs, of 580: linear, MLP and CNN, all
# optimisers, rates of 1e-5 to 10 and beyond, both schedules, MNIST and the bundled digits.
GUESSING = math.log(10)  # the loss of a tenth for each class; untrained networks have 2.2 to 2.45
WORSE_THAN_GUESSING = 1.1 * GUESSING  # collapsed to one class: 2.30 to 2.50
SHOT_UP = 1.3 * GUESSING
CALM, WILD = 1.1, 3.0  # noise of one image's loss: up to 1.0 at a good rate, else 1.2 to 1,500
HARD = 1.6  # noise over loss: 1.2 to 1.5 where all images are hard (augmented), else 1.7 to 2.1
DEAD, NEARLY_ALL_DEAD = 0.6, 0.9  # good runs reach 0.47, slow ones 0.25; ruined ones have 0.74
ONE_CLASS = 0.5  # good runs have 0.11 to 0.14
HARDLY_LEARNT, HALF_LEARNT = 1.0, 0.5  # loss at the end
FALLING, FLAT = 1.05, 1.02  # loss of the third quarter over that of the fourth
CERTAIN, FAR_FROM_ZERO = 0.025, 0.1  # standard error of that ratio; loss
GAP, RISING, RISEN = 0.1, 1.03, 1.25  # train minus test accuracy; test loss over its lowest
BY_HEART, PATIENCE = 0.95, 3  # train accuracy; epochs
HELPED = ("mlp", "mnist")  # by augmentation, besides the CNNs
# the highest rate at which no model broke down, in batches of 32
SAFE_RATE = {"SGD": 0.1, "SGD with momentum": 0.01, "Adam": 0.01, "AdamW": 0.01}
FEWEST_STEPS, FEWEST_PER_LEVEL, LEVELS = 50, 8, 64
NOISE_STEPS, MOST_EPOCHS = 2_000, 200  # the most that are read of a long run


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor finds in a run.

    Attributes
    ----------
    kind, severity : str
        Of `KINDS` and `SEVERITIES`: a problem spoils the run, a hint could make it better.
    title, evidence, advice : str
        A few words; a sentence with this run's numbers; a sentence with one thing to try.
    """

    kind: str
    severity: str
    title: str
    evidence: str
    advice: str


def examine(
    config: TrainingConfig, history: History, total_steps: int, ended: bool = False
) -> list[Finding]:
    """Return what is wrong with a run of ``total_steps``, the worst first.

    The run may be in progress. If it is broken (its loss jumps, its units are dead), milder
    findings are left out: they would have the same cause and contrary advice.

    Parameters
    ----------
    ended : bool
        Whether the run takes no more steps although some are left: it was stopped, or it failed.

    Returns
    -------
    list of Finding
        At least one; a finding of the kind "healthy" or "early" stands alone.
    """
    with np.errstate(all="ignore"):
        chart = _Chart(config, history, total_steps, ended)
        if chart.exploded:
            return [_exploded(chart)]
        if chart.taken < FEWEST_STEPS:
            return [_early(chart)]
        found = [_diverging(chart), *_collapsed(chart)]
        if not any(found):
            found = [_slow(chart) or _plateau(chart)]
        if not any(f and f.severity == "problem" for f in found):
            found.append(_overfitting(chart))
        findings = [f for f in found if f] or [_well(chart)]
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), KINDS.index(f.kind)))


class _Chart:
    """What the rules read: the steps since the learning rate was last chosen.

    Attributes
    ----------
    levels : (at most 2 * LEVELS,) float64
        Means of groups of losses of equal size, in order.
    first : float
        Mean of the first losses; it stays the same while the run goes on.
    earlier, now, recent : float
        Mean loss of the third quarter, of the fourth, and of the last tenth.
    jump, noise : float
        Standard deviation of the loss between batches, without trends; that of one image's loss.
    epoch_metrics : list of EpochMetrics
        Some of those since then, with the last one.
    lowered : bool
        Whether the rate was lowered when the model had already learnt something.
    """

    def __init__(
        self, config: TrainingConfig, history: History, total_steps: int, ended: bool
    ) -> None:
        self.config, self.total_steps = config, total_steps
        self.step = max(0, min(history.step, len(history.losses)))
        self.finished = self.step >= total_steps
        self.ended = ended or self.finished
        rates = history.learning_rates or [(0, config.learning_rate)]
        (since, self.rate), self.highest_rate = rates[-1], max(rate for _, rate in rates)
        self.too_high = self.rate > SAFE_RATE[config.optimiser]
        if not 0 <= since <= self.step or (self.ended and self.step - since < FEWEST_STEPS):
            since = 0
        self.losses = history.losses[since : self.step]
        self.taken = n = len(self.losses)
        self.enough = n >= max(FEWEST_STEPS, total_steps // 20)  # to see a slow change
        size = max(FEWEST_PER_LEVEL, n // LEVELS)
        self.levels = self.losses[n % size :].reshape(-1, size).mean(axis=1, dtype=np.float64)
        self.first = _mean(self.losses[:FEWEST_PER_LEVEL].astype(np.float64))
        before = rates[-2][1] if len(rates) > 1 and since else 0.0
        self.lowered = self.rate < before and self.first < HARDLY_LEARNT
        finite = math.isfinite(self.losses.sum(dtype=np.float64))
        self.exploded = n > 0 and not (finite and self.losses[-1] < DIVERGED_LOSS)
        ends = (*np.array_split(self.levels, 4)[2:], self.levels[-max(4, len(self.levels) // 10) :])
        self.earlier, self.now, self.recent = (_mean(end) for end in ends)
        latest = self.losses[-max(FEWEST_STEPS, min(NOISE_STEPS, n // 4)) :].astype(np.float64)
        self.jump = float(np.diff(latest).std()) / math.sqrt(2) if n > 1 else 0.0
        self.noise = self.jump * math.sqrt(config.batch_size)
        every = max(1, len(history.epoch_metrics) // MOST_EPOCHS)
        some = history.epoch_metrics[::-every][::-1]
        self.epoch_metrics = [m for m in some if since < m.step <= self.step]
        self.last: EpochMetrics | None = self.epoch_metrics[-1] if self.epoch_metrics else None
        self.one_cycle = config.schedule == "one-cycle"

    def start_again(self) -> str:
        return f"Start again with {self.lower(self.highest_rate)}."

    def go_on(self, rate: str) -> str:
        return f"Try {rate}." if self.ended else f"Go on with {rate}."

    def lower(self, rate: float) -> str:
        return _rate(min(rate / 10, SAFE_RATE[self.config.optimiser]))

    def higher(self) -> str:
        """Name a higher rate that is safe, or ""; 10 times if little was learnt, else 100.

        None after the rate was lowered to settle: that would take the visitor's change back.
        """
        if self.lowered:
            return ""
        safe, times = SAFE_RATE[self.config.optimiser], 10 if self.recent < 0.9 * GUESSING else 100
        return _rate(min(times * self.rate, safe)) if self.rate < safe else ""

    def to_the_end(self) -> str:
        if self.ended:
            return f"Try a run that takes all {counted(self.total_steps, 'step')}."
        return f"Let it go on to step {self.total_steps:,}."

    def larger(self) -> str:
        """Name the next larger model that the engine can train at this rate, or ""."""
        names = list(ARCHITECTURES if self.config.engine == "autograd" else IN_NUMPY)
        later = names[names.index(self.config.architecture) + 1 :]
        title = ARCHITECTURES[later[0]].title if later and not self.too_high else ""
        return title and f"a larger model, {title}"

    def more_steps(self) -> str:
        """Advise how to take more steps, or "" if they would be too many."""
        few = self.config.batch_size > 64
        if self.total_steps * (self.config.batch_size / 32 if few else 4) > MAX_STEPS:
            return ""
        return "Try batches of 32." if few else f"Try {4 * self.config.epochs:,} epochs."


def _exploded(chart: _Chart) -> Finding:
    at = int(np.argmin(chart.losses < DIVERGED_LOSS))  # the first that is not
    value, step = float(chart.losses[at]), chart.step - chart.taken + at + 1
    became = f"grew to {value:.3g}" if math.isfinite(value) else "was no longer a number"
    evidence = f"At step {step:,} of {chart.total_steps:,} the loss {became}."
    return Finding("diverging", "problem", "The loss explodes", evidence, chart.start_again())


def _diverging(chart: _Chart) -> Finding | None:
    top, last = float(chart.levels.max()), chart.last
    severity, title = "problem", "The loss jumps up and down instead of falling"
    if chart.recent > WORSE_THAN_GUESSING:
        evidence = f"The loss is {_loss(chart.recent)} now; pure guessing gives {_loss(GUESSING)}."
    elif chart.noise > WILD and chart.enough:
        calms_down = chart.one_cycle and not chart.finished
        severity = "hint" if calms_down or (last and last.train_accuracy > 0.9) else "problem"
        jump = _loss(chart.jump)
        evidence = f"The loss is {_loss(chart.recent)} now and jumps by {jump} from batch to batch."
    elif top > SHOT_UP:
        severity, title = "hint", "The loss shot up on the way"
        evidence = f"The loss rose to {_loss(top)} before it fell to {_loss(chart.recent)}."
    else:
        return None
    return Finding("diverging", severity, title, evidence, chart.start_again())


def _collapsed(chart: _Chart) -> list[Finding | None]:
    last, advice, found = chart.last, chart.start_again(), list[Finding | None]()
    if last is None:
        return []
    dead = last.dead_units >= DEAD
    lost = chart.levels.min() < HARDLY_LEARNT < chart.recent
    broke = dead or lost or chart.levels.max() > SHOT_UP
    # an untrained network predicts one class, too, and is not broken
    if broke and last.largest_class >= ONE_CLASS:
        evidence = f"Of the test images, {last.largest_class:.1%} go to one class out of ten."
        title = "It gives most images the same answer"
        found.append(Finding("one class", "problem", title, evidence, advice))
    if dead:
        spoilt = last.dead_units >= NEARLY_ALL_DEAD or last.train_accuracy < 0.8
        severity, title = "problem" if spoilt else "hint", "Many hidden units are dead"
        evidence = f"Of the hidden units, {last.dead_units:.1%} are 0 for all images and stay so."
        found.append(Finding("dead units", severity, title, evidence, advice))
    return found


def _slow(chart: _Chart) -> Finding | None:
    if not chart.enough or (chart.one_cycle and chart.step < chart.total_steps // 2):
        return None  # while the rate rises, the loss falls faster and faster
    pace = max(0.0, chart.earlier - chart.now) / (chart.taken / 4)
    end = chart.now - pace * (chart.total_steps - chart.step)  # at best: learning slows down
    higher, falling = chart.higher(), chart.earlier > FALLING * chart.now
    slow = (higher and end > HARDLY_LEARNT) or (falling and end > HALF_LEARNT)
    over = chart.finished and not chart.one_cycle
    advice = chart.go_on(higher) if higher else chart.more_steps() if over else ""
    if not (slow and advice):
        return None
    severity = "problem" if end > HARDLY_LEARNT else "hint"
    title = "The learning rate is too low" if higher else "Too few steps"
    first, recent = _loss(chart.first), _loss(chart.recent)
    evidence = f"In {chart.taken:,} steps the loss has only come from {first} to {recent}."
    return Finding("slow", severity, title, evidence, advice)


def _plateau(chart: _Chart) -> Finding | None:
    error = chart.jump * math.sqrt(8 / chart.taken)  # of the difference of two quarters
    flat = chart.earlier < FLAT * chart.now and error < CERTAIN * chart.now
    to_come = chart.one_cycle and not chart.finished  # its small steps
    if to_come or not (chart.enough and flat and chart.now > FAR_FROM_ZERO):
        return None
    if chart.larger() and chart.noise < max(CALM, HARD * chart.now):
        advice = f"Try {chart.larger()}."
    elif chart.ended and not chart.one_cycle:
        advice = "Try the one-cycle schedule, which ends with small steps."
    else:
        advice = chart.go_on(chart.lower(chart.rate))
    now, earlier = _loss(chart.now), _loss(chart.earlier)
    evidence = f"The loss is {now} now and was {earlier} a quarter of the run ago."
    return Finding("plateau", "hint", "The loss no longer falls", evidence, advice)


def _overfitting(chart: _Chart) -> Finding | None:
    last, config = chart.last, chart.config
    if last is None or len(chart.epoch_metrics) <= PATIENCE:
        return None
    best = min(chart.epoch_metrics, key=lambda m: m.test_loss)
    rise = min(m.test_loss for m in chart.epoch_metrics[-PATIENCE:]) / max(best.test_loss, 1e-9)
    by_heart = last.train_accuracy - last.test_accuracy >= GAP and rise >= RISING
    if last.train_accuracy < BY_HEART or not (by_heart or rise >= RISEN):
        return None
    epochs = max(1, round(best.step * config.epochs / max(1, chart.total_steps)))
    evidence = (
        f"It knows {last.train_accuracy:.1%} of its training images but {last.test_accuracy:.1%} "
        f"of the test images, whose loss rose from {_loss(best.test_loss)} after epoch {epochs:,} "
        f"to {_loss(last.test_loss)}."
    )
    # measured: augmentation helps a CNN, and an MLP on MNIST, but not an MLP on the digits
    gains = config.architecture not in IN_NUMPY or (config.architecture, config.dataset) == HELPED
    if chart.too_high:
        advice = chart.start_again()
    elif gains and not config.augment:
        advice = "Try changing the images a little each time they are shown."
    else:
        advice = f"Try {counted(epochs, 'epoch')}."
    title = "It learns its training images by heart"
    return Finding("overfitting", "problem" if by_heart else "hint", title, evidence, advice)


def _well(chart: _Chart) -> Finding:
    last = chart.last
    unmoved = HARDLY_LEARNT < chart.recent > 0.95 * chart.first
    if not chart.finished and (unmoved or not (chart.enough or last)):
        return _early(chart)
    evidence = f"The loss came from {_loss(chart.first)} to {_loss(chart.recent)}"
    if last:
        evidence += f", and {last.test_accuracy:.1%} of the test images are right"
    return Finding("healthy", "fine", "It learns well", f"{evidence}.", _further(chart))


def _further(chart: _Chart) -> str:
    """Advise what would make a good run better."""
    far = chart.now > FAR_FROM_ZERO
    if not chart.finished:
        return chart.to_the_end()
    if far and chart.earlier > FALLING * chart.now and chart.total_steps <= MAX_STEPS / 2:
        return f"Try {2 * chart.config.epochs:,} epochs, for the loss was still falling."
    other = chart.lower(chart.rate) if chart.too_high else chart.one_cycle and chart.higher()
    better = (far and other) or chart.larger()
    return f"Try {better}." if better else "Nothing needs a change."


def _early(chart: _Chart) -> Finding:
    if chart.finished:
        advice = chart.more_steps() or "Try more steps."
    else:
        advice = chart.to_the_end() if chart.ended else "Let it go on for a while."
    taken = counted(chart.taken, "step")
    evidence = f"It has taken {taken} of {chart.total_steps:,}, too few to judge it."
    if chart.taken < chart.step:
        ago = f"only {taken} ago" if chart.taken else "just now"
        evidence = f"The learning rate was changed {ago}."
    return Finding("early", "fine", "Too early to say", evidence, advice)


def _rate(value: float) -> str:
    return f"a learning rate of {float(f'{value:.0e}'):g}"


def _mean(losses: np.ndarray) -> float:
    return float(losses.sum()) / max(1, len(losses))


def _loss(value: float) -> str:
    return f"{value:.2f}" if 0.1 <= abs(value) < 100 else f"{value:.2g}"
