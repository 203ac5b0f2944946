"""Home in a real browser: the boundary bends, a whole card is a link, the timeline is clickable."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import handle, settled


def status(page) -> tuple[int, int, int]:
    """Return the step, the points right and all points, as the picture says."""
    text = handle(page, "home_boundary").locator(".status").inner_text()
    found = re.fullmatch(r"Step ([\d,]+): (\d+) of (\d+) points right", text)
    return tuple(int(n.replace(",", "")) for n in found.groups())


def finished(page) -> None:
    pause = handle(page, "home_boundary").locator(".pause")
    expect(pause).to_have_text("Go on", timeout=90_000)


def test_the_network_learns_the_points_and_bends_to_a_new_one(server, visit):
    page = visit(server.url)
    finished(page)
    steps, right, points = status(page)
    assert steps > 100
    assert right == points
    handle(page, "home_boundary").locator("canvas").click(position={"x": 20, "y": 20})
    expect(handle(page, "home_boundary").locator(".pause")).to_have_text("Pause")
    finished(page)
    later, right, more = status(page)
    assert (later > steps, right, more) == (True, points + 1, points + 1)


def test_pause_and_a_new_network_by_keyboard(server, visit):
    page = visit(server.url)
    box = handle(page, "home_boundary")
    box.locator(".again").press("Enter")
    box.locator(".pause").press("Enter")
    expect(box.locator(".pause")).to_have_text("Go on")
    before = status(page)
    page.wait_for_timeout(400)
    assert status(page) == before


def test_with_reduced_motion_only_the_result_appears(server, browser):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(server.url)
    finished(page)
    _, right, points = status(page)
    assert right == points
    context.close()


@pytest.mark.parametrize("place", [0.1, 0.9])
def test_the_whole_card_is_a_link(server, visit, place):
    page = visit(server.url)
    settled(page)
    card = handle(page, "home_card_loss")
    card.scroll_into_view_if_needed()
    box = card.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * place)
    expect(page).to_have_title(re.compile("Loss"))


def test_slider_and_timeline_have_one_axis_and_a_point_can_be_clicked(server, visit):
    page = visit(server.url)
    chart, card = handle(page, "home_timeline"), handle(page, "home_milestone_card")
    expect(chart.locator("canvas").first).to_be_visible()
    settled(page)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    x = box["x"] + 6 + (box["width"] - 12) * (1958 - 1940) / (2025 - 1940)
    slider = handle(page, "home_milestone").bounding_box()
    page.mouse.click(x, slider["y"] + slider["height"] - 12)
    expect(card).to_contain_text("1958 · The perceptron")
    handle(page, "home_milestone").get_by_role("slider").press("Home")
    expect(card).to_contain_text("1943 · ")
    settled(page)
    for y in range(0, int(box["height"]), 4):  # downwards, until a point is hit
        page.mouse.click(x, chart.bounding_box()["y"] + y)
        page.wait_for_timeout(60)
        settled(page)
        if "1943" not in card.inner_text():
            expect(card).to_contain_text("1958 · The perceptron")
            return
    raise AssertionError("no point lies under the slider's 1958")
