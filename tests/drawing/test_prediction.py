"""Predictions for a drawing, prepared in each way."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.drawing.prediction import CalibratedModel, Prediction, predict_drawing
from mnist_core.drawing.preprocessing import PREPARATIONS, DrawingError
from mnist_core.evaluation import metrics
from mnist_core.evaluation.calibration import Calibration
from mnist_core.nn import architectures
from mnist_core.pretrained import bundled
from tests.pen_strokes import SHAPES, drawn


def calibrated_models():
    calibration = Calibration(temperature=1.0, threshold=0.5)
    return {
        name: CalibratedModel(bundled.load_pretrained(name), calibration)
        for name in architectures.ARCHITECTURES
    }


def prediction(*p, threshold=0.5):
    return Prediction(np.array(p, dtype=np.float32), threshold)


def test_a_prediction_names_the_most_probable_class():
    ten = prediction(0, 0.25, 0, 0.625, 0.125, 0, 0, 0, 0, 0)
    assert (ten.predicted, ten.confidence) == (3, 0.625)
    assert type(ten.predicted) is int
    assert type(ten.confidence) is float


@pytest.mark.parametrize(("threshold", "sure"), [(0.5, True), (0.625, True), (0.63, False)])
def test_a_prediction_is_sure_from_the_threshold_on(threshold, sure):
    assert prediction(0, 0.375, 0, 0.625, threshold=threshold).sure is sure


def test_every_model_predicts_for_every_preparation():
    ink, models = drawn(SHAPES["seven"], 18), calibrated_models()
    predictions = predict_drawing(ink, models)

    assert list(predictions.prepared) == list(PREPARATIONS)
    assert list(predictions.by_model) == list(models)
    for way, prepare in PREPARATIONS.items():
        pixels = prepare(ink).pixels
        np.testing.assert_array_equal(predictions.prepared[way].pixels, pixels)
        for name, reader in models.items():
            assert list(predictions.by_model[name]) == list(PREPARATIONS)
            alone = metrics.probabilities(reader.model, pixels[None])[0]
            p = predictions.by_model[name][way].p
            assert p.shape == (10,)
            np.testing.assert_allclose(p, alone, atol=1e-6)
    assert predictions.by_model["cnn"]["Like MNIST"].predicted == 7
    assert predictions.by_model["mlp"]["Like MNIST"].predicted == 7


def test_a_model_has_its_own_temperature_and_threshold():
    ink, model = drawn(SHAPES["two"], 18), bundled.load_pretrained("cnn")
    plain, warm = (
        predict_drawing(ink, {"cnn": CalibratedModel(model, Calibration(t, limit))}).by_model["cnn"]
        for t, limit in ((1.0, 0.2), (50.0, 0.9))
    )
    for way, preparation in PREPARATIONS.items():
        expected = metrics.probabilities(model, preparation(ink).pixels[None], 50.0)[0]
        np.testing.assert_allclose(warm[way].p, expected, atol=1e-6)
        assert warm[way].predicted == plain[way].predicted
        assert warm[way].confidence < plain[way].confidence
        assert (plain[way].threshold, warm[way].threshold) == (0.2, 0.9)
    assert plain["Like MNIST"].sure
    assert not warm["Like MNIST"].sure


def test_the_prediction_does_not_depend_on_the_place_of_the_drawing():
    models = {"cnn": calibrated_models()["cnn"]}
    for name, label in (("two", 2), ("four", 4), ("seven", 7), ("eight", 8)):
        ink = drawn([[(x * 0.4, y * 0.4) for x, y in s] for s in SHAPES[name]], 12)
        for move in ((0, 0), (150, 0), (0, 150), (150, 150)):
            predictions = predict_drawing(np.roll(ink, move, axis=(0, 1)), models)
            assert predictions.by_model["cnn"]["Like MNIST"].predicted == label, (name, move)


def test_without_models_the_drawing_is_still_prepared():
    predictions = predict_drawing(drawn(SHAPES["two"], 18), {})
    assert list(predictions.prepared) == list(PREPARATIONS)
    assert predictions.by_model == {}


@pytest.mark.parametrize(
    ("ink", "message"),
    [
        (np.zeros((280, 280), dtype=np.float32), "empty"),
        (drawn([[(140, 140)]], 20), "a dot of 21 pixels"),
        (np.ones((280, 280), dtype=np.float32), "100% of the canvas"),
    ],
    ids=["empty", "dot", "covered"],
)
def test_ink_that_is_no_digit_is_refused(ink, message):
    with pytest.raises(DrawingError, match=message):
        predict_drawing(ink, calibrated_models())
