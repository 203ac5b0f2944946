"""How long a new server takes until its first page is complete, in a real Chromium.

    python -m benchmarks.first_page [--rounds 5]

From the start of ``streamlit run`` until the home page is complete, and then until the next page
(Layer, which needs torch) is. The browser is already open; each round starts a new server.
"""

from __future__ import annotations

import argparse
import re
import time

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.machine import app_server, chromium, describe, report

PORT = 8654


def drawn(page: Page, title: str) -> None:
    expect(page).to_have_title(re.compile(title), timeout=60_000)
    page.wait_for_selector(
        '[data-testid="stApp"][data-test-script-state="notRunning"] h1', timeout=60_000
    )


def one_round(browser: Browser) -> tuple[float, float]:
    page = browser.new_page()
    started = time.perf_counter()
    with app_server(PORT) as url:
        page.goto(url)
        drawn(page, "Home")
        first = time.perf_counter() - started
        clicked = time.perf_counter()
        page.locator('[data-testid="stSidebarNav"] a[href$="/layer"]').click()
        drawn(page, "Layer")
        second = time.perf_counter() - clicked
        page.close()
    return first, second


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the first page takes.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        times = [one_round(browser) for _ in range(rounds)]
        browser.close()
    first, second = zip(*times, strict=True)
    report(
        {"first page, from the server's start": first, "second page, at once, with torch": second}
    )
    print(describe("streamlit"))


if __name__ == "__main__":
    main()
