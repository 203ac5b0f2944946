"""The zoom and the walk through one step: the effect of each control."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.nn import architectures
from pages.parts.explain import zoom_picture
from tests.pages.conftest import canvas, go_to, numbers, set_live_drawing, words

LAYERS = {
    "linear": ["flatten", "l1"],
    "mlp": ["flatten", "l1", "relu", "l2"],
    "cnn": ["conv1", "relu1", "pool", "conv2", "relu2", "flatten", "l1", "relu3", "l2"],
    "deep": [
        *("conv1", "relu1", "conv2", "relu2", "pool", "conv3", "relu3"),
        *("flatten", "l1", "relu4", "l2"),
    ],
}


def opened(open_page, name: str = "cnn") -> AppTest:
    app = open_page("network")
    app.selectbox(key="network_model").set_value(name).run()
    return app


def into(app: AppTest, layer: str, unit: int | None = None, arithmetic: bool = False) -> AppTest:
    app.selectbox(key="zoom_layer").set_value(layer).run()
    if unit is not None:
        app.selectbox(key="zoom_unit").set_value(str(unit)).run()
    if arithmetic:
        app.button(key="zoom_open").click().run()
    assert not app.exception
    return app


def has(app: AppTest, key: str) -> bool:
    return any(getattr(e, "key", None) == key for e in [*app.selectbox, *app.button])


def result(app: AppTest) -> str:
    """Return the line that adds up, or the maximum, or the copy."""
    lines = [m.value for m in app.markdown if re.fullmatch(r"`[^`]*=[^`]*`", m.value)]
    assert len(lines) == 1, lines
    return lines[0].strip("`")


def check_of_sum(line: str) -> None:
    terms, total = line.replace("−", "-").replace(" ", "").split("=")
    added = sum(round(float(term) * 1e5) for term in re.findall(r"[+-]?[\d.]+", terms))
    assert added == round(float(total) * 1e5), line


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_a_unit_of_every_layer_opens_down_to_its_number(open_page, name):
    app = opened(open_page, name)
    assert app.selectbox(key="zoom_layer").options == LAYERS[name]
    for layer in LAYERS[name]:
        into(app, layer, 5, arithmetic=True)
        line = result(app)
        if line.startswith(("max(", "max (")):
            inside, total = line.replace("−", "-").split(" = ")
            assert max(map(float, re.findall(r"-?[\d.]+", inside))) == float(total)
        else:
            check_of_sum(line)


def test_back_goes_up_one_level_at_a_time(open_page):
    app = into(opened(open_page), "conv1", 3, arithmetic=True)
    assert has(app, "zoom_row")
    result(app)
    app.button(key="zoom_back").click().run()
    assert has(app, "zoom_open")
    app.button(key="zoom_back").click().run()
    assert not has(app, "zoom_open")
    assert app.selectbox(key="zoom_unit").value is None
    app.button(key="zoom_back").click().run()
    assert app.selectbox(key="zoom_layer").value is None
    assert not has(app, "zoom_unit")
    assert app.button(key="zoom_back").disabled


def test_each_part_of_the_breadcrumb_leads_back_to_its_level(open_page):
    app = into(opened(open_page), "conv1", 3, arithmetic=True)
    app.button(key="zoom_to_1").click().run()
    assert app.selectbox(key="zoom_layer").value == "conv1"
    assert app.selectbox(key="zoom_unit").value is None
    app.button(key="zoom_to_0").click().run()
    assert app.selectbox(key="zoom_layer").value is None


def test_another_place_or_unit_opens_its_number_and_another_layer_its_top(open_page):
    app = into(opened(open_page), "conv1", 3, arithmetic=True)
    before = result(app)
    row = app.selectbox(key="zoom_row")
    row.set_value(str((int(row.value) + 5) % 14)).run()
    moved = result(app)
    assert moved != before
    app.selectbox(key="zoom_unit").set_value("4").run()
    assert result(app) != moved
    app.selectbox(key="zoom_layer").set_value("l2").run()
    assert app.selectbox(key="zoom_unit").value is None
    app.selectbox(key="zoom_unit").set_value("7").run()
    app.button(key="zoom_open").click().run()
    check_of_sum(result(app))


def test_a_convolution_over_maps_shows_the_chosen_map(open_page):
    app = into(opened(open_page), "conv2", 3, arithmetic=True)
    line = result(app)
    app.selectbox(key="zoom_channel").set_value("2").run()
    assert "Added up, map 2" in words(app)
    app.selectbox(key="zoom_channel").set_value("9").run()
    assert "Added up, map 9" in words(app)
    assert result(app) == line


def test_each_architecture_remembers_its_open_path_over_a_page_change(open_page):
    app = into(opened(open_page), "conv1", 3)
    app.selectbox(key="network_model").set_value("mlp").run()
    assert app.selectbox(key="zoom_layer").value is None
    app.selectbox(key="network_model").set_value("cnn").run()
    assert app.selectbox(key="zoom_unit").value == "3"
    go_to(app, "home")
    go_to(app, "network")
    assert app.selectbox(key="zoom_unit").value == "3"


def test_another_image_changes_the_sum(open_page):
    app = into(opened(open_page, "linear"), "l1", 5, arithmetic=True)
    before = result(app)
    app.number_input[0].set_value(17).run()
    assert result(app) != before


def test_fresh_weights_can_be_opened(open_page):
    app = open_page("network")
    app.button_group(key="network_weights").set_value("With fresh weights").run()
    assert app.selectbox(key="zoom_layer").options == LAYERS["linear"]
    assert 1.8 < float(numbers(app)["Its loss"]) < 2.9


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_every_step_and_layer_can_be_walked_through(open_page, name):
    app = opened(open_page, name)
    learning = [layer for layer in LAYERS[name] if layer[0] in "lc"]
    stops = {
        "Forward": LAYERS[name],
        "Loss": ["loss"],
        "Backward": ["loss", *reversed(LAYERS[name])],
        "Update": learning,
    }
    for step, layers in stops.items():
        app.button_group(key="walk_step").set_value(step).run()
        assert app.button_group(key="walk_layer").options == layers
        for layer in layers:
            app.button_group(key="walk_layer").set_value(layer).run()
            assert not app.exception
            assert len(app.latex) == 1
            line = next(s.value for s in app.success if s.value.startswith("Every tensor"))
            found = re.search(r"largest difference ([\d.]+)", line)
            assert float(found.group(1)) <= 1e-5


def test_a_batch_and_another_unit_can_be_walked_through(open_page):
    app = opened(open_page, "mlp")
    assert numbers(app)["The step's images"].startswith("1 (")
    app.button_group(key="walk_images").set_value(8).run()
    assert numbers(app)["The step's images"] == "8"
    app.button_group(key="walk_step").set_value("Update").run()
    before = next(m.value for m in app.markdown if m.value.startswith("Its bias"))
    app.selectbox(key="walk_unit").set_value("77").run()
    assert next(m.value for m in app.markdown if m.value.startswith("Its bias")) != before


def test_a_reported_click_counts_only_if_its_id_is_known():
    known = {"conv1", "l1"}
    assert zoom_picture.reported({"opened": "l1"}, known) == "l1"
    for report in ({"opened": "conv9"}, {"opened": 7}, {"opened": ["l1"]}, {}, None, "l1"):
        assert zoom_picture.reported(report, known) is None


def test_a_mistake_of_the_evaluation_can_be_opened(open_page):
    app = open_page("evaluation")
    app.selectbox(key="evaluation_model").set_value("linear").run()
    assert not has(app, "zoom_back")
    mistakes = app.selectbox(key="evaluation_open")
    assert mistakes.value is None
    mistakes.select_index(0).run()
    into(app, "l1", 5, arithmetic=True)
    check_of_sum(result(app))


def test_the_activation_page_counts_a_network_s_pre_activations(open_page):
    app = open_page("activation")
    app.selectbox(key="activation_model").set_value("mlp").run()
    found = re.search(r"\*\*(\d+) of the 128\*\* numbers of l1 are above zero", words(app))
    zeros = re.search(r"makes the other (\d+) zero", words(app))
    assert int(found.group(1)) + int(zeros.group(1)) == 128
    before = words(app)
    app.button(key="activation_another").click().run()
    assert words(app) != before
    app.selectbox(key="activation_model").set_value("cnn").run()
    assert "of the 3,136** numbers of conv1" in words(app)
    app.button_group(key="activation_layer_3").set_value("l1").run()
    assert "of the 32** numbers of l1" in words(app)
    app.selectbox(key="activation_model").set_value("linear").run()
    assert "A linear model has no hidden layer" in words(app)


def test_the_visitor_s_drawing_can_be_opened_and_walked_through(open_page):
    app = open_page("drawing")
    set_live_drawing(app, canvas((80, 50, 200, 70), (180, 50, 200, 220)))
    app.run()
    go_to(app, "network")
    app.selectbox(key="network_model").set_value("cnn").run()
    app.button_group(key="network_image_kind").set_value("Your drawing").run()
    assert app.selectbox(key="network_drawn_label").value == "7"
    sure = float(numbers(app)["Its loss"])
    app.selectbox(key="network_drawn_label").set_value("3").run()
    assert float(numbers(app)["Its loss"]) > sure + 1
    into(app, "conv1", 2, arithmetic=True)
    check_of_sum(result(app))


def test_it_starts_with_the_linear_model_and_the_right_class_of_a_mistake(open_page):
    app = open_page("network")
    assert app.selectbox(key="network_model").value == "linear"
    assert app.selectbox(key="zoom_layer").value == "l1"
    assert float(numbers(app)["Its loss"]) > 1  # surely wrong
    assert numbers(app)["The step's images"] == f"1 ({app.selectbox(key='zoom_unit').value})"


def test_next_and_previous_walk_through_all_layers_of_all_steps(open_page):
    app = open_page("network")
    assert app.button(key="walk_previous").disabled
    seen = []
    while not app.button(key="walk_next").disabled:
        step, layer = (app.button_group(key=f"walk_{what}").value for what in ("step", "layer"))
        seen.append((step, layer))
        app.button(key="walk_next").click().run()
        assert not app.exception
    assert seen == [
        *[("Forward", "flatten"), ("Forward", "l1"), ("Loss", "loss")],
        *[("Backward", "loss"), ("Backward", "l1"), ("Backward", "flatten")],
    ]
    assert app.button_group(key="walk_step").value == "Update"
    app.button(key="walk_previous").click().run()
    assert app.button_group(key="walk_layer").value == "flatten"


def test_a_larger_rate_changes_the_loss_more(open_page):
    app = open_page("network")

    def change() -> float:
        found = numbers(app)
        return float(found["Its loss"]) - float(found["Its loss after"])

    before = change()
    app.button_group(key="walk_rate").set_value(0.01).run()
    assert 0 < change() < before
