"""Dataset, Model, Training, Evaluation and Drawing: what each control changes."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.training.configs import TrainingConfig
from mnist_core.training.status import ACTIVE
from tests.pages.conftest import (
    go_to,
    newest_run,
    numbers,
    runs_of,
    wait_for,
    wait_for_status,
    words,
)
from tests.small_data import digits

SETTINGS = ("model", *(f for f in TrainingConfig.__slots__ if f not in ("dataset", "architecture")))


def steps(app: AppTest) -> tuple[int, int]:
    done, total = re.search(r"step (\d+) of (\d+)", words(app)).groups()
    return int(done), int(total)


def test_dataset_names_the_data_in_use_and_why(open_page):
    app = open_page("dataset")
    assert "In use: Bundled digits" in words(app)
    assert "MNIST is not on this machine yet" in words(app)
    assert numbers(app)["Training images"] == "1,437"
    assert numbers(app)["Test images"] == "360"


def test_dataset_can_be_chosen_and_a_missing_one_is_named(open_page):
    app = open_page("dataset")
    app.selectbox(key="dataset_name").set_value("fashion").run()
    assert "FashionMNIST is not on this machine yet" in words(app)
    assert "In use: Bundled digits" in words(app)
    app.selectbox(key="dataset_name").set_value("digits").run()
    assert "Your choice" in words(app)


def test_dataset_grid_filters_by_split_and_class(open_page):
    app = open_page("dataset")
    app.selectbox(key="dataset_class").set_value(7).run()
    assert app.number_input[0].value == np.flatnonzero(digits().train_labels == 7)[0]
    assert "Label: **7**." in words(app)
    app.button_group(key="dataset_split").set_value("test").run()
    assert "0 to 359" in app.number_input[0].label
    assert app.number_input[0].value == np.flatnonzero(digits().test_labels == 7)[0]
    assert "of the test set. Label: **7**." in words(app)


def test_dataset_image_and_model_can_be_chosen(open_page):
    app = open_page("dataset")
    app.number_input[0].set_value(3).run()
    assert "**Image 3** of the training set. Label: **3**. The model predicts **3**" in words(app)
    before = words(app)
    app.selectbox(key="dataset_model").set_value("linear").run()
    assert app.selectbox(key="dataset_model").value == "linear"
    assert "**Image 3** of the training set. Label: **3**." in words(app)
    assert words(app) != before  # the linear model is less sure
    go_to(app, "evaluation")
    assert app.selectbox(key="evaluation_model").value == "linear"


def test_dataset_batch_has_the_lessons_shapes(open_page):
    app = open_page("dataset")
    assert "images `(32, 1, 28, 28)` torch.float32" in words(app)
    assert "labels `(32,)` torch.int64" in words(app)
    app.button(key="dataset_another_batch").click().run()
    assert not app.exception


@pytest.mark.parametrize(
    ("name", "count"), [("linear", "7,850"), ("mlp", "101,770"), ("cnn", "110,410")]
)
def test_model_counts_parameters_and_checks_a_step(open_page, name, count):
    app = open_page("model")
    app.button_group(key="model_architecture").set_value(name).run()
    assert numbers(app)["Parameters"] == count
    assert app.success[0].value.startswith("All tensors of the step, PyTorch and NumPy: match")
    assert float(numbers(app)["Loss after"]) < float(numbers(app)["Loss before"])


def test_model_fresh_weights_change_the_loss(open_page):
    app = open_page("model")
    before = numbers(app)["Loss before"]
    assert "(l1): Linear(in_features=784, out_features=10, bias=True)" in app.code[0].value
    app.button(key="model_fresh").click().run()
    assert numbers(app)["Loss before"] != before


def test_training_the_digits_ends_near_the_lessons_accuracy(open_page):
    app = open_page("training")
    assert app.number_input(key="training_epochs").value == 60
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    assert steps(app) == (2700, 2700)
    assert 0.88 < float(numbers(app)["Test accuracy, epoch 60"]) < 0.95
    assert "Linear on Bundled digits (UCI, not MNIST) · SGD, learning rate 0.01" in words(app)
    assert "for the next run" not in words(app)
    app.number_input(key="training_learning_rate").set_value(0.5).run()
    assert "The settings above are for the next run" in words(app)
    assert app.button(key="training_step").disabled  # a step would begin a new run
    go_to(app, "evaluation")
    assert app.selectbox(key="evaluation_model").value == "mine"
    assert 0.88 < float(numbers(app)["Test accuracy"]) < 0.95
    assert re.fullmatch(r"0\.\d{5}", numbers(app)["Training accuracy"])
    go_to(app, "home")
    assert "test accuracy 0.9" in words(app)


def test_training_pause_resume_and_stop(open_page):
    app = open_page("training")
    app.selectbox(key="training_model").set_value("cnn").run()
    app.button(key="training_start").click().run()
    assert app.button(key="training_start").disabled
    app.button(key="training_pause").click().run()
    wait_for_status(app, "paused")
    paused_at = steps(app)
    assert app.button(key="training_pause").label == "Resume"
    go_to(app, "home")
    go_to(app, "training")
    assert steps(app) == paused_at
    app.button(key="training_pause").click().run()
    wait_for_status(app, "running")
    app.button(key="training_stop").click().run()
    wait_for_status(app, "stopped")
    assert steps(app)[0] >= paused_at[0]
    assert not app.button(key="training_start").disabled


def chart_of(app: AppTest) -> dict:
    """Return the options of the training chart, which is the first chart of the page."""
    return json.loads(app.get("echarts_chart")[0].proto.spec)


def test_training_before_the_first_run_has_an_empty_chart_and_no_code(open_page):
    app = open_page("training")
    assert "No run yet." in words(app)
    assert chart_of(app)["graphic"]["style"]["text"].startswith("Press Start")
    assert chart_of(app)["xAxis"]["max"] == 2_700
    assert not app.code
    assert not app.radio  # the questions come after the first run


def test_training_after_a_run_shows_accuracies_code_and_a_zoom(open_page):
    app = open_page("training")
    app.number_input(key="training_epochs").set_value(2).run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    app.run()
    test, train = chart_of(app)["series"][1:]
    assert [step for step, _ in test["data"]] == [step for step, _ in train["data"]] == [45, 90]
    assert f"{test['data'][-1][1] / 100:.4f}" == numbers(app)["Test accuracy, epoch 2"]
    assert f"{train['data'][-1][1] / 100:.4f}" == numbers(app)["Training accuracy, epoch 2"]
    assert chart_of(app)["dataZoom"][0]["type"] == "slider"
    assert "def training_step" in app.code[-2].value
    assert app.radio


def test_the_title_of_the_folded_settings_says_what_start_does(open_page):
    app = open_page("training")

    def title() -> str:
        return next(e.label for e in app.expander if e.label.startswith("Settings"))

    assert title() == "Settings: Linear, SGD 0.01, batches of 32, 60 epochs"
    app.number_input(key="training_epochs").set_value(1).run()
    app.selectbox(key="training_schedule").set_value("one-cycle").run()
    changed = "Settings: Linear, SGD 0.01, one-cycle, batches of 32, 1 epoch"
    assert title() == changed
    go_to(app, "home")
    go_to(app, "training")
    assert title() == changed
    app.button(key="training_preset_2").click().run()
    assert title().startswith("Settings: Small CNN, AdamW 0.004, one-cycle, batches of 128, 60")
    assert title().endswith(", images changed a little")


def test_every_setting_has_a_help(open_page):
    app = open_page("training")
    fields = [*app.selectbox, *app.number_input, *app.toggle]
    settings = [f for f in fields if f.key in {f"training_{name}" for name in SETTINGS}]
    assert len(settings) == len(SETTINGS)
    assert all(len(field.help) > 20 for field in settings)


def test_resume_is_the_primary_button_while_a_run_is_paused(open_page):
    app = open_page("training")

    def primary() -> list[str]:
        names = ("start", "pause", "stop", "step")
        buttons = [app.button(key=f"training_{name}") for name in names]
        return [b.label for b in buttons if b.proto.type == "primary"]

    assert primary() == ["Start"]
    app.button(key="training_step").click().run()
    wait_for_status(app, "paused")
    assert primary() == ["Resume"]


def test_training_single_steps(open_page):
    app = open_page("training")
    app.button(key="training_step").click().run()
    wait_for_status(app, "paused")
    assert steps(app)[0] == 1
    app.button(key="training_step").click().run()
    wait_for(app, "step 2 of")
    wait_for_status(app, "paused")
    assert app.button(key="training_pause").label == "Resume"


def test_training_settings_reach_the_run(open_page):
    app = open_page("training")
    app.selectbox(key="training_model").set_value("mlp")
    app.selectbox(key="training_optimiser").set_value("Adam")
    app.number_input(key="training_learning_rate").set_value(0.001)
    app.number_input(key="training_batch_size").set_value(100)
    app.number_input(key="training_epochs").set_value(2)
    app.number_input(key="training_seed").set_value(7).run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    assert steps(app) == (30, 30)
    config = newest_run(app).run.config
    assert (config.architecture, config.optimiser, config.learning_rate) == ("mlp", "Adam", 0.001)
    assert (config.batch_size, config.epochs, config.seed) == (100, 2, 7)


def test_training_log_axis_can_be_switched(open_page):
    app = open_page("training")
    app.number_input(key="training_epochs").set_value(1).run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")

    def axis_type() -> str | None:
        return chart_of(app)["yAxis"][0]["type"]

    assert axis_type() == "log"
    app.toggle(key="training_log").set_value(False).run()
    assert axis_type() == "value"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("training_learning_rate", 0.0, "must be a number above 0, got 0"),
        ("training_learning_rate", -0.1, "must be a number above 0, got -0.1"),
        ("training_batch_size", 0, "batch size must be at least 1, a whole number, got 0"),
        ("training_batch_size", 2000, "at most the 1,437 training images, got 2,000"),
        ("training_epochs", 0, "number of epochs must be at least 1, a whole number, got 0"),
        ("training_epochs", 10**6, "at most 15,000, got 1,000,000"),
        ("training_seed", -1, "seed must be from 0"),
    ],
)
def test_training_refuses_with_a_sentence(open_page, key, value, sentence):
    app = open_page("training")
    app.number_input(key=key).set_value(value).run()
    assert not app.exception
    assert sentence in app.error[0].value
    assert app.button(key="training_start").disabled
    assert app.button(key="training_step").disabled


def test_training_that_diverges_fails_and_keeps_its_chart(open_page):
    app = open_page("training")
    app.number_input(key="training_learning_rate").set_value(1e9).run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "failed")
    assert re.search(r"at step \d+ of 2700", app.error[0].value)
    assert "Try a smaller learning rate than 1e+09" in app.error[0].value
    assert len(chart_of(app)["series"][0]["data"]) > 0
    assert not app.button(key="training_start").disabled


def test_evaluation_offers_the_bundled_models(open_page):
    app = open_page("evaluation")
    assert app.selectbox(key="evaluation_model").value == "deep"
    best = float(numbers(app)["Test accuracy"])
    assert "This model was trained on MNIST; Bundled digits" in words(app)
    app.selectbox(key="evaluation_model").set_value("linear").run()
    assert float(numbers(app)["Test accuracy"]) < best


def test_earlier_runs_stay_on_offer(open_page):
    app = open_page("training")
    for name in ("linear", "mlp"):
        app.selectbox(key="training_model").set_value(name)
        app.number_input(key="training_epochs").set_value(1).run()
        app.button(key="training_start").click().run()
        wait_for_status(app, "finished")
    go_to(app, "evaluation")
    offers = app.selectbox(key="evaluation_model").options
    assert offers[0].startswith("Your own: MLP, 45 steps")
    assert offers[1].startswith("Your earlier one: Linear, 45 steps")
    go_to(app, "conclusions")
    assert "Best run: " in words(app)


def test_a_run_stopped_before_its_first_step_is_not_called_a_file(open_page):
    app = open_page("training")
    runs_of(app).start(TrainingConfig("digits"), digits()).stop()
    go_to(app, "evaluation")
    assert app.selectbox(key="evaluation_model").options[0].startswith("Your own: Linear, 0 steps")


def test_the_dataset_page_remembers_its_page_and_image(open_page):
    app = open_page("dataset")
    first = [np.flatnonzero(digits().train_labels == 0)[n] for n in (0, 4)]
    assert app.number_input[0].value == first[0]
    app.pagination[0].set_value(3).run()  # two images of each class are on a page
    assert app.number_input[0].value == first[1]
    app.number_input[0].set_value(85).run()
    opened = next(m.value for m in app.markdown if m.value.startswith("**Image 85**"))
    go_to(app, "layer")
    go_to(app, "dataset")
    assert (app.pagination[0].value, app.number_input[0].value) == (3, 85)
    assert opened in words(app)


def test_evaluation_of_a_run_in_training_can_be_refreshed(open_page):
    app = open_page("training")
    app.selectbox(key="training_model").set_value("cnn").run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "running")
    job = newest_run(app)
    deadline = time.monotonic() + 30
    while not job.run.snapshot.step and time.monotonic() < deadline:
        time.sleep(0.05)
    go_to(app, "evaluation")
    assert "This run is still training" in words(app)
    first, shown = app.selectbox(key="evaluation_model").options[0], job.run.snapshot.step
    while job.run.snapshot.step == shown and time.monotonic() < deadline:
        time.sleep(0.05)
    app.button(key="evaluation_refresh").click().run()
    assert app.selectbox(key="evaluation_model").options[0] != first
    job.stop()
    while job.status == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    app.run()
    assert "This run is still training" not in words(app)


def test_a_run_that_pauses_while_the_page_is_drawn_gets_its_buttons(open_page, monkeypatch):
    from pages.parts.training import training_panel

    app = open_page("training")
    app.button(key="training_start").click().run()
    draw = training_panel.show

    def draw_once_it_is_paused(config, n_images):
        job = newest_run(app)
        if job.status in ACTIVE:  # the buttons were drawn for a run that trains
            job.pause()
            while job.status != "paused":
                time.sleep(0.01)
        return draw(config, n_images)

    monkeypatch.setattr(training_panel, "show", draw_once_it_is_paused)
    app.run()
    assert app.button(key="training_pause").label == "Resume"
