"""Convolution in a real browser: the window moves by click and by keyboard, and its sum follows."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import settled


def test_the_window_moves_by_arrow_keys_and_by_a_click(server, visit):
    page = visit(server.url, 1280)
    page.goto(f"{server.url}/convolution")
    settled(page)
    window = page.locator(".st-key-convolution_window")
    status = window.locator(".status")
    expect(status).to_contain_text("row 8, column 12")
    window.locator(".pictures").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    expect(status).to_contain_text("row 9, column 13")
    value = status.inner_text().split(": ")[1]
    expect(page.locator(".st-key-convolution_sum .window-total")).to_contain_text(value)
    feature_map = window.locator(".picture").nth(1)
    box = feature_map.bounding_box()
    feature_map.click(position={"x": box["width"] - 3, "y": 4})
    expect(status).to_contain_text("row 0, column 25")
    image = window.locator(".picture").first
    image.click(position={"x": 2, "y": box["height"] - 3})  # the window stays inside the image
    expect(status).to_contain_text("row 25, column 0")
