"""A run in the browser: it streams in place, survives what visitors do, and stays its owner's."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import go_to, handle, select, settled


def open_settings(page) -> None:
    handle(page, "training_settings").locator("summary").click()
    expect(handle(page, "training_model")).to_be_visible()
    settled(page)


def start_a_long_run(page) -> None:
    open_settings(page)
    select(page, "training_model", "Small CNN")
    expect(handle(page, "training_settings")).to_contain_text("Settings: Small CNN, SGD 0.01")
    expect(handle(page, "training_model")).to_be_visible()  # still unfolded
    handle(page, "training_start").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("running step")


def step(page) -> int:
    return int(re.search(r"step (\d+) of", handle(page, "training_status").inner_text()).group(1))


def test_chart_streams_in_place(server, visit):
    page = visit(f"{server.url}/training")
    start_a_long_run(page)
    chart = handle(page, "training_loss").locator("canvas").first
    expect(chart).to_be_visible()
    chart.evaluate("canvas => { canvas.dataset.mark = 'the same'; }")
    picture = chart.evaluate("canvas => canvas.toDataURL()")
    page.evaluate(
        """() => {
            window.replaced = 0;
            const chart = document.querySelector('.st-key-training_loss');
            new MutationObserver(changes => {
                for (const change of changes)
                    for (const node of change.removedNodes)
                        if (node.querySelector?.('canvas') || node.tagName === 'CANVAS')
                            window.replaced += 1;
            }).observe(chart, {childList: true, subtree: true});
        }"""
    )
    first = step(page)
    page.wait_for_function(
        """first => {
            const text = document.querySelector('.st-key-training_status').innerText;
            return Number(/step (\\d+) of/.exec(text)[1]) > first + 100;
        }""",
        arg=first,
    )
    assert chart.evaluate("canvas => canvas.dataset.mark") == "the same"
    assert page.evaluate("window.replaced") == 0
    page.wait_for_function(  # the numbers come a moment before the curve
        "picture => document.querySelector('.st-key-training_loss canvas').toDataURL() !== picture",
        arg=picture,
    )
    handle(page, "training_stop").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("stopped")
    page.wait_for_timeout(1_500)  # the page is drawn anew at the end, and the chart stays
    assert chart.evaluate("canvas => canvas.dataset.mark") == "the same"
    assert page.evaluate("window.replaced") == 0


def test_run_survives_clicks_and_page_changes(server, visit):
    page = visit(f"{server.url}/training")
    start_a_long_run(page)
    before = step(page)
    handle(page, "training_log").locator("label").first.click()
    go_to(page, "Layer")
    handle(page, "layer_lesson_fresh").locator("button").click()
    settled(page)
    go_to(page, "Training")
    expect(handle(page, "training_status")).to_contain_text("running step")
    assert step(page) > before
    handle(page, "training_pause").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("paused")
    held = step(page)
    handle(page, "training_step").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text(f"paused step {held + 1} of")
    expect(handle(page, "training_pause")).to_contain_text("Resume")
    handle(page, "training_stop").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("stopped")


def test_another_visitor_does_not_see_it(server, visit):
    page = visit(f"{server.url}/training")
    handle(page, "training_step").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("paused step 1 of")
    other = visit(f"{server.url}/training")
    expect(handle(other, "training_status")).to_contain_text("No run yet")
