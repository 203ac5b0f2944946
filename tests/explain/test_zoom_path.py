"""A path into a network is cut off at the first step that the network does not have."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.explain.layer_outputs import LayerOutput
from mnist_core.explain.zoom_path import ZoomPath

LAYERS = [
    LayerOutput("conv1", "Conv2d", np.zeros((16, 14, 14))),
    LayerOutput("l1", "Linear", np.zeros(32)),
]


@pytest.mark.parametrize(
    "path",
    [
        ZoomPath(),
        ZoomPath("conv1"),
        ZoomPath("conv1", 3),
        ZoomPath("conv1", 3, (13, 13)),
        ZoomPath("l1", 31),
        ZoomPath("l1", 31, ()),
    ],
)
def test_a_path_that_exists_is_not_cut(path):
    assert path.within(LAYERS) == path


@pytest.mark.parametrize(
    ("path", "depth"),
    [
        (ZoomPath("relu", 3), 0),
        (ZoomPath("conv1", 16), 1),
        (ZoomPath("conv1", -1, (0, 0)), 1),
        (ZoomPath("conv1", 3, (14, 0)), 2),
        (ZoomPath("conv1", 3, ()), 2),
        (ZoomPath("l1", 3, (0, 0)), 2),
    ],
)
def test_a_path_is_cut_where_the_network_ends(path, depth):
    assert path.within(LAYERS) == path.up_to(depth)


def test_each_level_has_its_depth():
    path = ZoomPath("conv1", 3, (2, 1))
    levels = [path.up_to(depth) for depth in range(4)]
    assert levels == [ZoomPath(), ZoomPath("conv1"), ZoomPath("conv1", 3), path]
    assert [level.depth for level in levels] == [0, 1, 2, 3]
    assert ZoomPath("l1", 0, ()).depth == 3
