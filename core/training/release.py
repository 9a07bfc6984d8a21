"""From a run's weights to shipped weights: the same arrays, with numbers and sources written in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ..network.weights import load_weights, save_weights
from ..network.weights_file import WeightsHeader
from ..synthesis.origin import LICENCES

__all__ = ["release"]


def release(
    source: Path,
    target: Path,
    *,
    evaluation: dict[str, Any],
    licences: dict[str, str] | None = None,
) -> WeightsHeader:
    """Write weights for shipping.

    Args:
        source: weights file of a training run.
        target: file to write, e.g. ``assets/weights/prn-lite.safetensors``.
        evaluation: figures to store, percent; they replace those of the run.
        licences: what the training data came from, and under which licence; by default what the
            run knows.

    Returns:
        The header as written.
    """
    network, header = load_weights(source)
    known = header.training.get("licences") or LICENCES  # older runs did not know theirs
    training = header.training | {"licences": known if licences is None else licences}
    header = dataclasses.replace(header, training=training, evaluation=evaluation)
    save_weights(target, network, header)
    return header
