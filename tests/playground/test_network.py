"""The playground's network by hand, and its gradients against finite differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.playground import network
from mnist_core.playground.points import make_points
from mnist_core.playground.setups import ACTIVATIONS, FEATURES, LOSSES, Setup
from tests.small_data import finite_differences, global_generators_untouched

ALL = tuple(FEATURES)


def built(setup, seed=0):
    return network.build(setup, torch.Generator().manual_seed(seed))


def maps_of(model, setup, resolution):
    features = network.features_of(network.grid(resolution), setup.features)
    return network.neuron_maps(model, setup, features)


def weights_of(model):
    return [p.detach().clone() for p in model.parameters()]


def test_features_by_hand():
    x = torch.tensor([[2.0, -3.0]])
    expected = [2, -3, 4, 9, -6, np.sin(2), np.sin(-3)]
    assert network.features_of(x, ALL)[0].tolist() == pytest.approx(expected)
    assert network.features_of(x, ("x2", "x1x2")).tolist() == [[-3, -6]]


def test_every_name_has_its_function():
    assert list(network.FEATURE_FUNCTIONS) == list(FEATURES)
    assert list(network.ACTIVATION_LAYERS) == list(ACTIVATIONS)


def test_layers_of_a_setup():
    model = built(Setup(features=("x1", "x2", "x1x2"), layers=(4, 2), activation="relu"))
    kinds = [type(layer) for layer in model]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    shapes = [tuple(layer.weight.shape) for layer in network.linear_layers(model)]
    assert shapes == [(4, 3), (2, 4), (1, 2)]
    assert [type(layer) for layer in built(Setup(layers=()))] == [nn.Linear]


@pytest.mark.parametrize(
    ("setup", "last", "outputs"),
    [
        (Setup(), nn.Linear, 1),
        (Setup(loss="squared"), nn.Tanh, 1),
        (Setup(data="plane"), nn.Linear, 1),
        (Setup(data="plane", loss="squared"), nn.Linear, 1),
        (Setup(data="three"), nn.Linear, 3),
        (Setup(data="four", loss="squared"), nn.Softmax, 4),
    ],
)
def test_the_last_layer_fits_the_loss(setup, last, outputs):
    model = built(setup)
    assert type(model[-1]) is last
    assert model(torch.zeros(5, 2)).shape == (5, outputs)


def test_initial_weights_are_those_of_torch_without_its_global_generator():
    setup = Setup(layers=(8, 8))
    with global_generators_untouched():
        ours = built(setup, seed=3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        theirs = nn.Sequential(
            nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)
        )
    for a, b in zip(weights_of(ours), weights_of(theirs), strict=True):
        assert torch.equal(a, b)


def in_float64(setup, n=12):
    """A network in float64, its flat weights, and its loss with regularisation as a function."""
    model = built(setup).double()
    points = make_points(setup)
    x = network.features_of(torch.tensor(points.train_x[:n]).double(), setup.features)
    y = network.target(torch.tensor(points.train_y[:n]), setup)
    y = y.double() if y.is_floating_point() else y
    loss_of = network.loss_function(setup)

    def loss():
        return loss_of(model(x), y) + network.penalty(model, setup)

    def at(flat):
        with torch.no_grad():
            nn.utils.vector_to_parameters(torch.tensor(flat), model.parameters())
            return loss().item()

    return model, loss, at


def check_gradients(setup):
    model, loss, at = in_float64(setup)
    gradients = torch.autograd.grad(loss(), list(model.parameters()))
    by_autograd = torch.cat([g.flatten() for g in gradients]).numpy()
    start = nn.utils.parameters_to_vector(model.parameters()).detach().numpy().copy()
    assert np.abs(by_autograd).max() > 1e-3
    assert np.abs(by_autograd - finite_differences(at, start)).max() < 1e-7


@pytest.mark.parametrize(
    ("activation", "loss", "data"),
    [
        *itertools.product(ACTIVATIONS, LOSSES, ["circle"]),
        *itertools.product(["tanh", "relu"], LOSSES, ["three", "four", "plane"]),
    ],
)
@pytest.mark.parametrize("regularisation", ["none", "L1", "L2"])
def test_gradients_match_finite_differences(activation, loss, data, regularisation):
    check_gradients(
        Setup(
            data=data,
            features=("x1", "x2", "sinx1"),
            layers=(3, 2),
            activation=activation,
            loss=loss,
            regularisation=regularisation,
            regularisation_rate=0.3,
        )
    )


def test_penalty_by_hand():
    model = built(Setup(layers=()))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, -4.0]]))
        model[0].bias.fill_(100.0)  # not penalised

    def of(kind):
        setup = Setup(layers=(), regularisation=kind, regularisation_rate=0.5)
        return network.penalty(model, setup).item()

    assert (of("none"), of("L1"), of("L2")) == (0.0, 3.5, 6.25)


@pytest.mark.parametrize(
    ("setup", "out", "y", "expected"),
    [
        (Setup(), [[0.0], [2.0]], [1, 0], (np.log(2) + np.log1p(np.exp(2))) / 2),
        (Setup(loss="squared"), [[0.5], [-1.0]], [1, 0], 0.125),
        (Setup(data="plane"), [[0.5], [-1.0]], [0.25, -0.5], (0.0625 + 0.25) / 2),
        (Setup(data="three"), [[0.0, 0.0, np.log(2)]], [2], np.log(2)),
        (Setup(data="three", loss="squared"), [[0.2, 0.3, 0.5]], [2], (0.04 + 0.09 + 0.25) / 3),
    ],
)
def test_losses_by_hand(setup, out, y, expected):
    target = network.target(torch.tensor(y), setup)
    loss = network.loss_function(setup)(torch.tensor(out, dtype=torch.float32), target)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_misclassified_points():
    two = torch.tensor([[0.3], [-0.3], [0.0]])
    assert network.misclassified(two, torch.tensor([1, 1, 0])).tolist() == [False, True, False]
    three = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.1, 0.4]])
    assert network.misclassified(three, torch.tensor([1, 2])).tolist() == [False, True]


def test_grid_by_hand():
    assert network.grid(2).tolist() == [[-3, 3], [3, 3], [-3, -3], [3, -3]]
    assert network.grid(1).tolist() == [[0, 0]]


@pytest.mark.parametrize("activation", ["tanh", "linear"])
def test_maps_are_the_outputs_of_each_neuron(activation):
    setup = Setup(features=("x1", "x1x2"), layers=(3, 2), activation=activation)
    model = built(setup)
    maps = maps_of(model, setup, 4)
    assert [m.shape for m in maps] == [(2, 4, 4), (3, 4, 4), (2, 4, 4), (1, 4, 4)]
    x1, x2 = 4.5, 1.5  # row 1, column 3: centres are at -4.5, -1.5, 1.5, 4.5
    column = torch.tensor([[x1, x1 * x2]])
    assert maps[0][:, 1, 3].tolist() == [x1, x1 * x2]
    for i, layer in enumerate(range(0, 4, 2)):
        column = model[layer + 1](model[layer](column))
        assert torch.allclose(maps[i + 1][:, 1, 3], column[0], atol=1e-6)
    assert maps[-1][0, 1, 3].item() == pytest.approx(2 * model[4](column).sigmoid().item() - 1)


@pytest.mark.parametrize(
    "setup", [Setup(data="four"), Setup(data="four", loss="squared"), Setup(loss="squared")]
)
def test_output_maps_are_probabilities(setup):
    output = maps_of(built(setup), setup, 3)[-1]
    if setup.n_outputs == 1:
        assert output.abs().max() < 1
    else:
        assert torch.allclose(output.sum(dim=0), torch.ones(3, 3))
        assert output.min() > 0


def test_one_weight_is_found_and_set():
    model = built(Setup())
    tensor, place = network.parameter_at(model, 1, 0, 3)
    tensor[place] = 9.0
    assert model[2].weight[0, 3].item() == 9
    tensor, place = network.parameter_at(model, 2, 0, "bias")
    tensor[place] = -9.0
    assert model[4].bias.tolist() == [-9]


@pytest.mark.parametrize(
    "place", [(3, 0, 0), (-1, 0, 0), (0, 4, 0), (0, 0, 2), (0, 0, -1), (0, 0, "b"), (True, 0, 0)]
)
def test_an_unknown_weight_is_refused(place):
    with pytest.raises(ValueError, match="There is no weight"):
        network.parameter_at(built(Setup()), *place)
