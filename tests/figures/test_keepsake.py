import io

import numpy as np
from PIL import Image

from mnist_core.figures import keepsake, style
from mnist_core.lesson.outcome import LessonOutcome, Mistake

INK = np.full((28, 28), 255, dtype=np.uint8)


def picture(outcome):
    return np.asarray(Image.open(io.BytesIO(keepsake.keepsake_png(outcome))).convert("RGB"))


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def black(image):
    return int((image == 0).all(axis=-1).sum())


def test_the_picture_has_a_place_for_each_thing_done_and_none_for_the_rest():
    asked = picture(LessonOutcome(right=1, predictions=2))
    assert asked.shape[1] == 1200
    run = picture(LessonOutcome("Linear on MNIST", 0.9, right=1, predictions=2))
    assert run.shape[0] > asked.shape[0]
    assert black(asked) == black(run) == 0  # no image of a digit
    mistaken = picture(LessonOutcome("Linear on MNIST", 0.9, Mistake(INK, "1", "7", 0.99)))
    assert black(mistaken) == 196**2
    drawn = picture(LessonOutcome(drawings=np.stack([INK] * 13)))
    assert black(drawn) == 13 * 84**2


def test_it_begins_with_the_two_colours_of_the_lesson():
    image = picture(LessonOutcome(right=1, predictions=2))
    assert image[5, 5].tolist() == rgb(style.POSITIVE)
    assert image[5, -5].tolist() == rgb(style.NEGATIVE)
