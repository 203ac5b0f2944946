"""A run can't be lost: reload, another tab, a killed server."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

from mnist_core.data.datasets import bundled_digits
from mnist_core.training.configs import TrainingConfig
from mnist_core.training.run import TrainingRun
from mnist_core.workspace.checkpoints import RunFolder
from tests.browser.conftest import go_to, handle, select, settled
from tests.browser.test_training import open_settings, start_a_long_run, step

WORKSPACE = re.compile(r"[?&]workspace=([\w-]{22})")


def workspace(page) -> str:
    page.wait_for_url(WORKSPACE)
    return WORKSPACE.search(page.url).group(1)


def stop(page) -> None:
    handle(page, "training_stop").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("stopped")


def test_reload_and_another_tab_find_the_run_still_going(server, visit):
    page = visit(f"{server.url}/training")
    start_a_long_run(page)
    own, before = workspace(page), step(page)
    page.reload()
    settled(page)
    assert workspace(page) == own
    expect(handle(page, "training_status")).to_contain_text("running step")
    expect(handle(page, "training_loss").locator("canvas").first).to_be_visible()
    assert step(page) >= before
    other_tab = visit(page.url)
    expect(handle(other_tab, "training_status")).to_contain_text("running step")
    stop(other_tab)
    expect(handle(page, "training_status")).to_contain_text("stopped")


def test_the_address_keeps_the_workspace_from_page_to_page(server, visit):
    page = visit(server.url)
    own = workspace(page)
    go_to(page, "Layer")
    assert workspace(page) == own
    go_to(page, "Dataset")
    select(page, "dataset_name", "Bundled")
    page.reload()
    settled(page)
    assert workspace(page) == own
    expect(handle(page, "dataset_name").locator("input")).to_have_value(re.compile("Bundled"))
    go_to(page, "Home")
    expect(page.get_by_text(re.compile(r"2 of \d+ pages of the lesson behind you"))).to_be_visible()


def test_a_new_visitor_gets_a_workspace_of_their_own(server, visit):
    one, other = visit(server.url), visit(server.url)
    assert workspace(one) != workspace(other)
    broken = visit(f"{server.url}/?workspace=../../etc")
    expect(broken.get_by_text("The workspace in this address is not valid")).to_be_visible()
    workspace(broken)


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing was written within a minute"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def uninterrupted() -> TrainingRun:
    config = TrainingConfig("digits", "cnn", "AdamW", 0.001, epochs=60, schedule="one-cycle")
    run = TrainingRun(config, bundled_digits())
    torch.set_num_threads(1)
    while not run.finished:
        run.advance(200)
    return run


def test_a_killed_server_comes_back_with_the_run_and_ends_as_if_never_stopped(
    fresh_server, tmp_path: Path, visit, uninterrupted
):
    work = tmp_path / "work"
    environment = {"MNIST_WORK_DIR": str(work), "MNIST_WORKERS": "1"}
    server = fresh_server(tmp_path / "no-data", **environment)
    page = visit(f"{server.url}/training")
    open_settings(page)
    title = handle(page, "training_settings")  # an edit counts once the title shows it
    select(page, "training_model", "Small CNN")
    expect(title).to_contain_text("Settings: Small CNN")
    select(page, "training_optimiser", "AdamW")
    expect(title).to_contain_text("AdamW 0.01")
    select(page, "training_schedule", "one-cycle")
    expect(title).to_contain_text("one-cycle, batches")
    for key, value, shown in (
        ("learning_rate", "0.001", "AdamW 0.001"),
        ("epochs", "60", "60 epochs"),
    ):
        settled(page)
        field = handle(page, f"training_{key}").locator("input")
        field.fill(value)
        field.press("Enter")
        expect(title).to_contain_text(shown)
        settled(page)
    handle(page, "training_start").locator("button").click()
    own = workspace(page)
    expect(handle(page, "training_status")).to_contain_text(
        re.compile(r"running step [1-9]"), timeout=30_000
    )
    (folder,) = (work / own / "runs").iterdir()
    written = RunFolder(folder)
    wait_until(lambda: written.read_record().step > 0)  # the first write while it goes
    server.kill()
    page.context.close()  # a browser without a server is full of errors
    kept = written.read_record()
    assert kept.status == "running"
    assert kept.config == uninterrupted.config.to_json()
    assert 0 < written.read()[0].step < kept.total_steps == 2_700

    again = fresh_server(tmp_path / "no-data", **environment)
    page = visit(f"{again.url}/training?workspace={own}")
    status = handle(page, "training_status")
    expect(status).to_contain_text(f"paused step {written.read()[0].step} of 2700")
    expect(status).to_contain_text("interrupted")
    handle(page, "training_pause").get_by_role("button", name="Resume").click()
    expect(status).to_contain_text("finished step 2700 of 2700", timeout=180_000)
    wait_until(lambda: written.read_record().status == "finished")
    _, tensors = written.read()
    for name, weight in uninterrupted.weights().items():
        assert torch.equal(tensors[f"model.{name}"], weight), name
    assert torch.equal(tensors["history.losses"], torch.from_numpy(uninterrupted.history.losses))
