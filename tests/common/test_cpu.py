"""A process that shares its cores: torch has one thread and no NNPACK, Python's turns are short."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, threading, torch
from mnist_core.common.cpu import share_the_cores
torch.set_num_threads(2)
torch.backends.nnpack.set_flags(True)
starter = threading.Thread(target=share_the_cores)
starter.start(); starter.join()
seen = []
later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
later.start(); later.join()
print(seen[0], sys.getswitchinterval(), torch.backends.nnpack.set_flags(True)[0])
"""


def test_later_threads_compute_with_one_thread_without_nnpack_and_switch_sooner():
    shown = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["1", "0.001", "False"]
