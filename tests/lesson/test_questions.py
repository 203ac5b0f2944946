"""The computed outcome of each question is the one that its explanation describes."""

from __future__ import annotations

import math
import string
from pathlib import Path

import pytest

from mnist_core.data.datasets import bundled_digits
from mnist_core.lesson import questions
from mnist_core.lesson.question_words import page_of
from mnist_core.lesson.questions import QUESTIONS, outcome
from pages.parts.shell import navigation, texts
from tests.small_data import global_generators_untouched

ANSWERS = {  # the right options according to the explanations in questions.toml
    "layer_double": "double",
    "layer_parameters": "15",
    "activation_slope": "ReLU",
    "activation_line": "line",
    "loss_guess": "2.3",
    "loss_tenth": "log",
    "loss_add": "same",
    "dataset_exam": "fewer",
    "model_hidden": "thirteen",
    "model_step": "little",
    "model_zero_grad": "double",
    "model_softmax": "1.461",
    "training_rate": "up",
    "training_zero": "stuck",
    "training_steps_an_epoch": "1875",
    "evaluation_always": "tenth",
    "evaluation_shift": "fewer",
    "evaluation_luck": "more",
    "drawing_smiley": "sure",
    "drawing_corner": "centred",
    "race_order": "rounding",
    "replay_halfway": "early",
    "playground_neurons": "3",
}


def test_each_question_has_words():
    assert list(QUESTIONS) == list(texts.questions())
    assert set(QUESTIONS) == set(ANSWERS)
    assert all(row.name == name for name, row in QUESTIONS.items())


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_asked_once_on_its_page(name):
    page = next(page for page in navigation.PAGES if page.name == page_of(name))
    root = Path(texts.FOLDER).parents[2]
    asked = f'questions_panel.ask("{name}")'
    where = {p.stem: p.read_text("utf-8").count(asked) for p in (root / "pages").glob("*.py")}
    assert {stem: n for stem, n in where.items() if n} == {page.name: 1}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_computed_answer_is_the_explained_one(name):
    with global_generators_untouched():
        result = QUESTIONS[name].compute()
    assert result.answer == ANSWERS[name]
    assert result.answer in texts.questions()[name].options
    assert QUESTIONS[name].compute() == result


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_explanation_uses_every_number_and_no_other(name):
    words, numbers = texts.questions()[name], outcome(name).numbers
    asked_for = {field for _, field, _, _ in string.Formatter().parse(words.explanation) if field}
    assert asked_for == set(numbers)
    assert all(math.isfinite(value) for value in numbers.values())
    assert "{" not in words.explained(numbers)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_texts_hold_no_html(name):
    words = texts.questions()[name]
    assert "<" not in f"{words.question}{words.options}{words.explanation}"


def test_an_unknown_question_is_named():
    with pytest.raises(ValueError, match=r"expected one of layer_double, .* got 'why'"):
        outcome("why")


def test_a_layer_of_4_and_3_has_15_parameters():
    assert outcome("layer_parameters").numbers == {"weights": 12, "biases": 3}


def test_twice_the_input_is_twice_the_output_without_a_bias_only():
    n = outcome("layer_double").numbers
    assert n["times"] == pytest.approx(2, rel=1e-6)
    assert 1 < n["biased"] < 1.9


def test_at_5_only_relu_is_steep():
    n = outcome("activation_slope").numbers
    sigmoid = 1 / (1 + math.exp(-5))
    assert n["ReLU"] == 1
    assert n["sigmoid"] == pytest.approx(sigmoid * (1 - sigmoid), rel=1e-4)
    assert n["tanh"] == pytest.approx(1 - math.tanh(5) ** 2, rel=1e-3)


@pytest.mark.parametrize("p", [0.5, 0.1, 0.05, 0.01])
def test_charges_are_logarithms(p):
    assert questions.charge(p) == pytest.approx(-math.log(p), abs=1e-5)


def test_a_tenth_of_p_adds_log_10():
    n = outcome("loss_tenth").numbers
    assert n["added"] == pytest.approx(math.log(10), abs=1e-5)
    assert n["then"] - n["after"] == pytest.approx(math.log(10), abs=1e-5)
    assert round(math.e**2, 1) == 7.4  # the hints of loss_guess
    assert round(math.e**3, 1) == 20.1


def test_a_network_tested_on_its_training_images_looks_better_than_it_is():
    n = outcome("dataset_exam").numbers
    assert n["seen"] > 0.98
    assert 0.85 < n["new"] < 0.92
    assert n["n"] == 1437


def test_no_activation_is_a_line_and_relu_is_not():
    n = outcome("activation_line").numbers
    assert n["gap"] < 1e-12
    assert n["relu"] > 0.5


def test_the_mlp_has_13_times_as_many_parameters():
    n = outcome("model_hidden").numbers
    assert (n["linear"], n["first"], n["second"], n["all"]) == (7850, 100480, 1290, 101770)


def test_one_step_lowers_the_loss_by_about_a_hundredth():
    n = outcome("model_step").numbers
    assert 0.001 < n["before"] - n["after"] < 0.1


def test_a_learning_rate_of_5_sends_the_loss_up():
    n = outcome("training_rate").numbers
    assert n["small"] < n["before"] < n["large"] / 10


def test_a_start_at_zero_stays_there():
    n = outcome("training_zero").numbers
    assert n["moved"] == 0
    assert n["hidden"] == 784 * 128
    assert n["zero"] == pytest.approx(0.1, abs=0.01)
    assert n["random"] > 0.85


def test_always_one_gets_the_share_of_ones():
    assert outcome("evaluation_always").numbers == {"share": 0.1, "ones": 36, "n": 360}


def test_accuracy_falls_with_every_pixel():
    shares = [outcome("evaluation_shift").numbers[f"by_{pixels}"] for pixels in range(5)]
    assert shares[0] > 0.9
    assert shares == sorted(shares, reverse=True)
    assert shares[4] <= 0.1


def test_moving_by_the_margin_loses_no_ink():
    images = bundled_digits().test_images
    assert not images[:, :, :4].any()


def test_three_neurons_are_needed_to_enclose_the_points():
    n = outcome("playground_neurons").numbers
    assert n["with_1"] > n["with_2"] > 0.1
    assert n["with_3"] < 0.05


def test_without_zero_grad_the_second_gradient_is_added():
    n = outcome("model_zero_grad").numbers
    assert n["second"] == pytest.approx(2 * n["first"], rel=1e-5)


def test_with_a_second_softmax_the_loss_has_a_floor():
    n = outcome("model_softmax").numbers
    assert n["loss"] == pytest.approx(math.log(math.e + 9) - 1, abs=1e-6)
    assert n["wrong"] == pytest.approx(math.log(math.e + 9), abs=1e-6)


def test_an_epoch_of_mnist_has_1875_steps():
    assert outcome("training_steps_an_epoch").numbers == {
        "steps": 1875,
        "n": 1437,
        "small": 45,
        "last": 29,
    }


def test_the_luckiest_of_100_guessers_is_no_better_on_new_images():
    n = outcome("evaluation_luck").numbers
    assert n["n"] == 360
    assert 0.08 < n["mean"] < 0.12 < n["best"]
    assert n["new"] < n["best"] - 0.02


def test_the_linear_model_is_sure_of_a_smiley_and_the_deep_one_is_not():
    n = outcome("drawing_smiley").numbers
    assert n["linear"] > 0.95
    assert n["deep"] < 0.3


def test_a_small_digit_in_a_corner_must_be_centred():
    n = outcome("drawing_corner").numbers
    assert n["mnist"] > 0.9
    assert n["lesson"] < 0.2


def test_another_order_of_a_sum_changes_its_last_digits_only():
    n = outcome("race_order").numbers
    assert 0 < abs(n["forwards"] - n["backwards"]) < 1e-6
    assert f"{n['forwards']:.9f}" != f"{n['backwards']:.9f}"


def test_half_of_the_accuracy_is_reached_in_the_first_quarter():
    n = outcome("replay_halfway").numbers
    assert n["first"] < n["last"] / 2 < n["then"] < n["last"]
    assert n["half"] < 50
