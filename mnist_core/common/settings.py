"""The server's settings, read once from the environment. No other module reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_cache_path, user_data_path

__all__ = ["Settings", "settings"]

_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the server.

    Attributes
    ----------
    data_dir : Path
        The folder with ``MNIST/raw`` and ``FashionMNIST/raw`` (``MNIST_DATA_DIR``).
    mirror : str
        The address of a folder with the published ``.gz`` files, tried before the public mirrors
        (``MNIST_MIRROR``), or ``""``. For example a machine in a school.
    auto_download : bool
        Whether the first start downloads MNIST if it is missing (``MNIST_AUTO_DOWNLOAD``).
    work_dir : Path
        The folder with the visitors' workspaces (``MNIST_WORK_DIR``).
    work_limit_mb : int
        The largest size of that folder in megabytes (``MNIST_WORK_LIMIT_MB``).
    workers : int
        The number of runs that train at once (``MNIST_WORKERS``); 0 is one for every two cores.
    unwatched_min : int
        A run pauses after this time in minutes without a visitor (``MNIST_UNWATCHED_MIN``).
    """

    data_dir: Path
    mirror: str = ""
    auto_download: bool = True
    work_dir: Path = field(default_factory=lambda: _default_work_dir())
    work_limit_mb: int = 1_000
    workers: int = 0
    unwatched_min: int = 30

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from a mapping such as ``os.environ``.

        Raises
        ------
        ValueError
            If a value is not allowed.
        """
        mirror = environment.get("MNIST_MIRROR", "").strip()
        word = environment.get("MNIST_AUTO_DOWNLOAD", "").strip().lower() or "1"
        scheme, host, *_ = urlsplit(mirror)
        if mirror and not (scheme in ("http", "https") and host):
            raise ValueError(
                f"MNIST_MIRROR must be an address such as http://host/folder, got {mirror!r}: "
                "correct it or leave it out."
            )
        if word not in _WORDS:
            raise ValueError(
                f"MNIST_AUTO_DOWNLOAD must be one of {', '.join(_WORDS)}, got {word!r}: "
                "correct it or leave it out."
            )
        return cls(
            data_dir=_folder(environment, "MNIST_DATA_DIR", _default_data_dir()),
            mirror=mirror.rstrip("/") + "/" if mirror else "",
            auto_download=_WORDS[word],
            work_dir=_folder(environment, "MNIST_WORK_DIR", _default_work_dir()),
            work_limit_mb=_whole_number(environment, "MNIST_WORK_LIMIT_MB", 1_000, least=10),
            workers=_whole_number(environment, "MNIST_WORKERS", 0, least=0),
            unwatched_min=_whole_number(environment, "MNIST_UNWATCHED_MIN", 30, least=1),
        )


def _folder(environment: Mapping[str, str], name: str, default: Path) -> Path:
    text = environment.get(name, "").strip()
    try:
        return Path(text).expanduser().absolute() if text else default
    except RuntimeError as error:  # there is no such home folder
        raise ValueError(
            f"{name} must be a folder, got {text!r} ({error}): correct it or leave it out."
        ) from error


def _whole_number(environment: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        raise ValueError(
            f"{name} must be a whole number of at least {least}, got {text!r}: "
            "correct it or leave it out."
        )
    return int(text)


def _default_data_dir() -> Path:
    return user_cache_path("mnist-lesson", appauthor=False)


def _default_work_dir() -> Path:
    return user_data_path("mnist-lesson", appauthor=False) / "workspaces"


@cache
def settings() -> Settings:
    """Return the settings of this process, read at the first call."""
    return Settings.from_environment(os.environ)
