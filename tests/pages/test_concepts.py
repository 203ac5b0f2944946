"""Layer, Activation, Loss and Home: the effect of each control."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_core.concepts.activations import ACTIVATIONS
from tests.pages.conftest import go_to, numbers, words


def test_layer_of_the_lesson_matches_and_fresh_weights_change_it(open_page):
    app = open_page("layer")
    before = numbers(app)
    assert before["PyTorch: layer(x)"][:7] == before["NumPy: W.dot(x)"][:7]
    assert "match" in app.success[0].value
    app.button(key="layer_lesson_fresh").click().run()
    after = numbers(app)
    assert after["PyTorch: layer(x)"] != before["PyTorch: layer(x)"]
    assert after["PyTorch: layer(x)"][:7] == after["NumPy: W.dot(x)"][:7]


def test_layer_sizes_and_bias_change_the_parameters(open_page):
    app = open_page("layer")
    assert "1 × 3 weights + 1 bias = **4**" in words(app)
    app.slider(key="layer_inputs").set_value(5).run()
    app.slider(key="layer_outputs").set_value(4).run()
    assert "4 × 5 weights + 4 biases = **24**" in words(app)
    assert "y₁ = w₁₁·x₁ + w₁₂·x₂ + w₁₃·x₃ + w₁₄·x₄ + w₁₅·x₅ + b₁" in words(app)
    app.toggle(key="layer_bias").set_value(False).run()
    assert "4 × 5 weights + 0 biases = **20**" in words(app)
    assert "b₁" not in words(app)
    assert not app.exception


def test_a_number_typed_into_the_layer_changes_the_sum_and_lasts(open_page):
    app = open_page("layer")
    first, *others = [field.value for field in app.text_input][3:]  # the weights, then the bias
    app.text_input(key="layer_x0").set_value("−2.5").run()
    total = -2.5 * float(first) + sum(map(float, others))
    assert sums(app)[1].startswith(f"y₁ = {first}·(−2.5) + ")
    assert float(bold(sums(app)[1]).replace("−", "-")) == pytest.approx(total, abs=1e-4)
    before = sums(app)
    go_to(app, "activation")
    go_to(app, "layer")
    assert sums(app) == before
    app.button(key="layer_free_fresh").click().run()
    assert sums(app)[1] != before[1]
    assert "(−2.5)" in sums(app)[1]


@pytest.mark.parametrize("junk", ["abc", "1,5", "1e9", ""])
def test_junk_in_the_layer_is_refused_in_words_and_the_last_number_stays(open_page, junk):
    app = open_page("layer")
    app.text_input(key="layer_x1").set_value("2").run()
    before = sums(app)
    app.text_input(key="layer_x1").set_value(junk).run()
    (refused,) = [error.value for error in app.error]
    assert refused.startswith("x₂ needs a number from −100 to 100")
    assert refused.endswith("The layer goes on with 2.")
    assert sums(app) == before
    app.text_input(key="layer_x1").set_value("3").run()
    assert not app.error
    assert sums(app) != before


def sums(app) -> list[str]:
    return [block.value for block in app.markdown if block.value.startswith("y₁ = ")]


def bold(text: str) -> str:
    return text.split("**")[1]


def test_layer_settings_survive_a_visit_elsewhere(open_page):
    app = open_page("layer")
    app.slider(key="layer_inputs").set_value(6).run()
    go_to(app, "activation")
    go_to(app, "layer")
    assert app.slider(key="layer_inputs").value == 6


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_every_activation_matches_numpy_and_autograd(open_page, name):
    app = open_page("activation")
    app.button_group(key="activation_name").set_value(name).run()
    assert not app.exception
    assert ACTIVATIONS[name].formula in app.latex[0].value
    assert app.success[0].value.startswith("Value, PyTorch and NumPy: match")
    assert app.success[1].value.startswith("Slope, autograd and by hand: match")
    assert not app.error


def test_activation_point_moves(open_page):
    app = open_page("activation")
    app.button_group(key="activation_name").set_value("tanh").run()
    app.slider(key="activation_z").set_value(0.5).run()
    assert float(numbers(app)["Value f(z)"]) == pytest.approx(np.tanh(0.5), abs=1e-4)
    assert float(numbers(app)["Slope f′(z)"]) == pytest.approx(1 - np.tanh(0.5) ** 2, abs=1e-4)


def test_two_layers_collapse_without_an_activation_and_do_not_with_one(open_page):
    app = open_page("activation")
    off = next(i.value for i in app.info if "No single layer" in i.value)
    app.button(key="activation_fresh").click().run()
    assert next(i.value for i in app.info if "No single layer" in i.value) != off
    app.button_group(key="activation_between").set_value("nothing").run()
    assert any("One layer does the same" in s.value for s in app.success)
    assert not any("No single layer" in i.value for i in app.info)


def test_loss_follows_the_logits_and_the_class(open_page):
    app = open_page("loss")
    for i in range(10):
        app.slider(key=f"loss_z{i}").set_value(0.0)
    app.run()
    assert float(numbers(app)["Loss, by PyTorch"]) == pytest.approx(np.log(10), abs=1e-6)
    app.slider(key="loss_z3").set_value(10.0).run()
    sure = float(numbers(app)["Loss, by PyTorch"])
    assert sure < 0.001
    app.selectbox(key="loss_label").set_value(5).run()
    assert float(numbers(app)["Loss, by PyTorch"]) > 9
    assert numbers(app)["Loss, in two parts"] == numbers(app)["Loss, by PyTorch"]


def test_the_logits_last_while_other_pages_are_visited(open_page):
    app = open_page("loss")
    app.slider(key="loss_z7").set_value(4.5).run()
    app.selectbox(key="loss_label").set_value(7).run()
    before = numbers(app)["Loss, by PyTorch"]
    go_to(app, "layer")
    go_to(app, "loss")
    assert app.slider(key="loss_z7").value == 4.5
    assert numbers(app)["Loss, by PyTorch"] == before


def test_squared_error_replaces_cross_entropy(open_page):
    app = open_page("loss")
    app.button_group(key="loss_kind").set_value("squared error").run()
    assert "Loss, in two parts" not in numbers(app)
    assert 0 < float(numbers(app)["Loss, by PyTorch"]) <= 0.2
    assert "match" in app.success[0].value


def test_logits_of_a_real_image(open_page):
    app = open_page("loss")
    app.button_group(key="loss_source").set_value("a real image").run()
    assert not app.exception
    first = numbers(app)["Loss, by PyTorch"]
    app.button(key="loss_another").click().run()
    assert numbers(app)["Loss, by PyTorch"] != first
    assert "match" in app.success[0].value


def test_naive_softmax_overflows_and_the_stable_one_does_not(open_page):
    app = open_page("loss")
    before = numbers(app)["largest logit subtracted first"]
    app.slider(key="loss_shift").set_value(150).run()
    assert numbers(app)["as written"] == "nan"
    assert numbers(app)["largest logit subtracted first"] == before
    assert any("overflowed" in w.value for w in app.warning)
