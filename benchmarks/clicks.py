"""How fast pages respond while others train, measured in the browser.

    python -m benchmarks.clicks [--rounds 5]

A visitor clicks through all pages and uses a control on each: while nobody trains, while their run
streams, and while two other visitors train. The browser's clock measures the time from the click
until the page responds (with its first new content; after a link, with the new title), and until it
is complete. Prints median, 95th percentile and the worst.
"""

from __future__ import annotations

import argparse
import statistics

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.machine import app_server, chromium, describe, spread_ms

PORT = 8654
CONTROLS = {  # page: a control on it, by its key
    "layer": "layer_lesson_fresh",
    "activation": "activation_fresh",
    "loss": "loss_another",
    "dataset": "dataset_another_batch",
    "model": "model_fresh",
    "training": "training_log",
    "race": "race_model",
    "runs": "runs_log",
    "replay": "",
    "evaluation": "",
    "drawing": "drawing_preparation",
    "conclusions": "",
}
CLICKED: dict[str, int] = {}
WATCH = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    const title = () => document.querySelector('[data-testid="stMain"] h1')?.textContent;
    document.addEventListener('click', event => {
        window.leaving = event.target.closest('a') !== null;
        window.before = title();
        window.clicked = performance.now();
        window.responded = window.complete = null;
        window.ran = false;
    }, true);
    new MutationObserver(() => {
        if (window.responded === null && (!window.leaving || title() !== window.before))
            window.responded = performance.now();
    }).observe(app, {childList: true, characterData: true, subtree: true});
    new MutationObserver(changes => {
        const state = app.getAttribute('data-test-script-state');
        if (state === 'running' || changes.some(c => c.oldValue === 'running')) window.ran = true;
        if (state === 'notRunning' && window.ran && window.complete === null)
            window.complete = performance.now();
    }).observe(app, {
        attributes: true, attributeOldValue: true, attributeFilter: ['data-test-script-state'],
    });
}"""
# The state of a quick page does not change visibly; such a page is complete when it has responded.
COMPLETE = """() => window.complete !== null
    || (window.responded !== null && performance.now() - window.responded > 1500)"""
Times = dict[str, list[tuple[float, float]]]  # milliseconds until it responds, until it is complete


def settled(page: Page) -> None:
    expect(page.locator('[data-testid="stMain"] h1').first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(700)


def timed_click(page: Page, selector: str, index: int = 0) -> tuple[float, float]:
    """Click; return the milliseconds until the page responds, and until it is complete."""
    page.locator(selector).nth(index).click()
    page.wait_for_function(COMPLETE, timeout=30_000)
    responded, complete = page.evaluate(
        "[window.responded ?? window.complete, window.complete ?? window.responded]"
        ".map(time => time - window.clicked)"
    )
    return min(responded, complete), complete


def tour(page: Page, rounds: int) -> Times:
    """Click through all pages; return milliseconds, by page and kind of click."""
    times: Times = {}
    for _ in range(rounds):
        for name, control in CONTROLS.items():
            link = f'[data-testid="stSidebarNav"] a[href$="/{name}"]'
            times.setdefault(f"to {name}", []).append(timed_click(page, link))
            settled(page)
            target = f".st-key-{control} {'label' if control.endswith('_log') else 'button'}"
            choices = page.locator(target).count() if control else 0
            if choices:
                CLICKED[name] = (CLICKED.get(name, 0) + 1) % choices  # another choice each time
                times.setdefault(f"on {name}", []).append(timed_click(page, target, CLICKED[name]))
                settled(page)
    return times


def visitor(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{url}/?model=mlp")
    settled(page)
    page.evaluate(WATCH)
    return page


def begin(page: Page, epochs: int) -> None:
    """Start a run of the MLP that lasts longer than the tour."""
    page.locator('[data-testid="stSidebarNav"] a[href$="/training"]').click()
    field = page.locator(".st-key-training_epochs input")
    field.fill(str(epochs))
    field.press("Enter")
    settled(page)
    page.locator(".st-key-training_start button").click()
    expect(page.locator(".st-key-training_status")).to_contain_text("step", timeout=20_000)


def summary(title: str, times: Times) -> None:
    for i, what in enumerate(("responds", "complete")):
        values = [pair[i] for pairs in times.values() for pair in pairs]
        medians = {n: statistics.median(p[i] for p in pairs) for n, pairs in times.items()}
        slowest = max(medians, key=medians.__getitem__)
        print(
            f"{title:18} {what:8} {spread_ms(values)}; slowest: {slowest}, median "
            f"{medians[slowest]:.0f} ms",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast pages respond while others train.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with app_server(PORT) as url, sync_playwright() as playwright:
        browser = chromium(playwright)
        page = visitor(browser, url)
        tour(page, 1)  # warm-up: imports and caches
        summary("nobody trains", tour(page, rounds))
        begin(page, 500)
        summary("own run streams", tour(page, rounds))
        page.locator('[data-testid="stSidebarNav"] a[href$="/training"]').click()
        page.locator(".st-key-training_stop button").click()
        settled(page)
        others = [visitor(browser, url) for _ in range(2)]
        for other in others:
            begin(other, 500)
        summary("two others train", tour(page, rounds))
        browser.close()
    print(describe("streamlit"))


if __name__ == "__main__":
    main()
