import copy

import pytest
import torch
from torch import nn, optim

from mnist_core.data.inputs import to_input
from mnist_core.nn import architectures
from mnist_core.nn.optimisers import OPTIMISERS, SGD, Adam, AdamW, Momentum
from mnist_core.nn.schedules import one_cycle
from mnist_core.training.engine import training_step
from tests.small_data import cycling_labels, digits, global_generators_untouched, random_images

IN_TORCH = {
    "SGD": lambda parameters, rate: optim.SGD(parameters, rate),
    "SGD with momentum": lambda parameters, rate: optim.SGD(parameters, rate, momentum=0.9),
    "Adam": lambda parameters, rate: optim.Adam(parameters, rate),
    "AdamW": lambda parameters, rate: optim.AdamW(parameters, rate),
}
STEPS = 50


def rates_by_step(kind):
    if kind == "constant":
        return [0.01] * STEPS
    return [0.02 * one_cycle(step, STEPS) for step in range(STEPS)]


def a_batch(seed=0):
    return to_input(random_images(6, seed)), torch.from_numpy(cycling_labels(6))


def weights_of(model):
    return [p.detach().clone() for p in model.parameters()]


def gradients_of(model, x, labels):
    loss = nn.functional.cross_entropy(model(x), labels)
    return torch.autograd.grad(loss, list(model.parameters()))


def a_weight(*values, gradient):
    parameter = nn.Parameter(torch.tensor(values))
    parameter.grad = torch.tensor(gradient)
    return parameter


def test_every_rule_has_its_counterpart_in_torch():
    assert list(OPTIMISERS) == list(IN_TORCH)


@pytest.mark.parametrize("rates", ["constant", "changing"])
@pytest.mark.parametrize("architecture", architectures.ARCHITECTURES)
@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_step_is_torch_s_bit_for_bit(name, architecture, rates):
    x, labels = to_input(digits().train_images), torch.tensor(digits().train_labels)
    ours = architectures.build(architecture, 0).to(memory_format=torch.channels_last)
    theirs = copy.deepcopy(ours)
    start = weights_of(ours)
    optimiser = OPTIMISERS[name](ours.parameters(), 0.01)
    in_torch = IN_TORCH[name](theirs.parameters(), 0.01)
    for step, rate in enumerate(rates_by_step(rates)):
        chosen = slice(8 * step, 8 * step + 8)
        optimiser.learning_rate = in_torch.param_groups[0]["lr"] = rate
        loss = training_step(ours, optimiser, x[chosen], labels[chosen])
        expected = nn.functional.cross_entropy(theirs(x[chosen]), labels[chosen])
        in_torch.zero_grad()
        expected.backward()
        in_torch.step()
        assert torch.equal(loss, expected.detach()), step
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(a, b), step
    assert optimiser.steps == STEPS
    for a, b in zip(start, weights_of(ours), strict=True):
        assert (a - b).abs().max() > 1e-4  # every tensor has moved


def test_sgd_by_hand():
    weight = a_weight(1.0, -2.0, gradient=[0.5, 4.0])
    optimiser = SGD([weight], 0.25)
    optimiser.step()
    assert weight.tolist() == [0.875, -3.0]
    optimiser.learning_rate = 0.5
    optimiser.step()
    assert weight.tolist() == [0.625, -5.0]
    assert optimiser.state == {}


def test_momentum_by_hand():
    weight = a_weight(1.0, gradient=[10.0])
    optimiser = Momentum([weight], 0.5)
    optimiser.step()  # v = 10
    assert weight.item() == -4
    weight.grad = torch.tensor([-8.0])
    optimiser.step()  # v = 9 - 8
    assert optimiser.state["velocity"][0].item() == 1
    assert weight.item() == -4.5


def test_adam_by_hand():
    weight = a_weight(1.0, 1.0, 1.0, gradient=[2.0, -100.0, 0.0])
    optimiser = Adam([weight], 0.01)
    optimiser.step()
    torch.testing.assert_close(optimiser.state["mean"][0], torch.tensor([0.2, -10.0, 0.0]))
    torch.testing.assert_close(optimiser.state["square"][0], torch.tensor([0.004, 10.0, 0.0]))
    torch.testing.assert_close(weight.detach(), torch.tensor([0.99, 1.01, 1.0]))
    weight.grad = torch.zeros(3)
    optimiser.step()  # m / (1 - 0.9^2) = 0.18 / 0.19, v / (1 - 0.999^2) = 0.003996 / 0.001999
    moved = 0.01 * (0.18 / 0.19) / (0.003996 / 0.001999) ** 0.5
    torch.testing.assert_close(weight.detach(), torch.tensor([0.99 - moved, 1.01 + moved, 1.0]))


def test_adamw_shrinks_what_has_no_gradient_and_adam_does_not():
    for rule, expected in ((Adam, 2.0), (AdamW, 2.0 * (1 - 0.5 * 0.01))):
        weight = a_weight(2.0, gradient=[0.0])
        rule([weight], 0.5).step()
        assert weight.item() == torch.tensor(expected).item()


def test_momentum_adds_nine_tenths_of_the_last_velocity():
    model = architectures.build("linear", 0)
    optimiser = Momentum(model.parameters(), 0.1)
    x, labels = a_batch()
    velocity = [torch.zeros_like(w) for w in weights_of(model)]
    for _ in range(3):
        before = weights_of(model)
        gradients = gradients_of(model, x, labels)
        velocity = [0.9 * v + g for v, g in zip(velocity, gradients, strict=True)]
        training_step(model, optimiser, x, labels)
        for new, old, v in zip(weights_of(model), before, velocity, strict=True):
            torch.testing.assert_close(new, old - 0.1 * v, rtol=0, atol=1e-6)


def test_adam_s_first_step_is_the_learning_rate_in_the_gradient_s_direction():
    model = architectures.build("linear", 0)
    x, labels = a_batch()
    before = weights_of(model)
    gradients = gradients_of(model, x, labels)

    training_step(model, Adam(model.parameters(), 0.01), x, labels)

    for new, old, g in zip(weights_of(model), before, gradients, strict=True):
        torch.testing.assert_close(new, old - 0.01 * g / (g.abs() + 1e-8), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "state_names"),
    [
        ("SGD", []),
        ("SGD with momentum", ["velocity"]),
        ("Adam", ["mean", "square"]),
        ("AdamW", ["mean", "square"]),
    ],
)
def test_a_rule_s_state_starts_with_zeros_for_each_weight(name, state_names):
    model = architectures.build("cnn", 0).to(memory_format=torch.channels_last)
    optimiser = OPTIMISERS[name](model.parameters(), 0.01)
    assert optimiser.steps == 0
    assert list(optimiser.state) == state_names
    for tensors in optimiser.state.values():
        for tensor, weight in zip(tensors, model.parameters(), strict=True):
            assert tensor.shape == weight.shape
            assert tensor.stride() == weight.stride()
            assert not tensor.any()
            assert not tensor.requires_grad


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_weight_without_a_gradient_does_not_change_and_nor_does_its_state(name):
    moving, resting = a_weight(1.0, gradient=[1.0]), nn.Parameter(torch.tensor([3.0]))
    optimiser = OPTIMISERS[name]([moving, resting], 0.1)
    optimiser.step()
    assert moving.item() < 1
    assert resting.item() == 3
    assert all(slot[0].any() and not slot[1].any() for slot in optimiser.state.values())


@pytest.mark.parametrize("name", OPTIMISERS)
def test_zero_grad_removes_the_gradients_and_moves_nothing(name):
    weight = a_weight(1.0, gradient=[1.0])
    optimiser = OPTIMISERS[name]([weight], 0.1)
    optimiser.zero_grad()
    assert weight.grad is None
    optimiser.step()
    assert weight.item() == 1
    assert optimiser.steps == 1


@pytest.mark.parametrize("name", OPTIMISERS)
def test_autograd_does_not_record_a_step_and_a_step_draws_nothing(name):
    model = architectures.build("linear", 0)
    with global_generators_untouched():
        training_step(model, OPTIMISERS[name](model.parameters(), 0.1), *a_batch())
    for parameter in model.parameters():
        assert parameter.is_leaf
        assert parameter.requires_grad
