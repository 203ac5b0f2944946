"""The settings that the environment allows, and those it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_core.common.settings import Settings, settings


@pytest.fixture
def fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_without_variables_data_go_to_the_user_s_cache_and_mnist_is_downloaded():
    found = Settings.from_environment({})
    assert found.data_dir.is_absolute()
    assert found.data_dir.name == "mnist-lesson"
    assert found.mirror == ""
    assert found.auto_download is True


def test_without_variables_work_is_not_below_the_data_cache():
    found = Settings.from_environment({})
    assert found.work_dir.is_absolute()
    assert found.work_dir.parts[-2:] == ("mnist-lesson", "workspaces")
    assert found.data_dir not in found.work_dir.parents
    assert (found.work_limit_mb, found.workers, found.unwatched_min) == (1_000, 0, 30)
    assert found == Settings(found.data_dir)


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is Linux's")
def test_work_is_in_the_system_s_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    expected = tmp_path / "mnist-lesson" / "workspaces"
    assert Settings.from_environment({}).work_dir == expected


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME is Linux's")
def test_data_are_in_the_system_s_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Settings.from_environment({}).data_dir == tmp_path / "mnist-lesson"


def test_every_variable_is_read(tmp_path):
    found = Settings.from_environment(
        {
            "MNIST_DATA_DIR": str(tmp_path),
            "MNIST_MIRROR": "https://school.example/data/",
            "MNIST_AUTO_DOWNLOAD": "no",
            "MNIST_WORK_DIR": str(tmp_path / "work"),
            "MNIST_WORK_LIMIT_MB": "250",
            "MNIST_WORKERS": "3",
            "MNIST_UNWATCHED_MIN": "5",
        }
    )
    assert found == Settings(
        data_dir=tmp_path,
        mirror="https://school.example/data/",
        auto_download=False,
        work_dir=tmp_path / "work",
        work_limit_mb=250,
        workers=3,
        unwatched_min=5,
    )


FOLDERS = pytest.mark.parametrize(
    ("variable", "field"), [("MNIST_DATA_DIR", "data_dir"), ("MNIST_WORK_DIR", "work_dir")]
)


@FOLDERS
def test_a_relative_folder_becomes_absolute(monkeypatch, tmp_path, variable, field):
    monkeypatch.chdir(tmp_path)
    found = Settings.from_environment({variable: "some/where"})
    assert getattr(found, field) == tmp_path / "some" / "where"


@FOLDERS
def test_a_tilde_in_a_folder_is_the_home_folder(monkeypatch, tmp_path, variable, field):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert getattr(Settings.from_environment({variable: "~/mine"}), field) == tmp_path / "mine"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000/"),
        ("http://10.0.0.5:8000/data", "http://10.0.0.5:8000/data/"),
        ("https://school.example/data//", "https://school.example/data/"),
        ("  https://school.example/data/ ", "https://school.example/data/"),
    ],
)
def test_a_mirror_ends_in_one_slash(given, expected):
    assert Settings.from_environment({"MNIST_MIRROR": given}).mirror == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("1", True),
        ("true", True),
        ("YES", True),
        (" True ", True),
        ("0", False),
        ("false", False),
        ("No", False),
    ],
)
def test_the_words_for_auto_download(word, expected):
    assert Settings.from_environment({"MNIST_AUTO_DOWNLOAD": word}).auto_download is expected


@pytest.mark.parametrize(
    ("variable", "field", "least"),
    [
        ("MNIST_WORK_LIMIT_MB", "work_limit_mb", 10),
        ("MNIST_WORKERS", "workers", 0),
        ("MNIST_UNWATCHED_MIN", "unwatched_min", 1),
    ],
)
def test_a_number_is_read_from_its_least_value_on(variable, field, least):
    for text, number in ((str(least), least), (" 64 ", 64), ("0064", 64), ("100000", 100_000)):
        assert getattr(Settings.from_environment({variable: text}), field) == number
    for text in (str(least - 1), "-5", "+64", "1.5", "1e3", "64 MB", "many", "0x40", "٣٤", "６４"):
        with pytest.raises(ValueError, match=variable) as caught:
            Settings.from_environment({variable: text})
        assert str(caught.value) == (
            f"{variable} must be a whole number of at least {least}, got {text!r}: "
            "correct it or leave it out."
        )


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_variable_counts_as_left_out(blank):
    names = ("MNIST_DATA_DIR", "MNIST_MIRROR", "MNIST_AUTO_DOWNLOAD", "MNIST_WORK_DIR")
    names += ("MNIST_WORK_LIMIT_MB", "MNIST_WORKERS", "MNIST_UNWATCHED_MIN")
    assert Settings.from_environment(dict.fromkeys(names, blank)) == Settings.from_environment({})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MNIST_MIRROR", "school.example/data"),
        ("MNIST_MIRROR", "ftp://school.example/data"),
        ("MNIST_MIRROR", "file:///srv/data"),
        ("MNIST_MIRROR", "http://"),
        ("MNIST_AUTO_DOWNLOAD", "maybe"),
        ("MNIST_AUTO_DOWNLOAD", "2"),
        ("MNIST_DATA_DIR", "~no-such-user-here/data"),
        ("MNIST_WORK_DIR", "~no-such-user-here/work"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(variable, value):
    with pytest.raises(ValueError, match=variable) as caught:
        Settings.from_environment({variable: value})
    sentence = str(caught.value)
    assert repr(value) in sentence
    assert sentence.endswith("correct it or leave it out.")


@pytest.mark.usefixtures("fresh_settings")
def test_a_process_reads_its_environment_once(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DATA_DIR", str(tmp_path / "first"))
    assert settings().data_dir == tmp_path / "first"
    monkeypatch.setenv("MNIST_DATA_DIR", str(tmp_path / "second"))
    assert settings().data_dir == tmp_path / "first"


def test_settings_do_not_change():
    with pytest.raises(AttributeError):
        Settings(Path("data")).mirror = "http://elsewhere/"
