import numpy as np
import pytest

from mnist_core.data.statistics import class_counts, indices_of, mean_images

LABELS = np.array([3, 0, 3, 9, 3], dtype=np.int64)


def test_class_counts_are_ten_even_if_classes_are_missing():
    counts = class_counts(LABELS)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, [1, 0, 0, 3, 0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(class_counts(LABELS[:3]), [1, 0, 0, 2, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("chosen", "expected"), [(3, [0, 2, 4]), (0, [1]), (7, []), (None, [1, 0, 3, 2, 4])]
)
def test_indices_of_a_class_in_order(chosen, expected):
    np.testing.assert_array_equal(indices_of(LABELS, chosen), expected)


def test_without_a_class_the_classes_take_turns():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 6))
    indices = indices_of(labels, None)
    np.testing.assert_array_equal(labels[indices], np.tile(np.arange(10), 6))
    np.testing.assert_array_equal(np.sort(indices), np.arange(60))
    for label in range(10):
        np.testing.assert_array_equal(
            indices[labels[indices] == label], np.flatnonzero(labels == label)
        )


def test_mean_images_are_rounded_and_zero_for_classes_without_images():
    images = np.zeros((5, 28, 28), dtype=np.uint8)
    images[[0, 2, 4], 1, 2] = 255, 255, 254  # mean 254.67: a sum in uint8 would overflow
    images[[0, 2, 4], 5, 6] = 1, 0, 0  # mean 0.33
    images[1, 7, 8] = 77

    means = mean_images(images, LABELS)

    expected = np.zeros((10, 28, 28), dtype=np.uint8)
    expected[3, 1, 2], expected[0, 7, 8] = 255, 77
    assert means.dtype == np.uint8
    np.testing.assert_array_equal(means, expected)
