"""The bundled models load, and their card describes all of them."""

import pytest
from safetensors import safe_open

from mnist_core.data.inputs import to_input
from mnist_core.nn.architectures import ARCHITECTURES, build, count_parameters
from mnist_core.pretrained import bundled
from mnist_core.pretrained.bundled import FOLDER, load_pretrained
from tests.small_data import global_generators_untouched, random_images


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
    card = bundled.pretrained_card()
    assert set(card) == set(ARCHITECTURES)
    for name, entry in card.items():
        assert entry["parameters"] == count_parameters(build(name, 0))
        assert entry["recipe"]
        assert 0.9 < entry["test_accuracy"] < 1
