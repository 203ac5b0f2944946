"""The pages with data that is missing, damaged, different, downloading, failed or complete."""

from __future__ import annotations

import pytest

from mnist_core.data import downloads as downloads_module
from mnist_core.data import idx
from mnist_core.data.downloads import Downloads
from mnist_core.data.statistics import class_counts
from pages.parts.session import caches
from pages.parts.widgets import image_grid
from tests import data_files
from tests.pages.conftest import go_to, numbers, wait_for, wait_for_status, words
from tests.small_data import digits


def download_from(server, packed, data_dir, monkeypatch) -> None:
    """Let the app's downloads come from a local server."""
    table = data_files.md5_table(packed)
    registry = Downloads(data_dir, sources=lambda _name: ([server.address], table))
    monkeypatch.setattr(caches, "downloads", lambda: registry)


def test_missing_data_offers_the_download(open_page):
    app = open_page("home")
    assert "MNIST is not on this machine yet" in words(app)
    assert app.button(key="home_data_status_fetch").label == "Download MNIST (11.6 MB)"
    assert app.button(key="sidebar_data_fetch").label == "Download MNIST (11.6 MB)"


def test_damaged_file_is_named_and_not_used(open_page, data_dir):
    files = data_files.tiny_set()
    files[data_files.TEST_IMAGES] = files[data_files.TEST_IMAGES][:-5]
    data_files.write_set(data_dir, files)
    app = open_page("dataset")
    assert "The files of MNIST cannot be used" in words(app)
    assert "t10k-images-idx3-ubyte is damaged: it is cut short" in words(app)
    assert numbers(app)["Training images"] == "1,437"
    assert app.button(key="dataset_data_fetch").label.startswith("Fetch again")


def test_whole_files_that_are_not_the_published_ones_are_used_and_labelled(open_page, data_dir):
    data_files.write_set(data_dir, data_files.tiny_set())
    app = open_page("dataset")
    assert numbers(app)["Training images"] == "3"
    assert "not the published files" in words(app)
    assert "3 training and 2 test images instead of 60,000 and 10,000" in words(app)
    for name in ("model", "evaluation", "loss", "training"):
        go_to(app, name)
    assert "at most the 3 training images, got 32" in app.error[0].value


def test_download_goes_from_button_to_data(open_page, data_dir, monkeypatch):
    files = data_files.tiny_set()
    monkeypatch.setitem(idx.PUBLISHED_MD5, "mnist", data_files.md5_table(files))
    packed = data_files.packed(files)
    with data_files.serving(packed) as server:
        download_from(server, packed, data_dir, monkeypatch)
        app = open_page("home")
        app.button(key="home_data_status_fetch").click().run()
        wait_for(app, "In use: MNIST")
    assert "3 training and 2 test images, the published files, checked" in words(app)
    go_to(app, "dataset")
    assert numbers(app)["Training images"] == "3"


def test_a_failed_download_is_explained_and_can_be_tried_again(open_page, data_dir, monkeypatch):
    packed = data_files.packed(data_files.tiny_set())
    monkeypatch.setattr(downloads_module, "SILENCE_S", 1.0)
    with data_files.serving(packed, data_files.not_found) as server:
        download_from(server, packed, data_dir, monkeypatch)
        app = open_page("dataset")
        app.button(key="dataset_data_fetch").click().run()
        wait_for(app, "could not be fetched")
        assert "the server answered 404" in words(app)
        assert app.button(key="dataset_data_fetch").label == "Try again"
        assert numbers(app)["Training images"] == "1,437"
        app.button(key="dataset_data_fetch").click().run()
        wait_for(app, "could not be fetched")


def test_the_sizes_and_remarks_are_those_of_the_data_in_use(open_page, data_dir):
    app = open_page("dataset")
    sizes = class_counts(digits().train_labels)
    expected = f"smallest class has {min(sizes)} training images and the largest has {max(sizes)}."
    assert expected in words(app).replace("\n", " ")
    assert "MNIST's test" not in words(app)
    data_files.write_set(data_dir, data_files.tiny_set())
    app.run()
    assert "smallest class has 0 training images and the largest has 1." in words(app).replace(
        "\n", " "
    )
    assert "MNIST's test" in words(app)


@pytest.mark.parametrize("report", [None, 3, {}, {"opened": None}, {"opened": "3"}])
@pytest.mark.parametrize("place", [20, -1, True, 3.0])
def test_a_click_that_the_grid_does_not_have_is_ignored(report, place):
    assert image_grid.reported(report, 20) is None
    assert image_grid.reported({"opened": place}, 20) is None
    assert image_grid.reported({"opened": 19}, 20) == 19


def test_a_model_trained_on_other_classes_is_named(open_page, data_dir):
    data_files.write_set(data_dir, data_files.tiny_set(), "fashion")
    app = open_page("dataset", dataset="fashion")
    assert words(app).count("In use: FashionMNIST, not the published files") == 2  # sidebar too
    assert "**Image 1** of the training set. Label: **T-shirt/top**." in words(app)
    assert "knows nothing of FashionMNIST" in words(app)
    assert "MNIST's test" not in words(app)  # a remark about MNIST alone
    go_to(app, "evaluation")
    assert "knows nothing of FashionMNIST" in words(app)
    go_to(app, "training")
    app.number_input(key="training_batch_size").set_value(3).run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    go_to(app, "dataset")
    assert app.selectbox(key="dataset_model").value == "mine"
    assert "knows nothing of" not in words(app)
