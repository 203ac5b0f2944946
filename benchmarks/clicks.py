"""How fast pages answer while others train, measured in the browser, in one go.

    python -m benchmarks.clicks [--rounds 5]

A visitor clicks through all pages and uses a control on each, three times over: while nobody
trains, while their own run streams, and while two other visitors train. Timed from the click to the
moment the page stands again, by the browser's own clock. Prints median, 95th percentile, the worst.
"""

from __future__ import annotations

import argparse
import statistics

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.machine import app_server, chromium, describe

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
WATCH = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    window.clicked = window.stands = null;
    document.addEventListener('click', () => {
        window.clicked = performance.now(); window.stands = null; window.ran = false;
    }, true);
    new MutationObserver(() => {
        const state = app.getAttribute('data-test-script-state');
        if (state === 'running') window.ran = true;
        else if (state === 'notRunning' && window.ran && window.stands === null)
            window.stands = performance.now();
    }).observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}"""


def settled(page: Page) -> None:
    expect(page.locator('[data-testid="stMain"] h1').first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(700)


def timed_click(page: Page, selector: str) -> float:
    """Click and return the milliseconds until the page stands."""
    page.locator(selector).first.click()
    page.wait_for_function("window.stands !== null", timeout=30_000)
    return page.evaluate("window.stands - window.clicked")


def tour(page: Page, rounds: int) -> dict[str, list[float]]:
    """Click through all pages; return milliseconds, by page and kind of click."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, control in CONTROLS.items():
            link = f'[data-testid="stSidebarNav"] a[href$="/{name}"]'
            times.setdefault(f"to {name}", []).append(timed_click(page, link))
            settled(page)
            target = f".st-key-{control} :is(button, label)"
            if control and page.locator(target).count():
                times.setdefault(f"on {name}", []).append(timed_click(page, target))
                settled(page)
    return times


def visitor(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(url)
    settled(page)
    page.evaluate(WATCH)
    return page


def begin(page: Page, epochs: int) -> None:
    """Start a run that lasts longer than the tour."""
    page.locator('[data-testid="stSidebarNav"] a[href$="/training"]').click()
    field = page.locator(".st-key-training_epochs input")
    field.fill(str(epochs))
    field.press("Enter")
    settled(page)
    page.locator(".st-key-training_start button").click()
    expect(page.locator(".st-key-training_status")).to_contain_text("step", timeout=20_000)


def summary(title: str, times: dict[str, list[float]]) -> None:
    values = sorted(value for series in times.values() for value in series)
    p95 = statistics.quantiles(values, n=20)[-1]
    slowest = max(times, key=lambda name: statistics.median(times[name]))
    print(
        f"{title:34} median {statistics.median(values):4.0f} ms, 95 % within {p95:4.0f} ms, worst "
        f"{values[-1]:4.0f} ms, n = {len(values)}; slowest: {slowest}, median "
        f"{statistics.median(times[slowest]):.0f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast pages answer while others train.")
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
    print(describe())


if __name__ == "__main__":
    main()
