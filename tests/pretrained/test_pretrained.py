"""The bundled models: how they were trained, what they saw, and whether their card is true."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.inputs import to_input
from mnist_core.drawing.preprocessing import check_ink, prepare_as_mnist
from mnist_core.evaluation import metrics
from mnist_core.evaluation.calibration import Calibration, expected_calibration_error
from mnist_core.nn import architectures
from mnist_core.nn.architectures import ARCHITECTURES, build, with_weights
from mnist_core.pretrained import __main__ as command
from mnist_core.pretrained import bundled
from mnist_core.pretrained import card as card_module
from mnist_core.pretrained.bundled import FOLDER, pretrained_card
from mnist_core.pretrained.card import markdown, write_card
from mnist_core.pretrained.european_forms import FORMS, forms
from mnist_core.pretrained.nondigits import KINDS, LETTERS, drawings, letters, non_digits, pairs
from mnist_core.pretrained.strokes import drawn, ellipse, smooth
from mnist_core.pretrained.training import (
    Recipe,
    folded,
    train,
    with_batch_norm,
)
from tests.small_data import digits, global_generators_untouched, mnist_in, random_images


def rng(seed=0):
    return np.random.default_rng(seed)


def distinct(images):
    return len({image.tobytes() for image in images})


# --- the pen


def test_a_smooth_curve_leads_through_its_points():
    points = np.array([[0, 0], [1, 0.5], [0.2, 1], [0.7, 0.1]])
    curve = smooth(points, n=10)
    assert curve.shape == (3 * 10 + 1, 2)
    np.testing.assert_allclose(curve[::10], points, atol=1e-12)


def test_a_smooth_curve_through_points_on_a_line_stays_on_it_and_goes_on():
    curve = smooth(np.array([[0, 0], [1, 2], [2, 4], [3, 6]]), n=8)
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0], atol=1e-12)
    assert (np.diff(curve[:, 0]) > 0).all()
    steps = np.diff(curve[8:17, 0])  # between the middle points it goes at an even pace
    np.testing.assert_allclose(steps, 1 / 8, atol=1e-12)


def test_points_of_an_ellipse_lie_on_it():
    points = ellipse(0.5, 0.4, 0.3, 0.2, start=0.25, turns=0.5)
    on_it = ((points[:, 0] - 0.5) / 0.3) ** 2 + ((points[:, 1] - 0.4) / 0.2) ** 2
    np.testing.assert_allclose(on_it, 1, atol=1e-12)
    np.testing.assert_allclose(points[[0, -1]], [[0.5, 0.6], [0.5, 0.2]], atol=1e-12)


def test_the_pen_draws_ink_on_paper_where_it_goes():
    ink = drawn([np.array([[0.2, 0.5], [0.8, 0.5]])], rng())
    assert ink.shape == (112, 112)
    assert ink.dtype == np.float32
    assert (ink.min(), ink.max()) == (0, 1)
    assert ink[56, 56] == 1
    assert not ink[0].any()


# --- what MNIST does not hold


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_of_a_kind_are_prepared_and_all_different(kind):
    with global_generators_untouched():
        images = drawings(kind, 25, rng())
    assert images.shape == (25, 28, 28)
    assert images.dtype == np.uint8
    assert distinct(images) == 25
    assert ((images > 128).sum(axis=(1, 2)) > 20).all()  # ink, and
    assert ((images > 128).mean(axis=(1, 2)) < 0.5).all()  # more paper


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_random_numbers_make_the_same_drawings(kind):
    one, other, third = (drawings(kind, 4, rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, other)
    assert distinct([*one, *third]) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_of_each_kind_would_be_accepted_on_the_page(kind):
    generator = rng(3)
    for _ in range(10):
        check_ink(drawn(KINDS[kind](generator), generator))


def test_every_shape_can_come_up():
    shape, generator = KINDS["shapes"], rng()
    made = [tuple(stroke.shape for stroke in shape(generator)) for _ in range(200)]
    assert len(set(made)) >= 7


def test_every_letter_can_be_drawn_and_is_no_digit():
    assert not set(LETTERS) & set("0123456789OoISsZzlbgqB")  # those could be taken for digits
    for text in LETTERS.values():
        for part in text.split("|"):
            spots = part.split()
            assert len(spots) >= 2
            assert all(re.fullmatch("[0-4][0-7]", spot) for spot in spots)


def test_pairs_hold_two_digits_side_by_side():
    source = digits().test_images
    one, other = (pairs(source, 12, rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert one.shape == (12, 28, 28)
    assert one.dtype == np.uint8
    assert distinct(one) == 12
    wide, alone = (np.median((i > 0).any(axis=1).sum(axis=1)) for i in (one, source))
    assert wide > alone + 2


def test_non_digits_are_an_equal_part_of_each_kind_and_of_pairs():
    source = digits().test_images
    with global_generators_untouched():
        images = non_digits(source, 37, rng(2))
    each = 37 // (len(KINDS) + 1)
    assert images.shape == (each * (len(KINDS) + 1), 28, 28)
    assert images.dtype == np.uint8
    assert distinct(images) == len(images)
    generator = rng(2)
    expected = [pairs(source, each, generator)]
    expected += [drawings(kind, each, generator) for kind in KINDS]
    np.testing.assert_array_equal(images, np.concatenate(expected))


def test_printed_letters_are_all_different():
    images, text = letters()
    assert images.shape == (len(text), 28, 28)
    assert distinct(images) == len(text) == len(set(text))
    assert ((images > 128).sum(axis=(1, 2)) > 20).all()


def test_european_forms_are_labelled_prepared_and_all_different():
    with global_generators_untouched():
        images, labels = forms(15, rng())
    again, _ = forms(15, rng())
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, np.repeat([1, 4, 7, 9], 15))
    assert labels.dtype == np.int64
    assert images.shape == (60, 28, 28)
    assert images.dtype == np.uint8
    assert distinct(images) == 60
    assert ((images > 128).sum(axis=(1, 2)) > 20).all()


@pytest.mark.parametrize("label", FORMS)
def test_the_bundled_cnn_reads_the_forms_that_it_knows(label):
    generator = rng(99)  # not what it was trained with
    inks = [drawn(FORMS[label](generator), generator) for _ in range(60)]
    images = np.stack([prepare_as_mnist(ink).pixels for ink in inks])
    cnn = bundled.load_pretrained("cnn")
    assert metrics.accuracy(cnn, images, np.full(60, label)) > 0.7


# --- training


def tiny():
    data = digits()
    images = torch.from_numpy(data.train_images[:64].copy()).unsqueeze(1)
    targets = torch.from_numpy(np.eye(10, dtype=np.float32)[data.train_labels[:64]])
    return images, targets


def trained(name, seed=0, **changes):
    """Train for two epochs; return the weights and the loss of each epoch."""
    lines: list[str] = []
    recipe = Recipe(**{"epochs": 2, "learning_rate": 0.01, "batch_size": 16, **changes})
    weights = train(name, recipe, *tiny(), seed, report=lines.append).weights
    losses = [float(re.search(r"loss ([\d.]+)", line).group(1)) for line in lines]
    return weights, losses


@pytest.mark.parametrize(
    ("strength", "normalised"), [(0.0, False), (0.6, True), (1.0, True)], ids=str
)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_training_is_the_same_for_the_same_seed_and_its_loss_falls(name, strength, normalised):
    recipe = {"strength": strength, "normalised": normalised}
    with global_generators_untouched():
        weights, losses = trained(name, **recipe)
    again, same = trained(name, **recipe)
    other, _ = trained(name, seed=1, **recipe)

    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert losses == same
    assert all(torch.equal(weights[key], again[key]) for key in weights)
    assert not any(torch.equal(weights[key], other[key]) for key in weights)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_was_trained_is_a_model_of_the_lesson(name, normalised):
    weights, _ = trained(name, normalised=normalised)
    assert list(weights) == list(build(name, 0).state_dict())
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    assert not any(tensor.requires_grad for tensor in weights.values())
    model = with_weights(name, weights)
    assert architectures.count_parameters(model) == pretrained_card()[name]["parameters"]
    assert model(to_input(random_images(3))).isfinite().all()


def test_training_learns_the_images_it_sees():
    weights, losses = trained("cnn", epochs=25, learning_rate=0.005, strength=0.0)
    assert losses[-1] < 0.1 * losses[0]
    data = digits()
    model = with_weights("cnn", weights)
    reached = metrics.accuracy(model, data.train_images[:64], data.train_labels[:64])
    assert reached > 0.95


def test_the_images_and_targets_given_are_not_changed():
    images, targets = tiny()
    kept = images.clone(), targets.clone()
    train("mlp", Recipe(1, 0.01, batch_size=16), images, targets, 0, report=[].append)
    assert torch.equal(images, kept[0])
    assert torch.equal(targets, kept[1])


def test_soft_targets_teach_doubt():
    images = torch.from_numpy(random_images(64)).unsqueeze(1)
    targets = torch.full((64, 10), 0.1)
    recipe = Recipe(20, 0.01, strength=0.0, batch_size=16)
    weights = train("mlp", recipe, images, targets, 0, report=[].append).weights
    p = metrics.probabilities(with_weights("mlp", weights), images[:, 0].numpy())
    assert p.max() < 0.2


def test_a_recipe_says_what_is_done():
    assert str(Recipe(epochs=10, learning_rate=0.002, strength=0, normalised=False)) == (
        "AdamW 0.002, one cycle, weight decay 0.01, 10 epochs in batches of 128, images as they are"
    )
    assert str(Recipe(epochs=60, learning_rate=0.006, last_strength=0.6, taught=True)) == (
        "AdamW 0.006, one cycle, weight decay 0.01, 60 epochs in batches of 128, "
        "images redrawn, strength 1 to 0.6, batch normalisation, folded in, "
        "taught by the Deeper CNN"
    )


# --- folding the batch normalisation


def used(name, seed=0):
    """Return a network with batch normalisations whose numbers are anything but the first ones."""
    model = with_batch_norm(build(name, seed))
    generator = torch.Generator().manual_seed(seed)
    for layer in model:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            with torch.no_grad():
                for tensor, low, high in (
                    (layer.weight, 0.3, 2.0),
                    (layer.bias, -1.0, 1.0),
                    (layer.running_mean, -1.0, 1.0),
                    (layer.running_var, 0.1, 3.0),
                ):
                    tensor.uniform_(low, high, generator=generator)
    return model


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_folded_the_network_computes_the_same_without_the_normalisation(name, seed):
    model = used(name, seed).eval()
    tensors = [tensor for pair in folded(model) for tensor in pair]
    plain = with_weights(name, dict(zip(build(name, 0).state_dict(), tensors, strict=True)))
    x = to_input(np.concatenate([random_images(20, seed), digits().test_images[:20]]))
    with torch.inference_mode():
        expected = model(x)
    torch.testing.assert_close(plain(x), expected, rtol=1e-5, atol=1e-5)
    changed = build(name, seed)(x)
    assert name == "linear" or (changed - expected).abs().max() > 0.1


@pytest.mark.parametrize(("name", "norms"), [("linear", 0), ("mlp", 1), ("cnn", 3)])
def test_every_layer_with_weights_but_the_last_is_normalised(name, norms):
    kinds = [type(layer).__name__ for layer in with_batch_norm(build(name, 0))]
    assert sum(kind.startswith("BatchNorm") for kind in kinds) == norms
    for kind, following in zip(kinds, [*kinds[1:], ""], strict=True):
        if kind == "Conv2d":
            assert following == "BatchNorm2d"
        if kind == "Linear":
            assert following == ("BatchNorm1d" if following else "")


def test_folding_a_network_without_normalisation_gives_its_weights():
    model = build("mlp", 3)
    tensors = [tensor for pair in folded(model) for tensor in pair]
    for tensor, expected in zip(tensors, model.state_dict().values(), strict=True):
        assert torch.equal(tensor, expected)


# --- the card and the weights


def numbers_in(entry):
    """Return every number of a card's entry, as the Markdown shows it."""
    yield f"{entry['parameters']:,}"
    yield f"{entry['test_accuracy']:.2%}"
    yield f"{entry['train_accuracy']:.2%}"
    yield f"{entry['calibration']['temperature']:.3f}"
    yield f"{entry['calibration']['threshold']:.0%}"
    yield f"{entry['calibration_error']:.2%}"
    yield f"{entry['calibration_error_at_temperature_1']:.2%}"
    yield f"{entry['test_digits_doubted']:.1%}"
    yield from (f"{share:.0%}" for share in entry["doubted"].values())
    yield from (f"{share:.1%}" for share in entry.get("pen_digits", {}).values())


def columns_of(text):
    """Return the cells of each column of the only table in a text."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert len({len(row) for row in rows}) == 1
    return [[cell.strip(" |") for cell in column] for column in zip(*rows, strict=True)]


def test_the_card_in_markdown_is_the_card():
    assert (FOLDER / "MODEL_CARD.md").read_text("utf-8") == markdown(pretrained_card())


def test_the_card_in_markdown_has_a_row_for_every_number():
    card = pretrained_card()
    what, *columns = columns_of(markdown(card))
    assert len(columns) == len(card) == 4
    assert len(set(what)) == len(what)
    for (name, entry), (title, *cells) in zip(card.items(), columns, strict=True):
        assert title == ARCHITECTURES[name].title
        assert str(entry["recipe"]) in cells
        shown = list(numbers_in(entry))
        assert all(cells.count(number) >= shown.count(number) for number in shown)
        assert f"{entry['training_s']:,} s" in cells
        assert str(entry["seed"]) in cells
    assert str(card["linear"]["made_with"]) in markdown(card)


@pytest.mark.parametrize("missing", ARCHITECTURES)
def test_a_model_whose_pen_digits_were_not_read_keeps_its_own_column(missing):
    """As after `python -m mnist_core.pretrained --only mlp`."""
    card = pretrained_card()
    for i, (name, entry) in enumerate(card.items()):
        entry["pen_digits"] = {"Like MNIST": 0.111 * (i + 1)}
        if name == missing:
            del entry["pen_digits"]
    what, *columns = columns_of(markdown(card))
    row = [column[what.index("pen digits: Like MNIST")] for column in columns]
    place = list(card).index(missing)
    expected = ["11.1%", "22.2%", "33.3%", "44.4%"]
    expected[place] = "not measured"
    assert row == expected


def test_without_any_pen_digits_the_card_has_no_row_of_them():
    card = pretrained_card()
    for entry in card.values():
        entry.pop("pen_digits", None)
    assert "pen digits:" not in markdown(card)


def test_a_card_is_written_beside_the_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(card_module, "FOLDER", tmp_path)
    card = pretrained_card()
    write_card(card)
    assert json.loads((tmp_path / "card.json").read_text("utf-8")) == card
    assert (tmp_path / "MODEL_CARD.md").read_text("utf-8") == markdown(card)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_card_names_the_recipes_of_the_command():
    for name, recipe in command.RECIPES.items():
        assert pretrained_card()[name]["recipe"] == str(recipe)
        assert pretrained_card()[name]["seed"] == command.SEED


def test_the_weights_are_under_two_megabytes():
    sizes = [path.stat().st_size for path in FOLDER.glob("*.safetensors")]
    assert len(sizes) == 4
    assert sum(sizes) < 2_000_000


def test_the_card_s_numbers_are_possible():
    for entry in pretrained_card().values():
        fitted = Calibration(**entry["calibration"])
        assert 0.05 < fitted.temperature < 20
        assert 0.1 <= fitted.threshold <= 0.99
        assert fitted.digits_doubted <= 0.03
        assert entry["calibration_error"] < 0.02
        shares = [entry["test_digits_doubted"], *entry["doubted"].values()]
        assert all(0 <= share <= 1 for share in shares)
        assert set(KINDS) < set(entry["doubted"])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_card_s_numbers_of_the_test_set_are_what_the_weights_give(name, mnist_dir):
    mnist, entry = mnist_in(mnist_dir), pretrained_card()[name]
    model, fitted = bundled.load_pretrained(name), Calibration(**entry["calibration"])
    p = metrics.probabilities(model, mnist.test_images, fitted.temperature)
    plain = metrics.probabilities(model, mnist.test_images)
    labels = mnist.test_labels
    # Another processor adds up in another order: an answer or two may change.
    assert (p.argmax(axis=1) == labels).mean() == pytest.approx(entry["test_accuracy"], abs=3e-4)
    error = expected_calibration_error(p, labels)
    assert error == pytest.approx(entry["calibration_error"], abs=5e-4)
    unfitted = expected_calibration_error(plain, labels)
    assert unfitted == pytest.approx(entry["calibration_error_at_temperature_1"], abs=5e-4)
    doubted = (p.max(axis=1) < fitted.threshold).mean()
    assert doubted == pytest.approx(entry["test_digits_doubted"], abs=5e-4)


def test_the_bundled_cnn_s_confidence_is_within_one_in_a_hundred_of_its_accuracy(mnist_dir):
    mnist, entry = mnist_in(mnist_dir), pretrained_card()["cnn"]
    temperature = entry["calibration"]["temperature"]
    model = bundled.load_pretrained("cnn")
    p = metrics.probabilities(model, mnist.test_images, temperature)
    assert expected_calibration_error(p, mnist.test_labels) < 0.01


def test_the_card_describes_the_weights(mnist_dir):
    """All of the linear model's entry, as the command would write it: the cheapest of the three."""
    mnist, entry = mnist_in(mnist_dir), pretrained_card()["linear"]
    others = {
        kind: images for kind, images in command.to_doubt(mnist).items() if kind in entry["doubted"]
    }
    weights = bundled.load_pretrained("linear").state_dict()
    found = command.describe("linear", weights, mnist, others)
    assert set(found) <= set(entry)
    for key, tolerance in (
        ("test_accuracy", 3e-4),
        ("train_accuracy", 3e-4),
        ("calibration", 0.02),
        ("doubted", 0.05),
    ):
        assert found[key] == pytest.approx(entry[key], abs=tolerance), key


def test_what_the_models_see_besides_mnist_has_targets_that_add_up_to_1(monkeypatch):
    monkeypatch.setattr(command, "FORMS_EACH", 3)
    monkeypatch.setattr(command, "NON_DIGITS", 12)
    monkeypatch.setattr(command, "LEFT_OUT", 100)
    n = len(digits().train_images) - 100
    images, targets = command.material(digits(), with_non_digits=True)
    assert images.shape == (n + 4 * 3 + 12, 1, 28, 28)
    assert images.dtype == torch.uint8
    assert targets.shape == (len(images), 10)
    assert targets.dtype == torch.float32
    np.testing.assert_allclose(targets.sum(dim=1), 1, atol=1e-6)
    np.testing.assert_array_equal(targets[:n].argmax(dim=1), digits().train_labels[:n])
    european = targets[n : n + 12]
    np.testing.assert_array_equal(european.argmax(dim=1), np.repeat([1, 4, 7, 9], 3))
    np.testing.assert_allclose(targets[n + 12 :], 0.1)
    without, _ = command.material(digits(), with_non_digits=False)
    assert torch.equal(without, images[: n + 12])


def test_a_taught_network_comes_to_say_what_its_teacher_says():
    """Images of noise, targets that say nothing: what it says it has from its teacher."""
    images, targets = torch.from_numpy(random_images(64)).unsqueeze(1), torch.full((64, 10), 0.1)
    teacher = build("linear", 3)
    recipe = Recipe(40, 0.01, strength=0.0, taught=True, batch_size=16)
    weights = train("mlp", recipe, images, targets, 0, teacher, [].append).weights
    alone = train("mlp", recipe, images, targets, 0, None, [].append).weights
    x = to_input(images[:, 0].numpy())
    said = teacher(x).argmax(dim=1)
    agreed = (with_weights("mlp", weights)(x).argmax(dim=1) == said).float().mean()
    assert agreed > 0.6
    assert agreed > 0.2 + (with_weights("mlp", alone)(x).argmax(dim=1) == said).float().mean()


@pytest.mark.parametrize(("epoch", "strength"), [(0, 1.0), (5, 0.8), (10, 0.6)])
def test_the_strength_changes_evenly_over_the_epochs(epoch, strength):
    recipe = Recipe(11, 0.01, last_strength=0.6)
    assert recipe.strength_in(epoch) == pytest.approx(strength)
