"""onnxruntime, the only way in: its builds send usage data unless that is turned off before."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["load_onnxruntime"]


def load_onnxruntime() -> Any:
    """Import onnxruntime with its telemetry off, and what insightface asks the network for, too.

    Packages that import onnxruntime themselves are imported after a call. Who sets the variables
    otherwise, or imports onnxruntime before uvface, has it as they chose.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # of insightface: is there a newer one?
    import onnxruntime

    return onnxruntime
