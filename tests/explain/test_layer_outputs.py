"""The outputs of the layers, and the words for what a layer is."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.explain.layer_outputs import layer_outputs, pre_activations, strongest_place
from mnist_core.nn import architectures
from tests.small_data import global_generators_untouched, layer_shapes, random_images


def built(name: str, seed: int) -> nn.Sequential:
    return architectures.build(name, seed).eval()


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_outputs_are_those_of_each_layer(name):
    model, image = built(name, 0), random_images(1)[0]
    with global_generators_untouched():
        result = layer_outputs(model, image)
    shapes = layer_shapes(model)[1:]
    assert [(one.name, (1, *one.maps.shape)) for one in result] == shapes
    assert all(one.maps.dtype == np.float32 for one in result)
    x = to_input(image[None])
    with torch.inference_mode():
        np.testing.assert_allclose(result[-1].maps, model(x)[0], atol=1e-6)
        for one, layer in zip(result, model, strict=True):
            x = layer(x)
            np.testing.assert_array_equal(one.maps, x[0])


def test_a_convolution_comes_with_a_kernel_for_each_map():
    model = built("cnn", 0)
    for one, layer in zip(layer_outputs(model, random_images(1)[0]), model, strict=True):
        if isinstance(layer, nn.Conv2d):
            np.testing.assert_array_equal(one.kernels, layer.weight.detach())
            assert len(one.kernels) == len(one.maps)
        else:
            assert one.kernels is None


def test_the_kind_of_a_layer_names_its_sizes():
    model = nn.Sequential(
        OrderedDict(
            a=nn.Conv2d(1, 2, kernel_size=5, stride=2, padding=2),
            b=nn.BatchNorm2d(2),
            c=nn.ReLU(inplace=True),
            d=nn.MaxPool2d(2),
            e=nn.Conv2d(2, 3, kernel_size=(3, 1)),
            f=nn.MaxPool2d(3, stride=2),
            g=nn.Flatten(),
            h=nn.Linear(18, 10),
        )
    ).eval()
    result = layer_outputs(model, random_images(1)[0])
    assert [(one.name, one.kind) for one in result] == [
        ("a", "Conv2d 5×5, stride 2"),
        ("b", "BatchNorm2d"),
        ("c", "ReLU"),
        ("d", "MaxPool2d 2×2"),
        ("e", "Conv2d 3×1"),
        ("f", "MaxPool2d 3×3, stride 2"),
        ("g", "Flatten"),
        ("h", "Linear 18 to 10"),
    ]
    assert result[1].maps.min() < 0  # the ReLU after it works in place
    np.testing.assert_array_equal(result[2].maps, np.maximum(result[1].maps, 0))


def test_the_strongest_place_may_be_below_zero():
    maps = np.zeros((2, 3, 4), dtype=np.float32)
    maps[1, 2, 3], maps[1, 0, 0] = -5, 4
    assert strongest_place(maps, 1) == (2, 3)
    assert strongest_place(maps[0, 0], 1) == ()


def test_the_inputs_of_each_relu():
    layers = layer_outputs(built("cnn", 0), random_images(1)[0])
    found = pre_activations(layers)
    assert {name: len(z) for name, z in found.items()} == {"conv1": 3136, "conv2": 3136, "l1": 32}
    assert pre_activations(layer_outputs(built("linear", 0), random_images(1)[0])) == {}
