"""Find the digit in a grey picture of paper, of a blackboard or of a screen.

Four ideas:

- A morphological closing fills in everything narrower than a third of the picture; the result is
  the paper. It follows shadows and the edges of table and sheet exactly, and dividing by it makes
  the light even.
- Ink is the rarer side: where a third of the picture is mostly bright, its dark parts are the ink.
- Otsu's threshold separates the pen from fainter marks, such as the ruling of a school notebook.
- Ink that touches the edge of the picture (table, finger, shadow) is removed, unless there is no
  other ink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

__all__ = ["digit_of", "even_out", "otsu"]

# Lengths are shares of the picture's longer side, depths are shares of the paper's brightness.
STROKE = 1 / 3  # wider things are paper, table or shadow
VICINITIES = (1 / 12, 1 / 3)  # around a thin stroke and around a thick one
DARKEST = 0.1  # lower limit of the paper, or the noise of a black picture would be ink
BLUR = 1 / 600  # removes noise, preserves a line of 1.5 pixels
FAINTEST = 0.08  # ink is darker than the paper by at least this
NOISE = 5.0  # ink is darker than this many standard deviations of the paper's noise
NEAR = 1 / 64  # the largest width of a stroke's soft edge
PARTED = 0.8  # smallest Otsu eta of two classes; a normal distribution has 0.64, a uniform 0.75
FAINT = 0.6  # of the pen's depth; deeper marks belong to the pen too
SEEN = 0.15  # parts consist of ink above this
SMALLEST = 0.08  # the smallest digit
SMALLEST_AT_EDGE = 0.25  # the smallest digit at the edge: the photo was taken from near
FLATTEST = 1 / 3  # smallest height / width of a digit; a piece of a ruled line is flatter
MANY = 12  # more parts of a digit's size than this are a pattern
HOLES = 6  # the most holes of a digit: an eight has two, a sloppy one more, squared paper many
RIDGE = 0.8  # of the greatest depth nearby; the middle of a stroke is deeper
RIM = 3  # times `NEAR`: the largest width of the blur around a thing at the edge
THREAD = 0.02  # smallest width of a digit's stroke that reaches from edge to edge
ROUNDS = 4  # of the search, each without the ink that was found not to be the digit

ALL_AROUND = np.ones((3, 3), dtype=bool)  # neighbours include the corners
ALL_AROUND.flags.writeable = False

# Shares of the digit's longer side.
SPECK = 0.08  # the smallest stroke; smaller parts are specks
GAP = 0.15  # the largest distance between strokes, as of the bar of a five
LARGER = 1.5  # the largest stroke, compared with the main one
ABREAST = 0.7  # a part beside the digit, along more of its height than this, is another digit


def length(a: slice) -> int:
    """Return the length of a range, in pixels."""
    return a.stop - a.start


def span(a: slice, b: slice) -> int:
    """Return the length from the start of the first range to the end of the last, in pixels."""
    return max(a.stop, b.stop) - min(a.start, b.start)


def overlap(a: slice, b: slice) -> int:
    """Return how many pixels two ranges share; if negative, how many lie between them."""
    return min(a.stop, b.stop) - max(a.start, b.start)


@dataclass(frozen=True, slots=True)
class InkPart:
    """A connected piece of ink: its label and its bounding box."""

    label: int
    rows: slice
    columns: slice

    @property
    def side(self) -> int:
        return max(length(self.rows), length(self.columns))

    def belongs_to(self, main: InkPart) -> bool:
        """Tell whether it is another stroke of the same digit, not a speck or another digit."""
        height, width = overlap(self.rows, main.rows), overlap(self.columns, main.columns)
        near = -min(height, width) <= GAP * max(span(self.rows, main.rows), main.side)
        abreast = height > ABREAST * length(main.rows) and width <= 0
        return near and not abreast and SPECK * main.side <= self.side <= LARGER * main.side

    def edges(self, shape: tuple[int, ...]) -> list[bool]:
        """Tell which edges of a picture it touches: top, bottom, left, right."""
        return [
            self.rows.start == 0,
            self.rows.stop == shape[0],
            self.columns.start == 0,
            self.columns.stop == shape[1],
        ]


def even_out(grey: np.ndarray) -> np.ndarray:
    """Remove uneven light from a picture, and turn light ink on dark ground into dark on light.

    Parameters
    ----------
    grey : (H, W) float32, 0 (black) to 1 (white)

    Returns
    -------
    (H, W) float32
        How much darker than its paper each pixel is, as a share of the paper's brightness: about
        0 on paper (less where there is noise), at most 1.
    """
    side = max(grey.shape)
    window = int(side * STROKE) | 1  # odd, so that it has a middle
    smooth = ndimage.gaussian_filter(grey, side * BLUR)
    if is_light_on_dark(smooth):
        smooth = 1 - smooth
    beyond = np.pad(smooth, window, mode="edge")  # the table continues outside the picture
    closed = ndimage.grey_closing(beyond, size=(window, window))[window:-window, window:-window]
    ratio = 1 - (closed - smooth) / np.maximum(closed, DARKEST)
    # The closing follows the peaks of the noise, and the paper is a little below them.
    return (1 - ratio / float(np.median(ratio[ratio > 0.5]))).astype(np.float32)


def is_light_on_dark(grey: np.ndarray) -> bool:
    """Tell whether ink is lighter than its ground; most pixels around a stroke are ground."""
    rows, columns = (np.linspace(-2, 2, n, dtype=np.float32) for n in grey.shape)
    middle = np.exp(-(rows[:, None] ** 2 + columns**2) / 2)
    vote = 0.0
    for share in VICINITIES:
        window = int(max(grey.shape) * share) | 1
        high, low = ndimage.maximum_filter(grey, window), ndimage.minimum_filter(grey, window)
        weight = middle * (high - low)
        most = float((weight * (high - low)).sum())
        vote += float((weight * (2 * grey - high - low)).sum()) / max(most, 1e-9)
    return vote < 0


def otsu(values: np.ndarray) -> tuple[float, float]:
    """Split numbers into two classes with the greatest variance between them.

    Source: N. Otsu, A threshold selection method from gray-level histograms, IEEE Transactions on
    Systems, Man, and Cybernetics 9(1), 1979, equations 12 (eta) and 18; 128 levels.

    Parameters
    ----------
    values : (N,) float, N at least 1

    Returns
    -------
    threshold : float
        The upper class is above it.
    eta : float
        The share of the variance that lies between the classes, 0 to 1: how separate they are.
    """
    if np.ptp(values) < 1e-4:  # no two classes, and too narrow for 128 bins of float32
        return float(values.max()), 0.0
    counts, edges = np.histogram(values.astype(np.float64), bins=128)
    levels = (edges[:-1] + edges[1:]) / 2
    share = counts / counts.sum()
    omega, mu = share.cumsum(), (share * levels).cumsum()
    total = float((share * (levels - mu[-1]) ** 2).sum())
    if total == 0:
        return float(values.max()), 0.0
    inside = (omega > 0) & (omega < 1)
    between = np.zeros_like(levels)
    between[inside] = (mu[-1] * omega - mu)[inside] ** 2 / (omega * (1 - omega))[inside]
    best = int(between.argmax())
    return float(edges[best + 1]), float(between[best] / total)


def digit_of(evened: np.ndarray) -> np.ndarray | None:
    """Select one digit, the largest and most central, from all that is darker than the paper.

    Parameters
    ----------
    evened : (H, W) float32
        As `even_out` returns it.

    Returns
    -------
    (H, W) float32, 0 (paper) to 1 (ink) with soft edges, or None if there is no ink.
    """
    near = int(max(evened.shape) * NEAR) | 1
    lighter = -evened[evened <= 0]  # than the paper, so it is half of the noise
    noise = 1.4826 * float(np.median(lighter)) if lighter.size else 0.0  # standard deviation
    left = evened > max(FAINTEST, NOISE * noise)
    depth = ndimage.maximum_filter(evened, near)  # a stroke's depth, also on its soft edge
    ridges = evened > RIDGE * depth
    at_edge: np.ndarray | None = None
    parted = PARTED
    for _ in range(ROUNDS):
        if not left.any():
            break
        faint, pen = levels_of(depth[left], parted)
        ink = ((evened - faint) / (pen - faint) * 2 - 0.5).clip(0, 1) * left
        labels, _n = ndimage.label(ink > SEEN, ALL_AROUND)
        parts = [part for part in parts_of(labels) if part.side >= SMALLEST * max(ink.shape)]
        digits = digits_among(parts, labels, ridges)
        inside = [part for part in digits if not any(part.edges(ink.shape))]
        if inside:
            return alone(ink, labels, inside)
        if parts and not digits and parted:
            parted = 0.0  # a ruling crosses the digit: search again, separating in any case
            continue
        large = [part for part in digits if part.side >= SMALLEST_AT_EDGE * max(ink.shape)]
        if large and at_edge is None:
            at_edge = alone(ink, labels, large)
        # Search among fainter ink next, without the rims of what is removed now.
        left &= ~ndimage.binary_dilation(labels > 0, iterations=RIM * near, mask=left)
        parted = PARTED
    return at_edge


def levels_of(depths: np.ndarray, parted: float) -> tuple[float, float]:
    """Return the depth of faint marks (0 if there are none) and the depth of the pen."""
    threshold, eta = otsu(depths)
    lower, upper = depths[depths <= threshold], depths[depths > threshold]
    if upper.size and eta > parted and (not parted or lower.mean() < FAINT * upper.mean()):
        return float(lower.mean()), float(np.median(upper))
    return 0.0, float(np.median(depths))


def parts_of(labels: np.ndarray) -> list[InkPart]:
    """List the labelled pieces."""
    boxes = enumerate(ndimage.find_objects(labels), start=1)
    return [InkPart(label, *box) for label, box in boxes]


def digits_among(parts: list[InkPart], labels: np.ndarray, ridges: np.ndarray) -> list[InkPart]:
    """Select the parts that have the shape of a digit; none if they are a pattern."""
    digits = [p for p in parts if has_ridge(labels, p, ridges) and not is_ruling(labels, p)]
    return digits if len(digits) <= MANY else []


def has_ridge(labels: np.ndarray, part: InkPart, ridges: np.ndarray) -> bool:
    """Tell whether a part is a stroke, not the blurred rim of something that was removed."""
    inside = labels[part.rows, part.columns] == part.label
    return int((inside & ridges[part.rows, part.columns]).sum()) >= part.side / 2


def is_ruling(labels: np.ndarray, part: InkPart) -> bool:
    """Tell whether a part has the shape of ruled lines, squares or the rim of a sheet."""
    if length(part.rows) < FLATTEST * length(part.columns):
        return True
    mask = np.pad(labels[part.rows, part.columns] == part.label, 1)
    _, grounds = ndimage.label(~mask)  # one is the outside, the others are holes
    if grounds - 1 > HOLES:
        return True
    top, bottom, left, right = part.edges(labels.shape)
    widest = 2 * float(ndimage.distance_transform_edt(mask).max())
    return ((top and bottom) or (left and right)) and widest <= THREAD * max(labels.shape)


def alone(ink: np.ndarray, labels: np.ndarray, parts: list[InkPart]) -> np.ndarray:
    """Select the largest and most central of some parts, and the other strokes of its digit."""

    def rank(part: InkPart) -> float:
        middles = ((s.start + s.stop) / 2 for s in (part.rows, part.columns))
        away = [middle / n - 0.5 for middle, n in zip(middles, ink.shape, strict=True)]
        return part.side * float(np.exp(-4 * (away[0] ** 2 + away[1] ** 2)))

    main = max(parts, key=rank)
    fellows = [
        part
        for part in parts_of(labels)
        if part.belongs_to(main) and (any(main.edges(ink.shape)) or not any(part.edges(ink.shape)))
    ]
    digit = [main.label, *(part.label for part in fellows)]
    mask = ndimage.binary_dilation(np.isin(labels, digit), ALL_AROUND)  # with the softest edge
    return np.where(mask, ink, 0).astype(np.float32)
