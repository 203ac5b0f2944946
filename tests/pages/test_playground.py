"""The playground page: every control, the URL, events of the picture, experiments."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from mnist_core.playground.experiments import EXPERIMENTS
from mnist_core.playground.run import PlaygroundRun
from mnist_core.playground.setups import CONTROLS, DATA, Setup
from mnist_core.playground.url_query import to_query
from pages.parts.playground import controls, network_picture
from pages.parts.playground.session import PlaygroundSession
from pages.parts.shell import texts
from tests.pages.conftest import go_to, words


def session(app: AppTest) -> PlaygroundSession:
    return app.session_state["slot_playground"]


def setup(app: AppTest) -> Setup:
    return session(app).setup


def address(app: AppTest) -> dict[str, str]:
    values = dict(app.query_params)
    values.pop("workspace")
    return {k: v if isinstance(v, str) else v[0] for k, v in values.items()}


def status(app: AppTest) -> str:
    return next(m.value for m in app.markdown if "-badge[" in m.value and "epoch" in m.value)


def press(app: AppTest, name: str) -> AppTest:
    app.button(key=f"playground_{name}").click().run()
    assert not app.exception, app.exception
    return app


def do(app: AppTest, **event) -> AppTest:
    """Report an event as the picture in the browser does."""
    number = session(app).last_event + 1
    app.session_state["playground_net"] = {"events": [{"n": number, **event}]}
    app.run()
    assert not app.exception, app.exception
    assert session(app).last_event == number
    return app


@pytest.mark.parametrize(
    ("name", "widget", "value"),
    [
        ("data", "selectbox", "spiral"),
        ("noise", "slider", 25),
        ("train_share", "slider", 80),
        ("batch_size", "slider", 30),
        ("seed", "number_input", 7),
        ("activation", "selectbox", "relu"),
        ("learning_rate", "selectbox", 0.3),
        ("regularisation", "selectbox", "L2"),
        ("loss", "selectbox", "squared"),
        ("stop_below", "number_input", 0.25),
        ("show_test", "toggle", True),
        ("discrete", "toggle", True),
    ],
)
def test_every_control_changes_the_setup_and_the_url(open_page, name, widget, value):
    app = open_page("playground")
    key = "playground_loss_kind" if name == "loss" else f"playground_{name}"
    getattr(app, widget)(key=key).set_value(value).run()
    assert not app.exception
    assert setup(app) == Setup(**{name: value})
    assert address(app) == to_query(setup(app))
    assert "workspace" in app.query_params


def test_the_regularisation_rate_needs_a_regularisation(open_page):
    app = open_page("playground")
    assert app.selectbox(key="playground_regularisation_rate").disabled
    app.selectbox(key="playground_regularisation").set_value("L1").run()
    rate = app.selectbox(key="playground_regularisation_rate")
    assert not rate.disabled
    rate.set_value(0.01).run()
    assert setup(app).regularisation_rate == 0.01


@pytest.mark.parametrize("data", DATA)
def test_every_data_set_is_shown_and_trained_on(open_page, data):
    app = open_page("playground", data=data)
    assert app.selectbox(key="playground_data").value == data
    press(app, "epoch")
    own = data == "own"
    assert ("epoch **1**" in status(app)) is not own
    assert ("test error" in status(app)) is (data not in ("plane", "gaussian"))
    loss = app.selectbox(key="playground_loss_kind")
    quantity = data in ("plane", "gaussian")
    assert (loss.disabled, loss.value) == (quantity, "squared" if quantity else "cross-entropy")


def test_step_epoch_and_rewind(open_page):
    app = open_page("playground")
    first = status(app)
    assert app.button(key="playground_reset").disabled
    press(app, "step")
    assert session(app).run.step_count == 1
    press(app, "epoch")
    assert "epoch **1**" in status(app)
    assert status(app) != first
    press(app, "reset")
    assert status(app) == first


def test_play_and_pause(open_page):
    app = press(open_page("playground"), "start")
    assert ":blue-badge[running]" in status(app)
    assert app.button(key="playground_start").disabled
    steps = session(app).run.step_count
    assert steps > 0
    app.run()  # like a tick
    assert session(app).run.step_count > steps
    press(app, "pause")
    assert ":orange-badge[paused]" in status(app)
    steps = session(app).run.step_count
    app.run()
    assert session(app).run.step_count == steps


def test_a_pause_during_a_tick_stops_playing():
    session = PlaygroundSession(PlaygroundRun(Setup()))
    session.play()
    tick = Thread(target=session.train, args=(0.3,))
    tick.start()
    while not session.run.step_count:
        pass
    session.pause()  # Streamlit runs a click in another thread than the running tick
    tick.join()
    assert not session.playing


def test_run_to_an_epoch_ends_there(open_page):
    app = open_page("playground")
    app.number_input(key="playground_run_to_epoch").set_value(3).run()
    press(app, "run_to")
    for _ in range(50):
        app.run()
        if not session(app).playing:
            break
    assert "epoch **3**" in status(app)
    assert "paused" in status(app)
    press(app, "run_to")
    assert any("at epoch 3 already" in i.value for i in app.info)


def test_reaching_the_loss_goal_stops_and_is_shown(open_page):
    app = press(open_page("playground", stop_below="5"), "start")
    app.run()
    assert ":green-badge[stopped]" in status(app)
    assert any("below 5 after epoch 1" in i.value for i in app.info)
    assert app.button(key="playground_start").disabled  # no effect
    app.number_input(key="playground_stop_below").set_value(0.001).run()
    assert not app.button(key="playground_start").disabled


def test_live_changes_keep_the_weights_and_others_start_a_new_run(open_page):
    app = press(open_page("playground"), "epoch")
    run = session(app).run
    app.selectbox(key="playground_learning_rate").set_value(1.0).run()
    app.slider(key="playground_noise").set_value(10).run()
    assert session(app).run is run
    assert run.epoch_count == 1
    app.selectbox(key="playground_activation").set_value("relu").run()
    assert session(app).run is not run
    assert "epoch **0**" in status(app)


def test_a_new_run_is_paused(open_page):
    app = press(open_page("playground"), "start")
    app.selectbox(key="playground_data").set_value("xor").run()
    assert "paused" in status(app)


def test_the_dice_button_takes_the_next_seed(open_page):
    app = press(open_page("playground", seed="4"), "fresh")
    assert setup(app).seed == 5
    assert app.number_input(key="playground_seed").value == 5


def test_the_loss_goal_can_be_removed(open_page):
    app = open_page("playground", stop_below="0.2")
    assert app.number_input(key="playground_stop_below").value == 0.2
    app.number_input(key="playground_stop_below").set_value(None).run()
    assert setup(app) == Setup()
    assert not app.exception


def test_a_diverged_loss_is_reported_and_undone(open_page):
    query = {"learning_rate": "10", "data": "plane", "layers": "8,8", "activation": "linear"}
    app = press(open_page("playground", **query), "start")
    app.run()
    assert ":red-badge[diverged]" in status(app)
    assert any("the loss became" in e.value for e in app.error)
    assert app.button(key="playground_start").disabled
    assert not session(app).playing
    press(app, "undo")
    assert ":orange-badge[paused]" in status(app)
    assert not app.error
    assert "nan" not in status(app)
    assert "playground_undo" not in [b.key for b in app.button]


def test_layers_and_features_are_changed_in_the_picture(open_page):
    app = open_page("playground")
    do(app, do="layers", layers=[4, 3, 8])
    assert setup(app).layers == (4, 3, 8)
    assert address(app)["layers"] == "4,3,8"
    do(app, do="features", features=["x1", "x1x2"])
    assert setup(app).features == ("x1", "x1x2")


def test_a_weight_and_a_bias_are_edited(open_page):
    app = press(open_page("playground"), "step")
    do(app, do="edit", layer=0, unit=1, source=0, value=1.5)
    do(app, do="edit", layer=2, unit=0, source=-1, value=-3)
    view = session(app).run.snapshot(4)
    assert view.weights[0][1, 0] == 1.5
    assert view.biases[2][0] == -3
    assert session(app).run.step_count == 1


def test_rewinding_reverts_an_edited_weight(open_page):
    app = open_page("playground")
    assert app.button(key="playground_reset").disabled
    before = session(app).run.snapshot(4).weights[0]
    do(app, do="edit", layer=0, unit=1, source=0, value=5)
    app.run()
    press(app, "reset")
    np.testing.assert_array_equal(session(app).run.snapshot(4).weights[0], before)
    assert app.run().button(key="playground_reset").disabled


def test_own_points_are_all_shown_and_have_no_noise(open_page):
    app = open_page("playground")
    app.selectbox(key="playground_data").set_value("own").run()
    assert setup(app).show_test
    assert app.slider(key="playground_noise").disabled
    assert "training loss **–**" in status(app)
    app.toggle(key="playground_show_test").set_value(False).run()
    do(app, do="point", x=1.0, y=2.0, label=1)
    assert setup(app).show_test


def test_an_event_is_handled_once(open_page):
    app = open_page("playground", data="own")
    do(app, do="point", x=1.0, y=2.0, label=1)
    app.run()
    assert setup(app).points == ((1.0, 2.0, 1),)


def test_own_points_are_added_removed_and_packed_into_the_url(open_page):
    app = open_page("playground", data="own")
    for label, (x, y) in enumerate([(-2.0, 1.0), (3.456, -9.0), (0.0, 0.0)]):
        do(app, do="point", x=x, y=y, label=label)
    assert setup(app).points == ((-2.0, 1.0, 0), (3.46, -6.0, 1), (0.0, 0.0, 2))
    assert address(app)["points"] == to_query(setup(app))["points"]
    do(app, do="unpoint")
    assert len(setup(app).points) == 2
    do(app, do="clear")
    assert setup(app).points == ()


def test_points_can_be_added_while_the_network_trains(open_page):
    app = open_page("playground", data="own")
    for label in (0, 1, 0, 1):
        do(app, do="point", x=float(2 * label), y=0.0, label=label)
    press(app, "start")
    do(app, do="point", x=5.0, y=5.0, label=2)
    assert "running" in status(app)
    assert setup(app).n_classes == 3


@pytest.mark.parametrize(
    "event",
    [
        {"do": "layers", "layers": [9]},
        {"do": "layers", "layers": "x"},
        {"do": "layers"},
        {"do": "features", "features": []},
        {"do": "features", "features": ["<b>"]},
        {"do": "edit", "layer": 7, "unit": 0, "source": 0, "value": 1},
        {"do": "edit", "layer": 0, "unit": 0, "source": 0, "value": "nan"},
        {"do": "edit", "layer": 0, "unit": 0, "source": 0, "value": 1e9},
        {"do": "edit", "layer": 0, "unit": 0, "source": 0, "value": None},
        {"do": "point", "x": 0, "y": 0, "label": 0},  # only with own points
        {"do": "boom"},
        {},
    ],
)
def test_an_impossible_event_gives_a_message_and_changes_nothing(open_page, event):
    app = do(open_page("playground"), **event)
    assert setup(app) == Setup()
    assert app.info
    assert "<b>" not in words(app)


def test_a_malformed_report_is_ignored(open_page):
    app = open_page("playground")
    for raw in (None, 3, {"events": 3}, {"events": [1, {"n": "x"}]}, {"events": [{}] * 2000}):
        app.session_state["playground_net"] = raw
        app.run()
        assert not app.exception
    assert session(app).last_event == 0


def test_points_are_pasted(open_page):
    app = open_page("playground", data="own")
    app.text_area(key="playground_points").set_value("1.5, -2, 0\n-3, 0.5, 1").run()
    press(app, "use_points")
    assert setup(app).points == ((1.5, -2.0, 0), (-3.0, 0.5, 1))
    app.text_area(key="playground_points").set_value("1.5, -2, 0\n-3, ?, 1").run()
    press(app, "use_points")
    assert any("Line 2" in i.value for i in app.info)
    assert len(setup(app).points) == 2


def test_a_url_sets_everything_up_and_an_invalid_value_is_named(open_page):
    app = open_page("playground", data="moons", layers="8,8", noise="90", learning_rate="0.02")
    assert setup(app) == Setup(data="moons", layers=(8, 8), noise=50, learning_rate=0.02)
    assert app.selectbox(key="playground_learning_rate").value == 0.02
    assert any("`90` in the address was changed to 50" in i.value for i in app.info)
    assert address(app)["noise"] == "50"


def test_the_run_survives_a_visit_to_another_page(open_page):
    app = press(open_page("playground", data="xor"), "epoch")
    run = session(app).run
    go_to(app, "loss")
    app.query_params.clear()
    go_to(app, "playground")
    assert session(app).run is run
    assert app.selectbox(key="playground_data").value == "xor"
    assert address(app)["data"] == "xor"


def test_an_outdated_url_does_not_undo_a_change(open_page):
    app = open_page("playground", data="xor")
    app.slider(key="playground_noise").set_value(20).run()
    del app.query_params["noise"]  # the browser sent the next click with the old URL
    press(app, "step")
    assert setup(app).noise == 20
    assert address(app)["noise"] == "20"


def test_a_task_is_plain_text(open_page):
    task = "**Why?** <script>alert(1)</script> $x$"
    app = open_page("playground", task=task)
    assert [t.value for t in app.text] == [task]
    assert "<script>" not in words(app)


@pytest.mark.parametrize("name", [n for n in CONTROLS if n not in ("features", "layers", "edit")])
def test_each_control_can_be_hidden(open_page, name):
    data = {"data": "own"} if name == "points" else {}
    key = {
        "loss": "playground_loss_kind",
        "experiments": "playground_experiment",
    }.get(name, f"playground_{name}")

    def keys(app: AppTest) -> set[str]:
        kinds = ("selectbox", "slider", "number_input", "toggle", "button", "text_area")
        return {w.key for kind in kinds for w in getattr(app, kind)}

    before, after = open_page("playground", **data), open_page("playground", hide=name, **data)
    if name == "code":
        assert len(after.code) == len(before.code) - 1
    else:
        assert key in keys(before)
        assert key not in keys(after)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("layers", {"do": "layers", "layers": [1]}),
        ("features", {"do": "features", "features": ["x1"]}),
        ("edit", {"do": "edit", "layer": 0, "unit": 0, "source": 0, "value": 1.0}),
    ],
)
def test_what_a_link_hides_cannot_be_changed_in_the_picture(open_page, name, event):
    app = open_page("playground", hide=name)
    weights = session(app).run.snapshot(4).weights
    do(app, **event)
    assert setup(app) == Setup(hide=(name,))
    assert (session(app).run.snapshot(4).weights[0] == weights[0]).all()
    assert any("does not allow that change" in i.value for i in app.info)


def test_the_link_contains_the_setup_and_not_the_workspace(open_page):
    app = open_page("playground", data="moons", noise="5")
    link = next(c.value for c in app.code if "data=moons" in c.value)
    assert link.endswith("?data=moons&noise=5")
    assert "workspace" not in link


def test_the_code_is_that_of_the_setup(open_page):
    app = open_page("playground", activation="gelu")
    assert any("nn.GELU()" in c.value for c in app.code)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_shows_its_question_and_then_its_answer(open_page, name):
    app = open_page("playground")
    app.selectbox(key="playground_experiment").set_value(name).run()
    assert not app.exception
    assert setup(app) == EXPERIMENTS[name].setup
    question = texts.section("playground", f"{name}_question")
    answer = texts.section("playground", f"{name}_answer")
    assert question in words(app)
    assert answer not in words(app)
    press(app, "answer")
    assert answer in words(app)
    assert "playground_answer" not in [b.key for b in app.button]


def test_the_choice_of_rates_contains_those_of_the_experiments():
    assert Setup().learning_rate in controls.RATES
    assert {e.setup.learning_rate for e in EXPERIMENTS.values()} <= set(controls.RATES)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda s: (
            st.lists(s) | st.dictionaries(st.sampled_from(["n", "do", "layers", "events"]), s)
        ),
        max_leaves=8,
    )
)
def test_events_of_any_report_are_numbered_and_new(raw):
    for event in network_picture.sound_events(raw, 3):
        assert event["n"] > 3
