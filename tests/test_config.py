"""What the configuration relies on in the pinned Streamlit."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from streamlit import config

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))


def test_post_script_gc_exists_and_is_off():
    assert "runner.postScriptGC" in config.get_config_options(force_reparse=True)
    assert CONFIG["runner"]["postScriptGC"] is False


def test_the_option_is_read_where_the_garbage_is_collected():
    from streamlit.runtime.scriptrunner import script_runner

    source = Path(script_runner.__file__).read_text("utf-8")
    assert 'config.get_option("runner.postScriptGC")' in source


def test_server_keeps_its_protection():
    server = CONFIG["server"]
    assert server["maxUploadSize"] <= 50
    assert not {"address", "enableXsrfProtection", "enableCORS", "port"} & set(server)
    assert CONFIG["browser"]["gatherUsageStats"] is False


def test_every_option_is_known_to_streamlit():
    known = config.get_config_options(force_reparse=True)

    def options(table: dict, prefix: str = "") -> list[str]:
        found = []
        for name, value in table.items():
            path = f"{prefix}.{name}" if prefix else name
            found += options(value, path) if isinstance(value, dict) else [path]
        return found

    assert set(options(CONFIG)) <= set(known)


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_text_has_the_contrast_a_projector_needs(ground):
    theme = CONFIG["theme"][ground]
    assert contrast(theme["textColor"], theme["backgroundColor"]) > 12
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) > 4.5
    assert contrast(theme["textColor"], theme["secondaryBackgroundColor"]) > 10


@pytest.mark.parametrize("dark", [False, True])
def test_figures_know_the_ground_and_the_ink(dark):
    from mnist_core.figures.style import ground_colour, ink_colour

    theme = CONFIG["theme"]["dark" if dark else "light"]
    assert ground_colour(dark) == theme["backgroundColor"]
    assert ink_colour(dark) == theme["textColor"]


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2, 1 to 21)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_requirements_are_pinned_and_installed():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert {"torch", "torchvision", "streamlit", "streamlit-drawable-canvas"} <= set(pins)
    for name, pinned in pins.items():
        assert version(name).split("+")[0] == pinned
