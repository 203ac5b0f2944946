"""The cards of a network and the tiles of a layer."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.evaluation.metrics import probabilities
from mnist_core.explain.layer_outputs import LayerOutput, layer_outputs
from mnist_core.figures import network
from mnist_core.nn import architectures
from tests.small_data import layer_shapes, random_images

NAMES = tuple("abcdefghij")


def cards(name: str) -> tuple[network.Card, ...]:
    model, image = architectures.build(name, 0), random_images(1)[0]
    p = probabilities(model, image[None])[0]
    return network.network_cards(image, layer_outputs(model, image), p, NAMES)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_there_is_a_card_for_the_image_each_layer_and_the_prediction(name):
    first, *layers, last = cards(name)
    shapes = layer_shapes(architectures.build(name, 0))[1:]
    assert [card.name for card in layers] == [layer for layer, _ in shapes]
    assert [card.shape for card in layers] == [
        " × ".join(f"{n:,}" for n in shape[1:]) for _, shape in shapes
    ]
    assert all(card.opens and not card.bars for card in layers)
    assert all(card.picture.shape[2] == 4 for card in layers)
    assert not first.opens
    assert not last.opens
    assert [bar[0] for bar in last.bars] == list(NAMES)
    assert sum(bar[1] for bar in last.bars) == pytest.approx(1, abs=1e-6)


def test_maps_are_drawn_as_a_stack_with_the_first_in_front():
    maps = np.zeros((6, 28, 28), dtype=np.float32)
    maps[0], maps[1], maps[5] = 1, -1, -1
    layers = [LayerOutput("m", "Conv2d", maps)]
    stack = network.network_cards(random_images(1)[0], layers, np.full(10, 0.1), NAMES)[1].picture
    assert stack.shape == (56 + 27, 56 + 27, 4)
    assert stack[60, 10].tolist() == [47, 116, 208, 255]  # the first: blue, below on the left
    assert stack[30, 60].tolist() == [224, 112, 26, 255]  # the second looks out behind it
    assert stack[0, 0, 3] == 0


def test_units_are_tiles_on_one_scale():
    maps = np.stack([np.full((2, 2), 2.0), np.full((2, 2), -1.0)])
    one, other = network.unit_tiles(maps)
    assert (one.name, one.value, other.name) == ("0", "up to 2.00", "1")
    assert one.picture[0, 0].tolist() == [47, 116, 208]
    assert other.picture[0, 0, 2] > 100  # half as strong: paler than the full orange
    numbers = network.unit_tiles(np.array([0.5, -1.25]), ["cat", "dog"])
    assert [(tile.name, tile.value) for tile in numbers] == [("cat", "0.50"), ("dog", "−1.25")]
    assert "47,116,208" in numbers[0].colour
    assert "224,112,26" in numbers[1].colour
