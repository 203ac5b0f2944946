"""One number of a network taken apart: it is PyTorch's, and what is printed adds up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.explain import arithmetic as arithmetic_module
from mnist_core.explain.arithmetic import arithmetic
from mnist_core.explain.attribution import ExplanationError, activations
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


def exact(opened: arithmetic.Arithmetic) -> float:
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
def test_any_number_of_any_layer_is_what_its_inputs_give_and_what_torch_gives(
    name, seed, spot, ink
):
    rng = np.random.default_rng(spot)
    image = {
        "digit": digits().test_images[spot % 360],
        "noise": random_images(1, spot)[0],
        "blank": np.zeros((28, 28), dtype=np.uint8),
    }[ink]
    model = built(name, seed)
    for layer, out in outputs(model, image).items():
        index = tuple(int(rng.integers(n)) for n in out.shape)
        opened = arithmetic(model, image, layer, index[0], index[1:] or None)
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
def test_the_bundled_models_sums_are_theirs(name):
    model, image = bundled.load_pretrained(name), digits().test_images[7]
    for layer, out in outputs(model, image).items():
        for unit in range(0, len(out), 7):
            place = arithmetic_module.strongest_place(out.numpy(), unit)
            opened = arithmetic(model, image, layer, unit, place)
            assert exact(opened) == pytest.approx(opened.value, abs=1e-5)


def test_two_pixels_give_two_products():
    model, image = built("linear", 0), ink_at((0, 3, 255), (27, 27, 51))
    weight = model.l1.weight[4].double()
    opened = arithmetic(model, image, "l1", 4)
    expected = np.zeros((1, 28, 28))
    expected[0, 0, 3] = weight[3]
    expected[0, 27, 27] = weight[783] * np.float64(np.float32(0.2))
    np.testing.assert_array_equal(opened.products, expected)
    assert opened.bias == model.l1.bias[4]
    assert (opened.source, opened.corner, opened.after) == ("flatten", (0, 0, 0), None)
    assert [name for name, _ in opened.written().terms][:2] == ["pixels for", "pixels against"]


def test_the_kernel_lies_where_stride_and_padding_put_it():
    model = built("cnn", 0)
    image = random_images(1)[0]
    opened = arithmetic(model, image, "conv1", 2, (5, 0))
    assert opened.corner == (0, 8, -2)  # 2 * 5 - 2 and 2 * 0 - 2
    np.testing.assert_array_equal(opened.inputs[0, :, :2], 0)  # the padding
    np.testing.assert_array_equal(opened.inputs[0, :, 2:], image[8:13, :3] / np.float32(255))
    np.testing.assert_array_equal(opened.weights, model.conv1.weight[2])
    assert opened.source == "image"


@pytest.mark.parametrize("place", [(0, 0), (0, 13), (13, 0), (13, 13), (6, 7)])
def test_a_kernel_at_the_edge_is_summed_as_torch_does(place):
    model, image = built("cnn", 3), random_images(1, 3)[0]
    opened = arithmetic(model, image, "conv1", 15, place)
    assert opened.value == float(outputs(model, image)["conv1"][(15, *place)])
    assert exact(opened) == pytest.approx(opened.value, abs=1e-6)
    assert opened.after == max(0.0, opened.value)


def test_pooling_takes_the_largest_of_its_own_window():
    model, image = built("cnn", 1), random_images(1, 1)[0]
    before = outputs(model, image)["relu1"]
    opened = arithmetic(model, image, "pool", 9, (3, 6))
    assert (opened.operation, opened.corner) == ("maximum", (9, 6, 12))
    np.testing.assert_array_equal(opened.inputs, before[9:10, 6:8, 12:14])
    assert opened.value == opened.inputs.max()


def test_flatten_says_where_the_number_was():
    model, image = built("cnn", 1), random_images(1, 1)[0]
    opened = arithmetic(model, image, "flatten", 49 * 3 + 7 * 2 + 5)
    assert (opened.operation, opened.corner, opened.source) == ("copy", (3, 2, 5), "relu2")
    assert opened.value == float(outputs(model, image)["relu2"][3, 2, 5])


def test_relu_reads_one_number():
    model, image = built("mlp", 1), random_images(1, 1)[0]
    below = int(outputs(model, image)["l1"].argmin())
    opened = arithmetic(model, image, "relu", below)
    assert (opened.operation, opened.value) == ("relu", 0.0)
    assert opened.inputs[0] < 0
    assert arithmetic(model, image, "l1", below).after == 0.0


def test_what_was_flattened_is_seen_as_the_maps_it_was():
    model, image = built("cnn", 1), random_images(1, 1)[0]
    opened = arithmetic(model, image, "l1", 0)
    np.testing.assert_array_equal(opened.inputs, outputs(model, image)["relu2"])
    assert opened.weights.shape == (64, 7, 7)
    names = [name for name, _ in opened.written().terms]
    assert names[8] == "the other 56 maps"
    assert all(name.startswith("map ") for name in names[:8])


def test_a_window_is_added_up_row_by_row_of_what_is_printed():
    opened = arithmetic(built("cnn", 1), random_images(1, 1)[0], "conv1", 0, (4, 4))
    rows = np.rint(opened.printed_products()[0] * 1e5).sum(axis=1).astype(int)
    written = opened.written()
    assert [(name, round(1e5 * v)) for name, v in written.terms[:5]] == [
        (f"row {i}", n) for i, n in enumerate(rows.tolist())
    ]


def test_the_units_that_matter_most_are_named_and_the_rest_is_one_term():
    opened = arithmetic(built("mlp", 2), random_images(1, 2)[0], "l2", 3)
    terms = dict(opened.written().terms)
    named = [int(name.removeprefix("unit ")) for name in terms if name.startswith("unit")]
    assert sorted(named) == named == sorted(np.argsort(-np.abs(opened.products))[:8].tolist())
    assert "the other 120 units" in terms


def test_a_layer_without_bias_adds_none():
    torch_free = nn.Sequential(
        nn.Flatten(), nn.utils.skip_init(nn.Linear, 784, 10, bias=False)
    ).requires_grad_(False)
    torch_free[1].weight.fill_(0.5)
    opened = arithmetic(torch_free, ink_at((0, 0, 255)), "1", 0)
    assert (opened.value, opened.bias) == (0.5, 0.0)
    assert dict(opened.written().terms) == {"pixels for": 0.5, "pixels against": 0, "bias": 0}


@pytest.mark.parametrize(
    ("layer", "unit", "place", "sentence"),
    [
        ("conv9", 0, None, "expected a layer out of conv1, relu1"),
        ("conv1", 0, None, r"expected a \(row, column\) on the feature map, got None"),
        ("conv1", 16, (0, 0), r"expected a number within \(16, 14, 14\), got \(16, 0, 0\)"),
        ("conv1", 0, (14, 0), "count from 0"),
        ("conv1", -1, (0, 0), "count from 0"),
        ("l1", 0, (0, 0), "expected no place in a vector"),
        ("l2", 10, None, r"expected a number within \(10,\)"),
    ],
)
def test_what_is_not_there_is_refused_with_a_sentence(layer, unit, place, sentence):
    with pytest.raises(ValueError, match=sentence):
        arithmetic(built("cnn", 0), ink_at(), layer, unit, place)


def test_a_maximum_is_no_sum():
    with pytest.raises(ValueError, match="it adds nothing up"):
        arithmetic(built("cnn", 0), ink_at(), "pool", 0, (0, 0)).written()


def test_an_unknown_layer_and_a_diverged_model_are_refused():
    odd = nn.Sequential(nn.Flatten(), nn.Dropout(0.5))
    with pytest.raises(ValueError, match="expected a layer that can be opened, got Dropout"):
        arithmetic(odd, ink_at(), "1", 0)
    broken = built("linear", 0)
    broken.l1.bias.fill_(float("nan"))
    with pytest.raises(ExplanationError, match="diverged"):
        arithmetic(broken, ink_at(), "l1", 0)


def test_the_model_and_the_generators_stay_as_they_are():
    model, image = architectures.build("cnn", 0), random_images(1)[0]
    kept = {n: w.clone() for n, w in model.state_dict().items()}
    with global_generators_untouched():
        arithmetic(model, image, "conv2", 3, (2, 2))
    assert all(torch.equal(w, kept[n]) for n, w in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_a_path_is_held_as_far_as_the_network_goes():
    layers = activations(built("cnn", 0), ink_at())
    for path in ((), ("conv1",), ("conv1", 3), ("conv1", 3, (13, 13)), ("l1", 31, ())):
        assert arithmetic_module.held(path, layers) == path
    assert arithmetic_module.held(("relu",), layers) == ()
    assert arithmetic_module.held(("conv1", 16), layers) == ("conv1",)
    assert arithmetic_module.held(("conv1", 3, (14, 0)), layers) == ("conv1", 3)
    assert arithmetic_module.held(("conv1", 3, ()), layers) == ("conv1", 3)
    assert arithmetic_module.held(("l1", 3, (0, 0)), layers) == ("l1", 3)


def test_the_strongest_place_may_be_below_zero():
    maps = np.zeros((2, 3, 4), dtype=np.float32)
    maps[1, 2, 3], maps[1, 0, 0] = -5, 4
    assert arithmetic_module.strongest_place(maps, 1) == (2, 3)
    assert arithmetic_module.strongest_place(maps[0, 0], 1) is None


def test_what_each_relu_reads():
    layers = activations(built("cnn", 0), random_images(1)[0])
    found = arithmetic_module.pre_activations(layers)
    assert {name: len(z) for name, z in found.items()} == {"conv1": 3136, "conv2": 3136, "l1": 32}
    assert arithmetic_module.pre_activations(activations(built("linear", 0), ink_at())) == {}


def test_the_rows_of_a_window_of_many_maps_add_up_to_its_printed_term():
    model, image = built("deep", 3), random_images(1, 3)[0]
    for place in ((0, 0), (2, 3), (3, 1)):
        opened = arithmetic(model, image, "conv3", 3, place)
        printed = opened.printed_products().reshape(len(opened.products), -1).sum(axis=1)
        named = {name: value for name, value in opened.written().terms if name.startswith("map ")}
        assert named
        for name, value in named.items():
            if name.removeprefix("map ").isdigit():
                assert value == pytest.approx(printed[int(name.split()[1])], abs=1e-9)
