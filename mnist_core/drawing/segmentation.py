"""The digit in a grey picture of paper, of a blackboard or of a screen.

Four ideas:

- The paper is what is left when everything narrower than a third of the picture is filled in (a
  morphological closing). It follows shadows and the edges of table and sheet exactly, and dividing
  by it makes the light even.
- Ink is the rarer side: where a third of the picture is mostly bright, its dark parts are the ink.
- Otsu's threshold parts the pen from fainter marks, such as the ruling of a school notebook.
- What touches the edge of the picture (table, finger, shadow) goes, unless nothing else is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

__all__ = ["digit_of", "even_out", "otsu"]

# Lengths are shares of the picture's longer side, depths are shares of the paper's brightness.
STROKE = 1 / 3  # what is wider is paper, table or shadow
VICINITIES = (1 / 12, 1 / 3)  # of a thin stroke and of a thick one
DARKEST = 0.1  # paper is not taken for darker, or the noise of a black picture would be ink
BLUR = 1 / 600  # takes out noise, leaves a line of 1.5 pixels
FAINTEST = 0.08  # darker than the paper by less is paper
NOISE = 5.0  # standard deviations of the paper's own noise: below is noise
NEAR = 1 / 64  # the soft edge of a stroke is not wider
PARTED = 0.8  # Otsu's eta: one bell curve cut in two has 0.64, an even spread 0.75
FAINT = 0.6  # of the pen's depth: marks that are deeper are the pen's too
SEEN = 0.15  # ink above belongs to a part
SMALLEST = 0.08  # a part that is smaller is no digit
SMALLEST_AT_EDGE = 0.25  # a digit at the edge was taken from near
FLATTEST = 1 / 3  # height to width; a digit is taller, a piece of a ruled line is not
MANY = 12  # parts as large as a digit are a pattern
HOLES = 6  # an eight has two, a sloppy one some more, squared paper many
RIDGE = 0.8  # of the depth near by: along the middle of a stroke it is as deep as that
RIM = 3  # times `NEAR`: the blur around a thing at the edge may be wider
THREAD = 0.02  # a stroke of a digit that leads from edge to edge is wider
ROUNDS = 4  # looks at the picture, each without what turned out not to be the digit

ALL_AROUND = np.ones((3, 3), dtype=bool)  # neighbours at the corners too
ALL_AROUND.flags.writeable = False

# Shares of the digit's longer side.
SPECK = 0.08  # a part that is smaller is a speck
GAP = 0.15  # the bar of a five may be so far from the rest of it
LARGER = 1.5  # what is so much larger than its largest and most central stroke is not of a digit
ABREAST = 0.7  # a part that stands beside the digit along so much of its height is another digit


def length(a: slice) -> int:
    """Return how long a stretch is, in pixels."""
    return a.stop - a.start


def span(a: slice, b: slice) -> int:
    """Return from where to where two stretches reach together, in pixels."""
    return max(a.stop, b.stop) - min(a.start, b.start)


def overlap(a: slice, b: slice) -> int:
    """Return how many pixels two stretches share; below 0, how many lie between them."""
    return min(a.stop, b.stop) - max(a.start, b.start)


@dataclass(frozen=True, slots=True)
class Part:
    """A connected piece of ink: its number among the labels and its box."""

    label: int
    rows: slice
    columns: slice

    @property
    def side(self) -> int:
        return max(length(self.rows), length(self.columns))

    def belongs_to(self, main: Part) -> bool:
        """Say whether it is another stroke of a digit, not a speck or a digit of its own."""
        height, width = overlap(self.rows, main.rows), overlap(self.columns, main.columns)
        near = -min(height, width) <= GAP * max(span(self.rows, main.rows), main.side)
        abreast = height > ABREAST * length(main.rows) and width <= 0
        return near and not abreast and SPECK * main.side <= self.side <= LARGER * main.side

    def edges(self, shape: tuple[int, ...]) -> list[bool]:
        """Say which edges of a picture it touches: top, bottom, left, right."""
        return [
            self.rows.start == 0,
            self.rows.stop == shape[0],
            self.columns.start == 0,
            self.columns.stop == shape[1],
        ]


def even_out(grey: np.ndarray) -> np.ndarray:
    """Take the uneven light out of a picture, and turn light ink on dark ground into dark on light.

    Parameters
    ----------
    grey : (H, W) float32, 0 (black) to 1 (white)

    Returns
    -------
    (H, W) float32
        How much darker than its paper a place is, as a share of the paper's brightness: about 0 on
        paper (noise goes below it), at most 1.
    """
    side = max(grey.shape)
    window = int(side * STROKE) | 1  # odd, so that it has a middle
    smooth = ndimage.gaussian_filter(grey, side * BLUR)
    if is_light_on_dark(smooth):
        smooth = 1 - smooth
    beyond = np.pad(smooth, window, mode="edge")  # the table goes on outside of the picture
    closed = ndimage.grey_closing(beyond, size=(window, window))[window:-window, window:-window]
    ratio = 1 - (closed - smooth) / np.maximum(closed, DARKEST)
    # The closing runs along the peaks of the noise: the paper is a little below them.
    return (1 - ratio / float(np.median(ratio[ratio > 0.5]))).astype(np.float32)


def is_light_on_dark(grey: np.ndarray) -> bool:
    """Let the middle of the picture vote: around a stroke, thin or thick, most places are paper."""
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
    """Part numbers in two classes so that they lie as far apart as possible.

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
        The share of the variance that lies between the classes, 0 to 1: how well they are parted.
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
    """Keep of what is darker than the paper one digit: the largest and most central.

    Parameters
    ----------
    evened : (H, W) float32
        What `even_out` gives.

    Returns
    -------
    (H, W) float32, 0 (paper) to 1 (ink) with soft edges, or None if there is no ink.
    """
    near = int(max(evened.shape) * NEAR) | 1
    lighter = -evened[evened <= 0]  # than the paper, so not ink: half of the noise
    noise = 1.4826 * float(np.median(lighter)) if lighter.size else 0.0  # as standard deviation
    left = evened > max(FAINTEST, NOISE * noise)
    depth = ndimage.maximum_filter(evened, near)  # a stroke's depth, for its soft edge as well
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
            parted = 0.0  # a ruling that runs through the digit: once more, parted in any case
            continue
        large = [part for part in digits if part.side >= SMALLEST_AT_EDGE * max(ink.shape)]
        if large and at_edge is None:
            at_edge = alone(ink, labels, large)
        # Then what is fainter, without the rims of what is taken away now.
        left &= ~ndimage.binary_dilation(labels > 0, iterations=RIM * near, mask=left)
        parted = PARTED
    return at_edge


def levels_of(depths: np.ndarray, parted: float) -> tuple[float, float]:
    """Return how deep faint marks are (0 if there are none apart from the pen's) and the pen's."""
    threshold, eta = otsu(depths)
    lower, upper = depths[depths <= threshold], depths[depths > threshold]
    if upper.size and eta > parted and (not parted or lower.mean() < FAINT * upper.mean()):
        return float(lower.mean()), float(np.median(upper))
    return 0.0, float(np.median(depths))


def parts_of(labels: np.ndarray) -> list[Part]:
    """List the labelled pieces."""
    boxes = enumerate(ndimage.find_objects(labels), start=1)
    return [Part(label, *box) for label, box in boxes]


def digits_among(parts: list[Part], labels: np.ndarray, ridges: np.ndarray) -> list[Part]:
    """Keep what can be a digit by its shape; of a pattern, nothing."""
    digits = [p for p in parts if has_ridge(labels, p, ridges) and not is_ruling(labels, p)]
    return digits if len(digits) <= MANY else []


def has_ridge(labels: np.ndarray, part: Part, ridges: np.ndarray) -> bool:
    """Say whether a part is a stroke, not the blurred rim of something that was taken away."""
    inside = labels[part.rows, part.columns] == part.label
    return int((inside & ridges[part.rows, part.columns]).sum()) >= part.side / 2


def is_ruling(labels: np.ndarray, part: Part) -> bool:
    """Say whether a part is no digit by its shape: ruled lines, squares, the rim of a sheet."""
    if length(part.rows) < FLATTEST * length(part.columns):
        return True
    mask = np.pad(labels[part.rows, part.columns] == part.label, 1)
    _, grounds = ndimage.label(~mask)  # one is outside, the others are holes
    if grounds - 1 > HOLES:
        return True
    top, bottom, left, right = part.edges(labels.shape)
    widest = 2 * float(ndimage.distance_transform_edt(mask).max())
    return ((top and bottom) or (left and right)) and widest <= THREAD * max(labels.shape)


def alone(ink: np.ndarray, labels: np.ndarray, parts: list[Part]) -> np.ndarray:
    """Keep the largest and most central of some parts, and the other strokes of its digit."""

    def rank(part: Part) -> float:
        middles = ((s.start + s.stop) / 2 for s in (part.rows, part.columns))
        away = [middle / n - 0.5 for middle, n in zip(middles, ink.shape, strict=True)]
        return part.side * float(np.exp(-4 * (away[0] ** 2 + away[1] ** 2)))

    main = max(parts, key=rank)
    fellows = [
        part
        for part in parts_of(labels)
        if part.belongs_to(main) and (any(main.edges(ink.shape)) or not any(part.edges(ink.shape)))
    ]
    kept = [main.label, *(part.label for part in fellows)]
    mask = ndimage.binary_dilation(np.isin(labels, kept), ALL_AROUND)  # with the softest edge
    return np.where(mask, ink, 0).astype(np.float32)
