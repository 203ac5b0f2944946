"""The session: what all visitors share, and what a workspace gives back to its visitor."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mnist_core.common.settings import settings
from mnist_core.drawing.handwriting import Handwriting
from pages.parts.session import caches
from pages.parts.session.model_offer import ModelOnOffer
from tests.pages.conftest import go_to, reopened, words, workspace
from tests.small_data import digits, tiny_dataset

LINEAR = ModelOnOffer("linear", "Linear", "linear", "mnist", "linear")


def test_an_evaluation_is_shared_until_weights_split_or_data_change():
    first = caches.evaluation_of(LINEAR, digits(), "test")
    assert caches.evaluation_of(replace(LINEAR, label="Another"), digits(), "test") is first
    assert caches.evaluation_of(replace(LINEAR, version="later"), digits(), "test") is not first
    assert caches.evaluation_of(LINEAR, digits(), "train").total == 1_437
    other_data = replace(tiny_dataset(), name="fashion")
    assert caches.evaluation_of(LINEAR, other_data, "test").total == 20


def test_a_handwriting_evaluation_depends_on_the_drawings_and_their_labels():
    image = digits().test_images[0]
    as_seven, as_one = (Handwriting().plus(image, label, 0.0) for label in (7, 1))
    first = caches.handwriting_evaluation(LINEAR, as_seven)
    assert caches.handwriting_evaluation(LINEAR, Handwriting().plus(image, 7, 9.0)) is first
    assert caches.handwriting_evaluation(LINEAR, as_one).labels.tolist() == [1]


@pytest.mark.parametrize(
    "remembered",
    [
        {"dataset": "cats", "architecture": "transformer"},
        {"dataset": 7, "architecture": None, "done": ["layer"], "answers": "all"},
        {"done": {"layer": 3, "loss": "x" * 200}},
    ],
)
def test_invalid_values_in_a_workspace_s_file_are_dropped(open_page, remembered):
    app = go_to(open_page("layer"), "loss")  # two pages: worth saving
    file = settings().work_dir / workspace(app) / "workspace.json"
    file.write_text(json.dumps(remembered), "utf-8")
    again = reopened(app)
    assert not again.exception
    (progress,) = again.get("progress")
    assert progress.proto.text.startswith("0 of ")
    assert "xxx" not in words(again)
    assert go_to(again, "model").button_group(key="model_architecture").value == "linear"
