"""Replay in a browser: on the first screen, and playing in place."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import go_to, handle


@pytest.fixture
def replay(server, visit):
    """A visitor on the Replay page, after one training step."""
    page = visit(f"{server.url}/training")
    handle(page, "training_step").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("paused", timeout=60_000)
    go_to(page, "Replay")
    expect(handle(page, "replay_numbers")).to_contain_text("Step0")
    return page


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_play_and_the_matrix_are_on_the_first_screen(replay, width, height):
    replay.set_viewport_size({"width": width, "height": height})
    for selector in (".st-key-replay_play button", ".st-key-replay_confusion canvas"):
        element = replay.locator(selector).first
        expect(element).to_be_visible()
        box = element.bounding_box()
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height, selector


def test_it_plays_to_the_end_and_the_slider_is_there_again(replay):
    matrix = handle(replay, "replay_confusion").locator("canvas").first
    matrix.evaluate("canvas => { canvas.dataset.mark = 'the same'; }")
    handle(replay, "replay_play").locator("button").click()
    expect(handle(replay, "replay_numbers")).to_contain_text("Step1")
    expect(handle(replay, "replay_play")).to_contain_text("Play")
    expect(handle(replay, "replay_step").get_by_role("slider")).to_have_attribute(
        "aria-valuetext", "1"
    )
    assert matrix.evaluate("canvas => canvas.dataset.mark") == "the same"
