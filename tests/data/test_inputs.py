import numpy as np
import pytest
import torch

from mnist_core.data.inputs import to_input
from tests.small_data import random_images


def test_exact_values_of_one_image():
    images = np.zeros((1, 28, 28), dtype=np.uint8)
    images[0, 2, 3], images[0, 27, 0] = 255, 51

    x = to_input(images)

    assert x.shape == (1, 1, 28, 28)
    assert x.dtype == torch.float32
    assert x[0, 0, 2, 3] == 1.0
    assert x[0, 0, 27, 0] == torch.tensor(0.2)
    assert x.count_nonzero() == 2


def test_every_grey_value_is_divided_by_255_in_float32():
    images = np.zeros((1, 28, 28), dtype=np.uint8)
    images.reshape(-1)[:256] = np.arange(256)
    expected = np.arange(256, dtype=np.float32) / np.float32(255)
    np.testing.assert_array_equal(to_input(images).numpy().reshape(-1)[:256], expected)


def test_the_images_are_not_changed_and_not_shared():
    images = random_images(3)
    before = images.copy()
    images.setflags(write=False)

    to_input(images).zero_()

    np.testing.assert_array_equal(images, before)


def test_a_view_with_gaps_gives_the_same_input_as_its_copy():
    images = random_images(6)[::-2]
    assert torch.equal(to_input(images), to_input(images.copy()))


def test_no_images_give_an_empty_batch():
    assert to_input(np.empty((0, 28, 28), dtype=np.uint8)).shape == (0, 1, 28, 28)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((28, 28), dtype=np.uint8),
        np.zeros((2, 1, 28, 28), dtype=np.uint8),
        np.zeros((2, 28, 27), dtype=np.uint8),
        np.zeros((2, 784), dtype=np.uint8),
        np.zeros((2, 28, 28), dtype=np.float32),
        np.zeros((2, 28, 28), dtype=np.int64),
    ],
    ids=lambda images: f"{images.dtype}{images.shape}",
)
def test_another_shape_or_type_is_refused(images):
    with pytest.raises(ValueError, match="expected images of shape") as caught:
        to_input(images)
    assert str(images.shape) in str(caught.value)
    assert str(images.dtype) in str(caught.value)
