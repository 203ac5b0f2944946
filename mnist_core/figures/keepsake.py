"""A picture to take away from the lesson: the visitor's own numbers and images, as a PNG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_core.lesson.outcome import LessonOutcome

__all__ = ["keepsake_png"]

_WIDTH, _MARGIN = 1200, 60
_PAPER, _INK, _GREY, _BLUE, _ORANGE = "#fffefb", "#1d2430", "#7a818c", "#2f74d0", "#e0701a"
_ACROSS, _MOST = 12, 24  # drawings in a row, and altogether


def keepsake_png(outcome: LessonOutcome) -> bytes:
    """Draw what a visitor reached: a PNG of 1200 pixels' width.

    It holds nothing that the outcome does not hold: no row for what was not done.
    """
    rows = outcome.rows()
    shown = [] if outcome.drawings is None else list(outcome.drawings[:_MOST])
    strip = 90 * -(-len(shown) // _ACROSS) + (70 if shown else 0)
    height = 210 + 105 * len(rows) + (290 if outcome.mistake else 0) + strip + 40
    picture = Image.new("RGB", (_WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, _WIDTH // 2, 12), fill=_BLUE)
    draw.rectangle((_WIDTH // 2, 0, _WIDTH, 12), fill=_ORANGE)
    draw.text((_MARGIN, 60), "What is a neural network?", _INK, _font(56))
    draw.text((_MARGIN, 135), "My own results", _GREY, _font(30))
    y = 210
    for what, how_much in rows:
        draw.text((_MARGIN, y), what, _GREY, _font(26))
        draw.text((_MARGIN, y + 34), how_much, _INK, _font(40))
        y += 105
    if outcome.mistake:
        draw.text((_MARGIN, y), "The mistake it was surest of", _GREY, _font(26))
        picture.paste(_image(outcome.mistake.pixels, 196), (_MARGIN, y + 50))
        draw.text((_MARGIN + 230, y + 120), outcome.mistake.in_words(), _INK, _font(34))
        y += 290
    if shown:
        draw.text((_MARGIN, y), "My own digits", _GREY, _font(26))
        for i, pixels in enumerate(shown):
            at = (_MARGIN + 90 * (i % _ACROSS), y + 50 + 90 * (i // _ACROSS))
            picture.paste(_image(pixels, 84), at)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _image(pixels: np.ndarray, side: int) -> Image.Image:
    return Image.fromarray(255 - pixels).resize((side, side), Image.Resampling.NEAREST)
