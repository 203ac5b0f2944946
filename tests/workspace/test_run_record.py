"""The record of a run: it survives the disk, and each wrong field is named."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import pytest

from mnist_core.training.history import EpochMetrics
from mnist_core.workspace.run_record import FROM_A_FILE, RunRecord

ID = "A" * 22
RECORD = RunRecord(ID, created=1.5, step=3, total_steps=16, config={"epochs": 2}, data="0f")
METRICS = EpochMetrics(3, 0.5, 1.0, 0.6, 0.9, 0.0, 0.2)


def test_a_record_survives_the_disk():
    record = replace(
        RECORD,
        kind="race",
        status="failed",
        reason="“Zu groß” – the loss.",
        training_s=0.1 + 0.2,
        learning_rates=((0, 0.1), (2, 1e-30)),
        epoch_metrics=(METRICS,),
        threads=2,
    )
    again = RunRecord.from_json(record.to_json())
    assert again == record
    assert again.test_accuracy == 0.5
    assert RECORD.test_accuracy is None


def test_the_record_of_a_run_of_10_000_epochs_can_be_read_again():
    shares = {"train_accuracy": 0.9876543210987654, "dead_units": 0.12345678901234568}
    metrics = replace(METRICS, step=9_999_999, test_loss=0.30000000000000004, **shares)
    record = replace(RECORD, epoch_metrics=(metrics,) * 10_000)
    assert RunRecord.from_json(record.to_json()) == record


def test_a_loss_that_is_not_finite_survives_the_disk():
    metrics = replace(METRICS, test_loss=float("inf"), train_loss=1e300)
    record = replace(RECORD, status="failed", epoch_metrics=(metrics,))
    assert RunRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("reason", "origin"),
    [
        ("Tuned on 12 drawings of mine, from: Small CNN.", "tuned"),
        (FROM_A_FILE, "imported"),
        ("", "trained"),
        ("It was interrupted.", "trained"),
    ],
)
def test_a_record_without_an_origin_gets_it_from_its_reason(reason, origin):
    values = json.loads(replace(RECORD, reason=reason).to_json())
    del values["origin"]
    assert RunRecord.from_json(json.dumps(values).encode()).origin == origin
    assert RunRecord.from_json(json.dumps(values | {"origin": "tuned"}).encode()).origin == "tuned"


def test_fields_of_a_later_version_are_ignored():
    values = json.loads(RECORD.to_json()) | {"colour": "blue"}
    assert RunRecord.from_json(json.dumps(values).encode()) == RECORD


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": None}, "of type str, got None"),
        ({"id": 3}, "of type str, got 3"),
        ({"kind": "tuned"}, "one of run, race, got 'tuned'"),
        ({"created": "now"}, "of type float, got 'now'"),
        ({"created": float("nan")}, "from 0 to 1e+12, got nan"),
        ({"created": 3}, "of type float, got 3"),
        ({"status": "dead"}, "paused, finished, stopped, failed, got 'dead'"),
        ({"status": ["paused"]}, "of type str, got ['paused']"),
        ({"origin": "found"}, "one of trained, tuned, imported, got 'found'"),
        ({"origin": None}, "of type str, got None"),
        ({"reason": None}, "of type str, got None"),
        ({"reason": "\ud800"}, "a text, got '\\ud800'"),
        ({"step": -1}, "from 0 to 16, got -1"),
        ({"step": 17}, "from 0 to 16, got 17"),
        ({"step": 3.0}, "of type int, got 3.0"),
        ({"step": True}, "of type int, got True"),
        ({"training_s": -0.1}, "from 0 to 1e+09, got -0.1"),
        ({"training_s": float("inf")}, "from 0 to 1e+09, got inf"),
        ({"training_s": 1e300}, "from 0 to 1e+09, got 1e+300"),
        ({"threads": 0}, "from 1 to 1,024, got 0"),
        ({"threads": 1_025}, "from 1 to 1,024, got 1025"),
        ({"data": 7}, "of type str, got 7"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_value_is_refused_by_field_expected_and_received(change, expected):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        RunRecord.from_json(json.dumps(json.loads(RECORD.to_json()) | change).encode())
    assert str(caught.value).startswith(f"“{next(iter(change))}” must be ")
    assert str(caught.value).endswith(f"{expected}.")
    assert len(str(caught.value)) < 150


FIRST = asdict(METRICS)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("checkups", "none", "Expected `array`, got `str`"),
        ("checkups", [FIRST, []], "Expected `object`, got `array` - at `$[1]`"),
        ("checkups", [{"step": 3}], "missing required field `test_accuracy` - at `$[0]`"),
        ("checkups", [FIRST | {"step": 3.5}], "Expected `int`, got `float` - at `$[0].step`"),
        ("checkups", [FIRST | {"test_loss": "1"}], "got `str` - at `$[0].test_loss`"),
        ("checkups", [FIRST | {"test_loss": "x" * 10_000}], "got `str` - at `$[0].test_loss`"),
        ("checkups", [FIRST | {"test_loss": True}], "got `bool` - at `$[0].test_loss`"),
        ("learning_rates", {"0": 0.1}, "Expected `array`, got `object`"),
        ("learning_rates", [0], "Expected `array`, got `int` - at `$[0]`"),
        ("learning_rates", [[0, 0.1, 2]], "Expected `array` of length 2, got 3 - at `$[0]`"),
        ("learning_rates", [[0, None]], "Expected `float`, got `null` - at `$[0][1]`"),
        ("learning_rates", [["3", 0.2]], "Expected `int`, got `str` - at `$[0][0]`"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_lists_are_refused_by_place_expected_and_received(name, value, why):
    values = json.loads(RECORD.to_json()) | {name: value}
    with pytest.raises(ValueError, match=rf"^“{name}” is wrong: .*{re.escape(why)}\.$"):
        RunRecord.from_json(json.dumps(values).encode())


@pytest.mark.parametrize("total", [2, 10**19])
def test_a_wrong_number_of_steps_is_refused(total):
    values = json.loads(RECORD.to_json()) | {"total_steps": total}
    with pytest.raises(ValueError, match=r"\.$"):
        RunRecord.from_json(json.dumps(values).encode())


def test_a_record_without_an_id_is_refused():
    with pytest.raises(ValueError, match="“id” is missing"):
        RunRecord.from_json(b"{}")
