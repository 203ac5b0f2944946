"""Conclusions: the visitor's own numbers, and nothing invented when there are none."""

from __future__ import annotations

from tests.pages.conftest import go_to, newest_run, wait_for_status, words


def test_without_anything_it_says_what_to_do(open_page):
    app = open_page("conclusions")
    assert "Nothing here yet" in words(app)
    assert not app.get("download_button")
    assert "Best run" not in words(app)


def test_after_a_run_it_shows_accuracy_and_surest_mistake(open_page):
    app = open_page("training")
    app.number_input(key="training_epochs").set_value(1).run()
    app.button(key="training_start").click().run()
    wait_for_status(app, "finished")
    accuracy = newest_run(app).run.history.epoch_metrics[-1].test_accuracy
    go_to(app, "conclusions")
    assert "Best run: Linear on Bundled digits" in words(app)
    assert f"**{accuracy:.2%} of the test set right**" in words(app)
    assert "Its surest mistake." in words(app)
    assert "Nothing here yet" not in words(app)
    assert "No handwriting of your own yet" in words(app)
    assert len(app.get("download_button")) == 1
