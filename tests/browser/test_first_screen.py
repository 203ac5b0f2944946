"""The first screen of a page shows the thing itself and its first control, on laptop and phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import settled

# page: CSS selectors of the thing and of its first control
FIRST_SCREEN = {
    "training": [
        ".st-key-training_presets",
        ".st-key-training_start",
        ".st-key-training_loss canvas",
    ],
    "home": [".st-key-home_boundary canvas", ".st-key-home_start button"],
    "layer": [
        ".st-key-layer_x0 input",
        ".st-key-layer_figure .js-plotly-plot",
        ".st-key-layer_sum",
    ],
    "activation": [
        ".st-key-activation_name",
        ".st-key-activation_figure .js-plotly-plot",
        ".st-key-activation_z",
    ],
    "loss": [".st-key-loss_z0", ".st-key-loss_probabilities"],
    "dataset": [".st-key-dataset_name", ".st-key-dataset_split", ".st-key-dataset_grid"],
    "convolution": [
        ".st-key-convolution_kernel",
        ".st-key-convolution_window .pictures",
        ".st-key-convolution_sum .window-numbers >> nth=1",  # the kernel
    ],
    "model": [".st-key-model_architecture", ".st-key-model_parameters"],
    "network": [".st-key-network_model", ".st-key-zoom_breadcrumb"],
    "race": [".st-key-race_model", ".st-key-race_start", ".st-key-race_lanes canvas"],
    "evaluation": [
        ".st-key-evaluation_model",
        ".st-key-evaluation_test_accuracy",
        ".st-key-evaluation_train_accuracy",
        ".st-key-evaluation_confusion canvas",
    ],
}


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
@pytest.mark.parametrize("name", FIRST_SCREEN)
def test_the_first_screen_shows_the_thing_and_its_control(server, visit, name, width, height):
    page = visit(server.url, width)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{server.url}/{'' if name == 'home' else name}")
    settled(page)
    for selector in FIRST_SCREEN[name]:
        element = page.locator(selector).first
        expect(element).to_be_visible()
        box = element.bounding_box()
        assert box["y"] >= 0, selector
        assert box["y"] + box["height"] <= height, f"{selector} ends at {box['y'] + box['height']}"
        assert box["x"] + box["width"] <= width, selector
