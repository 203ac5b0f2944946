"""Pages under AppTest, on the bundled digits: small, real, and there on every machine."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from mnist_core.common.settings import settings
from mnist_core.training.job import Job
from mnist_core.training.run import TrainingRun
from mnist_core.training.status import ACTIVE
from mnist_core.workspace.run_registry import WorkspaceRuns
from pages.parts.session import caches

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data folder, so that the pages fall back to the bundled digits."""
    monkeypatch.setenv("MNIST_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MNIST_AUTO_DOWNLOAD", "0")
    monkeypatch.setenv("MNIST_WORK_DIR", str(tmp_path / "work"))
    shared = (
        caches.downloads,
        caches.workspace_store,
        caches.run_registry,
        caches.handwriting_store,
    )

    def forget() -> None:
        settings.cache_clear()
        for cache in shared:
            cache.clear()

    forget()
    yield tmp_path / "data"
    forget()


@pytest.fixture(scope="session", autouse=True)
def fresh_caches() -> None:
    st.cache_resource.clear()


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Return a function that opens the app and goes to a page, as a visitor does."""

    def open_it(name: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.run()
        assert not app.exception
        for key, value in parameters.items():
            app.query_params[key] = value
        return go_to(app, name)

    return open_it


def go_to(app: AppTest, name: str) -> AppTest:
    """Go to another page in the same session."""
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception, app.exception
    return app


def reopened(app: AppTest) -> AppTest:
    """Open the address of a workspace in another session, as a reload does."""
    again = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    again.query_params["workspace"] = workspace(app)
    return again.run()


def workspace(app: AppTest) -> str:
    """Return the id of the visitor's workspace, which is in the address."""
    return app.query_params["workspace"]


def runs_of(app: AppTest) -> WorkspaceRuns:
    return caches.run_registry().of(workspace(app))


def newest_run(app: AppTest) -> Job[TrainingRun]:
    return runs_of(app).open(runs_of(app).newest())


def wait_for(app: AppTest, text: str, seconds: float = 60) -> AppTest:
    """Run the page again until it shows a text."""
    deadline = time.monotonic() + seconds
    while text not in words(app):
        assert time.monotonic() < deadline, f"never {text!r}: {words(app)[-800:]}"
        time.sleep(0.05)
        app.run()
        assert not app.exception, app.exception
    return app


def wait_for_status(app: AppTest, status: str) -> AppTest:
    """Run the page again until its run has a status and, unless it trains, is saved with it."""
    wait_for(app.run(), f"-badge[{status}]")
    jobs = caches.run_registry().queue.of(workspace(app))
    while status not in ACTIVE and any(job.is_busy for job in jobs):
        time.sleep(0.01)
    return app


def words(app: AppTest) -> str:
    """Return the page's text."""
    elements = [*app.title, *app.header, *app.markdown, *app.caption]
    elements += [*app.info, *app.success, *app.warning, *app.error]
    return "\n".join(element.value for element in elements)


def numbers(app: AppTest) -> dict[str, str]:
    """Return the page's labelled numbers."""
    return {metric.label: metric.value for metric in app.metric}


def png(rgba: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def set_live_drawing(app: AppTest, rgba: np.ndarray, **changes: object) -> None:
    """Put a picture on the live pad, the one shown first, as its own front end reports it."""
    report = {
        "revision": 1,
        "moving": False,
        "resting": True,
        "picture": png(rgba),
        "width": 18,
        "strokes": [[800, 400, 180, 2000, 600, 180]],
    }
    app.session_state["drawing_live"] = {"drawing": {**report, **changes}}


def set_tools_drawing(app: AppTest, rgba: np.ndarray, *objects: dict) -> None:
    """Put a picture on the canvas with tools, as its own front end reports it."""
    report = {"raw": {"objects": list(objects)}, "data": png(rgba)}
    app.session_state["drawing_tools"] = {"drawing": report}


def set_grid_drawing(app: AppTest, *cells: tuple[int, int], **changes: object) -> None:
    """Ink some cells (row, column from 0) of the grid, as its own front end reports it."""
    inked = ["0"] * 784
    for row, column in cells:
        inked[28 * row + column] = "1"
    report = {
        "revision": 1,
        "resting": True,
        "cells": "".join(inked),
        "here": 0,
        "undo": [],
    }
    app.session_state["drawing_grid"] = {"drawing": {**report, **changes}}


def canvas(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Return a white canvas, (280, 280, 4) uint8, with black boxes (left, top, right, bottom)."""
    rgba = np.full((280, 280, 4), 255, dtype=np.uint8)
    for left, top, right, bottom in boxes:
        rgba[top:bottom, left:right, :3] = 0
    return rgba
