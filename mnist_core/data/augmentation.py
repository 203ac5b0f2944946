"""Random changes of the training images, so that an image is different in every epoch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["augmented", "generator_for", "redrawn"]


def generator_for(seed: int, step: int) -> torch.Generator:
    """Return the generator of one step. It depends only on the seed and the step.

    A run that is continued from a checkpoint therefore draws the same numbers.
    """
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def augmented(x: Tensor, generator: torch.Generator) -> Tensor:
    """Rotate, scale and shift each image of a batch at random, (B, 1, 28, 28).

    By at most 12 degrees, 12 %, and 8 % of the image's side (2.2 pixels), bilinearly.
    """
    degrees, scale, shift = 12.0, 0.12, 0.08  # +-; the shift is a share of the image's side
    angle, zoom, dx, dy = (torch.rand(4, len(x), generator=generator) * 2 - 1).unbind()
    angle, zoom = angle * math.radians(degrees), 1 + zoom * scale
    c, s = zoom * angle.cos(), zoom * angle.sin()
    maps = torch.stack([c, -s, 2 * shift * dx, s, c, 2 * shift * dy], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(maps, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)


TURN, STRETCH, SLANT, MOVE, BEND = 15.0, 0.12, 0.2, 1.5, 1.0  # degrees; shares; pixels
KNOTS, THICKER, THINNER = 5, 0.7, 0.5  # of the bending grid; shares of a pixel on either side


def redrawn(x: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Change the shape and the pen of each image at random, (B, 1, 28, 28) in [0, 1].

    Affine: turned by at most 15 degrees, stretched by at most 12 % along each axis, slanted by at
    most 0.2 (11 degrees) and moved by at most 1.5 pixels. Elastic: 5x5 knots moved at random
    (normal, a standard deviation of at most 1 pixel), smoothly in between; after Simard, Steinkraus
    and Platt, "Best practices for convolutional neural networks applied to visual document
    analysis" (2003). Thickness: half of the images get a bolder or a finer pen, by a share of their
    dilation or erosion with a 3x3 square.

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
