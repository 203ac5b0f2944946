"""Where the tests find data: real MNIST if MNIST_DATA_DIR has it, else what comes with the app.

The environment is settled before anything of the project is imported; no test touches the network.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("MNIST_DATA_DIR") or "no-data")
os.environ["MNIST_AUTO_DOWNLOAD"] = "0"
os.environ["MNIST_WORK_DIR"] = tempfile.mkdtemp(prefix="mnist-lesson-work-")
os.environ.setdefault("MNIST_DATA_DIR", tempfile.mkdtemp(prefix="mnist-lesson-"))


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The folder with the whole of MNIST; without it the test is skipped."""
    from mnist_core.data.idx import inspect_folder

    if inspect_folder(REAL_DATA, "mnist").state != "published":
        pytest.skip("MNIST_DATA_DIR does not hold MNIST")
    return REAL_DATA
