"""A drawing read in both ways."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core import evaluation, models
from mnist_core.drawing import PREPARATIONS, DrawingError
from mnist_core.reading import read_drawing


def seven() -> np.ndarray:
    ink = np.zeros((280, 280), dtype=np.float32)
    ink[50:70, 80:200] = 1
    ink[50:220, 180:200] = 1
    return ink


def test_every_way_is_prepared_and_read():
    model = models.load_pretrained("cnn")
    readings = read_drawing(model, seven())
    assert list(readings) == list(PREPARATIONS)
    for way, reading in readings.items():
        alone = evaluation.probabilities(model, PREPARATIONS[way](seven()).pixels[None])[0]
        np.testing.assert_allclose(reading.p, alone, atol=1e-6)
        assert reading.said == alone.argmax()
        assert reading.confidence == pytest.approx(alone.max(), abs=1e-6)
    assert readings["Like MNIST"].said == 7


def test_an_empty_canvas_is_refused():
    with pytest.raises(DrawingError, match="empty"):
        read_drawing(models.load_pretrained("linear"), np.zeros((280, 280), dtype=np.float32))
