"""The whole way through the lesson, in a browser, on real data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pages.parts.shell.navigation import LESSON, PAGES
from tests.browser.conftest import draw, go_to, handle, select, settled
from tests.browser.test_training import open_settings

SEVEN = [(80, 60), (200, 60), (130, 225)]
ONE_EPOCH = {"60,000": (0.86, 0.92), "1,437": (0.88, 0.95)}  # images: accuracy on the test set


def accuracy(page, key: str) -> float:
    text = handle(page, key).inner_text()
    found = re.search(r"[01]\.\d+", text).group()
    assert len(found.replace(".", "").lstrip("0")) == 5 or found == "1.0000", found
    return float(found)


def test_the_whole_way(server, visit):
    page = visit(server.url)
    expect(handle(page, "home_data_status")).to_contain_text("In use:")

    go_to(page, "Layer")
    expect(handle(page, "layer_check")).to_contain_text("match")
    go_to(page, "Activation")
    expect(handle(page, "activation_check")).to_contain_text("match")
    go_to(page, "Loss")
    expect(handle(page, "loss_check")).to_contain_text("match")
    go_to(page, "Dataset")
    sizes = handle(page, "dataset_sizes").inner_text()
    n_images = next(n for n in ONE_EPOCH if n in sizes)
    expect(handle(page, "dataset_grid").locator("img").first).to_be_visible()
    go_to(page, "Model")
    expect(handle(page, "model_parameters")).to_contain_text("7,850")
    expect(handle(page, "model_step_check")).to_contain_text("match")

    go_to(page, "Training")
    if n_images == "60,000":
        open_settings(page)
        epochs = handle(page, "training_epochs").locator("input")
        epochs.fill("1")
        epochs.press("Enter")
        settled(page)
    handle(page, "training_start").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("finished", timeout=120_000)
    expect(handle(page, "training_loss").locator("canvas").first).to_be_visible()

    go_to(page, "Race")
    handle(page, "race_start").locator("button").click()
    expect(handle(page, "race_status")).to_contain_text("finished", timeout=120_000)
    expect(handle(page, "race_difference")).to_contain_text(re.compile(r"\de-0[6-9]"))
    go_to(page, "Runs")
    expect(handle(page, "runs_curves").locator(".js-plotly-plot")).to_be_visible()
    with page.expect_download() as download:
        handle(page, "runs_take_script").locator("button").click()
    assert "nn.Linear(784, 10)" in Path(download.value.path()).read_text("utf-8")
    go_to(page, "Replay")
    expect(handle(page, "replay_confusion").locator("canvas").first).to_be_visible()

    go_to(page, "Evaluation")
    low, high = ONE_EPOCH[n_images]
    assert low < accuracy(page, "evaluation_test_accuracy") < high
    assert low < accuracy(page, "evaluation_train_accuracy") <= 1
    expect(handle(page, "evaluation_confusion").locator("canvas").first).to_be_visible()

    go_to(page, "Drawing")
    draw(page, SEVEN)
    expect(handle(page, "drawing_prediction")).to_have_text(re.compile(r"^\s*\d\s*$"))
    expect(handle(page, "drawing_stages").locator("img")).to_have_count(7)  # the page has followed
    select(page, "drawing_model", "Small CNN")
    expect(handle(page, "drawing_prediction")).to_have_text(re.compile(r"^\s*7\s*$"))
    expect(handle(page, "drawing_confidence")).to_be_visible()
    expect(handle(page, "drawing_stages").locator("img")).to_have_count(7)

    go_to(page, "Home")
    expect(
        page.get_by_text(f"8 of {len(LESSON) - 1} pages of the lesson behind you")
    ).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_clean_and_fits(server, visit, width, scheme):
    page = visit(server.url, width, scheme)
    for row in PAGES:
        page.goto(f"{server.url}/{'' if row.name == 'home' else row.name}")
        settled(page)
        expect(page.locator('[data-testid="stException"]')).to_have_count(0)
        main = page.locator('[data-testid="stMain"]')
        assert main.evaluate("m => m.scrollWidth - m.clientWidth") <= 0, f"{row.name} is too wide"


def test_deep_link_on_a_fresh_server_enters_by_the_door(fresh_server, data_dir, visit):
    page = visit(f"{fresh_server(data_dir).url}/loss")
    expect(page.locator('[data-testid="stSidebarNav"]')).to_contain_text("The network")
    expect(page.locator('[data-testid="stSidebarNav"]')).not_to_contain_text("app")
    expect(handle(page, "loss_check")).to_contain_text("match")
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_a_number_of_the_layer_can_be_edited(server, visit):
    page = visit(f"{server.url}/layer")
    figure = handle(page, "layer_figure").first  # while a page is left, the old one may linger
    expect(figure).to_contain_text("x₁ = 1")
    field = handle(page, "layer_x0").locator("input")
    field.fill("2.5")
    field.press("Enter")
    expect(figure).to_contain_text("x₁ = 2.5")
    expect(handle(page, "layer_free_check")).to_contain_text("match")
    go_to(page, "Home")
    go_to(page, "Layer")
    expect(figure).to_contain_text("x₁ = 2.5")


def test_links_of_the_conclusions_set_the_pages_up(server, visit):
    page = visit(f"{server.url}/conclusions")
    page.get_by_role("link", name="Train the small CNN").click()
    expect(page).to_have_title(re.compile("Training"))
    settled(page)
    expect(handle(page, "training_model").locator("input")).to_have_value("Small CNN")
