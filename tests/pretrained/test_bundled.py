"""The bundled models load, and their card describes all of them."""

import pytest
from safetensors import safe_open

from mnist_core.data.inputs import to_input
from mnist_core.evaluation import metrics
from mnist_core.evaluation.calibration import Calibration, expected_calibration_error
from mnist_core.nn.architectures import ARCHITECTURES, build, count_parameters
from mnist_core.pretrained import bundled
from mnist_core.pretrained.bundled import FOLDER, load_pretrained, pretrained_card
from mnist_core.pretrained.nondigits import KINDS
from tests.small_data import global_generators_untouched, mnist_in, random_images


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_weights_load_and_are_frozen(name):
    with global_generators_untouched():
        model = load_pretrained(name)
    assert not any(p.requires_grad for p in model.parameters())
    assert not model.training
    assert all(p.isfinite().all() for p in model.parameters())
    assert model(to_input(random_images(2))).shape == (2, 10)


def test_the_files_are_safetensors():
    files = [p for p in FOLDER.iterdir() if p.is_file() and p.suffix not in (".py", ".json", ".md")]
    assert {p.name for p in files} == {f"{name}.safetensors" for name in ARCHITECTURES}
    for path in files:
        with safe_open(path, framework="pt") as file:
            assert list(file.keys())


def test_an_unknown_architecture_is_refused():
    with pytest.raises(ValueError, match="resnet"):
        load_pretrained("resnet")


def test_missing_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"linear\.safetensors"):
        load_pretrained("linear")


def test_the_card_lists_every_architecture():
    card = pretrained_card()
    assert set(card) == set(ARCHITECTURES)
    for name, entry in card.items():
        assert entry["parameters"] == count_parameters(build(name, 0))
        assert entry["recipe"]
        assert 0.9 < entry["test_accuracy"] < 1


def test_the_weights_are_under_two_megabytes():
    sizes = [path.stat().st_size for path in FOLDER.glob("*.safetensors")]
    assert len(sizes) == 4
    assert sum(sizes) < 2_000_000


def test_the_numbers_of_the_card_are_plausible():
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
def test_the_weights_reach_the_test_results_of_the_card(name, mnist_dir):
    mnist, entry = mnist_in(mnist_dir), pretrained_card()[name]
    model, fitted = load_pretrained(name), Calibration(**entry["calibration"])
    p = metrics.probabilities(model, mnist.test_images, fitted.temperature)
    plain = metrics.probabilities(model, mnist.test_images)
    labels = mnist.test_labels
    # Another processor adds in another order, which can change a prediction or two.
    assert (p.argmax(axis=1) == labels).mean() == pytest.approx(entry["test_accuracy"], abs=3e-4)
    error = expected_calibration_error(p, labels)
    assert error == pytest.approx(entry["calibration_error"], abs=5e-4)
    unfitted = expected_calibration_error(plain, labels)
    assert unfitted == pytest.approx(entry["calibration_error_at_temperature_1"], abs=5e-4)
    doubted = (p.max(axis=1) < fitted.threshold).mean()
    assert doubted == pytest.approx(entry["test_digits_doubted"], abs=5e-4)


def test_the_calibration_error_of_the_bundled_cnn_is_below_one_percent(mnist_dir):
    mnist, entry = mnist_in(mnist_dir), pretrained_card()["cnn"]
    temperature = entry["calibration"]["temperature"]
    model = load_pretrained("cnn")
    p = metrics.probabilities(model, mnist.test_images, temperature)
    assert expected_calibration_error(p, mnist.test_labels) < 0.01
