import numpy as np
import pytest
import torch
from torch import nn

from mnist_core import models
from mnist_core.evaluation import Evaluation, accuracy, evaluate, probabilities, worst_mistakes
from mnist_core.pixels import to_input
from tests.small_data import global_generators_untouched, random_images


class Oracle(nn.Module):
    """Says the class in an image's first pixel, with the surety (0 to 255) in its second."""

    def forward(self, x):
        pixels = (x[:, 0, 0] * 255).round()  # (B, 28)
        said = nn.functional.one_hot(pixels[:, 0].long(), 10)
        return said * pixels[:, 1:2] / 10


def images_saying(*answers, surety=None):
    images = np.zeros((len(answers), 28, 28), dtype=np.uint8)
    images[:, 0, 0] = answers
    images[:, 0, 1] = 100 if surety is None else surety
    return images


def labels(*values):
    return np.array(values, dtype=np.int64)


def confidence_at(surety):
    return np.exp(surety / 10) / (np.exp(surety / 10) + 9)


def test_probabilities_are_exact():
    p = probabilities(Oracle(), images_saying(3, 7, surety=[10, 20]))
    expected = np.full((2, 10), 1 / (np.e + 9))
    expected[1] = 1 / (np.e**2 + 9)
    expected[0, 3], expected[1, 7] = confidence_at(10), confidence_at(20)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p, expected, atol=1e-6)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("n", [999, 1_000, 1_001, 2_500])
def test_images_beyond_one_batch_keep_their_order(n):
    answers = np.random.default_rng(0).integers(0, 10, n)
    p = probabilities(Oracle(), images_saying(*answers))
    np.testing.assert_array_equal(p.argmax(axis=1), answers)


def test_no_images_have_no_probabilities():
    assert probabilities(Oracle(), images_saying()).shape == (0, 10)


def test_probabilities_of_a_real_model_are_its_softmax():
    model, images = models.build("cnn", 0), random_images(5)
    kept = [p.detach().clone() for p in model.parameters()]
    with global_generators_untouched():
        p = probabilities(model, images)
    expected = torch.softmax(model(to_input(images)), dim=1).detach()
    np.testing.assert_allclose(p, expected, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(kept, model.parameters(), strict=True))


def test_accuracy_is_the_share_of_right_answers():
    images = images_saying(1, 2, 3, 4)
    assert accuracy(Oracle(), images, labels(1, 2, 3, 4)) == 1
    assert accuracy(Oracle(), images, labels(1, 2, 0, 0)) == 0.5
    assert accuracy(Oracle(), images, labels(0, 0, 0, 4)) == 0.25


def test_evaluation_counts_each_pair_of_true_and_said():
    truth = labels(0, 0, 0, 5, 5, 9)
    result = evaluate(Oracle(), images_saying(0, 0, 8, 5, 3, 9), truth)

    expected = np.zeros((10, 10), dtype=np.int64)
    expected[0, 0], expected[0, 8], expected[5, 5], expected[5, 3], expected[9, 9] = 2, 1, 1, 1, 1
    np.testing.assert_array_equal(result.confusion, expected)
    assert result.confusion.dtype == np.int64
    np.testing.assert_array_equal(result.labels, truth)
    np.testing.assert_array_equal(result.predicted, [0, 0, 8, 5, 3, 9])
    np.testing.assert_allclose(result.confidence, confidence_at(100), atol=1e-6)
    assert (result.correct, result.total, result.accuracy) == (4, 6, 4 / 6)


@pytest.mark.parametrize(
    ("n_images", "n_labels"), [(0, 0), (0, 1), (3, 2), (2, 3)], ids=lambda n: str(n)
)
def test_images_without_their_labels_are_refused(n_images, n_labels):
    images = images_saying(*[1] * n_images)
    with pytest.raises(ValueError, match=f"got {n_images} images and {n_labels} labels"):
        evaluate(Oracle(), images, labels(*[1] * n_labels))


def test_the_worst_mistakes_are_the_surest_wrong_answers():
    images = images_saying(1, 2, 3, 4, 5, 6, surety=[90, 10, 50, 50, 20, 30])
    result = evaluate(Oracle(), images, labels(1, 0, 0, 0, 0, 6))  # 0 and 5 are right
    np.testing.assert_array_equal(worst_mistakes(result, 10), [2, 3, 4, 1])
    np.testing.assert_array_equal(worst_mistakes(result, 2), [2, 3])
    assert len(worst_mistakes(result, 0)) == 0


def test_equally_sure_mistakes_keep_their_order():
    images = images_saying(*[3] * 100, surety=[20, 30] * 50)
    result = evaluate(Oracle(), images, labels(*[4] * 100))
    expected = [*range(1, 100, 2), *range(0, 100, 2)]
    np.testing.assert_array_equal(worst_mistakes(result, 100), expected)


def test_without_mistakes_there_is_no_worst():
    result = evaluate(Oracle(), images_saying(1, 2), labels(1, 2))
    assert worst_mistakes(result, 5).shape == (0,)


def test_an_evaluation_s_accuracy_is_the_one_of_accuracy():
    images, truth = random_images(50), np.arange(50, dtype=np.int64) % 10
    model = models.build("linear", 3)
    result = evaluate(model, images, truth)
    assert isinstance(result, Evaluation)
    assert result.accuracy == accuracy(model, images, truth)
    np.testing.assert_array_equal(result.confusion.sum(axis=1), np.bincount(truth, minlength=10))
