"""What the benchmarks share: a description of the machine, reports, a server and a browser."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[1]


def describe(*packages: str) -> str:
    """Return the date, the machine and the versions of Python, torch, NumPy and other packages."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", *packages))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"{platform.system()}, Python {platform.python_version()}, {versions}"
    )


def report(times: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Print median and spread of each series of seconds; return the medians."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    unit, scale, decimals = ("s", 1, 2) if max(medians.values()) >= 1 else ("ms", 1000, 1)
    width = max(map(len, times))
    for name, values in times.items():
        median, least, most = (
            f"{scale * value:.{decimals}f}" for value in (medians[name], min(values), max(values))
        )
        print(f"{name:{width}} median {median} {unit}, from {least} to {most}, n = {len(values)}")
    return medians


def spread_ms(values: Sequence[float]) -> str:
    """Return median, 95th percentile, maximum and count of a series of milliseconds in words."""
    return (
        f"median {statistics.median(values):4.0f} ms, 95 % within "
        f"{statistics.quantiles(values, n=20)[-1]:4.0f} ms, worst {max(values):4.0f} ms, "
        f"n = {len(values)}"
    )


@contextmanager
def app_server(port: int) -> Iterator[str]:
    """Start the app on a port, wait until it answers, and stop it at the end; yield its URL."""
    url = f"http://127.0.0.1:{port}"
    work = tempfile.TemporaryDirectory(prefix="benchmark-work-", ignore_cleanup_errors=True)
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"),
            *(f"--server.port={port}", "--server.fileWatcherType=none"),
        ],
        cwd=ROOT,
        env={**os.environ, "MNIST_WORK_DIR": work.name},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while server.poll() is None:
            with suppress(OSError):
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.02)
        else:
            raise RuntimeError(f"the server ended at once; is port {port} free?")
        yield url
    finally:
        server.terminate()
        server.wait()
        work.cleanup()


def chromium(playwright: Playwright) -> Browser:
    """Start the browser at ``BROWSER_PATH``; by default Debian's."""
    return playwright.chromium.launch(
        executable_path=os.environ.get("BROWSER_PATH", "/usr/bin/chromium"),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    )
