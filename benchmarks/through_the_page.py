"""What the streaming page costs a training run, in one go.

    python -m benchmarks.through_the_page [--rounds 5]

The lesson's run (9,375 steps of the linear model on MNIST), by turns

- without a page: in the workers of `mnist_core.training.queue`, in a process of its own
- through the page: started in a real Chromium on the training page, which streams its chart, its
  numbers twice a second and its weight pictures every two seconds, and writes the run down

The time is the run's own clock, from the worker's first step to its last, accuracy after each epoch
included: waiting for the click is not counted. Prints both, and the ratio.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.machine import ROOT, app_server, chromium, describe, report

PORT = 8653
WITHOUT = """
import time
from mnist_core import datasets, jobs
from mnist_core.training.configs import LESSON
from mnist_core.training.run import TrainingRun
from mnist_core.common.settings import settings
dataset = datasets.load("mnist", settings().data_dir)
registry = jobs.TrainingQueue(1)
for _ in range({rounds}):
    job = registry.create("benchmark", TrainingRun(LESSON, dataset))
    job.resume()
    while not job.ended:
        time.sleep(0.02)
    print(job.run.history.training_s, flush=True)
"""


def without_page(rounds: int) -> list[float]:
    code = WITHOUT.format(rounds=rounds)
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [float(line) for line in output.split()]


def through_page(page: Page) -> float:
    page.locator(".st-key-training_start button").click()
    status = page.locator(".st-key-training_status")
    expect(status).to_contain_text("running", timeout=10_000)
    expect(status).to_contain_text("finished", timeout=60_000)
    text = page.locator(".st-key-training_numbers").inner_text()
    return float(re.search(r"Took\s+([\d.]+) s", text).group(1))


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
            times["without a page"] += without_page(1)
            times["through the page"].append(through_page(page))
        browser.close()
    medians = report(times)
    print(f"ratio {medians['through the page'] / medians['without a page']:.2f}")
    print(describe())


if __name__ == "__main__":
    main()
