"""European forms of digits, and what the bundled CNN predicts for them."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.drawing.preprocessing import prepare_as_mnist
from mnist_core.evaluation import metrics
from mnist_core.pretrained import bundled
from mnist_core.pretrained.european_forms import FORMS, forms
from mnist_core.pretrained.strokes import drawn
from tests.small_data import global_generators_untouched


def rng(seed=0):
    return np.random.default_rng(seed)


def distinct(images):
    return len({image.tobytes() for image in images})


def test_european_forms_are_labelled_prepared_and_distinct():
    with global_generators_untouched():
        images, labels = forms(15, rng())
    again, _ = forms(15, rng())
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, np.repeat([1, 4, 7, 9], 15))
    assert labels.dtype == np.int64
    assert images.shape == (60, 28, 28)
    assert images.dtype == np.uint8
    assert distinct(images) == 60
    assert ((images > 128).sum(axis=(1, 2)) > 20).all()


@pytest.mark.parametrize("label", FORMS)
def test_the_bundled_cnn_predicts_european_forms(label):
    generator = rng(99)  # not the seed of the training data
    inks = [drawn(FORMS[label](generator), generator) for _ in range(60)]
    images = np.stack([prepare_as_mnist(ink).pixels for ink in inks])
    cnn = bundled.load_pretrained("cnn")
    assert metrics.accuracy(cnn, images, np.full(60, label)) > 0.7
