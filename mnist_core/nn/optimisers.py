"""How a gradient moves the weights: the update rules, each in a few lines.

They give the same numbers as ``torch.optim``, bit for bit (the tests compare them). They are
written out because the rules are part of the lesson, because a saved run needs their state as named
tensors, and because ``torch.optim`` costs a quarter of a small step (benchmarks/README.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["OPTIMISERS", "SGD", "Adam", "AdamW", "Momentum", "Optimiser", "rules"]

MOMENTUM = 0.9
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
WEIGHT_DECAY = 0.01


class Optimiser(ABC):
    """Moves weights against their gradients: what all update rules share.

    Attributes
    ----------
    learning_rate : float
        It can change between two steps.
    steps : int
        Steps taken.
    state : dict of str to list of Tensor
        The rule's state between two steps: by its name, one tensor for each weight, in order.
    """

    STATE_NAMES: tuple[str, ...] = ()

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        self.learning_rate, self.steps = learning_rate, 0
        self._parameters = list(parameters)
        # these share the parameters' memory; autograd does not record what a step does to them
        self._weights = [p.detach() for p in self._parameters]
        self.state = {n: [torch.zeros_like(w) for w in self._weights] for n in self.STATE_NAMES}

    def zero_grad(self) -> None:
        """Remove the gradients of the last step."""
        for parameter in self._parameters:
            parameter.grad = None

    def step(self) -> None:
        """Move every weight once, by the gradients that ``backward`` found."""
        self.steps += 1
        for i, (weight, parameter) in enumerate(zip(self._weights, self._parameters, strict=True)):
            if parameter.grad is not None:
                self._move(i, weight, parameter.grad)

    @abstractmethod
    def _move(self, i: int, weight: Tensor, gradient: Tensor) -> None:
        """Change weight number ``i`` in place."""


class SGD(Optimiser):
    """Stochastic gradient descent: w = w - lr g."""

    def _move(self, _: int, weight: Tensor, gradient: Tensor) -> None:
        weight.add_(gradient, alpha=-self.learning_rate)


class Momentum(Optimiser):
    """SGD with momentum (Polyak, 1964), in torch's form: v = 0.9 v + g, w = w - lr v.

    Sutskever et al. (2013) put the learning rate into the velocity instead:
    v = 0.9 v - lr g, w = w + v. The steps differ when the learning rate changes during a run.
    """

    STATE_NAMES = ("velocity",)

    def _move(self, i: int, weight: Tensor, gradient: Tensor) -> None:
        velocity = self.state["velocity"][i]
        velocity.mul_(MOMENTUM).add_(gradient)
        weight.add_(velocity, alpha=-self.learning_rate)


class Adam(Optimiser):
    """Adam (Kingma and Ba, 2015, algorithm 1): every weight has a separate step size.

    m is the running mean of the gradient, v that of its square; w = w - lr m / (sqrt(v) + eps).
    m and v start at zero, and the division by 1 - beta^steps corrects for that.
    """

    STATE_NAMES = ("mean", "square")

    def _move(self, i: int, weight: Tensor, gradient: Tensor) -> None:
        mean, square = self.state["mean"][i], self.state["square"][i]
        mean.lerp_(gradient, 1 - BETA1)
        square.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        step_size = self.learning_rate / (1 - BETA1**self.steps)
        root = (square.sqrt() / (1 - BETA2**self.steps) ** 0.5).add_(EPSILON)
        weight.addcdiv_(mean, root, value=-step_size)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): weights also shrink.

    w = (1 - lr 0.01) w before Adam's step.
    """

    def _move(self, i: int, weight: Tensor, gradient: Tensor) -> None:
        weight.mul_(1 - self.learning_rate * WEIGHT_DECAY)
        super()._move(i, weight, gradient)


OPTIMISERS: dict[str, type[Optimiser]] = {
    "SGD": SGD,
    "SGD with momentum": Momentum,
    "Adam": Adam,
    "AdamW": AdamW,
}


def rules(name: str) -> list[type[Optimiser]]:
    """Return an optimiser's class, preceded by the classes it builds on."""
    return [c for c in reversed(OPTIMISERS[name].__mro__) if c not in (object, ABC, Optimiser)]
