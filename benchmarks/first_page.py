"""How long a fresh server takes until its first page is there, in a real Chromium.

    python -m benchmarks.first_page [--rounds 5]

From the start of ``streamlit run`` until the home page is drawn to its end, and then until the
next page (the layer, which needs torch) is. The browser is open already; each round has a server
of its own.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.machine import describe

ROOT = Path(__file__).parents[1]
PORT = 8654


def drawn(page: Page, title: str) -> None:
    expect(page).to_have_title(re.compile(title), timeout=60_000)
    page.wait_for_selector(
        '[data-testid="stApp"][data-test-script-state="notRunning"] h1', timeout=60_000
    )


def one_round(browser: Browser) -> tuple[float, float]:
    url = f"http://127.0.0.1:{PORT}"
    page = browser.new_page()
    started = time.perf_counter()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"),
            *(f"--server.port={PORT}", "--server.fileWatcherType=none"),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.02)
        page.goto(url)
        drawn(page, "Home")
        first = time.perf_counter() - started
        clicked = time.perf_counter()
        page.locator('[data-testid="stSidebarNav"] a[href$="/layer"]').click()
        drawn(page, "Layer")
        return first, time.perf_counter() - clicked
    finally:
        page.close()
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the first page takes.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("BROWSER_PATH", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        times = [one_round(browser) for _ in range(rounds)]
        browser.close()
    for name, values in zip(
        ("first page, from the server's start", "second page, at once, with torch"),
        zip(*times, strict=True),
        strict=True,
    ):
        print(
            f"{name:36} median {statistics.median(values):.2f} s, "
            f"from {min(values):.2f} to {max(values):.2f}, n = {len(values)}"
        )
    print(describe())


if __name__ == "__main__":
    main()
