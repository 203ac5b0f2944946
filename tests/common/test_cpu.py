"""A process that shares its cores: torch on one thread in every later thread, short turns."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, threading, torch
from mnist_core.common.cpu import share_the_cores
torch.set_num_threads(2)
starter = threading.Thread(target=share_the_cores)
starter.start(); starter.join()
seen = []
later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
later.start(); later.join()
print(seen[0], sys.getswitchinterval())
"""


def test_later_threads_compute_alone_and_give_way_sooner():
    said = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "0.001"]
