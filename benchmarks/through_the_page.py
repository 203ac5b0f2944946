"""What the streaming page costs a training run.

    python -m benchmarks.through_the_page [--rounds 5]

The lesson's run (9,375 steps of the linear model on MNIST), by turns

- without a page: in a worker of `mnist_core.training.queue`, in a new process
- through the page: started in a real Chromium on the training page, which streams its chart and its
  numbers twice a second and its weight pictures every two seconds, and saves the run

The time is the run's training time, from the worker's first step to its last, with the evaluation
after each epoch and without the wait for the click. Prints both, and the ratio.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import time
from concurrent.futures import ProcessPoolExecutor

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.machine import app_server, chromium, describe, report
from mnist_core.common.settings import settings
from mnist_core.data import datasets
from mnist_core.training.configs import LESSON
from mnist_core.training.queue import TrainingQueue
from mnist_core.training.run import TrainingRun

PORT = 8653


def without_page() -> float:
    """Train the lesson's run in a queue; return its training time in seconds."""
    run = TrainingRun(LESSON, datasets.load("mnist", settings().data_dir))
    job = TrainingQueue(1).create("benchmark", run)
    job.resume()
    while not job.ended:
        time.sleep(0.02)
    return run.history.training_s


def through_page(page: Page) -> float:
    page.locator(".st-key-training_start button").click()
    status = page.locator(".st-key-training_status")
    expect(status).to_contain_text("running", timeout=10_000)
    expect(status).to_contain_text("finished", timeout=60_000)
    text = page.locator(".st-key-training_numbers").inner_text()
    (seconds,) = re.findall(r"Took\s+([\d.]+) s", text)
    return float(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the streaming page costs.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {"without a page": [], "through the page": []}
    with app_server(PORT) as url, sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.goto(f"{url}/training")
        page.wait_for_selector(".st-key-training_start button", timeout=30_000)
        through_page(page)  # warm-up: imports, caches
        for _ in range(rounds):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
                times["without a page"].append(processes.submit(without_page).result())
            times["through the page"].append(through_page(page))
        browser.close()
    medians = report(times)
    print(f"ratio {medians['through the page'] / medians['without a page']:.2f}")
    print(describe("streamlit"))


if __name__ == "__main__":
    main()
