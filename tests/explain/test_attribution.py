import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.explain.attribution import (
    gradient_times_input,
    is_linear,
    linear_attribution,
    occlusion,
)
from mnist_core.explain.layer_outputs import DivergedModelError, layer_outputs
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from tests.small_data import (
    digits,
    finite_differences,
    global_generators_untouched,
    random_images,
)

LABELLED = (linear_attribution, gradient_times_input, occlusion)


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


def test_the_attribution_of_two_pixels_is_exact():
    model, image = linear(), blank()
    image[3, 4], image[27, 27] = 255, 51
    with torch.no_grad():
        model[1].weight[6, 3 * 28 + 4] = 2
        model[1].weight[6, 783] = -0.5
        model[1].weight[6, 0] = 9  # the pixel is 0, so it adds nothing
        model[1].bias[6] = 0.25
    attribution = linear_attribution(model, image, 6)

    fifth = float(np.float32(0.2))
    expected = np.zeros((28, 28))
    expected[3, 4], expected[27, 27] = 2, -0.5 * fifth
    np.testing.assert_array_equal(attribution.map, expected)
    assert attribution.map.dtype == np.float64
    assert (attribution.total_for, attribution.total_against) == (2, -0.5 * fifth)
    assert attribution.bias == 0.25
    assert attribution.logit == pytest.approx(2.15, abs=1e-6)
    written = attribution.written()
    assert written.terms == (("pixels for", 2), ("pixels against", -0.1), ("bias", 0.25))
    assert written.total == 2.15
    nothing = linear_attribution(model, image, 5)
    assert not nothing.map.any()
    assert {value for _, value in nothing.written().terms} == {0}


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    label=st.integers(0, 9),
    ink=st.floats(0, 1),
    scale=st.floats(0, 1),
)
def test_the_attribution_adds_up_to_the_model_s_logit(seed, label, ink, scale):
    model = built("linear", seed)
    with torch.no_grad():
        model.l1.weight *= scale
    noise = random_images(1, seed)[0]
    image = np.where(random_images(1, seed + 1)[0] < 255 * ink, noise, 0).astype(np.uint8)
    attribution = linear_attribution(model, image, label)
    assert attribution.logit == logits(model, image)[label]
    assert attribution.map.sum() + attribution.bias == pytest.approx(attribution.logit, abs=1e-5)


def test_the_attribution_of_the_bundled_model_adds_up_for_real_digits_and_every_class():
    model = bundled.load_pretrained("linear")
    for image in digits().test_images[:40]:
        for label, logit in enumerate(logits(model, image)):
            attribution = linear_attribution(model, image, label)
            assert attribution.map.sum() + attribution.bias == pytest.approx(logit, abs=1e-5)
            assert attribution.total_for >= 0 >= attribution.total_against


def test_a_linear_model_without_bias_has_bias_0():
    model = linear(bias=False)
    with torch.no_grad():
        model[1].weight[2] = 1
    attribution = linear_attribution(model, np.full((28, 28), 255, np.uint8), 2)
    assert (attribution.bias, attribution.logit, attribution.total_for) == (0, 784, 784)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_only_a_linear_model_has_an_exact_attribution(name):
    assert is_linear(built("linear", 0))
    model = built(name, 0)
    assert not is_linear(model)
    with pytest.raises(ValueError, match=r"one linear layer on 784 pixels, got .*ReLU"):
        linear_attribution(model, blank(), 0)


def test_a_linear_layer_on_features_is_no_linear_model():
    assert not is_linear(nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(196, 10)))
    assert not is_linear(nn.Sequential(nn.Flatten(), nn.Linear(196, 10)))
    assert not is_linear(nn.Sequential(nn.Flatten()))


@pytest.mark.parametrize("seed", range(5))
def test_gradient_times_input_of_a_linear_model_is_weight_times_pixel(seed):
    model, image = built("linear", seed), random_images(1, seed)[0]
    result = gradient_times_input(model, image, 4)
    assert (result.shape, result.dtype) == ((28, 28), np.float32)
    exact = linear_attribution(model, image, 4).map
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


def test_occlusion_of_a_linear_model_is_the_sum_under_the_patches():
    model, image = built("linear", 0), random_images(1)[0]
    exact = linear_attribution(model, image, 3).map
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


def test_a_patch_without_ink_changes_nothing():
    image = blank()
    assert not occlusion(built("cnn", 0), image, 0).any()
    image[27, 27] = 255
    result = occlusion(built("cnn", 0), image, 0, size=5, stride=2)
    assert result[23:, 23:].all()
    assert not result[:22].any()


@pytest.mark.parametrize(("size", "stride"), [(0, 1), (29, 1), (5, 0), (5, 6), (-1, -1)])
def test_a_patch_size_or_stride_out_of_range_is_refused(size, stride):
    with pytest.raises(ValueError, match=f"got size {size}, stride {stride}"):
        occlusion(built("linear", 0), blank(), 0, size, stride)


@pytest.mark.parametrize("explain", LABELLED)
@pytest.mark.parametrize("label", [-1, 10])
def test_a_class_out_of_range_is_refused(explain, label):
    with pytest.raises(ValueError, match=f"a class from 0 to 9, got {label}"):
        explain(built("linear", 0), blank(), label)


@pytest.mark.parametrize("explain", [*LABELLED, lambda m, x, _: layer_outputs(m, x)])
@pytest.mark.parametrize(
    "image", [np.zeros((28, 28)), np.zeros((28, 27), np.uint8), np.zeros((1, 28, 28), np.uint8)]
)
def test_an_image_of_another_shape_or_type_is_refused(explain, image):
    with pytest.raises(ValueError, match="expected images of shape"):
        explain(built("linear", 0), image, 0)


@pytest.mark.parametrize("explain", [*LABELLED, lambda m, x, _: layer_outputs(m, x)])
def test_a_diverged_model_is_refused(explain):
    model = built("linear", 0)
    with torch.no_grad():
        model.l1.weight.fill_(float("nan"))
    with pytest.raises(DivergedModelError, match="Choose another model"):
        explain(model, random_images(1)[0], 0)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
@pytest.mark.parametrize("frozen", [False, True])
def test_the_model_and_the_image_are_not_changed(name, frozen):
    model, image = built(name, 0), random_images(1)[0]
    model.requires_grad_(not frozen)
    weights, same = [p.detach().clone() for p in model.parameters()], image.copy()
    with global_generators_untouched(), torch.no_grad():  # callers that only predict use no_grad
        gradient_times_input(model, image, 1)
        occlusion(model, image, 1)
        layer_outputs(model, image)
        if name == "linear":
            linear_attribution(model, image, 1)
    for parameter, weight in zip(model.parameters(), weights, strict=True):
        assert torch.equal(parameter, weight)
        assert parameter.grad is None
        assert parameter.requires_grad is not frozen
    assert not model.training
    np.testing.assert_array_equal(image, same)
