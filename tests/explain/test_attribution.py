from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.explain.attribution import (
    ExplanationError,
    LinearEvidence,
    activations,
    gradient_times_input,
    is_linear,
    linear_evidence,
    occlusion,
)
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from tests.small_data import (
    digits,
    finite_differences,
    global_generators_untouched,
    random_images,
)

LABELLED = (linear_evidence, gradient_times_input, occlusion)


def blank():
    return np.zeros((28, 28), dtype=np.uint8)


def logits(model, image):
    with torch.inference_mode():
        return model(to_input(image[None]))[0].double().numpy()


def linear(bias=True):
    """Return a linear model whose numbers are all 0."""
    layer = nn.Linear(784, 10, bias=bias)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
    return nn.Sequential(nn.Flatten(), layer)


def built(name, seed):
    return architectures.build(name, seed).eval()


def without_biases(name, seed):
    model = built(name, seed)
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.bias.zero_()
    return model


def test_the_evidence_of_two_pixels_is_exact():
    model, image = linear(), blank()
    image[3, 4], image[27, 27] = 255, 51
    with torch.no_grad():
        model[1].weight[6, 3 * 28 + 4] = 2
        model[1].weight[6, 783] = -0.5
        model[1].weight[6, 0] = 9  # on paper it says nothing
        model[1].bias[6] = 0.25
    evidence = linear_evidence(model, image, 6)

    fifth = float(np.float32(0.2))
    expected = np.zeros((28, 28))
    expected[3, 4], expected[27, 27] = 2, -0.5 * fifth
    np.testing.assert_array_equal(evidence.map, expected)
    assert evidence.map.dtype == np.float64
    assert (evidence.total_for, evidence.total_against) == (2, -0.5 * fifth)
    assert evidence.bias == 0.25
    assert evidence.logit == pytest.approx(2.15, abs=1e-6)
    assert evidence.rounded() == (2, -0.1, 0.25, 0, 2.15)
    nothing = linear_evidence(model, image, 5)
    assert not nothing.map.any()
    assert nothing.rounded() == (0, 0, 0, 0, 0)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    label=st.integers(0, 9),
    ink=st.floats(0, 1),
    scale=st.floats(0, 1),
)
def test_the_evidence_adds_up_to_the_model_s_logit(seed, label, ink, scale):
    model = built("linear", seed)
    with torch.no_grad():
        model.l1.weight *= scale
    noise = random_images(1, seed)[0]
    image = np.where(random_images(1, seed + 1)[0] < 255 * ink, noise, 0).astype(np.uint8)
    evidence = linear_evidence(model, image, label)
    assert evidence.logit == logits(model, image)[label]
    assert evidence.map.sum() + evidence.bias == pytest.approx(evidence.logit, abs=1e-5)
    assert abs(evidence.remainder) < 1e-5


def test_the_evidence_of_the_bundled_model_adds_up_for_real_digits_and_every_class():
    model = bundled.load_pretrained("linear")
    for image in digits().test_images[:40]:
        for label, logit in enumerate(logits(model, image)):
            evidence = linear_evidence(model, image, label)
            assert evidence.map.sum() + evidence.bias == pytest.approx(logit, abs=1e-5)
            assert evidence.total_for >= 0 >= evidence.total_against


@given(
    seed=st.integers(0, 2**32 - 1),
    bias=st.floats(-5, 5),
    error=st.floats(-1e-5, 1e-5),
    decimals=st.integers(0, 6),
)
@settings(deadline=None)
def test_what_is_printed_adds_up_digit_by_digit(seed, bias, error, decimals):
    parts = np.random.default_rng(seed).normal(size=784)
    evidence = LinearEvidence(parts.reshape(28, 28), bias, float(parts.sum() + bias + error))
    unit = 10**decimals
    *terms, logit = (round(value * unit) for value in evidence.rounded(decimals))
    assert sum(terms) == logit
    exact = (evidence.total_for, evidence.total_against, bias)
    for shown, value in zip(evidence.rounded(decimals), exact, strict=False):
        assert shown == pytest.approx(value, abs=0.51 / unit)
    assert abs(evidence.rounded(decimals)[3]) <= 2.1 / unit + 1.1e-5


def test_a_linear_model_without_bias_has_bias_0():
    model = linear(bias=False)
    with torch.no_grad():
        model[1].weight[2] = 1
    evidence = linear_evidence(model, np.full((28, 28), 255, np.uint8), 2)
    assert (evidence.bias, evidence.logit, evidence.total_for) == (0, 784, 784)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_only_a_linear_model_can_be_taken_apart(name):
    assert is_linear(built("linear", 0))
    model = built(name, 0)
    assert not is_linear(model)
    with pytest.raises(ValueError, match=r"one linear layer on 784 pixels, got .*ReLU"):
        linear_evidence(model, blank(), 0)


def test_a_linear_layer_on_features_is_no_linear_model():
    assert not is_linear(nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(196, 10)))
    assert not is_linear(nn.Sequential(nn.Flatten(), nn.Linear(196, 10)))
    assert not is_linear(nn.Sequential(nn.Flatten()))


@pytest.mark.parametrize("seed", range(5))
def test_gradient_times_input_of_a_linear_model_is_its_evidence(seed):
    model, image = built("linear", seed), random_images(1, seed)[0]
    result = gradient_times_input(model, image, 4)
    assert (result.shape, result.dtype) == ((28, 28), np.float32)
    exact = linear_evidence(model, image, 4).map
    np.testing.assert_allclose(result, exact, rtol=1e-6, atol=0)  # one rounding to float32


@pytest.mark.parametrize("name", ["mlp", "cnn"])
@pytest.mark.parametrize("seed", range(3))
def test_without_biases_gradient_times_input_sums_to_the_logit(name, seed):
    model, image = without_biases(name, seed), random_images(1, seed)[0]
    for label, logit in enumerate(logits(model, image)):
        assert gradient_times_input(model, image, label).sum() == pytest.approx(logit, abs=1e-5)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_gradient_times_input_agrees_with_finite_differences(name):
    model = built(name, 1)
    image = digits().test_images[3]
    result = gradient_times_input(model, image, 7)
    model.double()
    x = to_input(image[None]).double().numpy()

    def logit(x):
        with torch.inference_mode():
            return float(model(torch.from_numpy(x))[0, 7])

    slopes = finite_differences(logit, x)
    np.testing.assert_allclose(result, (slopes * x)[0, 0], atol=1e-5)
    assert np.abs(result).max() > 1e-3
    assert not result[image == 0].any()


def test_occlusion_of_a_linear_model_is_the_evidence_under_the_patches():
    model, image = built("linear", 0), random_images(1)[0]
    exact = linear_evidence(model, image, 3).map
    np.testing.assert_allclose(occlusion(model, image, 3, size=1), exact, atol=1e-5)
    whole = occlusion(model, image, 3, size=28)
    np.testing.assert_allclose(whole, np.full((28, 28), exact.sum()), atol=1e-5)
    quarters = occlusion(model, image, 3, size=14, stride=14)
    expected = exact.reshape(2, 14, 2, 14).sum(axis=(1, 3)).repeat(14, 0).repeat(14, 1)
    np.testing.assert_allclose(quarters, expected, atol=1e-5)


@pytest.mark.parametrize(("size", "stride"), [(5, 1), (5, 2), (3, 3), (6, 5)])
def test_occlusion_is_the_mean_drop_over_the_patches_that_cover_a_pixel(size, stride):
    model, image = built("cnn", 2), digits().test_images[5]
    starts = [*range(0, 28 - size, stride), 28 - size]
    drops = {}
    for top in starts:
        for left in starts:
            covered = image.copy()
            covered[top : top + size, left : left + size] = 0
            drops[top, left] = logits(model, image)[5] - logits(model, covered)[5]
    expected = np.empty((28, 28))
    for y, x in np.ndindex(28, 28):
        over = [d for (t, le), d in drops.items() if 0 <= y - t < size and 0 <= x - le < size]
        expected[y, x] = np.mean(over)
    result = occlusion(model, image, 5, size, stride)
    assert (result.shape, result.dtype) == ((28, 28), np.float32)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert np.abs(result).max() > 1e-3


def test_where_there_is_no_ink_nothing_can_be_covered():
    image = blank()
    assert not occlusion(built("cnn", 0), image, 0).any()
    image[27, 27] = 255
    result = occlusion(built("cnn", 0), image, 0, size=5, stride=2)
    assert result[23:, 23:].all()
    assert not result[:22].any()


@pytest.mark.parametrize(("size", "stride"), [(0, 1), (29, 1), (5, 0), (5, 6), (-1, -1)])
def test_a_patch_that_cannot_be_is_refused(size, stride):
    with pytest.raises(ValueError, match=f"got size {size}, stride {stride}"):
        occlusion(built("linear", 0), blank(), 0, size, stride)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_activations_are_what_each_layer_gives(name):
    model, image = built(name, 0), random_images(1)[0]
    with global_generators_untouched():
        result = activations(model, image)
    shapes = architectures.layer_shapes(model)[1:]
    assert [(one.name, (1, *one.maps.shape)) for one in result] == shapes
    assert all(one.maps.dtype == np.float32 for one in result)
    np.testing.assert_allclose(result[-1].maps, logits(model, image), atol=1e-6)
    x = to_input(image[None])
    with torch.inference_mode():
        for one, layer in zip(result, model, strict=True):
            x = layer(x)
            np.testing.assert_array_equal(one.maps, x[0])


def test_a_convolution_comes_with_a_kernel_for_each_map():
    model = built("cnn", 0)
    for one, layer in zip(activations(model, random_images(1)[0]), model, strict=True):
        if isinstance(layer, nn.Conv2d):
            np.testing.assert_array_equal(one.kernels, layer.weight.detach())
            assert len(one.kernels) == len(one.maps)
        else:
            assert one.kernels is None


def test_layers_are_called_by_what_matters_of_them():
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
    result = activations(model, random_images(1)[0])
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
    assert result[1].maps.min() < 0  # the ReLU after it worked in place, on what is kept
    np.testing.assert_array_equal(result[2].maps, np.maximum(result[1].maps, 0))


@pytest.mark.parametrize("explain", LABELLED)
@pytest.mark.parametrize("label", [-1, 10])
def test_a_class_that_is_none_is_refused(explain, label):
    with pytest.raises(ValueError, match=f"a class from 0 to 9, got {label}"):
        explain(built("linear", 0), blank(), label)


@pytest.mark.parametrize("explain", [*LABELLED, lambda m, x, _: activations(m, x)])
@pytest.mark.parametrize(
    "image", [np.zeros((28, 28)), np.zeros((28, 27), np.uint8), np.zeros((1, 28, 28), np.uint8)]
)
def test_an_image_of_another_kind_is_refused(explain, image):
    with pytest.raises(ValueError, match="expected images of shape"):
        explain(built("linear", 0), image, 0)


@pytest.mark.parametrize("explain", [*LABELLED, lambda m, x, _: activations(m, x)])
def test_a_model_that_has_diverged_explains_nothing(explain):
    model = built("linear", 0)
    with torch.no_grad():
        model.l1.weight.fill_(float("nan"))
    with pytest.raises(ExplanationError, match="Choose another model"):
        explain(model, random_images(1)[0], 0)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
@pytest.mark.parametrize("frozen", [False, True])
def test_the_model_and_the_image_stay_as_they_are(name, frozen):
    model, image = built(name, 0), random_images(1)[0]
    model.requires_grad_(not frozen)
    weights, kept = [p.detach().clone() for p in model.parameters()], image.copy()
    with global_generators_untouched(), torch.no_grad():  # as whoever only predicts may call it
        gradient_times_input(model, image, 1)
        occlusion(model, image, 1)
        activations(model, image)
        if name == "linear":
            linear_evidence(model, image, 1)
    for parameter, weight in zip(model.parameters(), weights, strict=True):
        assert torch.equal(parameter, weight)
        assert parameter.grad is None
        assert parameter.requires_grad is not frozen
    assert not model.training
    np.testing.assert_array_equal(image, kept)
