"""The network's cards and the figures of the zoom: what they draw is what there is."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.concepts.activations import ACTIVATIONS, curve
from mnist_core.evaluation.metrics import probabilities
from mnist_core.explain.arithmetic import WrittenSum
from mnist_core.explain.attribution import activations
from mnist_core.figures import network, zoom
from mnist_core.figures.explain import vector_cells
from mnist_core.figures.style import NEGATIVE, POSITIVE
from mnist_core.nn import architectures
from tests.small_data import random_images

NAMES = tuple("abcdefghij")


def cards(name: str) -> tuple[network.Card, ...]:
    model, image = architectures.build(name, 0), random_images(1)[0]
    p = probabilities(model, image[None])[0]
    return network.network_cards(image, activations(model, image), p, NAMES)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_there_is_a_card_for_the_image_each_layer_and_the_answer(name):
    first, *layers, last = cards(name)
    shapes = architectures.layer_shapes(architectures.build(name, 0))[1:]
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
    layer = activations(architectures.build("cnn", 0), random_images(1)[0])[0]
    stack = network.network_cards(
        random_images(1)[0],
        [type(layer)("m", "Conv2d", maps)],
        np.full(10, 0.1),
        NAMES,
    )[1].picture
    assert stack.shape == (56 + 27, 56 + 27, 4)
    assert stack[60, 10].tolist() == [47, 116, 208, 255]  # the first: blue, below on the left
    assert stack[30, 60].tolist() == [224, 112, 26, 255]  # the second looks out behind it
    assert stack[0, 0, 3] == 0


def test_a_vector_is_cells_in_reading_order():
    cells = vector_cells(np.array([1.0, 0, -1, 0.5, 0]), 2)
    assert cells.shape == (3, 2, 4)
    assert cells[0, 0].tolist() == [47, 116, 208, 255]
    assert cells[1, 0].tolist() == [224, 112, 26, 255]
    assert cells[2, 0].tolist() == [255, 255, 255, 255]
    assert cells[2, 1, 3] == 0  # there is no sixth


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


def test_a_window_has_its_numbers_in_its_cells():
    figure = zoom.window_figure(np.array([[0.5, -1.0], [0.0, -0.0001]]), 3)
    notes = figure.layout.annotations
    assert [note.text for note in notes] == ["0.500", "−1.000", "0.000", "0.000"]
    assert [(note.x, note.y) for note in notes] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.data[0].zmin == -1
    assert len(zoom.window_figure(np.zeros((2, 2)), 1).layout.annotations) == 4


def test_the_sum_s_bars_are_its_terms_and_end_at_the_total():
    written = WrittenSum((("map 0", 1.5), ("bias", -0.5), ("rounding", -0.00001)), 0.99999)
    bars = zoom.sum_figure(written, "z").data[0]
    assert list(bars.y) == ["map 0", "bias", "rounding", "z"]
    assert list(bars.x) == [1.5, -0.5, -0.00001, 0.99999]
    assert list(bars.measure) == ["relative"] * 3 + ["total"]
    assert list(bars.text) == ["+1.50", "−0.50", "−0.00001", "+1.00"]
    assert bars.increasing.marker.color == POSITIVE
    assert bars.decreasing.marker.color == NEGATIVE


@pytest.mark.parametrize("corner", [(0, 0), (-2, -2), (2, 2)])
def test_the_frame_stands_around_the_window(corner):
    plain = zoom.place_picture(np.zeros((4, 4)), (40, 40), (2, 2), side=80)
    picture = zoom.place_picture(np.zeros((4, 4)), corner, (2, 2), side=80)
    assert picture.shape == (80, 80, 3)
    changed = np.argwhere((picture != plain).any(axis=2))
    if len(changed):
        low, high = changed.min(axis=0), changed.max(axis=0)
        assert (low >= np.maximum(np.array(corner) * 20 - 3, 0)).all()
        assert (high <= (np.array(corner) + 2) * 20 + 3).all()
    if corner == (2, 2):
        assert picture[60, 40].tolist() == [20, 20, 20]


def test_units_are_counted_below_the_curve():
    z = np.array([-2.0, 1, 1, 3], dtype=np.float32)
    drawn = curve(ACTIVATIONS["ReLU"], np.linspace(-3, 3, 7))
    figure = zoom.pre_activation_figure(drawn, z, "ReLU")
    assert list(figure.data[0].y) == [0, 0, 0, 0, 1, 2, 3]
    assert list(figure.data[1].x) == z.tolist()
    assert figure.layout.xaxis.matches == "x2"  # one above the other, on the same z
    assert list(figure.layout.xaxis2.range) == [-3, 3]
