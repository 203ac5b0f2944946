from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mnist_core.concepts import batching
from mnist_core.concepts.batching import (
    Images,
    batch_by_index,
    batch_by_loader,
    random_images,
    time_batches,
)
from mnist_core.data.inputs import to_input
from tests import small_data
from tests.small_data import cycling_labels, global_generators_untouched

N, BATCH_SIZE, N_BATCHES = 23, 5, 5  # the last batch holds 3
IMAGES, LABELS = small_data.random_images(N), cycling_labels(N)
WAYS = pytest.mark.parametrize("way", [batch_by_loader, batch_by_index])


def epoch_of(way, seed):
    return [way(IMAGES, LABELS, BATCH_SIZE, seed, i) for i in range(1, N_BATCHES + 1)]


def places_in(x):
    """Return the index of each image of a batch among the stored images."""
    return [int(np.flatnonzero((to_input(IMAGES) == image).all(dim=(1, 2, 3)))[0]) for image in x]


@WAYS
def test_a_batch_has_its_shape_and_type(way):
    x, y = way(IMAGES, LABELS, BATCH_SIZE, seed=0)
    assert (x.shape, x.dtype) == ((BATCH_SIZE, 1, 28, 28), torch.float32)
    assert (y.shape, y.dtype) == ((BATCH_SIZE,), torch.int64)
    assert 0 <= x.min() < x.max() <= 1


@WAYS
def test_an_epoch_gives_every_image_once_with_its_label(way):
    parts = epoch_of(way, seed=0)
    assert [len(x) for x, _ in parts] == [5, 5, 5, 5, 3]
    places = [place for x, _ in parts for place in places_in(x)]
    assert sorted(places) == list(range(N))
    assert places != sorted(places)
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), LABELS[places])


@WAYS
def test_the_order_depends_on_the_seed_alone(way):
    with global_generators_untouched():
        orders = [[p for x, _ in epoch_of(way, seed) for p in places_in(x)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_images_are_converted_one_by_one():
    images = Images(IMAGES, LABELS)
    x, label = images[7]
    assert len(images) == N
    assert torch.equal(x, to_input(IMAGES)[7])
    assert (label.shape, label.dtype, label.item()) == ((), torch.int64, LABELS[7])


@pytest.mark.parametrize(("asked", "made"), [(3, 3), (4, 4), (20, 4)])
def test_time_batches_measures_whole_batches_only(asked, made):
    times = time_batches(IMAGES, LABELS, BATCH_SIZE, seed=0, n_batches=asked)
    x, y = batch_by_loader(IMAGES, LABELS, BATCH_SIZE, seed=0, n_batches=made)
    assert times.n_batches == made
    assert torch.equal(times.x, x)
    assert torch.equal(times.labels, y)


def test_both_ways_are_timed_in_milliseconds(monkeypatch):
    seconds = iter([10.0, 10.5, 20.0, 20.25])
    clock = SimpleNamespace(perf_counter=lambda: next(seconds))
    monkeypatch.setattr(batching, "time", clock)
    times = time_batches(IMAGES, LABELS, BATCH_SIZE, seed=0)
    assert (times.loader_ms, times.index_ms) == (500, 250)


def test_fewer_images_than_a_batch_make_one_batch_of_them():
    times = time_batches(IMAGES[:3], LABELS[:3], 32, seed=0)
    assert times.n_batches == 1
    assert times.x.shape == (3, 1, 28, 28)
    assert sorted(times.labels.tolist()) == [0, 1, 2]


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (8, 8), (N, N), (100, N)])
def test_random_images_are_picked_without_repetition(count, expected):
    images, labels = random_images(IMAGES, LABELS, count, seed=5)
    places = places_in(to_input(images))
    assert len(set(places)) == expected
    np.testing.assert_array_equal(labels, LABELS[places])


def test_random_images_depend_on_the_seed_alone():
    with global_generators_untouched():
        picks = [random_images(IMAGES, LABELS, 8, seed)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(picks[0], picks[1])
    assert not np.array_equal(picks[0], picks[2])
