"""How soon a drawing is predicted, on each pad, in a real browser on the same machine.

    python -m benchmarks.pads [--strokes 40] [--seconds 4]

The mouse draws strokes on the drawing page, on the live pad and on streamlit-drawable-canvas, while
nobody trains and while another visitor trains. The browser's clock measures

- pen up to prediction: from the ``pointerup`` event to the last change of the number that the page
  shows with each prediction, seen by a MutationObserver
- live updates: how often a second that number changes while the pen moves, 60 times a second

Prints median, 95th percentile and the worst, and the ratio of the two pads.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.clicks import begin, visitor
from benchmarks.machine import app_server, chromium, describe, spread_ms

PORT = 8655
PADS = ("Live pad", "With tools")
QUIET_MS = 700  # a prediction is the last one if none follows in this time; the canvas waits 200
WATCH = """() => {
    const number = () => document.querySelector('.prediction-note:last-child')
        ?.textContent.match(/\\d+/)?.[0];
    window.predictions = [];
    let last = number();
    new MutationObserver(() => {
        const now = number();
        if (now === undefined || now === last) return;
        last = now;
        window.predictions.push(performance.now());
    }).observe(document.body, {childList: true, characterData: true, subtree: true});
    document.addEventListener('pointerup', () => { window.up = performance.now(); }, true);
}"""
PREDICTED = f"""() => window.predictions.at(-1) > window.up
    && performance.now() - window.predictions.at(-1) > {QUIET_MS}"""


def choose(page: Page, pad: str) -> None:
    page.locator(".st-key-drawing_pad").get_by_text(pad, exact=True).click()
    canvases = page.locator(".st-key-drawing_canvas canvas")
    expect(canvases).to_have_count(1 if pad == PADS[0] else 3)
    page.wait_for_timeout(1000)


def clear(page: Page) -> None:
    page.get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_timeout(1000)


def corner(page: Page) -> tuple[float, float]:
    """Return the pad's upper left corner on the screen."""
    box = page.locator(".st-key-drawing_canvas canvas").last.bounding_box()
    if box is None:
        raise RuntimeError("the pad is not on the page.")
    return box["x"], box["y"]


def stroke(page: Page, index: int) -> None:
    """Draw a short stroke, each at another place, as fast as the mouse moves."""
    left, top = corner(page)
    x, y = left + 30 + 20 * (index % 11), top + 30 + 45 * (index // 11 % 5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 15, y + 40, steps=10)
    page.mouse.up()


def pen_up_to_prediction(page: Page, strokes: int) -> list[float]:
    """Return milliseconds from each pen up to its prediction."""
    times = []
    for i in range(strokes):
        if i and i % 20 == 0:  # on a full pad a stroke changes nothing
            clear(page)
        stroke(page, i)
        page.wait_for_function(PREDICTED, timeout=20_000)
        times.append(page.evaluate("window.predictions.at(-1) - window.up"))
    return times


def live_updates(page: Page, seconds: float) -> float:
    """Return the number of predictions a second while the pen moves."""
    clear(page)
    left, top = corner(page)
    page.mouse.move(left + 140, top + 40)
    page.mouse.down()
    page.evaluate("window.predictions = []")
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        turn = 2 * math.pi * elapsed / seconds
        radius = 100 - 8 * math.sin(9 * turn)
        x, y = left + 140 + radius * math.sin(turn), top + 140 - radius * math.cos(turn)
        page.mouse.move(x, y)
        time.sleep(1 / 60)
    updates = page.evaluate("window.predictions.length") / elapsed
    page.mouse.up()
    page.wait_for_function(PREDICTED, timeout=20_000)
    return updates


def measure(page: Page, title: str, strokes: int, seconds: float) -> None:
    medians = {}
    for pad in PADS:
        choose(page, pad)
        pen_up_to_prediction(page, 3)  # warm-up
        clear(page)
        times = pen_up_to_prediction(page, strokes)
        medians[pad] = statistics.median(times)
        print(f"{title:16} {pad:18} pen up to prediction: {spread_ms(times)}", flush=True)
    print(f"{title:16} ratio {medians[PADS[1]] / medians[PADS[0]]:.1f}", flush=True)
    choose(page, PADS[0])
    rates = [live_updates(page, seconds) for _ in range(5)]
    print(
        f"{title:16} {PADS[0]:18} live updates: median {statistics.median(rates):.1f} a second, "
        f"from {min(rates):.1f} to {max(rates):.1f}, n = {len(rates)} strokes of {seconds:g} s",
        flush=True,
    )
    clear(page)


def drawer(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.goto(f"{url}/drawing")
    page.locator(".st-key-drawing_canvas canvas").wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    page.evaluate(WATCH)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon a drawing is predicted.")
    parser.add_argument("--strokes", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    with app_server(PORT) as url, sync_playwright() as playwright:
        browser = chromium(playwright)
        page = drawer(browser, url)
        measure(page, "nobody trains", arguments.strokes, arguments.seconds)
        begin(visitor(browser, url), 500)
        measure(page, "another trains", arguments.strokes, arguments.seconds)
        browser.close()
    print(describe("streamlit"))


if __name__ == "__main__":
    main()
