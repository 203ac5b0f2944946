"""The pen of a drawing: its width, measured and brought to the usual one, and stray dots.

A pen of 12 pixels makes a digit that fills the canvas look like a hair when it has been scaled to
20x20, and a pen of 26 turns a small one into a blot. The pens of MNIST were similar.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from mnist_core.data.normalisation import BOX, bounding_box, scaled

__all__ = ["VISIBLE", "WIDTHS", "pen_width", "with_usual_width", "without_dots"]

VISIBLE = 0.1  # ink below this is the soft edge of a stroke, outside the digit's box
# In pixels of the 20x20 box. Of the first 3,000 images of MNIST's training set 90 % lie between
# 1.6 and 4.0, half between 2.0 and 2.9; a pen of more than 3.2 fills small loops.
WIDTHS = (1.6, 3.2)
_FINE = 120  # pixels of the longer side at which widths are measured and changed


def pen_width(mask: np.ndarray) -> float:
    """Measure how wide a pen was, in pixels.

    Parameters
    ----------
    mask : (H, W) bool
        Where the ink is; at least one pixel.

    Returns
    -------
    float
        Four times the mean distance of ink to paper, minus 2. Across a stroke of width w the
        distance rises from 0 to w/2 and falls again: w/4 on average. It is measured to the centre
        of the next pixel of paper, half a pixel too far, which adds 2.
    """
    framed = np.pad(mask, 1)  # outside the picture there is paper
    return float(4 * ndimage.distance_transform_edt(framed)[framed].mean() - 2)


def without_dots(ink: np.ndarray) -> np.ndarray:
    """Remove dots: touches of the pen apart from the digit.

    A dot is at most twice as long as the pen is wide, farther than this width from all other ink,
    and at most a tenth of the ink. If the dots are most of the ink, the digit is a dotted one and
    nothing is removed.

    Parameters
    ----------
    ink : (H, W) float32, 0 to 1

    Returns
    -------
    (H, W) float32; the same array if there are no dots.
    """
    labels, count = ndimage.label(ink > VISIBLE, structure=np.ones((3, 3)))
    if count < 2:
        return ink
    sizes = np.bincount(labels.ravel())[1:]
    largest = labels == 1 + int(sizes.argmax())
    width = pen_width(largest)
    dots = [
        i
        for i, box in enumerate(ndimage.find_objects(labels), start=1)
        if max(part.stop - part.start for part in box) <= 2 * width
        and sizes[i - 1] <= sizes.sum() / 10
        and _is_alone(labels, i, box, width)
    ]
    gone = np.isin(labels, dots)
    if not dots or gone.sum() > sizes.sum() / 2:
        return ink
    return np.where(gone, np.float32(0), ink)


def _is_alone(labels: np.ndarray, i: int, box: tuple[slice, ...], distance: float) -> bool:
    """Tell whether a component is farther than a distance from all others."""
    reach = int(distance) + 1  # look no farther: a photo can have thousands of specks
    near = labels[tuple(slice(max(0, part.start - reach), part.stop + reach) for part in box)]
    others = (near > 0) & (near != i)
    if not others.any():
        return True
    return bool(ndimage.distance_transform_edt(~others)[near == i].min() > distance)


def with_usual_width(ink: np.ndarray) -> np.ndarray:
    """Bring the width of an unusually thin or thick pen to the nearest limit of MNIST's pens.

    The outline is moved out or in by the same distance everywhere (a level set of the signed
    distance to it), so that the pen has the wanted width when the longer side is 20 pixels. A pen
    within `WIDTHS` is not changed.

    Parameters
    ----------
    ink : (H, W) float32, 0 to 1
        Cropped to the digit.

    Returns
    -------
    (h, w) float32, 0 to 1, cropped; the same array if nothing is changed.
    """
    fine = scaled(ink, _FINE)
    mask = fine > 0.5
    if not mask.any():
        return ink
    width, side = pen_width(mask), max(mask.shape)
    wanted = float(np.clip(width * BOX / side, *WIDTHS))
    if wanted == width * BOX / side or side <= width:
        return ink
    scale = (BOX - wanted) / (side - width)  # the pen's centre line stays where it is
    shift = (wanted / scale - width) / 2
    mask = np.pad(mask, 4 + int(max(shift, 0)))
    inside, outside = (ndimage.distance_transform_edt(m) for m in (mask, ~mask))
    if shift < 0:  # the thinnest parts of a stroke must not become thinner than any pen
        ridge = inside[(inside > 0) & (inside == ndimage.maximum_filter(inside, 5))]
        thinnest = WIDTHS[0] / 2 * side / BOX
        shift = max(shift, min(0.0, thinnest - float(np.percentile(ridge, 10))))
    distance = np.where(mask, inside - 0.5, 0.5 - outside)  # to the outline, positive inside
    moved = (0.5 + distance + shift).clip(0, 1).astype(np.float32)
    box = bounding_box(moved, VISIBLE)
    return moved if box is None else moved[box]
