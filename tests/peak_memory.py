"""How much memory a call takes while it runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STATM = Path("/proc/self/statm")

can_tell = _STATM.exists()  # Linux


def peak_growth(call: Callable[[], Any]) -> int:
    """Return by how many bytes the process grew while a call ran, at most."""
    before = _resident()
    peak, is_done = before, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_done.wait(0.002):
            peak = max(peak, _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        call()
    finally:
        is_done.set()
        watcher.join()
    return peak - before


def _resident() -> int:
    return os.sysconf("SC_PAGE_SIZE") * int(_STATM.read_text().split()[1])
