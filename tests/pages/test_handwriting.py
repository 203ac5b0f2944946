"""My handwriting: save, remove, download, test and tune, on a page that shows nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.drawing.handwriting import Handwriting, from_zip, to_zip
from mnist_core.workspace.handwriting_store import WorkspaceHandwriting
from pages.parts.session import caches
from tests.pages.conftest import runs_of, wait_for, words, workspace
from tests.small_data import digits


def script() -> None:
    import streamlit as st

    from pages.parts.drawing import handwriting_panel
    from pages.parts.session import offers
    from pages.parts.session.visitor import enter
    from tests.small_data import digits

    enter(())
    number = st.number_input("Drawing", -1, 300, 0, key="number")
    predicted = st.number_input("Predicted", -1, 9, 0, key="predicted")
    offer = offers.model_choice("drawing_model")
    handwriting_panel.show(
        digits().test_images[number] if number >= 0 else None,
        predicted if predicted >= 0 else None,
        offer,
        offers.on_offer(),
    )


@pytest.fixture(autouse=True)
def fresh_store(data_dir):
    caches.handwriting_store.clear()
    yield
    caches.handwriting_store.clear()


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_function(script, default_timeout=60).run()
    return app.selectbox(key="drawing_model").set_value("linear").run()


def draw(app: AppTest, number: int, predicted: int = 0) -> AppTest:
    app.number_input(key="number").set_value(number)
    return app.number_input(key="predicted").set_value(predicted).run()


def save(app: AppTest, *numbers: int) -> AppTest:
    for number in numbers:
        draw(app, number, int(digits().test_labels[number]))
        app.button(key="drawing_keep").click().run()
        assert not app.exception
    return app


def store_of(app: AppTest) -> WorkspaceHandwriting:
    return caches.handwriting_store().of(workspace(app))


def saved(app: AppTest) -> Handwriting:
    return store_of(app).load().handwriting


def put(app: AppTest, n: int) -> AppTest:
    """Give the workspace n drawings at once."""
    made = Handwriting()
    for image, label in zip(digits().test_images[:n], digits().test_labels[:n], strict=True):
        made = made.plus(image, int(label))
    store_of(app).change(lambda _: made)
    return app.run()


def table(app: AppTest, column: str) -> list[dict]:
    frames = [t.value for t in app.table if column in t.value.columns]
    assert len(frames) == 1, f"{len(frames)} tables with {column}"
    return frames[0].to_dict("records")


def test_without_a_drawing_nothing_can_be_saved(app):
    draw(app, -1, -1)
    assert "Draw a digit, and you can keep it here." in words(app)
    assert "Nothing is kept yet." in words(app)
    assert "drawing_keep" not in {button.key for button in app.button}


def test_the_label_is_the_prediction_until_it_is_corrected(app):
    draw(app, 3, 5)
    assert app.button_group(key="drawing_true_label").value == 5
    app.button_group(key="drawing_true_label").set_value(3).run()
    app.button(key="drawing_keep").click().run()
    assert saved(app).labels.tolist() == [3]
    assert "This drawing is kept as a 3." in words(app)
    draw(app, 4, 9)
    assert app.button_group(key="drawing_true_label").value == 9
    draw(app, 5, -1)  # no prediction
    assert app.button_group(key="drawing_true_label").value is None
    assert app.button(key="drawing_keep").disabled


def test_a_drawing_is_saved_once_and_its_label_can_be_corrected(app):
    save(app, 3)
    label = int(digits().test_labels[3])
    assert app.button(key="drawing_keep").disabled
    app.button_group(key="drawing_true_label").set_value((label + 1) % 10).run()
    assert "Keep corrects its label." in words(app)
    app.button(key="drawing_keep").click().run()
    assert saved(app).labels.tolist() == [(label + 1) % 10]


def test_drawings_survive_a_new_session_and_are_seen_by_nobody_else(app):
    save(app, 3, 4)
    again = AppTest.from_function(script, default_timeout=60)
    again.query_params["workspace"] = workspace(app)
    assert "2 of at most 500 drawings" in words(again.run())
    other = AppTest.from_function(script, default_timeout=60).run()
    assert "Nothing is kept yet." in words(other)


def test_one_drawing_or_all_can_be_removed(app):
    save(app, 3, 4, 5)
    second = saved(app).samples[1]
    app.button(key=f"drawing_remove_{second.id}").click().run()
    assert second.id not in {s.id for s in saved(app).samples}
    assert "2 of at most 500 drawings" in words(app)
    app.button(key="drawing_remove_all").click().run()
    assert len(saved(app)) == 0
    assert "Nothing is kept yet." in words(app)


def test_the_grid_shows_a_page_at_a_time(app):
    put(app, 30)
    removers = [b.key for b in app.button if re.fullmatch("drawing_remove_[0-9a-f]{16}", b.key)]
    newest = [f"drawing_remove_{s.id}" for s in saved(app).samples[::-1]]
    assert removers == newest[:24]


def test_a_set_comes_in_from_a_file_and_a_wrong_file_is_refused(app):
    save(app, 3)
    theirs = Handwriting().plus(digits().test_images[3], 9).plus(digits().test_images[4], 7)
    upload = app.file_uploader[0]
    assert upload.key == "drawing_set_upload_0"
    upload.set_value(("mine.zip", to_zip(theirs), "application/zip")).run()
    assert not app.exception
    assert saved(app).labels.tolist() == [int(digits().test_labels[3]), 7]
    assert app.file_uploader[0].key == "drawing_set_upload_1"
    app.file_uploader[0].set_value(("x.zip", b"hello", "application/zip")).run()
    assert "Expected a set of drawings as a zip file" in app.error[0].value
    assert len(saved(app)) == 2


def test_a_full_set_refuses_one_more(app):
    full = Handwriting()
    pixels = np.zeros((28, 28), np.uint8)
    for i in range(500):
        pixels[0, 0], pixels[0, 1] = divmod(i, 256)
        full = full.plus(pixels, i % 10)
    store_of(app).change(lambda _: full)
    save(app.run(), 3)
    assert "at most 500 drawings" in app.error[0].value
    assert len(saved(app)) == 500


def test_a_full_disk_is_reported_and_the_drawing_stays(app, monkeypatch):
    from mnist_core.workspace import handwriting_store

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handwriting_store, "write_atomically", full)
    save(app, 3)
    assert "could not be written to the server's disk" in app.warning[0].value
    assert "1 of at most 500 drawings" in words(app)
    monkeypatch.undo()
    save(app, 4)
    assert not app.warning
    folder = caches.workspace_store().folder(workspace(app))
    assert len(from_zip((folder / "handwriting.zip").read_bytes())) == 2


def test_every_model_is_tested_on_the_drawings_and_on_its_test_set(app):
    put(app, 20)
    rows = table(app, "Test half of your drawings")
    assert [row["Model"] for row in rows] == [
        "Linear, trained beforehand on MNIST",
        "MLP, trained beforehand on MNIST",
        "Small CNN, trained beforehand on MNIST",
        "Deeper CNN, trained beforehand on MNIST",
    ]
    from mnist_core.evaluation.metrics import accuracy

    right = accuracy(caches.pretrained("linear"), saved(app).images, saved(app).labels) * 20
    assert rows[0]["All of them"] == f"{right / 20:.0%} ({right:.0f} of 20)"
    test = accuracy(caches.pretrained("linear"), *digits().split("test"))
    assert rows[0]["Test set"] == f"{test:.2%} of Bundled digits (UCI, not MNIST)"


def test_tuning_waits_for_enough_drawings(app):
    save(app, 3)
    assert "so far there are 1 and 0" in words(app)
    assert app.button(key="drawing_tune_start").disabled
    assert app.button(key="drawing_tune_stop").disabled


def test_a_tuned_model_is_offered_and_tested_on_drawings_it_was_not_tuned_on(app):
    put(app, 60)
    app.button(key="drawing_tune_start").click().run()
    wait_for(app, "It is one of your models now, on every page.")
    scores = {row["Right answers"]: row for row in table(app, "After")}
    test = scores["Bundled digits (UCI, not MNIST), test set (360)"]
    assert test["Before"] != test["After"]
    assert re.fullmatch(r"\+\d+\.\d\d points", test["Change"])
    n_left_out = int(saved(app).left_out.sum())
    app.button(key="drawing_tune_use").click().run()
    assert not app.exception
    assert app.selectbox(key="drawing_model").value == "mine"
    first = table(app, "Test half of your drawings")[0]
    assert first["Model"].startswith("Your own: Linear")
    assert first["All of them"] == "–"
    share, right = re.fullmatch(
        rf"(\d+)% \((\d+) of {n_left_out}\)", first["Test half of your drawings"]
    ).groups()
    assert scores[f"Your drawings, test half ({n_left_out})"]["After"] == (
        f"{int(right) / n_left_out:.2%}"
    )
    assert share == f"{int(right) / n_left_out:.0%}"[:-1]


def test_tuning_can_be_stopped_and_saves_nothing(app, monkeypatch):
    from mnist_core.training import finetuning

    monkeypatch.setattr(finetuning, "STEPS", 1_000_000)
    put(app, 40)
    app.button(key="drawing_tune_start").click().run()
    wait_for(app, "badge[running]")
    assert app.button(key="drawing_tune_start").disabled
    app.button(key="drawing_tune_stop").click().run()
    wait_for(app, "badge[stopped]")
    assert "It was stopped, so no model was saved." in words(app)
    assert runs_of(app).records() == []
    assert not app.button(key="drawing_tune_start").disabled
