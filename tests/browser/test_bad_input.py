"""What goes wrong is said in a sentence, in the browser too."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import draw, handle
from tests.browser.test_training import open_settings


def test_huge_learning_rate_fails_and_keeps_the_chart(server, visit):
    page = visit(f"{server.url}/training")
    open_settings(page)
    rate = handle(page, "training_learning_rate").locator("input")
    rate.fill("1e9")  # and no Enter: what stands in the field is what Start must take
    handle(page, "training_start").locator("button").click()
    expect(handle(page, "training_status")).to_contain_text("failed step")
    expect(page.get_by_text("Try a smaller learning rate")).to_be_visible()
    expect(handle(page, "training_loss").locator("canvas").first).to_be_visible()


def test_one_dot_is_no_digit_and_neither_is_an_empty_canvas(server, visit):
    page = visit(f"{server.url}/drawing")
    expect(page.get_by_text("The canvas is empty")).to_be_visible()
    draw(page, [(140, 140), (141, 140)])
    expect(page.get_by_text("This is a dot of")).to_be_visible()
    expect(handle(page, "drawing_prediction")).to_have_count(0)


def test_unknown_parts_of_the_address_are_named(server, visit):
    page = visit(f"{server.url}/model?colour=red&model=transformer")
    expect(page.get_by_text("means nothing here")).to_be_visible()
    expect(page.get_by_text("which does not exist")).to_be_visible()


def test_data_folder_that_cannot_be_written(fresh_server, tmp_path: Path, visit):
    blocker = tmp_path / "a file"
    blocker.write_text("not a folder")
    page = visit(fresh_server(blocker / "data").url)
    status = handle(page, "home_data_status")
    expect(status).to_contain_text("MNIST is not on this machine yet")
    handle(page, "home_data_status_fetch").locator("button").click()
    expect(status).to_contain_text("cannot be written")
    expect(status).to_contain_text("Set MNIST_DATA_DIR")
    expect(handle(page, "home_data_status_fetch")).to_contain_text("Try again")
    expect(status).to_contain_text("In use: Bundled digits")
