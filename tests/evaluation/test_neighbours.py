import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.evaluation.neighbours import (
    class_distance,
    features,
    nearest,
    own_distances,
    pixel_rows,
    reads_pixels,
)
from mnist_core.nn import architectures
from tests.small_data import digits, global_generators_untouched, mnist_in, random_images


def images_of(*first_pixels):
    """Return images that are paper except for the first pixel."""
    images = np.zeros((len(first_pixels), 28, 28), dtype=np.uint8)
    images[:, 0, 0] = first_pixels
    return images


def labels(*values):
    return np.array(values, dtype=np.int64)


def test_the_features_of_a_linear_model_are_the_pixels():
    images = random_images(3)
    result = features(architectures.build("linear", 0), images)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, images.reshape(3, 784) / np.float32(255))


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_last_layer_turns_features_into_the_model_s_logits(name):
    model, images = architectures.build(name, 0).eval(), random_images(7)
    last = list(model)[-1]
    with global_generators_untouched():
        result = features(model, images)
    assert result.shape == (7, last.in_features)
    with torch.inference_mode():
        np.testing.assert_allclose(
            last(torch.from_numpy(result)), model(to_input(images)), atol=1e-6
        )


@pytest.mark.parametrize("n", [0, 1, 999, 1_000, 1_001, 2_100])
def test_features_of_several_batches_stay_in_order(n):
    model, images = architectures.build("linear", 0), random_images(n)
    np.testing.assert_array_equal(features(model, images), images.reshape(n, 784) / np.float32(255))


def test_whether_a_model_reads_pixels():
    assert [reads_pixels(architectures.build(n, 0)) for n in ("linear", "mlp", "cnn")] == [1, 0, 0]


def test_a_model_without_a_linear_layer_has_no_features():
    model = nn.Sequential(nn.Flatten())
    with pytest.raises(ValueError, match="with a linear layer, got one without"):
        features(model, random_images(1))
    with pytest.raises(ValueError, match="with a linear layer"):
        reads_pixels(model)


def test_the_nearest_of_a_few_points_are_exact():
    rows = np.array([[3, 4], [0, 0], [6, 8], [0, 1]], dtype=np.float32)
    found = nearest(np.zeros(2, np.float32), rows, 3)
    np.testing.assert_array_equal(found.indices, [1, 3, 0])
    np.testing.assert_array_equal(found.distances, [0, 1, 5])


def test_bytes_count_from_0_to_1():
    found = nearest(images_of(255)[0].ravel(), pixel_rows(images_of(0, 51, 255)), 3)
    np.testing.assert_array_equal(found.indices, [2, 1, 0])
    np.testing.assert_allclose(found.distances, [0, 0.8, 1], rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.sampled_from([1, 2, 20, 255, 256, 257, 1_500]),
    k=st.integers(1, 40),
    as_bytes=st.booleans(),
)
def test_the_nearest_are_those_of_a_plain_search(seed, n, k, as_bytes):
    rng = np.random.default_rng(seed)
    if as_bytes:
        rows = rng.integers(0, 256, (n, 30), dtype=np.uint8)
        query, unit = rng.integers(0, 256, 30, dtype=np.uint8), 255
    else:
        rows = rng.normal(size=(n, 30)).astype(np.float32)
        query, unit = rng.normal(size=30).astype(np.float32), 1
    found = nearest(query, rows, k)
    expected = cdist(query[None].astype(float), rows.astype(float))[0] / unit
    if as_bytes:  # squares of bytes have no rounding
        np.testing.assert_array_equal(found.indices, np.argsort(expected, kind="stable")[:k])
    np.testing.assert_allclose(found.distances, np.sort(expected)[:k], rtol=1e-6)
    np.testing.assert_allclose(found.distances, expected[found.indices], rtol=1e-6)


def test_close_points_far_from_the_origin_are_told_apart():
    rows = 1_000 + 0.01 * np.random.default_rng(0).normal(size=(15, 4)).astype(np.float32)
    found = nearest(rows[9], rows, 15)
    expected = cdist(rows[9:10].astype(float), rows.astype(float))[0]
    np.testing.assert_array_equal(found.indices, np.argsort(expected))
    assert found.distances[0] == 0


def test_a_row_finds_itself_at_distance_0_and_its_copies_in_order():
    rows = pixel_rows(random_images(600))
    rows[[70, 590, 8]] = rows[300]
    found = nearest(rows[300], rows, 5)
    np.testing.assert_array_equal(found.indices[:4], [8, 70, 300, 590])
    np.testing.assert_array_equal(found.distances[:4], 0)
    assert found.distances[4] > 0


def test_a_search_does_not_copy_or_change_all_rows():
    rows = pixel_rows(random_images(20_000))
    rows.setflags(write=False)  # as those of a data set
    tracemalloc.start()
    nearest(rows[5], rows, 8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows.nbytes / 4


@pytest.mark.parametrize(
    ("query", "rows", "k"),
    [
        (np.zeros(3, np.float32), np.zeros((2, 3), np.uint8), 1),
        (np.zeros(3), np.zeros((2, 3)), 1),
        (np.zeros(4, np.uint8), np.zeros((2, 3), np.uint8), 1),
        (np.zeros((1, 3), np.uint8), np.zeros((2, 3), np.uint8), 1),
        (np.zeros(3, np.uint8), np.zeros((0, 3), np.uint8), 1),
        (np.zeros(3, np.uint8), np.zeros(3, np.uint8), 1),
        (np.zeros((28, 28), np.uint8), random_images(2), 1),
        (np.zeros(3, np.uint8), np.zeros((2, 3), np.uint8), 0),
    ],
)
def test_arrays_of_another_kind_are_refused(query, rows, k):
    with pytest.raises(ValueError, match=f"got k = {k}, {query.dtype} "):
        nearest(query, rows, k)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="the model diverged in training"):
        nearest(np.zeros(3, np.float32), np.full((2, 3), value, dtype=np.float32), 1)


def test_own_distances_are_those_to_the_nearest_other_of_the_class():
    images = images_of(0, 51, 60, 255, 250)
    truth = labels(3, 3, 8, 3, 8)
    np.testing.assert_allclose(own_distances(images, truth, 3), [0.2, 0.2, 0.8], rtol=1e-6)
    np.testing.assert_allclose(own_distances(images, truth, 3, sample=1), [0.2], rtol=1e-6)
    np.testing.assert_allclose(own_distances(images, truth, 8), [190 / 255] * 2, rtol=1e-6)
    assert own_distances(images, truth, 5).shape == (0,)
    assert own_distances(images, labels(3, 8, 8, 8, 8), 3).shape == (0,)


@pytest.mark.parametrize("sample", [5, 500, 5_000])
def test_own_distances_are_those_of_a_plain_search(sample):
    images = digits().train_images
    truth = np.where(np.arange(len(images)) < 1_100, 0, 1)
    rows = images[:1_100].reshape(1_100, 784) / 255
    every = cdist(rows[:sample], rows)
    np.fill_diagonal(every, np.inf)
    result = own_distances(images, truth, 0, sample)
    np.testing.assert_allclose(result, every.min(axis=1), rtol=1e-6)


def test_a_class_distance_is_exact():
    images, truth = images_of(0, 7, 51, 255), labels(3, 8, 3, 3)
    own = own_distances(images, truth, 3)  # 0.2, 0.2, 0.8
    at_6, at_153, at_255, beside = images_of(6, 153, 255, 0)
    beside[:2, 1:] = 255  # 54 pixels of ink
    near = class_distance(at_6, images, truth, 3, own)
    assert (near.index, near.share_farther) == (0, 1)  # 7 is nearer, and of another class
    assert near.nearest == pytest.approx(6 / 255)
    middle = class_distance(at_153, images, truth, 3, own)
    assert (middle.index, middle.share_farther) == (2, pytest.approx(1 / 3))
    assert class_distance(at_255, images, truth, 3, own).nearest == 0
    far = class_distance(beside, images, truth, 3, own)
    assert (far.nearest, far.share_farther) == (pytest.approx(np.sqrt(54)), 0)


@pytest.mark.parametrize("truth", [labels(3, 8, 8), labels(8, 8, 8)])
def test_a_class_of_fewer_than_two_images_has_no_distances(truth):
    images = images_of(0, 1, 2)
    own = own_distances(images, truth, 3)
    with pytest.raises(ValueError, match="at least two images of class 3"):
        class_distance(images[0], images, truth, 3, own)


def test_unseen_digits_are_typical_of_their_class_and_noise_is_not():
    data = digits()
    for label in (0, 7):
        own = own_distances(data.train_images, data.train_labels, label)
        shares = [
            class_distance(image, data.train_images, data.train_labels, label, own).share_farther
            for image in data.test_images[data.test_labels == label]
        ]
        assert 0.2 < np.mean(shares) < 0.8
        noise = random_images(1)[0]
        far = class_distance(noise, data.train_images, data.train_labels, label, own)
        assert far.share_farther == 0


def test_the_nearest_training_digits_predict_mnist_s_test_digits(mnist_dir):
    data = mnist_in(mnist_dir)
    rows = pixel_rows(data.train_images)
    found = [nearest(row, rows, 1).indices[0] for row in pixel_rows(data.test_images[:60])]
    right = data.train_labels[found] == data.test_labels[:60]
    assert right.mean() >= 0.95  # LeCun et al. 1998: 95 % for plain nearest neighbours
