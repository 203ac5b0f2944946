"""Every image a little rotated, scaled and shifted, differently each time it is seen."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["augmented", "generator_for"]

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
