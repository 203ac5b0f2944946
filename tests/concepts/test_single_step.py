import numpy as np
import pytest
import torch

from mnist_core.concepts.single_step import single_step
from mnist_core.data.inputs import to_input
from mnist_core.nn import architectures, numpy_network
from tests.small_data import cycling_labels, global_generators_untouched, random_images

IMAGES, LABELS = random_images(12), cycling_labels(12)


def loss_of(model):
    logits = model(to_input(IMAGES)).detach()
    return -torch.log_softmax(logits, dim=1)[torch.arange(12), LABELS].mean().item()


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_both_engines_take_the_same_step(name):
    model = architectures.build(name, 0)
    before = loss_of(model)

    with global_generators_untouched():
        step = single_step(model, IMAGES, LABELS, lr=0.02)

    assert step.check.matches
    assert step.loss_before == pytest.approx(before, abs=1e-5)
    assert step.numpy_loss_before == pytest.approx(before, abs=1e-5)
    assert step.loss_after == pytest.approx(loss_of(model), abs=1e-5)
    assert step.loss_after < step.loss_before
    assert list(step.checks) == [n for n, _ in model.named_parameters()]
    assert all(check.matches for check in step.checks.values())
    assert max(c.largest_difference for c in step.checks.values()) < 1e-7
    assert max(c.explained for c in step.checks.values()) < 1e-4


def test_the_step_changes_the_model_by_the_gradient():
    model = architectures.build("linear", 0)
    before = model.l1.weight.detach().clone()
    loss = torch.nn.functional.cross_entropy(model(to_input(IMAGES)), torch.from_numpy(LABELS))
    (gradient,) = torch.autograd.grad(loss, model.l1.weight)

    single_step(model, IMAGES, LABELS, lr=0.5)

    torch.testing.assert_close(model.l1.weight.detach(), before - 0.5 * gradient, rtol=0, atol=1e-6)


def test_the_lesson_s_learning_rate_is_the_default():
    a, b = architectures.build("linear", 0), architectures.build("linear", 0)
    single_step(a, IMAGES, LABELS)
    single_step(b, IMAGES, LABELS, lr=0.01)
    assert torch.equal(a.l1.weight, b.l1.weight)


def test_the_check_notices_another_step_size(monkeypatch):
    right = numpy_network.Layer.update
    monkeypatch.setattr(numpy_network.Layer, "update", lambda self, lr: right(self, 1.5 * lr))
    step = single_step(architectures.build("linear", 0), IMAGES, LABELS, lr=0.5)
    assert not step.check.matches
    assert not step.checks["l1.weight"].matches
    assert step.checks["l1.weight"].largest_difference > 1e-3


def test_the_check_notices_another_loss(monkeypatch):
    right = numpy_network.cross_entropy

    def wrong(logits, labels):
        loss, gradient = right(logits, labels)
        return loss + 0.01, gradient

    monkeypatch.setattr(numpy_network, "cross_entropy", wrong)
    step = single_step(architectures.build("linear", 0), IMAGES, LABELS)
    assert not step.check.matches
    assert step.check.largest_difference == pytest.approx(0.01, abs=1e-5)
    assert all(check.matches for check in step.checks.values())


def test_the_images_and_labels_are_not_changed():
    images, labels = IMAGES.copy(), LABELS.copy()
    single_step(architectures.build("cnn", 0), images, labels)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
