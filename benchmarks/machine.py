"""One line on what a benchmark ran on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version


def describe() -> str:
    """Return date, cores, and the versions that matter."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "streamlit"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"{platform.system()}, Python {platform.python_version()}, {versions}"
    )
