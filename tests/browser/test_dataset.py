"""The dataset page in a browser: an image opens; its pixels and its numbers are linked."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import handle, settled

SENTENCE = re.compile(r"Image ([\d,]+) of the (?:training|test) set\. Label: (\d)\.")


def start(server, visit, width: int = 1280) -> Page:
    page = visit(f"{server.url}/dataset", width)
    expect(numbers(page).locator("td")).to_have_count(784, timeout=60_000)
    return page


def tiles(page: Page):
    return handle(page, "dataset_images").locator("button.image")


def numbers(page: Page):
    return handle(page, "dataset_matrix").locator(".numbers")


def opened(page: Page, label: str) -> int:
    """Wait until an image with this label is open; return its index."""
    sentence = page.get_by_text(re.compile(rf"Image [\d,]+ of the .* set\. Label: {label}\."))
    expect(sentence).to_be_visible(timeout=30_000)
    return int(SENTENCE.search(sentence.inner_text())[1].replace(",", ""))


def test_a_click_opens_an_image_with_its_prediction(server, visit):
    page = start(server, visit)
    expect(tiles(page)).to_have_text([str(i) for i in range(10)] * 2)  # every class, twice
    first = opened(page, "0")
    before = numbers(page).inner_text()
    tiles(page).nth(7).click()
    assert opened(page, "7") != first
    expect(tiles(page).nth(7)).to_have_attribute("aria-current", "true")
    expect(handle(page, "dataset_matrix").locator(".bar.largest")).to_contain_text("7")
    assert numbers(page).inner_text() != before


def test_on_a_phone_the_opened_image_is_scrolled_into_view(server, visit):
    page = start(server, visit, 390)
    picture = handle(page, "dataset_matrix").locator(".picture")
    expect(picture).not_to_be_in_viewport(ratio=0.9)
    tiles(page).nth(3).click()
    opened(page, "3")
    expect(picture).to_be_in_viewport(ratio=0.99)


def test_the_keyboard_opens_an_image_and_stays_where_it_is(server, visit):
    page = start(server, visit)
    tiles(page).nth(0).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(tiles(page).nth(11)).to_be_focused()
    page.keyboard.press("Enter")
    opened(page, "1")
    settled(page)
    expect(tiles(page).nth(11)).to_be_focused()
    assert tiles(page).evaluate_all("all => all.filter((one) => one.tabIndex === 0).length") == 1


def test_a_pixel_marks_its_number_and_a_number_its_pixel(server, visit):
    page = start(server, visit)
    picture = handle(page, "dataset_matrix").locator(".picture")
    status = handle(page, "dataset_matrix").locator(".status")
    picture.scroll_into_view_if_needed()
    side = picture.bounding_box()["width"]
    picture.hover(position={"x": side * 16.5 / 28, "y": side * 5.5 / 28})
    marked = numbers(page).locator("td.here")
    expect(marked).to_have_count(1)
    value = int(marked.inner_text())
    assert marked.evaluate("td => [td.dataset.row, td.dataset.column]") == ["5", "16"]
    expect(status).to_contain_text(f"Row 5, column 16: {value}. The network gets")
    numbers(page).locator('td[data-row="20"][data-column="3"]').hover()
    expect(status).to_contain_text("Row 20, column 3: ")
    left, top = (
        handle(page, "dataset_matrix")
        .locator(".cursor")
        .evaluate("one => [one.style.left, one.style.top].map(parseFloat)")
    )
    assert (left, top) == pytest.approx((100 * 3 / 28, 100 * 20 / 28), abs=0.01)
    numbers(page).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("Row 21, column 4: ")


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_every_number_is_whole_at_every_width(server, visit, width):
    page = start(server, visit, width)
    cut = (
        numbers(page)
        .locator("td, th")
        .evaluate_all(
            "all => all.filter((a) => a.scrollWidth > a.clientWidth).map((a) => a.outerHTML)"
        )
    )
    assert cut == []
    assert re.search(r"\t2\d\d\t", numbers(page).inner_text())  # there are numbers of three digits
    numbers(page).focus()
    for _ in range(13):
        page.keyboard.press("ArrowRight")  # to the last column: it is scrolled into view
    box, frame = numbers(page).locator("td.here").bounding_box(), numbers(page).bounding_box()
    assert frame["x"] - 1 <= box["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def test_a_batch_shows_its_images_and_another_one_differs(server, visit):
    page = start(server, visit)
    batch = handle(page, "dataset_batch_images").locator("figure.image")
    expect(batch).to_have_count(32)
    before = batch.locator("img").first.get_attribute("src")
    handle(page, "dataset_another_batch").locator("button").click()
    expect(batch.locator("img").first).not_to_have_attribute("src", before)
    expect(batch).to_have_count(32)


def test_the_page_is_shorter_than_3000_pixels(server, visit):
    page = start(server, visit)
    expect(handle(page, "dataset_batch")).to_be_visible()
    settled(page)
    assert page.locator('[data-testid="stMain"]').evaluate("one => one.scrollHeight") < 3_000
