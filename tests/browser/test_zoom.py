"""The zoom in a browser: click down to a sum, add up its printed terms, and go back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import handle, select, settled


def start(server, visit, name: str, width: int = 1280) -> Page:
    page = visit(f"{server.url}/network?model={name}", width)
    expect(handle(page, "network_step_check")).to_contain_text("match")
    if name == "linear":  # it starts at the unit of the right class
        handle(page, "zoom_to_0").locator("button").click()
        here(page, "Network")
    return page


def press(page: Page, name: str) -> None:
    """Press a card or a tile of the picture."""
    handle(page, "zoom_picture").locator(f'button[data-id="{name}"]').click()


def here(page: Page, words: str) -> None:
    """Wait until the breadcrumb ends with these words."""
    expect(handle(page, "zoom_breadcrumb").locator("strong")).to_have_text([words])
    settled(page)


def units(text: str) -> int:
    return round(float(text.replace("−", "-").replace(" ", "")) * 100_000)


def adds_up(page: Page) -> int:
    """Add up the terms that the page shows; return the sum in units of 0.00001."""
    line = handle(page, "zoom_sum").inner_text().strip()
    terms, total = line.split("=")
    added = sum(units(term) for term in re.findall(r"[+−]?\s*\d+\.\d{5}", terms))
    assert added == units(total), line
    return added


def test_from_the_network_to_a_sum_and_back_level_by_level(server, visit):
    page = start(server, visit, "cnn")
    expect(handle(page, "zoom_picture").locator("button.card")).to_have_count(9)
    here(page, "Network")
    press(page, "conv1")
    here(page, "conv1")
    expect(handle(page, "zoom_picture").locator("button.tile")).to_have_count(16)
    press(page, "3")
    here(page, "map 3")
    cells = handle(page, "zoom_picture").locator(".map")
    box = cells.bounding_box()
    cells.click(position={"x": box["width"] * 6.5 / 14, "y": box["height"] * 12.5 / 14})
    here(page, "row 12, column 6")
    total = adds_up(page)
    rows = handle(page, "zoom_rows").inner_text()
    listed = [units(found) for found in re.findall(r"−?\d+\.\d{5}", rows)]
    assert sum(listed[:5]) == listed[5]
    products = handle(page, "zoom_products").locator(".annotation-text")
    expect(products).to_have_count(25)
    assert sum(units(text) for text in products.all_text_contents()) == listed[5]
    assert total

    for words in ("map 3", "conv1", "Network"):
        handle(page, "zoom_back").locator("button").click()
        here(page, words)
    expect(handle(page, "zoom_back").locator("button")).to_be_disabled()
    expect(handle(page, "zoom_picture").locator("button.card")).to_have_count(9)


@pytest.mark.parametrize(("name", "layer"), [("linear", "l1"), ("mlp", "l2"), ("cnn", "l1")])
def test_a_unit_s_sum_adds_up_and_the_breadcrumb_leads_back(server, visit, name, layer):
    page = start(server, visit, name, width=390)
    press(page, layer)
    here(page, layer)
    press(page, "5")
    handle(page, "zoom_open").locator("button").click()
    here(page, "the sum")
    adds_up(page)
    handle(page, "zoom_to_0").locator("button").click()
    here(page, "Network")


def test_a_map_is_opened_with_the_keyboard(server, visit):
    page = start(server, visit, "cnn")
    handle(page, "zoom_picture").locator('button[data-id="conv2"]').press("Enter")
    here(page, "conv2")
    handle(page, "zoom_picture").locator('button[data-id="7"]').press("Enter")
    here(page, "map 7")
    cells = handle(page, "zoom_picture").locator(".map")
    for _ in range(7):
        cells.press("ArrowUp")
    for _ in range(49):
        cells.press("ArrowLeft")
    expect(handle(page, "zoom_picture").locator("[role=status]")).to_have_text("row 0, column 0")
    cells.press("ArrowRight")
    cells.press("ArrowDown")
    cells.press("Enter")
    here(page, "row 1, column 1")
    adds_up(page)


def test_a_step_is_walked_through(server, visit):
    page = start(server, visit, "cnn")
    for step in ("Forward", "Loss", "Backward", "Update"):
        handle(page, "walk_step").get_by_text(step, exact=True).click()
        settled(page)
        expect(handle(page, "network_step_check")).to_contain_text(
            re.compile(r"match \(largest difference 0\.\d+, rounding explains up to 0\.\d+\)")
        )
    expect(handle(page, "walk_gradients").locator("img")).to_have_count(3)
    before = handle(page, "walk_gradients").locator("img").first.get_attribute("src")
    handle(page, "walk_unit").scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a list that opens while the page scrolls closes again
    select(page, "walk_unit", "^5$")
    expect(handle(page, "walk_gradients").locator("img").first).not_to_have_attribute("src", before)
