import pytest
import torch
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.nn import architectures
from mnist_core.nn.architectures import ARCHITECTURES, build, with_weights
from tests.small_data import global_generators_untouched, layer_shapes, random_images

COUNTS = {"linear": 7_850, "mlp": 101_770, "cnn": 110_410, "deep": 224_970}


def constructed_plainly(name, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ARCHITECTURES[name].layers()


@pytest.mark.parametrize("seed", [0, 1, 42, 2**31 - 1])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_build_equals_the_plain_constructors_bit_for_bit(name, seed):
    expected = constructed_plainly(name, seed).state_dict()
    weights = build(name, seed).state_dict()
    assert list(weights) == list(expected)
    for key, tensor in weights.items():
        assert torch.equal(tensor, expected[key]), key


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_another_seed_gives_other_weights(name):
    a, b = build(name, 0).state_dict(), build(name, 1).state_dict()
    assert not any(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_build_does_not_touch_the_global_generators(name):
    with global_generators_untouched():
        build(name, 3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_built_model_can_be_trained(name):
    model = build(name, 0)
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())
    assert all(p.device.type == "cpu" for p in model.parameters())
    assert model(to_input(random_images(3))).shape == (3, 10)


def test_the_table_names_its_rows():
    assert {name: row.name for name, row in ARCHITECTURES.items()} == {n: n for n in COUNTS}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_parameter_counts(name, count):
    model = build(name, 0)
    assert architectures.count_parameters(model) == count
    assert sum(p.count for p in architectures.parameters_of(model)) == count


def test_the_parameters_of_the_mlp():
    assert architectures.parameters_of(build("mlp", 0)) == [
        architectures.Parameter("l1.weight", (128, 784), 100_352),
        architectures.Parameter("l1.bias", (128,), 128),
        architectures.Parameter("l2.weight", (10, 128), 1_280),
        architectures.Parameter("l2.bias", (10,), 10),
    ]


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("linear", [("flatten", (1, 784)), ("l1", (1, 10))]),
        ("mlp", [("flatten", (1, 784)), ("l1", (1, 128)), ("relu", (1, 128)), ("l2", (1, 10))]),
        (
            "cnn",
            [
                ("conv1", (1, 16, 14, 14)),
                ("relu1", (1, 16, 14, 14)),
                ("pool", (1, 16, 7, 7)),
                ("conv2", (1, 64, 7, 7)),
                ("relu2", (1, 64, 7, 7)),
                ("flatten", (1, 3136)),
                ("l1", (1, 32)),
                ("relu3", (1, 32)),
                ("l2", (1, 10)),
            ],
        ),
    ],
)
def test_layer_shapes(name, shapes):
    assert layer_shapes(build(name, 0)) == [("input", (1, 1, 28, 28)), *shapes]


def test_the_linear_model_prints_as_in_the_lesson():
    assert "(l1): Linear(in_features=784, out_features=10, bias=True)" in str(build("linear", 0))


@pytest.mark.parametrize("bias", [True, False])
def test_initialise_uses_the_layer_s_bound(bias):
    layer = nn.Linear(25, 400, bias=bias)
    architectures.initialise(layer, torch.Generator().manual_seed(0))
    assert 0.19 < layer.weight.abs().max() <= 0.2  # 1 / sqrt(25)


@pytest.mark.parametrize("call", [lambda n: build(n, 0), lambda n: with_weights(n, {})])
def test_an_unknown_architecture_is_refused(call):
    with pytest.raises(ValueError, match="resnet"):
        call("resnet")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_with_weights_predicts_as_the_model_they_come_from(name):
    model, x = build(name, 5), to_input(random_images(4))
    copy = with_weights(name, model.state_dict())
    assert torch.equal(copy(x), model(x))
    assert not copy(x).requires_grad
    assert not copy.training


def without_bias(weights):
    del weights["l1.bias"]


def with_one_more(weights):
    weights["l9.weight"] = torch.zeros(2, 2)


def with_another_shape(weights):
    weights["l1.weight"] = torch.zeros(10, 783)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [(without_bias, "l1.bias"), (with_one_more, "l9.weight"), (with_another_shape, "783")],
)
def test_with_weights_refuses_what_does_not_fit(spoil, named):
    weights = build("linear", 0).state_dict()
    spoil(weights)
    with pytest.raises(ValueError, match="do not fit the 'linear' architecture") as caught:
        with_weights("linear", weights)
    assert named in str(caught.value)


def test_with_weights_refuses_another_architecture():
    with pytest.raises(ValueError, match="do not fit"):
        with_weights("mlp", build("linear", 0).state_dict())
