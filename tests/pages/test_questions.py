"""Questions: their answers, the tally on the home page, and both after a reload."""

from __future__ import annotations

import json

import pytest

from mnist_core.common.settings import settings
from tests.pages.conftest import go_to, reopened, wait_for, words, workspace

RIGHT = "Right, as you predicted."


def answer(app, name: str, option: str):
    app.radio(key=f"question_{name}").set_value(option).run()
    app.button(key=f"question_{name}_check").click().run()
    assert not app.exception
    return app


def test_a_question_can_be_left_unanswered(open_page):
    app = open_page("layer")
    assert app.radio(key="question_layer_parameters").value is None
    assert app.button(key="question_layer_parameters_check").disabled
    assert "3 × 4 =" not in words(app)
    go_to(app, "home")
    assert "prediction right" not in words(app)


def test_a_right_answer_is_explained_with_its_numbers(open_page):
    app = answer(open_page("layer"), "layer_parameters", "15")
    assert RIGHT in [s.value for s in app.success]
    assert "3 × 4 = 12 weights. Each output also\nhas one bias, which makes 3 more." in words(app)
    code = [block.value for block in app.code if "def layer_parameters" in block.value]
    assert len(code) == 1
    assert "layer.weight.numel()" in code[0]


def show_me(app, name: str = "layer_parameters"):
    app.button(key=f"question_{name}_show").click().run()
    assert not app.exception
    return app


def test_a_wrong_answer_can_be_followed_by_a_second_try(open_page):
    app = answer(open_page("layer"), "layer_parameters", "12")
    assert "It is not **12**." in words(app)
    assert "3 × 4 =" not in words(app)
    again = app.radio(key="question_layer_parameters_again")
    assert again.options == ["7", "15", "16"]
    assert again.value is None
    assert app.button(key="question_layer_parameters_again_check").disabled
    again.set_value("15").run()
    app.button(key="question_layer_parameters_again_check").click().run()
    assert "Right at the second try." in [s.value for s in app.success]
    marked = "- 12 · *your prediction*\n- **15** :green[:material/check:] · *your second try*"
    assert marked in words(app)
    assert "3 × 4 = 12 weights" in words(app)
    assert "0 of 1 prediction right" in words(go_to(app, "home"))  # the first one counts


def test_a_second_wrong_try_shows_the_right_option(open_page):
    app = answer(open_page("layer"), "layer_parameters", "12")
    app.radio(key="question_layer_parameters_again").set_value("16").run()
    app.button(key="question_layer_parameters_again_check").click().run()
    assert "It came out differently: **15**" in [i.value for i in app.info]
    assert "- 16 · *your second try*" in words(app)
    go_to(go_to(app, "loss"), "layer")
    assert "- 16 · *your second try*" in words(app)


def test_show_me_shows_the_right_option_and_ends_the_question(open_page):
    app = show_me(answer(open_page("layer"), "layer_parameters", "12"))
    assert RIGHT not in [s.value for s in app.success]
    assert "It came out differently: **15**" in [i.value for i in app.info]
    assert "- 12 · *your prediction*\n- **15** :green[:material/check:]\n- 16" in words(app)
    left = {e.key for e in [*app.radio, *app.button] if "layer_parameters" in e.key}
    assert not left


def test_helpers_are_shown_beside_the_code(open_page):
    app = open_page("training")
    app.button(key="training_step").click().run()
    wait_for(app, "step 1 of")
    app = answer(app.run(), "training_rate", "up")
    (code,) = [block.value for block in app.code if "def training_rate" in block.value]
    assert "def train_on_digits(" in code
    assert "def mean_loss(" in code


def test_the_tally_is_on_the_route_map(open_page):
    app = answer(open_page("layer"), "layer_parameters", "15")
    go_to(app, "home")
    assert "1 of 1 prediction right" in words(app)
    answer(go_to(app, "layer"), "layer_double", "same")
    answer(go_to(app, "loss"), "loss_guess", "2.3")
    tally = words(go_to(app, "home"))
    assert "2 of 3 predictions right" in tally
    assert "1 of 2] predictions right" in tally  # layer
    assert "1 of 1] prediction right" in tally  # loss


def test_an_answer_survives_a_page_change(open_page):
    app = show_me(answer(open_page("layer"), "layer_parameters", "12"))
    go_to(go_to(app, "loss"), "layer")
    assert "12 · *your prediction*" in words(app)
    assert "It came out differently: **15**" in [i.value for i in app.info]


def test_an_unchecked_choice_survives_a_page_change(open_page):
    app = open_page("layer")
    app.radio(key="question_layer_parameters").set_value("16").run()
    go_to(go_to(app, "loss"), "layer")
    assert app.radio(key="question_layer_parameters").value == "16"


def workspace_file(app):
    return settings().work_dir / workspace(app) / "workspace.json"


def test_an_answer_survives_a_reload(open_page):
    app = answer(open_page("layer"), "layer_parameters", "12")
    saved = json.loads(workspace_file(app).read_text("utf-8"))
    assert saved["answers"] == {"layer_parameters": ["12", False]}
    again = go_to(reopened(app), "layer")
    assert "It is not **12**." in words(again)
    assert "12 · *your prediction*" in words(show_me(again))
    assert "0 of 1 prediction right" in words(go_to(again, "home"))


@pytest.mark.parametrize(
    "saved",
    [
        7,
        {"layer_parameters": "15"},
        {"layer_parameters": ["15", "yes"]},
        {"layer_parameters": [15, True]},
        {"layer_parameters": ["9" * 40, True]},
        {"no_such_question": ["15", True]},
    ],
)
def test_an_invalid_saved_answer_is_dropped(open_page, saved):
    app = answer(open_page("layer"), "layer_parameters", "12")
    file = workspace_file(app)
    file.write_text(json.dumps({"answers": saved}), "utf-8")
    again = go_to(reopened(app), "layer")
    assert again.radio(key="question_layer_parameters").value is None
    assert "prediction right" not in words(go_to(again, "home"))


def test_a_saved_option_that_no_longer_exists_is_not_marked(open_page):
    app = answer(open_page("layer"), "layer_parameters", "12")
    file = workspace_file(app)
    file.write_text(json.dumps({"answers": {"layer_parameters": ["13", False]}}), "utf-8")
    again = go_to(reopened(app), "layer")
    assert "*your prediction*" not in words(show_me(again))
    assert "It came out differently: **15**" in [i.value for i in again.info]
