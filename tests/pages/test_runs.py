"""Runs after they were started: Training, Race, Runs and Replay."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.workspace.archive import pack
from mnist_core.workspace.checkpoints import record_of
from pages.parts.session import caches
from tests.pages.conftest import (
    ROOT,
    canvas,
    go_to,
    newest_run,
    numbers,
    reopened,
    runs_of,
    set_live_drawing,
    wait_for_status,
    words,
    workspace,
)
from tests.pages.test_network import steps


def trained(open_page, page: str = "runs", epochs: int = 2, **values: object) -> AppTest:
    """Train a short run on the Training page, then go to another one."""
    app = open_page("training")
    app.number_input(key="training_epochs").set_value(epochs)
    for name, value in values.items():
        app.selectbox(key=f"training_{name}").set_value(value)
    app.run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    return go_to(app, page)


def test_start_uses_the_settings_sent_with_the_click(open_page):
    app = open_page("training")
    app.number_input(key="training_learning_rate").set_value(0.25)
    app.number_input(key="training_epochs").set_value(3)
    app.button(key="training_start").click().run()  # all in one message, as the browser sends it
    assert (newest_run(app).run.config.learning_rate, newest_run(app).run.config.epochs) == (
        0.25,
        3,
    )


def test_presets_fill_the_settings(open_page):
    app = open_page("training")
    app.button(key="training_preset_1").click().run()
    assert app.selectbox(key="training_model").value == "cnn"
    assert app.selectbox(key="training_optimiser").value == "AdamW"
    assert app.selectbox(key="training_schedule").value == "one-cycle"
    assert app.number_input(key="training_learning_rate").value == 0.008
    app.button(key="training_preset_2").click().run()
    assert app.toggle(key="training_augment").value is True
    app.button(key="training_preset_0").click().run()
    assert app.selectbox(key="training_model").value == "linear"
    assert app.toggle(key="training_augment").value is False
    assert not app.error


def test_the_numpy_engine_refuses_adam_and_trains_with_sgd(open_page):
    app = open_page("training")
    app.selectbox(key="training_engine").set_value("numpy")
    app.selectbox(key="training_optimiser").set_value("Adam").run()
    assert "plain SGD, got Adam" in app.error[0].value
    assert app.button(key="training_start").disabled
    app.selectbox(key="training_optimiser").set_value("SGD")
    app.number_input(key="training_epochs").set_value(2).run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    assert newest_run(app).run.config.engine == "numpy"


def test_a_step_can_be_an_epoch_or_go_up_to_a_number(open_page):
    app = open_page("training")
    app.selectbox(key="training_step_size").set_value("1 epoch")
    app.button(key="training_step").click().run()
    wait_for_status(app, "paused")
    assert steps(app)[0] == 45
    app.selectbox(key="training_step_size").set_value("up to step …").run()
    app.number_input(key="training_step_to").set_value(100)
    app.button(key="training_step").click().run()
    wait_for_status(app, "paused")
    assert steps(app)[0] == 100


def test_the_learning_rate_can_be_changed_during_a_run(open_page):
    app = open_page("training")
    app.button(key="training_step").click().run()
    wait_for_status(app, "paused")
    app.number_input(key="training_new_rate").set_value(0.05)
    app.button(key="training_use_rate").click().run()
    assert newest_run(app).run.history.learning_rates == [(0, 0.01), (1, 0.05)]
    app.number_input(key="training_new_rate").set_value(-1.0)
    app.button(key="training_use_rate").click().run()
    assert "must be a number above 0, got -1" in app.error[0].value
    assert newest_run(app).run.history.learning_rates == [(0, 0.01), (1, 0.05)]


def test_a_workspace_comes_back_with_its_address(open_page):
    app = trained(open_page, "dataset")
    app.selectbox(key="dataset_name").set_value("digits").run()
    again = reopened(app)
    assert workspace(again) == workspace(app)
    assert "linear: test accuracy" in words(again)
    go_to(again, "dataset")
    assert again.selectbox(key="dataset_name").value == "digits"
    go_to(again, "training")
    assert "badge[finished]" in words(again)
    go_to(again, "evaluation")
    assert again.selectbox(key="evaluation_model").value == "mine"


def test_a_visitor_does_not_see_the_runs_of_another(open_page):
    mine = trained(open_page)
    theirs = open_page("runs")
    assert workspace(mine) != workspace(theirs)
    assert "No runs yet" in words(theirs)


@pytest.mark.parametrize("wrong", ["../../etc", "short", "x" * 23, "<script>alert(1)</script>"])
def test_an_impossible_workspace_is_replaced_by_a_new_one_with_a_sentence(wrong):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["workspace"] = wrong
    app.run()
    assert not app.exception
    assert "The workspace in this address is not valid" in words(app)
    assert re.fullmatch(r"[\w-]{22}", workspace(app))


def test_an_interrupted_run_is_paused_and_can_be_resumed(open_page):
    app = open_page("training")
    app.number_input(key="training_epochs").set_value(4).run()
    app.selectbox(key="training_step_size").set_value("1 epoch")
    app.button(key="training_step").click().run()
    wait_for_status(app, "paused")
    job = newest_run(app)
    folder = runs_of(app).folder(job.id)
    folder.write(job.run, record_of(job.run, folder.read_record(), "running"))
    caches.run_registry.clear()  # as if the server had ended
    app.run()
    assert "badge[paused]" in words(app)
    assert "It was interrupted" in words(app)
    app.button(key="training_pause").click().run()
    wait_for_status(app, "finished")
    assert steps(app) == (180, 180)


def test_two_runs_are_compared_and_their_differences_named(open_page):
    app = trained(open_page, "training")
    app.number_input(key="training_learning_rate").set_value(0.1)
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    go_to(app, "runs")
    table = app.dataframe[0].value
    assert list(table["Run"]) == ["Run 2 · Linear", "Run 1 · Linear"]
    assert list(table["Learning rate"]) == ["0.1", "0.01"]
    assert "They differ in one setting:** learning rate" in words(app)
    figure = app.get("plotly_chart")[0].proto.spec
    assert "Run 1" in figure
    assert "Run 2" in figure
    app.button_group(key="runs_by").set_value("time").run()
    assert "seconds of training" in app.get("plotly_chart")[0].proto.spec


def test_a_run_is_repeated_with_one_change(open_page):
    app = trained(open_page)
    app.selectbox(key="runs_change").set_value("seed").run()
    first = newest_run(app)
    app.number_input(key=f"runs_value_seed_{first.id}").set_value(5)
    app.button(key="runs_repeat").click().run()
    second = newest_run(app)
    assert second.id != first.id
    assert second.run.config.seed == 5
    assert second.run.config.epochs == first.run.config.epochs == 2
    wait_for_status(go_to(app, "training"), "finished")
    go_to(app, "runs")
    assert "They differ in one setting:** seed" in words(app)


def test_an_impossible_repeat_is_refused_with_a_sentence(open_page):
    app = trained(open_page)
    app.selectbox(key="runs_change").set_value("batch_size").run()
    app.number_input(key=f"runs_value_batch_size_{newest_run(app).id}").set_value(100_000)
    app.button(key="runs_repeat").click().run()
    assert "at most the 1,437 training images" in app.error[0].value
    assert len(runs_of(app).records()) == 1


def test_a_run_can_be_deleted(open_page):
    app = trained(open_page)
    app.button(key="runs_delete_now").click().run()
    assert "No runs yet" in words(app)
    assert runs_of(app).records() == []


def test_a_downloaded_run_can_be_uploaded_again(open_page):
    app = trained(open_page)
    data = app.download_button(key="runs_take_folder")
    assert data.label == "The whole run"
    folder = runs_of(app).folder(newest_run(app).id).folder
    before = newest_run(app)
    app.file_uploader[0].set_value(("run.zip", pack(folder), "application/zip")).run()
    assert not app.error
    after = newest_run(app)
    assert after.id != before.id
    np.testing.assert_array_equal(after.run.history.losses, before.run.history.losses)
    assert len(app.dataframe[0].value) == 2
    assert "same settings and seed" in words(app)


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 nonsense", b"GIF89a", b"\x08\0\0\0\0\0\0\0{broken"], ids=repr
)
def test_a_wrong_file_is_refused_with_a_sentence(open_page, data):
    app = open_page("runs")
    app.file_uploader[0].set_value(("weights.safetensors", data, "")).run()
    assert not app.exception
    assert app.error[0].value.startswith("Expected a ")
    assert runs_of(app).records() == []


def test_a_zip_of_something_else_is_refused(open_page):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../evil.txt", "x")
    app = open_page("runs")
    app.file_uploader[0].set_value(("run.zip", out.getvalue(), "application/zip")).run()
    assert "without checkpoint.safetensors" in app.error[0].value


def test_the_page_says_when_runs_had_to_be_deleted(open_page):
    app = trained(open_page)
    assert "of at most 1,000 MB" in words(app)
    caches.workspace_store().limit_bytes = 1
    go_to(app, "training")
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    go_to(app, "runs")
    assert "1 of your older runs had to be deleted" in words(app)
    assert len(app.dataframe[0].value) == 1


def test_replay_begins_at_step_0_and_shows_the_network_at_a_chosen_step(open_page):
    app = trained(open_page, "replay")
    slider = app.select_slider[0]
    assert slider.options[0] == "0"
    assert slider.options[-1] == "90"
    assert numbers(app)["Step"] == "0"
    assert "At step 0 the network predicted" in words(app)
    at_the_start = numbers(app)["Right, of 360 test images"]
    slider.set_value(90).run()
    assert numbers(app)["Step"] == "90"
    assert numbers(app)["Right, of 360 test images"] != at_the_start
    app.number_input(key="replay_image").set_value(7).run()
    assert numbers(app)["Step"] == "90"


def test_replay_plays_to_the_end_and_stops(open_page):
    app = trained(open_page, "replay")
    steps_there = [int(option) for option in app.select_slider[0].options]
    play = app.button(key="replay_play")
    assert play.label == "Play"
    app.run()
    assert numbers(app)["Step"] == "0"  # nothing moves by itself
    play.click().run()
    assert app.button(key="replay_play").label == "Pause"
    seen = [int(numbers(app)["Step"])]
    for _ in steps_there:
        app.run()
        seen.append(int(numbers(app)["Step"]))
    assert seen == [*steps_there[1:], 90, 90]
    assert app.button(key="replay_play").label == "Play"
    app.button(key="replay_play").click().run()
    assert int(numbers(app)["Step"]) == steps_there[1]  # from the start again


def test_replay_can_be_paused_and_moved(open_page):
    app = trained(open_page, "replay")
    app.button(key="replay_play").click().run()
    app.button(key="replay_play").click().run()
    paused_at = numbers(app)["Step"]
    assert app.button(key="replay_play").label == "Play"
    app.run()
    assert numbers(app)["Step"] == paused_at
    assert app.select_slider[0].value == int(paused_at)
    app.select_slider[0].set_value(0).run()
    assert numbers(app)["Step"] == "0"
    go_to(go_to(app, "runs"), "replay")
    assert numbers(app)["Step"] == "0"


def test_replay_predicts_the_visitor_s_drawing(open_page):
    app = trained(open_page, "drawing")
    set_live_drawing(app, canvas((80, 50, 200, 70), (180, 50, 200, 220)))
    app.run()
    go_to(app, "replay")
    app.button_group(key="replay_ask").set_value("Your drawing").run()
    assert not app.exception
    assert "At step 0 the network predicted" in words(app)
    assert not app.number_input


def lanes_of(app: AppTest) -> list[dict]:
    """Return the bars of the race's two lanes."""
    charts = [json.loads(chart.proto.spec) for chart in app.get("echarts_chart")]
    return next(c["series"][0]["data"] for c in charts if c["series"][0]["type"] == "bar")


def test_a_race_ends_with_both_engines_on_the_same_curve(open_page):
    app = open_page("race")
    assert "Press Start, and both engines run." in words(app)
    app.button(key="race_start").click().run()
    wait_for_status(app, "finished")
    label, value = next(
        (m.label, m.value) for m in app.metric if m.label.startswith("Largest difference")
    )
    assert label == "Largest difference in 2,700 common steps"
    assert float(value) < 1e-5
    lanes = lanes_of(app)
    assert [bar["value"] for bar in lanes] == [2_700, 2_700]
    assert all(
        re.fullmatch(r"step 2,700, [1-9][\d,]* µs a step 🏁", bar["label"]["formatter"])
        for bar in lanes
    )
    assert re.fullmatch(r"\d+\.\d\d ×", numbers(app)["NumPy is faster by"])
    go_to(app, "runs")
    assert "No runs yet" in words(app)  # a race is no run


def test_a_race_can_be_paused_and_stopped(open_page):
    app = open_page("race")
    app.button_group(key="race_model").set_value("mlp").run()
    app.button(key="race_start").click().run()
    app.button(key="race_pause").click().run()
    wait_for_status(app, "paused")
    paused_at = steps(app)
    time.sleep(0.3)
    app.run()
    assert steps(app) == paused_at
    app.button(key="race_stop").click().run()
    wait_for_status(app, "stopped")


def test_the_code_shown_is_that_of_the_current_run(open_page):
    app = open_page("training")
    app.selectbox(key="training_optimiser").set_value("AdamW")
    app.toggle(key="training_augment").set_value(True)
    app.number_input(key="training_epochs").set_value(1).run()
    assert not app.code  # nothing has run
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    app.run()
    assert "class AdamW(Adam)" in app.code[0].value
    assert "def augmented(" in app.code[1].value
    app.selectbox(key="training_optimiser").set_value("SGD").run()
    assert "class AdamW(Adam)" in app.code[0].value  # the current run's, not the next one's
