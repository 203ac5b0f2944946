import numpy as np
import pytest

from mnist_core.lesson.outcome import LessonOutcome, Mistake

PIXELS = np.zeros((28, 28), dtype=np.uint8)


def test_what_was_not_done_has_no_row():
    assert LessonOutcome().is_empty
    assert LessonOutcome().rows() == []
    asked = LessonOutcome(right=1, predictions=3)
    assert not asked.is_empty
    assert asked.rows() == [("Predictions", "1 of 3 right")]


def test_every_row():
    mine = LessonOutcome("MLP on MNIST", 0.97654, None, 2, 3, np.stack([PIXELS] * 4))
    assert mine.rows() == [
        ("Best run: MLP on MNIST", "97.65% of the test set right"),
        ("Predictions", "2 of 3 right"),
        ("Own handwriting", "4 drawings saved"),
    ]
    tuned = LessonOutcome(drawings=np.stack([PIXELS] * 4), before=0.5, after=0.75)
    assert tuned.rows() == [("Own handwriting, drawings left out", "50% before tuning, 75% after")]


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.9876, "98.8%"), (0.99951, "Over 99.9%"), (1.0, "Over 99.9%")]
)
def test_a_mistake_in_words(confidence, words):
    mistake = Mistake(PIXELS, "4", "9", confidence)
    assert mistake.in_words() == f"{words} sure of “9”, but it is “4”"
