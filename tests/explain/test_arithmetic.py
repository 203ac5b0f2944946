"""The arithmetic of one number: it gives PyTorch's result, and the printed terms add up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.explain.arithmetic import Arithmetic, open_number
from mnist_core.explain.layer_outputs import DivergedModelError, strongest_place
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from tests.small_data import digits, global_generators_untouched, random_images


def ink_at(*pixels: tuple[int, int, int]) -> np.ndarray:
    image = np.zeros((28, 28), dtype=np.uint8)
    for row, column, value in pixels:
        image[row, column] = value
    return image


def built(name: str, seed: int) -> nn.Sequential:
    return architectures.build(name, seed).requires_grad_(False).eval()


def outputs(model: nn.Sequential, image: np.ndarray) -> dict[str, torch.Tensor]:
    x, found = to_input(image[None]), {}
    with torch.inference_mode():
        for name, layer in model.named_children():
            x = layer(x)
            found[name] = x[0]
    return found


def exact(opened: Arithmetic) -> float:
    """Return the number by its own inputs, in float64."""
    if opened.operation == "sum":
        return float(opened.products.sum()) + opened.bias
    return max(float(opened.inputs.max()), 0.0 if opened.operation == "relu" else -np.inf)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(list(architectures.ARCHITECTURES)),
    seed=st.integers(0, 2**31),
    spot=st.integers(0, 2**31),
    ink=st.sampled_from(["digit", "noise", "blank"]),
)
def test_any_number_of_any_layer_follows_from_its_inputs_and_equals_torch_s(name, seed, spot, ink):
    rng = np.random.default_rng(spot)
    image = {
        "digit": digits().test_images[spot % 360],
        "noise": random_images(1, spot)[0],
        "blank": np.zeros((28, 28), dtype=np.uint8),
    }[ink]
    model = built(name, seed)
    for layer, out in outputs(model, image).items():
        index = tuple(int(rng.integers(n)) for n in out.shape)
        opened = open_number(model, image, layer, index[0], index[1:])
        value = float(out[index])
        assert opened.value == value
        assert exact(opened) == pytest.approx(value, abs=1e-5)
        if opened.operation == "sum":
            written = opened.written()
            whole = [round(1e5 * v) for _, v in written.terms]
            assert sum(whole) == round(1e5 * written.total)
            assert written.total == pytest.approx(value, abs=0.6e-5)
            assert len(whole) <= 11


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_the_numbers_of_the_bundled_models_follow_from_their_inputs(name):
    model, image = bundled.load_pretrained(name), digits().test_images[7]
    for layer, out in outputs(model, image).items():
        for unit in range(0, len(out), 7):
            place = strongest_place(out.numpy(), unit)
            opened = open_number(model, image, layer, unit, place)
            assert exact(opened) == pytest.approx(opened.value, abs=1e-5)


def test_two_pixels_give_two_products():
    model, image = built("linear", 0), ink_at((0, 3, 255), (27, 27, 51))
    weight = model.l1.weight[4].double()
    opened = open_number(model, image, "l1", 4)
    expected = np.zeros((1, 28, 28))
    expected[0, 0, 3] = weight[3]
    expected[0, 27, 27] = weight[783] * np.float64(np.float32(0.2))
    np.testing.assert_array_equal(opened.products, expected)
    assert opened.bias == model.l1.bias[4]
    assert (opened.source, opened.corner, opened.after) == ("flatten", (0, 0, 0), None)
    assert [name for name, _ in opened.written().terms][:2] == ["pixels for", "pixels against"]


def test_stride_and_padding_place_the_kernel():
    model = built("cnn", 0)
    image = random_images(1)[0]
    opened = open_number(model, image, "conv1", 2, (5, 0))
    assert opened.corner == (0, 8, -2)  # 2 * 5 - 2 and 2 * 0 - 2
    np.testing.assert_array_equal(opened.inputs[0, :, :2], 0)  # the padding
    np.testing.assert_array_equal(opened.inputs[0, :, 2:], image[8:13, :3] / np.float32(255))
    np.testing.assert_array_equal(opened.weights, model.conv1.weight[2])
    assert opened.source == "image"


@pytest.mark.parametrize("place", [(0, 0), (0, 13), (13, 0), (13, 13), (6, 7)])
def test_a_kernel_at_the_edge_is_summed_as_torch_does(place):
    model, image = built("cnn", 3), random_images(1, 3)[0]
    opened = open_number(model, image, "conv1", 15, place)
    assert opened.value == float(outputs(model, image)["conv1"][(15, *place)])
    assert exact(opened) == pytest.approx(opened.value, abs=1e-6)
    assert opened.after == max(0.0, opened.value)


def test_pooling_takes_the_largest_number_of_its_window():
    model, image = built("cnn", 1), random_images(1, 1)[0]
    before = outputs(model, image)["relu1"]
    opened = open_number(model, image, "pool", 9, (3, 6))
    assert (opened.operation, opened.corner) == ("maximum", (9, 6, 12))
    np.testing.assert_array_equal(opened.inputs, before[9:10, 6:8, 12:14])
    assert opened.value == opened.inputs.max()


def test_flatten_names_the_place_in_the_map_before_it():
    model, image = built("cnn", 1), random_images(1, 1)[0]
    opened = open_number(model, image, "flatten", 49 * 3 + 7 * 2 + 5)
    assert (opened.operation, opened.corner, opened.source) == ("copy", (3, 2, 5), "relu2")
    assert opened.value == float(outputs(model, image)["relu2"][3, 2, 5])


def test_relu_reads_one_number():
    model, image = built("mlp", 1), random_images(1, 1)[0]
    below = int(outputs(model, image)["l1"].argmin())
    opened = open_number(model, image, "relu", below)
    assert (opened.operation, opened.value) == ("relu", 0.0)
    assert opened.inputs[0] < 0
    assert open_number(model, image, "l1", below).after == 0.0


def test_flattened_inputs_have_the_shape_from_before_the_flatten():
    model, image = built("cnn", 1), random_images(1, 1)[0]
    opened = open_number(model, image, "l1", 0)
    np.testing.assert_array_equal(opened.inputs, outputs(model, image)["relu2"])
    assert opened.weights.shape == (64, 7, 7)
    names = [name for name, _ in opened.written().terms]
    assert names[8] == "the other 56 maps"
    assert all(name.startswith("map ") for name in names[:8])


def test_the_terms_of_a_window_are_the_sums_of_its_printed_rows():
    opened = open_number(built("cnn", 1), random_images(1, 1)[0], "conv1", 0, (4, 4))
    rows = np.rint(opened.printed_products[0] * 1e5).sum(axis=1).astype(int)
    written = opened.written()
    assert [(name, round(1e5 * v)) for name, v in written.terms[:5]] == [
        (f"row {i}", n) for i, n in enumerate(rows.tolist())
    ]


def test_the_units_with_the_largest_products_are_named_and_the_rest_is_one_term():
    opened = open_number(built("mlp", 2), random_images(1, 2)[0], "l2", 3)
    terms = dict(opened.written().terms)
    named = [int(name.removeprefix("unit ")) for name in terms if name.startswith("unit")]
    assert sorted(named) == named == sorted(np.argsort(-np.abs(opened.products))[:8].tolist())
    assert "the other 120 units" in terms


def test_a_layer_without_bias_has_bias_0():
    torch_free = nn.Sequential(
        nn.Flatten(), nn.utils.skip_init(nn.Linear, 784, 10, bias=False)
    ).requires_grad_(False)
    torch_free[1].weight.fill_(0.5)
    opened = open_number(torch_free, ink_at((0, 0, 255)), "1", 0)
    assert (opened.value, opened.bias) == (0.5, 0.0)
    assert dict(opened.written().terms) == {"pixels for": 0.5, "pixels against": 0, "bias": 0}


@pytest.mark.parametrize(
    ("layer", "unit", "place", "sentence"),
    [
        ("conv9", 0, (), "expected a layer out of conv1, relu1"),
        ("conv1", 0, (), r"expected a \(row, column\) on the feature map, got \(\)"),
        ("conv1", 16, (0, 0), r"expected a number within \(16, 14, 14\), got \(16, 0, 0\)"),
        ("conv1", 0, (14, 0), "count from 0"),
        ("conv1", -1, (0, 0), "count from 0"),
        ("l1", 0, (0, 0), "expected no place in a vector"),
        ("l2", 10, (), r"expected a number within \(10,\)"),
    ],
)
def test_an_unknown_layer_unit_or_place_is_refused(layer, unit, place, sentence):
    with pytest.raises(ValueError, match=sentence):
        open_number(built("cnn", 0), ink_at(), layer, unit, place)


def test_a_maximum_is_not_written_as_a_sum():
    with pytest.raises(ValueError, match="it has no sum"):
        open_number(built("cnn", 0), ink_at(), "pool", 0, (0, 0)).written()


def test_an_unknown_layer_and_a_diverged_model_are_refused():
    odd = nn.Sequential(nn.Flatten(), nn.Dropout(0.5))
    with pytest.raises(ValueError, match="expected a layer that can be opened, got Dropout"):
        open_number(odd, ink_at(), "1", 0)
    broken = built("linear", 0)
    broken.l1.bias.fill_(float("nan"))
    with pytest.raises(DivergedModelError, match="diverged"):
        open_number(broken, ink_at(), "l1", 0)


def test_the_model_and_the_generators_are_not_changed():
    model, image = architectures.build("cnn", 0), random_images(1)[0]
    before = {n: w.clone() for n, w in model.state_dict().items()}
    with global_generators_untouched():
        open_number(model, image, "conv2", 3, (2, 2))
    assert all(torch.equal(w, before[n]) for n, w in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_the_rows_of_a_window_of_many_maps_add_up_to_its_printed_term():
    model, image = built("deep", 3), random_images(1, 3)[0]
    for place in ((0, 0), (2, 3), (3, 1)):
        opened = open_number(model, image, "conv3", 3, place)
        printed = opened.printed_products.reshape(len(opened.products), -1).sum(axis=1)
        named = {name: value for name, value in opened.written().terms if name.startswith("map ")}
        assert named
        for name, value in named.items():
            if name.removeprefix("map ").isdigit():
                assert value == pytest.approx(printed[int(name.split()[1])], abs=1e-9)
