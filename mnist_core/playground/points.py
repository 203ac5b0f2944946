"""The playground's points in the plane: one function per data set, a few lines of PyTorch each.

Each takes the number of points, the noise (0 to 0.5) and a generator, and returns ``x`` (N, 2)
float32 and ``y`` (N,), float32 or int64. The noise does not change which random numbers are drawn,
so more noise moves the same points further. Sources: ``dataset.ts`` of TensorFlow Playground
(Smilkov and Carter, 2016); scikit-learn's ``make_moons``. The page shows the source of these
functions under "Show the code".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mnist_core.playground.own_points import MAX_POINTS, RADIUS
from mnist_core.playground.setups import Setup

__all__ = ["N_POINTS", "SETS", "Points", "make_points", "split", "split_one_by_one"]

N_POINTS = 500  # training and test points, as in TensorFlow Playground


def circle(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Class 1 within radius 2.5, class 0 from 3.5 to 5; noise moves a point before it is labelled.

    Half of the points per class: r uniform, angle uniform, x = (r sin, r cos); class 1 if
    |x + 5 noise u| < 2.5 with u uniform in [-1, 1]^2.
    """
    r = torch.where(torch.arange(n) < n // 2, 0.0, 3.5)
    r = r + torch.rand(n, generator=g) * torch.where(r == 0, 2.5, 1.5)
    angle = 2 * torch.pi * torch.rand(n, generator=g)
    x = torch.stack([r * angle.sin(), r * angle.cos()], dim=1)
    moved = x + 5 * noise * (2 * torch.rand(n, 2, generator=g) - 1)
    return x, (moved.norm(dim=1) < 2.5).long()


def xor(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Class 1 where x1 and x2 have the same sign, class 0 where they differ.

    x uniform in [-5, 5]^2, then moved 0.3 away from both axes; class 1 if the product of the
    coordinates of x + 5 noise u is at least 0, u uniform in [-1, 1]^2.
    """
    x = 10 * torch.rand(n, 2, generator=g) - 5
    x = x + torch.where(x > 0, 0.3, -0.3)
    moved = x + 5 * noise * (2 * torch.rand(n, 2, generator=g) - 1)
    return x, (moved.prod(dim=1) >= 0).long()


def gauss(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two normal distributions: class 1 with mean (2, 2), class 0 with mean (-2, -2).

    Half of the points per class; the variance is 0.5 + 7 noise.
    """
    y = (torch.arange(n) < n // 2).long()
    centre = torch.where(y == 1, 2.0, -2.0)
    x = centre[:, None] + (0.5 + 7 * noise) ** 0.5 * torch.randn(n, 2, generator=g)
    return x, y


def spiral(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two interleaved spiral arms of 1.75 turns each.

    Point i of the m = n / 2 points of an arm: r = 5 i / m, t = 3.5 pi i / m (+ pi for class 0),
    x = (r sin t, r cos t) + noise u, u uniform in [-1, 1]^2.
    """
    y = (torch.arange(n) < n // 2).long()
    share = torch.where(y == 1, torch.arange(n), torch.arange(n) - n // 2) / (n / 2)
    r, t = 5 * share, 3.5 * torch.pi * share + torch.pi * (1 - y)
    x = torch.stack([r * t.sin(), r * t.cos()], dim=1)
    return x + noise * (2 * torch.rand(n, 2, generator=g) - 1), y


def moons(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two interleaving half circles, like scikit-learn's ``make_moons``.

    t from 0 to pi; class 0 at (cos t, sin t), class 1 at (1 - cos t, 0.5 - sin t), normal noise of
    standard deviation ``noise`` on both coordinates; then scaled by 3.5 about (0.5, 0.25).
    """
    t = torch.pi * torch.rand(n, generator=g)
    y = (torch.arange(n) < n // 2).long()
    upper = torch.stack([t.cos(), t.sin()], dim=1)
    x = torch.where(y[:, None] == 0, upper, torch.tensor([1.0, 0.5]) - upper)
    x = x + noise * torch.randn(n, 2, generator=g)
    return 3.5 * (x - torch.tensor([0.5, 0.25])), y


def three(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Three normal distributions with means on a circle of radius 3, class c at angle 2 pi c / 3.

    The variance is 0.5 + 7 noise, as in `gauss`; class 0 is at the top.
    """
    y = torch.arange(n) % 3
    angle = 2 * torch.pi * y / 3
    centre = 3 * torch.stack([angle.sin(), angle.cos()], dim=1)
    return centre + (0.5 + 7 * noise) ** 0.5 * torch.randn(n, 2, generator=g), y


def four(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Four arms of a pinwheel, a quarter of a turn apart.

    Point i of the m = n / 4 points of an arm: r = 1 + 4 i / m, t = i / m + pi c / 2 for class c,
    x = (r sin t, r cos t) + (0.3 + noise) u, u uniform in [-1, 1]^2.
    """
    y = torch.arange(n) % 4
    share = torch.div(torch.arange(n), 4, rounding_mode="floor") / (n / 4)
    r, t = 1 + 4 * share, share + torch.pi * y / 2
    x = torch.stack([r * t.sin(), r * t.cos()], dim=1)
    return x + (0.3 + noise) * (2 * torch.rand(n, 2, generator=g) - 1), y


def plane(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """A value that rises to the upper right: y = (x1 + x2) / 12.

    x uniform in [-6, 6]^2; the sum is that of x + 6 noise u, u uniform in [-1, 1]^2, and y is
    clamped to [-1, 1]. (TensorFlow Playground divides by 10, which exceeds that range.)
    """
    x = 12 * torch.rand(n, 2, generator=g) - 6
    moved = x + 6 * noise * (2 * torch.rand(n, 2, generator=g) - 1)
    return x, (moved.sum(dim=1) / 12).clamp(-1, 1)


def gaussian(n: int, noise: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Six hills and valleys in two rows: y falls from +-1 at a centre to 0 at distance 2.

    x uniform in [-6, 6]^2; centres at x1 = -4, 0, 4 and x2 = 2.5, -2.5, signs alternating from + at
    the upper left; y = sign max(0, 1 - d / 2) of the nearest, for x + 6 noise u, u uniform in
    [-1, 1]^2.
    """
    x = 12 * torch.rand(n, 2, generator=g) - 6
    moved = x + 6 * noise * (2 * torch.rand(n, 2, generator=g) - 1)
    centres = torch.tensor([[-4, 2.5], [0, 2.5], [4, 2.5], [-4, -2.5], [0, -2.5], [4, -2.5]])
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    distance, nearest = (moved[:, None] - centres).norm(dim=2).min(dim=1)
    return x, signs[nearest] * (1 - distance / 2).clamp(min=0)


SETS: dict[str, Callable[[int, float, torch.Generator], tuple[Tensor, Tensor]]] = {
    make.__name__: make
    for make in (circle, xor, gauss, spiral, moons, three, four, plane, gaussian)
}


@dataclass(frozen=True, slots=True)
class Points:
    """Training points and test points; the arrays are read-only.

    Attributes
    ----------
    train_x, test_x : (N, 2) float32
        From -6 to 6.
    train_y, test_y : (N,)
        Classes: int64, from 0. Regression: float32, -1 to 1.
    """

    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray


def make_points(setup: Setup) -> Points:
    """Draw the points of a setup and split them; the same seed gives the same points.

    500 points, or the visitor's own. Points outside the plane are clamped to its edge.
    """
    g = torch.Generator().manual_seed(setup.seed)
    share = setup.train_share / 100
    if setup.data == "own":
        x = torch.tensor([p[:2] for p in setup.points], dtype=torch.float32).reshape(-1, 2)
        y = torch.tensor([p[2] for p in setup.points], dtype=torch.int64)
        train, test = split_one_by_one(len(x), share, g)
    else:
        x, y = SETS[setup.data](N_POINTS, setup.noise / 100, g)
        train, test = split(N_POINTS, share, g)
    x = x.clamp(-RADIUS, RADIUS)
    return Points(_array(x[train]), _array(y[train]), _array(x[test]), _array(y[test]))


def split(n: int, share: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Split n points at random: return the indices of the training and of the test points."""
    order = torch.randperm(n, generator=g)
    return order[: round(n * share)], order[round(n * share) :]


def split_one_by_one(n: int, share: float, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Assign each point at random, so that adding points does not move those before it."""
    train = torch.rand(MAX_POINTS, generator=g)[:n] < share
    train[:1] = True  # a single point is a training point
    return train.nonzero()[:, 0], (~train).nonzero()[:, 0]


def _array(tensor: Tensor) -> np.ndarray:
    array = tensor.numpy()
    array.flags.writeable = False
    return array
