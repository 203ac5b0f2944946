"""What the environment may set. It is read once a process, here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_cache_path

__all__ = ["Settings", "settings"]

_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of whoever starts the server.

    Attributes
    ----------
    data_dir : Path
        Folder that holds ``MNIST/raw`` and ``FashionMNIST/raw`` (``MNIST_DATA_DIR``).
    mirror : str
        Address of a folder with the published ``.gz`` files, tried before the public ones
        (``MNIST_MIRROR``), or ``""``. A school can serve its class from its own machine.
    auto_download : bool
        Whether the first start fetches a missing MNIST by itself (``MNIST_AUTO_DOWNLOAD``).
    """

    data_dir: Path
    mirror: str = ""
    auto_download: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from a mapping such as ``os.environ``.

        Raises
        ------
        ValueError
            If a value cannot be understood.
        """
        folder = environment.get("MNIST_DATA_DIR", "").strip()
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
            data_dir=_absolute(folder) if folder else _default_data_dir(),
            mirror=mirror.rstrip("/") + "/" if mirror else "",
            auto_download=_WORDS[word],
        )


def _absolute(folder: str) -> Path:
    try:
        return Path(folder).expanduser().absolute()
    except RuntimeError as error:  # pathlib's word for a home folder that it cannot find
        raise ValueError(
            f"MNIST_DATA_DIR must be a folder, got {folder!r} ({error}): "
            "correct it or leave it out."
        ) from error


def _default_data_dir() -> Path:
    return user_cache_path("mnist-lesson", appauthor=False)


@cache
def settings() -> Settings:
    """Return the settings of this process, read at the first call."""
    return Settings.from_environment(os.environ)
