"""What a fresh server does in the background: import heavy packages, download MNIST once."""

from __future__ import annotations

import gc
import threading
import time
from importlib import import_module

import streamlit as st

from mnist_core.common.settings import settings
from mnist_core.data.idx import inspect_folder
from pages.parts.session import caches

__all__ = ["start"]

# torch first, because nearly every page needs it; then torchvision and the bundled digits.
_HEAVY = (
    "pandas",
    "mnist_core.training.run",
    "mnist_core.data.torchvision_compat",
    "sklearn.datasets",
)
_HEAD_START_S = 2.0  # the first page is sent before torch uses the processor


@st.cache_resource(show_spinner=False)
def start() -> threading.Thread:
    """Start the thread once in a process; later calls return the same one."""
    first_download = settings().auto_download and inspect_folder(
        settings().data_dir, "mnist"
    ).state in ("missing", "damaged")
    if first_download:
        caches.downloads().start("mnist", delay_s=_HEAD_START_S)
    thread = threading.Thread(target=_load, name="warm-up", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    time.sleep(_HEAD_START_S)
    for name in _HEAVY:
        import_module(name)
    from mnist_core.common.cpu import share_the_cores  # imports torch

    share_the_cores()
    gc.collect()
    gc.freeze()  # the collector need not visit hundreds of thousands of lasting objects
