"""The engine and the training loop, compared with steps by hand and with plain PyTorch."""

import copy
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.augmentation import augmented, generator_for
from mnist_core.data.inputs import to_input
from mnist_core.evaluation.metrics import accuracy
from mnist_core.nn import architectures
from mnist_core.nn.optimisers import OPTIMISERS, SGD, Adam
from mnist_core.nn.schedules import one_cycle
from mnist_core.training import engine
from mnist_core.training.engine import (
    AutogradEngine,
    batches,
    epoch_order,
    training_step,
    training_steps,
)
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


def fixed(rate):
    return lambda _: rate


def weights_of(model):
    return [p.detach().clone() for p in model.parameters()]


def test_a_step_equals_w_minus_lr_times_the_gradient_by_hand():
    model = architectures.build("linear", 0)
    x, labels = a_batch()
    X, (W, b) = (
        x.flatten(1).numpy().astype(np.float64),
        [w.double().numpy() for w in weights_of(model)],
    )
    z = X @ W.T + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(6), labels]).mean()
    dz = (p - np.eye(10)[labels]) / 6

    returned = training_step(model, SGD(model.parameters(), 0.5), x, labels)

    assert returned.item() == pytest.approx(loss, abs=1e-6)
    np.testing.assert_allclose(model.l1.weight.detach(), W - 0.5 * dz.T @ X, atol=1e-6)
    np.testing.assert_allclose(model.l1.bias.detach(), b - 0.5 * dz.sum(axis=0), atol=1e-6)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_a_step_of_sgd_follows_autograd_in_every_architecture(name):
    model = architectures.build(name, 1)
    x, labels = a_batch()
    before = weights_of(model)
    loss, gradients = autograd_of(model, x, labels)

    returned = training_step(model, SGD(model.parameters(), 0.1), x, labels)

    assert returned.shape == ()
    assert not returned.requires_grad
    assert returned.item() == pytest.approx(loss.item(), abs=1e-6)
    for new, old, gradient in zip(weights_of(model), before, gradients, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient, rtol=0, atol=1e-7)


def test_the_second_step_does_not_use_the_first_gradients():
    model = architectures.build("linear", 0)
    optimiser = SGD(model.parameters(), 0.1)
    training_step(model, optimiser, *a_batch(seed=0))
    x, labels = a_batch(seed=1)
    before = weights_of(model)
    _, gradients = autograd_of(model, x, labels)

    training_step(model, optimiser, x, labels)

    for new, old, gradient in zip(weights_of(model), before, gradients, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient, rtol=0, atol=1e-7)


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
def test_starting_at_a_batch_skips_those_before_it(block, first, monkeypatch):
    images, labels, order = random_images(23), cycling_labels(23), epoch_order(23, 0, 0)
    whole = list(batches(images, labels, order, 4))
    assert len(whole) == 6

    monkeypatch.setattr(engine, "_BLOCK", block)
    rest = list(batches(images, labels, order, 4, first))

    assert len(rest) == 6 - first
    for (x, y), (expected_x, expected_y) in zip(rest, whole[first:], strict=True):
        assert torch.equal(x, expected_x)
        assert torch.equal(y, expected_y)


def falling(step):
    return 0.5 * one_cycle(step, 20)


class Recorder:
    """An engine that only records its arguments."""

    def __init__(self):
        self.seen = []

    def train(self, x, labels, learning_rate):
        self.seen.append((x.clone(), labels.clone(), learning_rate))
        return len(self.seen)


def recorded(n_steps, first_step=0, augment=False, learning_rate=falling):
    """Return (x, labels, learning rate) of each step of the loop."""
    recorder = Recorder()
    steps = training_steps(
        recorder,
        random_images(23),
        cycling_labels(23),
        batch_size=4,
        seed=9,
        learning_rate=learning_rate,
        augment=augment,
        first_step=first_step,
    )
    assert list(islice(steps, n_steps)) == list(range(1, n_steps + 1))
    return recorder.seen


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("first_step", [1, 5, 6, 7, 14])
def test_training_from_a_later_step_sees_the_same_batches_and_rates(first_step, augment):
    whole = recorded(20, 0, augment)
    rest = recorded(20 - first_step, first_step, augment)
    for (x, y, rate), (expected_x, expected_y, expected_rate) in zip(
        rest, whole[first_step:], strict=True
    ):
        assert torch.equal(x, expected_x)
        assert torch.equal(y, expected_y)
        assert rate == expected_rate


def test_each_step_is_taken_with_the_rate_of_its_number():
    assert [rate for _, _, rate in recorded(14, learning_rate=lambda step: step / 8)] == [
        step / 8 for step in range(14)
    ]


def test_the_rate_is_read_when_the_step_is_taken():
    chosen, recorder = [0.5], Recorder()
    steps = training_steps(
        recorder,
        random_images(23),
        cycling_labels(23),
        batch_size=4,
        seed=9,
        learning_rate=lambda _: chosen[-1],
    )
    list(islice(steps, 3))
    chosen.append(0.25)
    list(islice(steps, 2))
    assert [rate for _, _, rate in recorder.seen] == [0.5, 0.5, 0.5, 0.25, 0.25]


def test_each_epoch_has_another_order_of_images():
    seen = recorded(12)
    for epoch in (0, 1):
        images = torch.cat([x for x, _, _ in seen[6 * epoch : 6 * epoch + 6]])
        assert torch.equal(images, to_input(random_images(23)[epoch_order(23, 9, epoch)]))


def test_an_augmented_batch_is_the_plain_one_changed_by_the_step_s_numbers():
    plain, changed = recorded(14), recorded(14, augment=True)
    for step, ((x, y, _), (other_x, other_y, _)) in enumerate(zip(plain, changed, strict=True)):
        assert torch.equal(other_x, augmented(x, generator_for(9, step)))
        assert not torch.equal(other_x, x)
        assert torch.equal(other_y, y)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_loop_is_the_plain_loop_over_batches(optimiser):
    images, labels = random_images(23), cycling_labels(23)
    model = architectures.build("mlp", 0)
    plain = copy.deepcopy(model)
    plain_optimiser = OPTIMISERS[optimiser](plain.parameters(), 0.01)
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
        AutogradEngine(model, OPTIMISERS[optimiser](model.parameters(), 123.0)),
        images,
        labels,
        batch_size=4,
        seed=7,
        learning_rate=fixed(0.01),
    )

    assert [loss.item() for loss in islice(loop, 12)] == pytest.approx(expected, abs=1e-6)
    for a, b in zip(weights_of(model), weights_of(plain), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_loop_that_starts_at_a_later_step_continues_exactly(optimiser, augment):
    def losses_and_weights(parts):
        model = architectures.build("cnn", 0)
        trained = AutogradEngine(model, OPTIMISERS[optimiser](model.parameters(), 0.01))
        losses, done = [], 0
        for part in parts:
            steps = training_steps(
                trained,
                random_images(23),
                cycling_labels(23),
                batch_size=4,
                seed=7,
                learning_rate=lambda step: 0.01 * one_cycle(step, 14),
                augment=augment,
                first_step=done,
            )
            losses += list(islice(steps, part))
            done += part
        return trained.numbers(losses), weights_of(model)

    losses, weights = losses_and_weights([14])
    other_losses, other_weights = losses_and_weights([1, 4, 1, 3, 5])
    np.testing.assert_array_equal(losses, other_losses)
    assert losses.std() > 0.01
    assert all(torch.equal(a, b) for a, b in zip(weights, other_weights, strict=True))


def an_engine(optimiser="Adam", architecture="linear", seed=0):
    model = architectures.build(architecture, seed)
    return AutogradEngine(model, OPTIMISERS[optimiser](model.parameters(), 0.01))


def copies(named):
    return {name: tensor.clone() for name, tensor in named.items()}


def test_the_engine_takes_the_step_with_the_rate_it_is_given():
    trained, plain = an_engine("SGD"), architectures.build("linear", 0)
    x, labels = a_batch()
    loss = trained.train(x, labels, 0.25)
    expected = training_step(plain, SGD(plain.parameters(), 0.25), x, labels)
    assert torch.equal(loss, expected)
    assert torch.equal(trained.model.l1.weight, plain.l1.weight)


def test_losses_become_an_array_of_float32():
    values = an_engine().numbers([torch.tensor(0.5), torch.tensor(2.25)])
    assert values.dtype == np.float32
    assert values.tolist() == [0.5, 2.25]


def test_the_weights_are_the_model_s_own_under_its_names():
    trained = an_engine(architecture="mlp")
    weights = trained.weights()
    assert list(weights) == ["l1.weight", "l1.bias", "l2.weight", "l2.bias"]
    trained.train(*a_batch(), 0.1)
    for name, parameter in trained.model.named_parameters():
        assert torch.equal(weights[name], parameter)


@pytest.mark.parametrize(
    ("optimiser", "names"),
    [
        ("SGD", ["steps"]),
        ("SGD with momentum", ["velocity.0", "velocity.1", "steps"]),
        ("Adam", ["mean.0", "mean.1", "square.0", "square.1", "steps"]),
    ],
)
def test_the_optimiser_state_is_named_and_numbered(optimiser, names):
    trained = an_engine(optimiser)
    for _ in range(3):
        trained.train(*a_batch(), 0.1)
    memory = trained.optimiser_state()
    assert list(memory) == names
    assert memory["steps"].item() == 3
    for name in names[:-1]:
        assert memory[name].shape == ((10, 784) if name.endswith("0") else (10,))
        assert memory[name].any()


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_restored_engine_continues_like_the_other_and_shares_nothing(optimiser):
    one, other = an_engine(optimiser, "cnn"), an_engine(optimiser, "cnn", seed=5)
    for seed in range(3):
        one.train(*a_batch(seed=seed), 0.01)
    other.train(*a_batch(seed=9), 0.01)  # it was trained before

    weights, memory = copies(one.weights()), copies(one.optimiser_state())
    other.restore(weights, memory)

    for seed in range(3, 6):
        a, b = (trained.train(*a_batch(seed=seed), 0.01) for trained in (one, other))
        assert torch.equal(a, b)
    for name, tensor in one.weights().items():
        assert torch.equal(tensor, other.weights()[name])
        assert not torch.equal(tensor, weights[name])
    assert other.optimiser_state()["steps"].item() == 6
    assert memory["steps"].item() == 3


def copies_without(named, name):
    return {key: tensor.clone() for key, tensor in named.items() if key != name}


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": torch.zeros(1)},
        {"mean.0": torch.zeros(784, 10)},
        {"mean.0": torch.zeros(10, 784, dtype=torch.float64)},
        {"steps": torch.tensor(3.0)},
        {"steps": torch.tensor([3])},
        {"steps": torch.tensor(-1)},
        {"steps": torch.tensor(2**63 - 1)},
    ],
    ids=str,
)
def test_a_state_that_does_not_fit_is_refused(changes):
    trained = an_engine()
    with pytest.raises(ValueError, match="the saved state does not fit"):
        trained.restore(copies(trained.weights()), copies(trained.optimiser_state()) | changes)


@pytest.mark.parametrize("name", ["steps", "mean.0", "square.1"])
def test_an_incomplete_state_is_refused(name):
    trained = an_engine()
    with pytest.raises(ValueError, match="the saved state does not fit"):
        trained.restore(copies(trained.weights()), copies_without(trained.optimiser_state(), name))


@pytest.mark.parametrize(
    "changes", [{"extra": torch.zeros(1)}, {"l1.weight": torch.zeros(10, 783)}], ids=list
)
def test_weights_that_do_not_fit_are_refused(changes):
    trained = an_engine()
    with pytest.raises(ValueError, match="the saved weights do not fit this network"):
        trained.restore(copies(trained.weights()) | changes, copies(trained.optimiser_state()))
    with pytest.raises(ValueError, match="the saved weights do not fit this network"):
        trained.restore(
            copies_without(trained.weights(), "l1.bias"), copies(trained.optimiser_state())
        )


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_64_images_are_overfitted(name):
    images, labels = digits().train_images[:64], digits().train_labels[:64]
    model = architectures.build(name, 0)
    assert accuracy(model, images, labels) < 0.5

    trained = AutogradEngine(model, Adam(model.parameters(), 0.005))
    steps = training_steps(
        trained, images, labels, batch_size=16, seed=0, learning_rate=fixed(0.005)
    )
    losses = torch.stack(list(islice(steps, 100)))

    assert accuracy(model, images, labels) == 1
    assert losses[-4:].mean() < 0.1


@pytest.mark.parametrize("augment", [False, True])
def test_training_leaves_the_global_generators_and_the_images_alone(augment):
    images, labels = random_images(10), cycling_labels(10)
    kept = images.copy(), labels.copy()
    steps = training_steps(
        an_engine(architecture="cnn"),
        images,
        labels,
        batch_size=4,
        seed=0,
        learning_rate=fixed(0.01),
        augment=augment,
    )
    with global_generators_untouched():
        list(islice(steps, 5))
    np.testing.assert_array_equal(images, kept[0])
    np.testing.assert_array_equal(labels, kept[1])
