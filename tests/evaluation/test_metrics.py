import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.evaluation.metrics import (
    Evaluation,
    Score,
    accuracy,
    dead_units,
    evaluate,
    logits_of,
    probabilities,
    score,
    softmax,
    surest,
)
from mnist_core.nn import architectures
from tests.small_data import global_generators_untouched, random_images


class Oracle(nn.Module):
    """Predicts the class in an image's first pixel, confidence (0 to 255) in its second."""

    def forward(self, x):
        pixels = (x[:, 0, 0] * 255).round()  # (B, 28)
        said = nn.functional.one_hot(pixels[:, 0].long(), 10)
        return said * pixels[:, 1:2] / 10


def images_of(*answers, surety=None):
    images = np.zeros((len(answers), 28, 28), dtype=np.uint8)
    images[:, 0, 0] = answers
    images[:, 0, 1] = 100 if surety is None else surety
    return images


def labels(*values):
    return np.array(values, dtype=np.int64)


def confidence_at(surety):
    return np.exp(surety / 10) / (np.exp(surety / 10) + 9)


def test_probabilities_are_exact():
    p = probabilities(Oracle(), images_of(3, 7, surety=[10, 20]))
    expected = np.full((2, 10), 1 / (np.e + 9))
    expected[1] = 1 / (np.e**2 + 9)
    expected[0, 3], expected[1, 7] = confidence_at(10), confidence_at(20)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p, expected, atol=1e-6)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("n", [999, 1_000, 1_001, 2_500])
def test_images_of_several_batches_stay_in_order(n):
    answers = np.random.default_rng(0).integers(0, 10, n)
    p = probabilities(Oracle(), images_of(*answers))
    np.testing.assert_array_equal(p.argmax(axis=1), answers)


def test_no_images_have_no_probabilities():
    assert probabilities(Oracle(), images_of()).shape == (0, 10)


def test_probabilities_of_a_real_model_are_its_softmax():
    model, images = architectures.build("cnn", 0), random_images(5)
    before = [p.detach().clone() for p in model.parameters()]
    with global_generators_untouched():
        p = probabilities(model, images)
    expected = torch.softmax(model(to_input(images)), dim=1).detach()
    np.testing.assert_allclose(p, expected, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_accuracy_is_the_share_of_correct_predictions():
    images = images_of(1, 2, 3, 4)
    assert accuracy(Oracle(), images, labels(1, 2, 3, 4)) == 1
    assert accuracy(Oracle(), images, labels(1, 2, 0, 0)) == 0.5
    assert accuracy(Oracle(), images, labels(0, 0, 0, 4)) == 0.25


def test_evaluation_counts_each_pair_of_true_and_predicted():
    truth = labels(0, 0, 0, 5, 5, 9)
    result = evaluate(Oracle(), images_of(0, 0, 8, 5, 3, 9), truth)

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
    images = images_of(*[1] * n_images)
    with pytest.raises(ValueError, match=f"got {n_images} images and {n_labels} labels"):
        evaluate(Oracle(), images, labels(*[1] * n_labels))


def test_mistakes_are_listed_by_confidence():
    images = images_of(1, 2, 3, 4, 5, 6, surety=[90, 10, 50, 50, 20, 30])
    result = evaluate(Oracle(), images, labels(1, 0, 0, 0, 0, 6))  # 0 and 5 are right
    np.testing.assert_array_equal(surest(result), [2, 3, 4, 1])


def test_the_images_of_a_cell_are_listed_by_confidence():
    images = images_of(1, 1, 2, 1, 2, surety=[20, 90, 10, 50, 30])
    result = evaluate(Oracle(), images, labels(1, 1, 1, 2, 1))
    np.testing.assert_array_equal(surest(result, 1, 1), [1, 0])
    np.testing.assert_array_equal(surest(result, 1, 2), [4, 2])
    np.testing.assert_array_equal(surest(result, true=1), [4, 2])  # any class: mistakes only
    np.testing.assert_array_equal(surest(result, predicted=1), [3])
    assert surest(result, 7, 7).shape == (0,)


def test_equally_confident_mistakes_stay_in_order():
    images = images_of(*[3] * 100, surety=[20, 30] * 50)
    result = evaluate(Oracle(), images, labels(*[4] * 100))
    expected = [*range(1, 100, 2), *range(0, 100, 2)]
    np.testing.assert_array_equal(surest(result), expected)


def test_without_mistakes_there_is_no_worst():
    result = evaluate(Oracle(), images_of(1, 2), labels(1, 2))
    assert surest(result).shape == (0,)


def test_an_evaluation_s_accuracy_is_accuracy():
    images, truth = random_images(50), np.arange(50, dtype=np.int64) % 10
    model = architectures.build("linear", 3)
    result = evaluate(model, images, truth)
    assert isinstance(result, Evaluation)
    assert result.accuracy == accuracy(model, images, truth)
    np.testing.assert_array_equal(result.confusion.sum(axis=1), np.bincount(truth, minlength=10))


def test_a_score_is_exact():
    images = images_of(3, 3, 3, 7, surety=[10, 20, 30, 40])
    result = score(Oracle(), images, labels(3, 3, 0, 7))
    right = [confidence_at(10), confidence_at(20), 1 / (np.exp(3) + 9), confidence_at(40)]
    assert (result.accuracy, result.largest_class) == (0.75, 0.75)
    assert result.loss == pytest.approx(-np.log(right).mean(), abs=1e-6)


def test_a_score_has_the_cross_entropy_and_the_accuracy():
    model, images, truth = architectures.build("cnn", 3), random_images(50), np.arange(50) % 10
    with global_generators_untouched():
        result = score(model, images, truth)
    expected = nn.functional.cross_entropy(model(to_input(images)), torch.from_numpy(truth))
    assert result.loss == pytest.approx(expected.item(), abs=1e-6)
    assert result.accuracy == accuracy(model, images, truth)
    said = evaluate(model, images, truth).predicted
    assert result.largest_class == np.bincount(said).max() / 50
    assert [type(value) for value in (result.accuracy, result.loss, result.largest_class)] == [
        float
    ] * 3


def test_a_model_with_one_prediction_has_a_largest_class_of_1():
    result = score(Oracle(), images_of(*[4] * 10), np.arange(10))
    assert result == Score(0.1, result.loss, 1.0)


def test_a_score_of_several_batches():
    answers = np.array([1] * 1_500 + [2] * 500)
    result = score(Oracle(), images_of(*answers), np.full(2_000, 2))
    assert (result.accuracy, result.largest_class) == (0.25, 0.75)


def test_the_loss_of_a_probability_of_0_is_finite():
    class Hopeless(nn.Module):
        def forward(self, x):
            return 1_000.0 * nn.functional.one_hot(torch.zeros(len(x), dtype=torch.int64), 10)

    with np.errstate(all="raise"):
        loss = score(Hopeless(), images_of(0), labels(1)).loss
    assert 100 < loss < 110


def a_hidden_layer(*units):
    """Flatten, one Linear layer with these (weight of the first pixel, bias), ReLU, 10 outputs."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, len(units)), nn.ReLU())
    model.append(nn.Linear(len(units), 10))
    with torch.no_grad():
        model[1].weight.zero_()
        for i, (weight, bias) in enumerate(units):
            model[1].weight[i, 0], model[1].bias[i] = weight, bias
    return model


def test_a_unit_is_dead_if_it_gives_0_for_every_image():
    images = images_of(0, 255)  # the first pixel is 0 and 1
    model = a_hidden_layer((1, 0), (-1, 0), (-1, 0.5), (0, 1), (1, -1))
    assert dead_units(model, images) == pytest.approx(2 / 5)
    assert dead_units(model, images[:1]) == pytest.approx(3 / 5)
    assert dead_units(a_hidden_layer((0, -1), (0, 0)), images) == 1
    assert dead_units(a_hidden_layer((0, 1), (1, 0)), images) == 0


def test_a_dead_unit_s_weights_get_no_gradient_and_a_living_one_s_do():
    model = a_hidden_layer((1, 0), (-1, 0))
    images = images_of(0, 255)
    nn.functional.cross_entropy(model(to_input(images)), torch.tensor([0, 1])).backward()
    assert [bool(gradient.any()) for gradient in model[1].weight.grad] == [True, False]
    assert dead_units(model, images) == 0.5


@pytest.mark.parametrize("place", [0, 999, 1_000, 2_000])
def test_one_image_of_many_makes_a_unit_alive(place):
    images = images_of(*[0] * 2_001)
    assert dead_units(a_hidden_layer((1, 0), (0, 1)), images) == 0.5
    images[place, 0, 0] = 255
    assert dead_units(a_hidden_layer((1, 0), (0, 1)), images) == 0


def test_a_channel_is_a_unit_and_one_pixel_makes_it_alive():
    model = nn.Sequential(nn.Conv2d(1, 4, kernel_size=1), nn.ReLU(), nn.Flatten())
    with torch.no_grad():
        model[0].weight[:, 0, 0, 0] = torch.tensor([1.0, -1.0, 1.0, -1.0])
        model[0].bias[:] = torch.tensor([0.0, 0.0, -2.0, 0.5])
    images = np.zeros((3, 28, 28), dtype=np.uint8)
    assert dead_units(model, images) == 0.75
    images[1, 27, 5] = 1
    assert dead_units(model, images) == 0.5


def test_the_units_of_all_hidden_layers_count_equally():
    model = architectures.build("cnn", 0)  # 16 + 32 + 64 of them
    with torch.no_grad():
        for layer in (model.conv1, model.conv2, model.l1):
            layer.weight.zero_()
            layer.bias.fill_(1)
        assert dead_units(model, random_images(3)) == 0
        model.conv1.bias[:3] = model.conv2.bias[:4] = model.l1.bias[:5] = -1
    assert dead_units(model, random_images(3)) == pytest.approx(12 / 112)


def test_a_model_without_hidden_units_has_no_dead_ones():
    assert dead_units(architectures.build("linear", 0), random_images(3)) == 0


@pytest.mark.parametrize("weight", [float("inf"), float("nan"), 3e38])
def test_a_model_that_diverged_gives_equal_probabilities(weight):
    model = architectures.build("linear", 0)
    with torch.no_grad():
        model.l1.weight.fill_(weight)
    p = probabilities(model, np.full((3, 28, 28), 255, dtype=np.uint8))
    np.testing.assert_array_equal(p, np.full((3, 10), 0.1, dtype=np.float32))


# --- logits and temperature


def test_logits_are_the_model_s_output():
    model, images = architectures.build("cnn", 0), random_images(5)
    with global_generators_untouched():
        logits = logits_of(model, images)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, model(to_input(images)).detach(), atol=1e-6)


@pytest.mark.parametrize("n", [0, 999, 1_000, 1_001])
def test_logits_of_several_batches_stay_in_order(n):
    answers = np.random.default_rng(1).integers(0, 10, n)
    logits = logits_of(Oracle(), images_of(*answers))
    expected = np.zeros((n, 10), dtype=np.float32)
    expected[np.arange(n), answers] = 10
    np.testing.assert_array_equal(logits, expected)


def test_only_the_rows_that_are_not_finite_become_0():
    class PartlyDiverged(nn.Module):
        def forward(self, x):
            logits = torch.arange(10.0).repeat(len(x), 1)
            logits[1, 3], logits[2, 0], logits[3, 9] = float("nan"), float("inf"), -float("inf")
            return logits

    logits = logits_of(PartlyDiverged(), random_images(5))
    np.testing.assert_array_equal(logits[[0, 4]], [np.arange(10)] * 2)
    np.testing.assert_array_equal(logits[1:4], np.zeros((3, 10)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_softmax_is_exact(temperature):
    logits = np.zeros((2, 10), dtype=np.float32)
    logits[0, 3] = 2.0
    logits[1] = 7.0  # adding the same number to all changes nothing
    before = logits.copy()

    p = softmax(logits, temperature)

    e = np.exp(2 / temperature)
    expected = np.full((2, 10), 0.1)
    expected[0] = 1 / (e + 9)
    expected[0, 3] = e / (e + 9)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p, expected, atol=1e-6)
    np.testing.assert_array_equal(logits, before)


def test_softmax_of_large_logits_is_finite():
    p = softmax(np.array([[1e4, -1e4, *[0] * 8]], dtype=np.float32))
    np.testing.assert_array_equal(p, np.eye(10)[:1])


def test_softmax_of_no_rows_has_no_rows():
    assert softmax(np.empty((0, 10), dtype=np.float32)).shape == (0, 10)


def test_temperature_changes_the_confidence_and_not_the_predictions():
    model, images = architectures.build("mlp", 1), random_images(40)
    cold, plain, warm = (probabilities(model, images, t) for t in (0.3, 1.0, 4.0))
    np.testing.assert_array_equal(probabilities(model, images), plain)
    np.testing.assert_allclose(warm, softmax(logits_of(model, images), 4.0), atol=1e-7)
    for p in (cold, warm):
        np.testing.assert_array_equal(p.argmax(axis=1), plain.argmax(axis=1))
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert (cold.max(axis=1) > plain.max(axis=1)).all()
    assert (warm.max(axis=1) < plain.max(axis=1)).all()
