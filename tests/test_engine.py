import copy
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core import engine, models
from mnist_core.engine import OPTIMISERS, batches, epoch_order, training_step, training_steps
from mnist_core.evaluation import accuracy
from mnist_core.pixels import to_input
from tests.small_data import (
    cycling_labels,
    digits,
    global_generators_untouched,
    random_images,
)


def a_batch(n=6, seed=0):
    return to_input(random_images(n, seed)), torch.from_numpy(cycling_labels(n))


def autograd_of(model, x, labels):
    """The loss and its gradients, computed without the engine."""
    log_p = torch.log_softmax(model(x), dim=1)
    loss = -log_p[torch.arange(len(labels)), labels].mean()
    return loss, torch.autograd.grad(loss, list(model.parameters()))


def weights_of(model):
    return [p.detach().clone() for p in model.parameters()]


def test_a_step_is_w_minus_lr_times_the_gradient_worked_out_by_hand():
    model = models.build("linear", 0)
    x, labels = a_batch()
    X, (W, b) = (
        x.flatten(1).numpy().astype(np.float64),
        [w.double().numpy() for w in weights_of(model)],
    )
    z = X @ W.T + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(6), labels]).mean()
    dz = (p - np.eye(10)[labels]) / 6

    returned = training_step(model, OPTIMISERS["SGD"](list(model.parameters()), 0.5), x, labels)

    assert returned.item() == pytest.approx(loss, abs=1e-6)
    np.testing.assert_allclose(model.l1.weight.detach(), W - 0.5 * dz.T @ X, atol=1e-6)
    np.testing.assert_allclose(model.l1.bias.detach(), b - 0.5 * dz.sum(axis=0), atol=1e-6)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_a_step_of_sgd_follows_autograd_in_every_architecture(name):
    model = models.build(name, 1)
    x, labels = a_batch()
    before = weights_of(model)
    loss, gradients = autograd_of(model, x, labels)

    returned = training_step(model, OPTIMISERS["SGD"](list(model.parameters()), 0.1), x, labels)

    assert returned.shape == ()
    assert not returned.requires_grad
    assert returned.item() == pytest.approx(loss.item(), abs=1e-6)
    for new, old, gradient in zip(weights_of(model), before, gradients, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient, rtol=0, atol=1e-7)


def test_the_second_step_has_forgotten_the_first_one_s_gradients():
    model = models.build("linear", 0)
    optimiser = OPTIMISERS["SGD"](list(model.parameters()), 0.1)
    training_step(model, optimiser, *a_batch(seed=0))
    x, labels = a_batch(seed=1)
    before = weights_of(model)
    _, gradients = autograd_of(model, x, labels)

    training_step(model, optimiser, x, labels)

    for new, old, gradient in zip(weights_of(model), before, gradients, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient, rtol=0, atol=1e-7)


def test_momentum_keeps_nine_tenths_of_the_last_velocity():
    model = models.build("linear", 0)
    optimiser = OPTIMISERS["SGD with momentum"](list(model.parameters()), 0.1)
    x, labels = a_batch()
    velocity = [torch.zeros_like(w) for w in weights_of(model)]
    for _ in range(3):
        before = weights_of(model)
        _, gradients = autograd_of(model, x, labels)
        velocity = [0.9 * v + g for v, g in zip(velocity, gradients, strict=True)]
        training_step(model, optimiser, x, labels)
        for new, old, v in zip(weights_of(model), before, velocity, strict=True):
            torch.testing.assert_close(new, old - 0.1 * v, rtol=0, atol=1e-6)


def test_adam_s_first_step_is_the_learning_rate_in_the_gradient_s_direction():
    model = models.build("linear", 0)
    x, labels = a_batch()
    before = weights_of(model)
    _, gradients = autograd_of(model, x, labels)

    training_step(model, OPTIMISERS["Adam"](list(model.parameters()), 0.01), x, labels)

    for new, old, g in zip(weights_of(model), before, gradients, strict=True):
        torch.testing.assert_close(new, old - 0.01 * g / (g.abs() + 1e-8), rtol=0, atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 100])
def test_an_epoch_s_order_is_a_permutation(n):
    order = epoch_order(n, seed=4, epoch=2)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(n))


def test_an_epoch_s_order_depends_on_seed_and_epoch_alone():
    orders = {
        (seed, epoch): tuple(epoch_order(100, seed, epoch))
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(set(orders.values())) == 16
    torch.manual_seed(0)
    with global_generators_untouched():
        assert tuple(epoch_order(100, 3, 2)) == orders[3, 2]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 23])
def test_the_batches_of_an_epoch_hold_each_image_once_and_its_label(n):
    images, labels = random_images(n), np.random.default_rng(1).integers(0, 10, n)
    order = epoch_order(n, 0, 0)

    parts = list(batches(images, labels, order, 8))

    sizes = [len(x) for x, _ in parts]
    assert sizes == [8] * (n // 8) + ([n % 8] if n % 8 else [])
    assert torch.equal(torch.cat([x for x, _ in parts]), to_input(images[order]))
    assert torch.equal(torch.cat([y for _, y in parts]), torch.from_numpy(labels[order]))


@pytest.mark.parametrize("block", [1, 5, 8, 20, 1_000])
@pytest.mark.parametrize("first", [0, 1, 3, 5, 6])
def test_starting_at_a_batch_is_skipping_those_before_however_many_are_gathered(
    block, first, monkeypatch
):
    images, labels, order = random_images(23), cycling_labels(23), epoch_order(23, 0, 0)
    whole = list(batches(images, labels, order, 4))
    assert len(whole) == 6

    monkeypatch.setattr(engine, "_BLOCK", block)
    rest = list(batches(images, labels, order, 4, first))

    assert len(rest) == 6 - first
    for (x, y), (expected_x, expected_y) in zip(rest, whole[first:], strict=True):
        assert torch.equal(x, expected_x)
        assert torch.equal(y, expected_y)


def recorded_batches(monkeypatch, n_steps, first_step):
    """The batches that the loop hands to `training_step`, which here trains nothing."""
    seen = []

    def record(model, optimiser, x, labels):
        seen.append((x.clone(), labels.clone()))
        return torch.zeros(())

    monkeypatch.setattr(engine, "training_step", record)
    model = models.build("linear", 0)
    steps = training_steps(
        model,
        OPTIMISERS["SGD"](list(model.parameters()), 0.1),
        random_images(23),
        cycling_labels(23),
        batch_size=4,
        seed=9,
        first_step=first_step,
    )
    assert len(list(islice(steps, n_steps))) == n_steps
    return seen


@pytest.mark.parametrize("first_step", [1, 5, 6, 7, 14])
def test_training_from_a_later_step_sees_the_same_batches(first_step, monkeypatch):
    whole = recorded_batches(monkeypatch, 20, 0)
    rest = recorded_batches(monkeypatch, 20 - first_step, first_step)
    for (x, y), (expected_x, expected_y) in zip(rest, whole[first_step:], strict=True):
        assert torch.equal(x, expected_x)
        assert torch.equal(y, expected_y)


def test_each_epoch_visits_the_images_in_an_order_of_its_own(monkeypatch):
    seen = recorded_batches(monkeypatch, 12, 0)
    for epoch in (0, 1):
        images = torch.cat([x for x, _ in seen[6 * epoch : 6 * epoch + 6]])
        assert torch.equal(images, to_input(random_images(23)[epoch_order(23, 9, epoch)]))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_loop_is_the_plain_loop_over_batches(optimiser):
    images, labels = random_images(23), cycling_labels(23)
    model = models.build("mlp", 0)
    plain = copy.deepcopy(model)
    plain_optimiser = OPTIMISERS[optimiser](list(plain.parameters()), 0.01)
    expected = []
    for epoch in range(2):
        for chosen in np.split(epoch_order(23, 7, epoch), range(4, 23, 4)):
            loss = nn.functional.cross_entropy(
                plain(to_input(images[chosen])), torch.from_numpy(labels[chosen])
            )
            plain_optimiser.zero_grad()
            loss.backward()
            plain_optimiser.step()
            expected.append(loss.item())

    loop = training_steps(
        model,
        OPTIMISERS[optimiser](list(model.parameters()), 0.01),
        images,
        labels,
        batch_size=4,
        seed=7,
    )

    assert [loss.item() for loss in islice(loop, 12)] == pytest.approx(expected, abs=1e-6)
    for a, b in zip(weights_of(model), weights_of(plain), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_64_images_are_overfitted(name):
    images, labels = digits().train_images[:64], digits().train_labels[:64]
    model = models.build(name, 0)
    optimiser = OPTIMISERS["Adam"](list(model.parameters()), 0.005)
    assert accuracy(model, images, labels) < 0.5

    steps = training_steps(model, optimiser, images, labels, batch_size=16, seed=0)
    losses = torch.stack(list(islice(steps, 100)))

    assert accuracy(model, images, labels) == 1
    assert losses[-4:].mean() < 0.1


def test_training_leaves_the_global_generators_and_the_images_alone():
    images, labels = random_images(10), cycling_labels(10)
    kept = images.copy(), labels.copy()
    model = models.build("cnn", 0)
    optimiser = OPTIMISERS["Adam"](list(model.parameters()), 0.01)
    with global_generators_untouched():
        list(islice(training_steps(model, optimiser, images, labels, batch_size=4, seed=0), 5))
    np.testing.assert_array_equal(images, kept[0])
    np.testing.assert_array_equal(labels, kept[1])
