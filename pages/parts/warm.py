"""What a fresh server does behind its first page: load the heavy packages, fetch MNIST once."""

from __future__ import annotations

import gc
import threading
import time

import streamlit as st

from mnist_core.idx import inspect_folder
from mnist_core.settings import settings
from pages.parts import caches

__all__ = ["start"]

_HEAD_START_S = 1.0  # the first page goes out before torch takes the processor


@st.cache_resource(show_spinner=False)
def start() -> threading.Thread:
    """Start once a process; later calls return the same thread."""
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
    import plotly.graph_objects
    import sklearn.datasets

    import mnist_core.runs
    import mnist_core.vision

    del plotly, sklearn, mnist_core
    gc.collect()
    gc.freeze()  # hundreds of thousands of objects that will never be garbage
