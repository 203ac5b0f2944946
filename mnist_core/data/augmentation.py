"""Every image a little different each time it is seen, as if another hand had written it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["augmented", "generator_for", "redrawn"]

DEGREES, SCALE, SHIFT = 12.0, 0.12, 0.08  # +-; the shift is a share of the image's side


def generator_for(seed: int, step: int) -> torch.Generator:
    """Return the random numbers of one step: they depend on nothing but the seed and the step.

    So a run that is taken up again draws what it would have drawn.
    """
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def augmented(x: Tensor, generator: torch.Generator) -> Tensor:
    """Rotate, scale and shift each image of a batch at random: (B, 1, 28, 28) -> the same.

    By up to 12 degrees, 12 % and 8 % of the image's side (2.2 pixels), bilinearly.
    """
    angle, zoom, dx, dy = (torch.rand(4, len(x), generator=generator) * 2 - 1).unbind()
    angle, zoom = angle * math.radians(DEGREES), 1 + zoom * SCALE
    c, s = zoom * angle.cos(), zoom * angle.sin()
    maps = torch.stack([c, -s, 2 * SHIFT * dx, s, c, 2 * SHIFT * dy], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(maps, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)


TURN, STRETCH, SLANT, MOVE, BEND = 15.0, 0.12, 0.2, 1.5, 1.0  # degrees; shares; pixels
KNOTS, THICKER, THINNER = 5, 0.7, 0.5  # of the bending grid; shares of a pixel on either side


def redrawn(x: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Change each image as another hand and pen would: (B, 1, 28, 28) in [0, 1] -> the same.

    Affine: turned by up to 15 degrees, stretched by up to 12 % along each axis, slanted by up to
    0.2 (11 degrees) and moved by up to 1.5 pixels. Elastic: 5x5 knots pulled about (normal, at most
    1 pixel of standard deviation), smoothly in between; after Simard, Steinkraus and Platt, "Best
    practices for convolutional neural networks applied to visual document analysis" (2003).
    Thickness: half of the images get a bolder or a finer pen, by a share of the picture's dilation
    or erosion with a 3x3 square.

    Parameters
    ----------
    strength : float
        Multiplies all of these.
    """
    n = len(x)

    def uniform() -> Tensor:  # -strength to strength
        return strength * (2 * torch.rand(n, generator=generator) - 1)

    angle, slant = uniform() * math.radians(TURN), uniform() * SLANT
    wide, high = 1 + uniform() * STRETCH, 1 + uniform() * STRETCH
    right, down = uniform() * MOVE / 14, uniform() * MOVE / 14  # the grid goes from -1 to 1
    c, s = angle.cos(), angle.sin()
    rows = [c * wide, (c * slant - s) * high, right, s * wide, (s * slant + c) * high, down]
    grid = functional.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), False)
    knots = torch.randn(n, 2, KNOTS, KNOTS, generator=generator) * (strength * BEND / 14)
    knots *= torch.rand(n, 1, 1, 1, generator=generator)
    grid += functional.interpolate(knots, 28, mode="bicubic", align_corners=True).movedim(1, 3)
    y = functional.grid_sample(x, grid, align_corners=False)

    pen = uniform() * (torch.rand(n, generator=generator) < 0.5)
    bolder = pen.clamp(min=0).view(-1, 1, 1, 1) * THICKER
    finer = pen.clamp(max=0).view(-1, 1, 1, 1) * THINNER
    dilated, eroded = functional.max_pool2d(y, 3, 1, 1), -functional.max_pool2d(-y, 3, 1, 1)
    return y + bolder * (dilated - y) - finer * (eroded - y)
