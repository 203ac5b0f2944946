"""A real server and a real Chromium. In CI a missing browser is a failure, elsewhere a skip."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from tests.conftest import REAL_DATA

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Streamlit itself looks for its server below the path of a deep link first, and gets a 404.
_PROBE = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in Path(item.fspath).parts:
            item.add_marker(pytest.mark.browser)


class Server:
    """A server of the app on a port of its own, with a data folder of its own."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "app.py"),
                *("--server.headless=true", f"--server.port={self.port}"),
                "--server.fileWatcherType=none",
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "MNIST_DATA_DIR": str(data_dir),
                "MNIST_AUTO_DOWNLOAD": "0",
                **environment,
            },
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5).close()
                return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"the server did not start: {self.output()}")

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, no chance to write anything."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real data where there is some, else an empty folder: the app takes the bundled digits."""
    return REAL_DATA if REAL_DATA.is_dir() else tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def server(data_dir: Path) -> Iterator[Server]:
    running = Server(data_dir)
    yield running
    running.stop()
    output = running.output()  # the web server complains of tabs closed too soon: not our lines
    assert not re.search(r'File ".*/(app\.py|pages/|mnist_core/)', output), output


@pytest.fixture
def fresh_server() -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server nobody has visited."""
    running: list[Server] = []

    def start(data_dir: Path, **environment: str) -> Server:
        running.append(Server(data_dir, **environment))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("BROWSER_PATH") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )
    if executable is None:
        reason = f"no browser found, looked for {', '.join(BROWSERS)}; BROWSER_PATH may name one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an address as a new visitor; at the end nothing may have erred.

    No error in the console, no exception box, no failed request but Streamlit's own probes.
    """
    contexts, errors = [], []

    def open_it(url: str, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, has_touch=width < 500
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)

        def on_console(message) -> None:
            probe = _PROBE.search((message.location or {}).get("url", ""))
            if message.type == "error" and not probe:
                errors.append(f"{message.text} {message.location}")

        page.on("console", on_console)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        settled(page)
        return page

    yield open_it
    for context in contexts:
        for page in context.pages:
            assert page.locator('[data-testid="stException"]').count() == 0
        context.close()
    assert not errors, errors


def settled(page: Page) -> None:
    """Wait until a page has been drawn to its end."""
    expect(page.locator('[data-testid="stMain"] h1').first).to_be_visible(timeout=60_000)
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )


def go_to(page: Page, title: str) -> None:
    """Go to another page by the sidebar, as a visitor does."""
    opener = page.locator('[data-testid="stExpandSidebarButton"]')
    if opener.is_visible():
        opener.click()
    path = "" if title == "Home" else title.lower()
    page.locator(f'[data-testid="stSidebarNav"] a[href$="/{path}"]').click()
    expect(page).to_have_title(re.compile(title))
    settled(page)


def select(page: Page, key: str, option: str) -> None:
    """Choose in a select box whose option contains some words."""
    handle(page, key).locator("input").click()
    page.get_by_role("option", name=re.compile(option)).click()
    settled(page)


def handle(page: Page, key: str) -> Locator:
    """Return the element of a stable handle."""
    return page.locator(f".st-key-{key}")


def draw(page: Page, *strokes: list[tuple[int, int]]) -> None:
    """Draw strokes on the canvas with the mouse; points in canvas pixels, 0 to 280."""
    canvas = handle(page, "drawing_canvas").locator("canvas").last
    expect(canvas).to_be_visible()
    box = None
    for _ in range(20):  # it may be drawn anew just now
        with contextlib.suppress(Error):
            canvas.scroll_into_view_if_needed(timeout=5_000)
            box = canvas.bounding_box()
        if box is not None:
            break
        page.wait_for_timeout(250)
    for (x, y), *rest in strokes:
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(box["x"] + x, box["y"] + y, steps=12)
        page.mouse.up()
