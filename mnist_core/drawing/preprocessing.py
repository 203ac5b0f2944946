"""From a drawing to a model's input; every stage on the way is returned, to be shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from mnist_core.data.normalisation import bounding_box, centre, fit
from mnist_core.drawing.pen import VISIBLE, with_usual_width, without_dots

__all__ = [
    "PREPARATIONS",
    "DrawingError",
    "Preparation",
    "Stage",
    "check_ink",
    "ink_of",
    "prepare_as_lesson",
    "prepare_as_mnist",
]

SMALLEST = 0.1  # of the canvas: a mark smaller than this is a dot
FULLEST = 0.6  # of the canvas: more ink than this is no drawing
PALE = 0.9  # if no ink is fuller than this, the pen was grey
SIGMA = 0.5  # pixels of the 28x28 image, the lesson's blur


class DrawingError(ValueError):
    """There is no digit in a drawing; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One picture on the way: (H, W) float32, 0 (paper) to 1 (ink), and how it was made."""

    title: str
    image: np.ndarray


@dataclass(frozen=True, slots=True)
class Preparation:
    """A drawing on its way to the model.

    Attributes
    ----------
    stages : tuple of Stage
        From the canvas to the model's input.
    pixels : (28, 28) uint8, 0 to 255
        The last stage in the format of the stored images.
    """

    stages: tuple[Stage, ...]

    @property
    def pixels(self) -> np.ndarray:
        return np.rint(self.stages[-1].image * 255).astype(np.uint8)


def ink_of(rgba: np.ndarray) -> np.ndarray:
    """Turn a canvas with dark strokes on white or transparent ground into ink.

    Parameters
    ----------
    rgba : (H, W, 4) uint8

    Returns
    -------
    (H, W) float32, 0 (paper) to 1 (ink): alpha x (1 - luminance), with the luminance of
    ITU-R BT.601.

    Raises
    ------
    ValueError
        If the picture has another shape or type.
    """
    if rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.dtype != np.uint8:
        raise ValueError(
            f"expected a picture of shape (height, width, 4) and type uint8, got {rgba.shape} "
            f"and {rgba.dtype}."
        )
    colour = rgba.astype(np.float32) / 255
    luminance = colour[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return (colour[..., 3] * (1 - luminance)).clip(0, 1)


def check_ink(ink: np.ndarray) -> None:
    """Refuse ink that cannot be a digit.

    Raises
    ------
    DrawingError
        If the canvas is empty, holds only a dot, or is covered with ink.
    """
    box = bounding_box(ink, VISIBLE)
    if box is None:
        raise DrawingError(
            "The canvas is empty: draw a digit from 0 to 9 with the mouse or a finger."
        )
    if ink.mean() > FULLEST:
        raise DrawingError(
            f"{ink.mean():.0%} of the canvas is covered with ink, so no digit can be made out: "
            "clear it and draw one digit."
        )
    side = max(part.stop - part.start for part in box)
    if side < SMALLEST * max(ink.shape):
        raise DrawingError(
            f"This is a dot of {side} pixels on a canvas of {max(ink.shape)}: draw a whole digit."
        )


def prepare_as_lesson(ink: np.ndarray) -> Preparation:
    """Shrink the whole canvas to 28x28 and blur it a little (Gaussian, sigma 0.5).

    Parameters
    ----------
    ink : (H, W) float32, 0 to 1
    """
    picture = Image.fromarray(np.ascontiguousarray(ink, dtype=np.float32))
    small = np.asarray(picture.resize((28, 28), Image.Resampling.BOX))
    blurred = ndimage.gaussian_filter(small, SIGMA).clip(0, 1)
    return Preparation(
        (
            Stage("Your drawing", ink),
            Stage("Shrunk to 28×28", small),
            Stage("Blurred, sigma 0.5: the input", blurred),
        )
    )


def prepare_as_mnist(ink: np.ndarray) -> Preparation:
    """Do what MNIST's makers did: crop, fit into 20x20, move the centre of mass to the middle.

    Before that, even out what their forms and pens kept even: scale pale ink to full ink, remove
    stray dots, and bring an unusually thin or thick pen to the limits of MNIST's pens. A stage that
    changes nothing is left out.

    Parameters
    ----------
    ink : (H, W) float32, 0 to 1, accepted by `check_ink`
    """
    full = ink / ink.max() if 0 < ink.max() < PALE else ink
    alone = without_dots(full)
    box = bounding_box(alone, VISIBLE)
    if box is None:
        raise DrawingError("The canvas is empty: draw a digit from 0 to 9.")
    stages = [Stage("Your drawing", ink)]
    if full is not ink:
        stages.append(Stage("Ink made full", full))
    if alone is not full:
        stages.append(Stage("Stray dots gone", alone))
    cropped = alone[box]
    stages.append(Stage("Cropped to the ink", cropped))
    evened = with_usual_width(cropped)
    if evened is not cropped:
        stages.append(Stage("Pen as wide as MNIST's", evened))
    small = fit(evened)
    stages.append(Stage("Fitted into 20×20", small))
    stages.append(Stage("Centred by mass in 28×28: the input", centre(small)))
    return Preparation(tuple(stages))


PREPARATIONS: dict[str, Callable[[np.ndarray], Preparation]] = {
    "Like MNIST": prepare_as_mnist,
    "Whole canvas": prepare_as_lesson,
}
