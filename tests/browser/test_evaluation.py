"""Evaluation by mouse and by keyboard: a cell shows its images, an image opens in the network."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import handle, select, settled


def click_cell(page, row: int, column: int) -> None:
    """Click a cell of the confusion matrix; its plot begins right of and above the names."""
    box = handle(page, "evaluation_confusion").locator("canvas").first.bounding_box()
    left, top, right, bottom = 48, 4, 4, 48
    x = box["x"] + left + (column + 0.5) * (box["width"] - left - right) / 10
    y = box["y"] + top + (row + 0.5) * (box["height"] - top - bottom) / 10
    page.mouse.click(x, y)
    settled(page)


def test_a_clicked_cell_shows_its_images_and_an_image_opens(server, visit):
    page = visit(f"{server.url}/evaluation")
    select(page, "evaluation_model", "Linear")
    click_cell(page, 3, 3)
    expect(handle(page, "evaluation_true").locator("input")).to_have_value("3")
    expect(handle(page, "evaluation_predicted").locator("input")).to_have_value("3")
    pictures = handle(page, "evaluation_pictures").locator("button")
    expect(pictures.first).to_contain_text("3, predicted 3")
    click_cell(page, 7, 7)
    expect(pictures.first).to_contain_text("7, predicted 7")
    pictures.nth(1).click()
    expect(pictures.nth(1)).to_have_attribute("aria-current", "true")
    expect(handle(page, "zoom_picture")).to_be_visible()
    expect(handle(page, "evaluation_open").locator("input")).to_have_value("7, predicted 7 (100%)")


def test_an_image_opens_by_keyboard(server, visit):
    page = visit(f"{server.url}/evaluation")
    select(page, "evaluation_model", "Linear")
    select(page, "evaluation_true", "^8$")
    pictures = handle(page, "evaluation_pictures").locator("button")
    expect(pictures.first).to_contain_text("8, predicted")
    pictures.first.focus()
    page.keyboard.press("Enter")
    expect(pictures.first).to_have_attribute("aria-current", "true")
    expect(pictures.first).to_be_focused()
    expect(handle(page, "zoom_picture")).to_be_visible()
