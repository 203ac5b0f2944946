"""Tuning on drawings: the batches, the scores and the tuned weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mnist_core.data.inputs import to_input
from mnist_core.drawing.handwriting import Handwriting
from mnist_core.evaluation import metrics
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from mnist_core.training.finetuning import (
    FEWEST,
    OWN,
    REHEARSED,
    STEPS,
    FineTuning,
    mixed_batch,
    too_few,
)
from mnist_core.training.run import TrainingFailedError
from tests.drawing.test_handwriting import set_of
from tests.small_data import digits, global_generators_untouched, random_images


def somebody(n: int = 20) -> Handwriting:
    """Return digits of a writer who draws them upside down."""
    made = Handwriting()
    for image, label in zip(digits().test_images[:n], digits().test_labels[:n], strict=True):
        made = made.plus(np.ascontiguousarray(image[::-1]), int(label))
    return made


def parts(handwriting: Handwriting):
    """Return the drawings to tune on and those to test on."""
    return handwriting.labelled(left_out=False), handwriting.labelled(left_out=True)


def trained(name: str = "linear") -> dict[str, torch.Tensor]:
    return bundled.load_pretrained(name).state_dict()


def tuning_of(name: str = "linear", handwriting: Handwriting | None = None, **arguments):
    return FineTuning(name, trained(name), *parts(handwriting or somebody()), digits(), **arguments)


def test_a_batch_has_changed_drawings_and_unchanged_training_images():
    own = np.full((3, 28, 28), 255, np.uint8), np.array([7, 7, 7])
    images = random_images(5)
    x, labels = mixed_batch(own, (images, np.arange(5)), seed=0, step=0)
    assert (x.shape, x.dtype) == ((OWN + REHEARSED, 1, 28, 28), torch.float32)
    assert (labels.shape, labels.dtype) == ((OWN + REHEARSED,), torch.int64)
    assert (labels[:OWN] == 7).all()
    assert not torch.equal(x[:OWN], torch.ones_like(x[:OWN]))  # they were moved
    assert torch.equal(x[OWN:], to_input(images[labels[OWN:].numpy()]))
    assert set(labels[OWN:].tolist()) == set(range(5))


def test_a_batch_depends_only_on_seed_and_step():
    own, old = (random_images(3), np.arange(3)), (random_images(9, 1), np.arange(9))
    with global_generators_untouched():
        first, again = mixed_batch(own, old, 4, 2), mixed_batch(own, old, 4, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    for other in (mixed_batch(own, old, 5, 2), mixed_batch(own, old, 4, 3)):
        assert not torch.equal(first[1], other[1])


@pytest.mark.parametrize(
    ("labels", "counts"),
    [([], "0 and 0"), (range(10), "10 and 0"), ([1] * 9, "5 and 4"), ([1, 1, 2, 2], "2 and 2")],
)
def test_too_few_drawings_are_refused_with_their_numbers(labels, counts):
    few = set_of(*labels)
    assert f"so far there are {counts}" in too_few(*(len(labels) for _, labels in parts(few)))
    with pytest.raises(ValueError, match="at least 5 drawings"):
        FineTuning("linear", trained(), *parts(few), digits())


def test_enough_drawings():
    assert too_few(FEWEST, FEWEST) == ""


def test_tuning_learns_the_drawings_and_does_not_forget():
    weights = trained()
    before = {name: w.clone() for name, w in weights.items()}
    tuning = FineTuning("linear", weights, *parts(somebody(100)), digits())
    tuning.advance(STEPS)
    assert tuning.finished
    assert tuning.after.left_out > tuning.before.left_out + 0.2
    assert tuning.after.tuned_on > tuning.before.tuned_on
    assert tuning.after.test > tuning.before.test  # the bundled digits were new to this model
    assert all(torch.equal(w, before[name]) for name, w in weights.items())


def test_the_scores_are_those_of_the_weights_before_and_after():
    tuning = tuning_of()
    tuning.advance(STEPS)
    tuning.publish_weights()
    for scores, weights in (
        (tuning.before, trained()),
        (tuning.after, tuning.snapshot.weights),
    ):
        model = architectures.with_weights("linear", weights)
        left_out = somebody().part(left_out=True)
        assert scores.left_out == metrics.accuracy(model, left_out.images, left_out.labels)
        assert scores.test == metrics.accuracy(model, *digits().split("test"))


def test_left_out_drawings_do_not_change_the_weights():
    """Other pixels in them lead to the same weights."""
    mine = somebody()
    other = Handwriting()
    for sample in mine.samples:
        pixels = 255 - sample.pixels if sample.left_out else sample.pixels
        other = other.plus(pixels, sample.label)
    ends = []
    for handwriting in (mine, other):
        tuning = tuning_of(handwriting=handwriting)
        tuning.advance(STEPS)
        tuning.publish_weights()
        ends.append(tuning)
    for one, two in zip(*(t.snapshot.weights.values() for t in ends), strict=True):
        assert torch.equal(one, two)
    assert ends[0].after.left_out != ends[1].after.left_out


def test_the_result_does_not_depend_on_the_number_of_advances():
    at_once, bit_by_bit = tuning_of("mlp"), tuning_of("mlp")
    at_once.advance(STEPS)
    while not bit_by_bit.finished:
        bit_by_bit.advance(70)
        bit_by_bit.rest()
    for tuning in (at_once, bit_by_bit):
        tuning.publish_weights()
    assert at_once.history.losses.tolist() == bit_by_bit.history.losses.tolist()
    assert at_once.after == bit_by_bit.after
    for name, weight in at_once.snapshot.weights.items():
        assert torch.equal(weight, bit_by_bit.snapshot.weights[name])


def test_progress_and_the_time_left():
    tuning = tuning_of()
    assert (tuning.before, tuning.after, tuning.seconds_left) == (None, None, None)
    tuning.advance(10)
    assert (tuning.history.step, tuning.total_steps) == (10, STEPS)
    assert tuning.seconds_left == pytest.approx((STEPS - 10) * tuning.history.training_s / 10)
    assert tuning.before is not None
    assert not tuning.finished
    tuning.advance(STEPS, max_s=0.0)
    assert tuning.history.step == 11  # at least one


def test_nan_weights_fail_with_a_sentence():
    weights = {name: torch.full_like(w, torch.nan) for name, w in trained().items()}
    tuning = FineTuning("linear", weights, *parts(somebody()), digits())
    with pytest.raises(TrainingFailedError, match="no longer a number at step 1 of 300"):
        tuning.advance(STEPS)


def test_weights_of_another_architecture_are_refused():
    with pytest.raises(ValueError, match="do not fit the 'mlp' architecture"):
        FineTuning("mlp", trained("linear"), *parts(somebody()), digits())
