"""From a run's weights to shipped weights: the same arrays, with numbers and sources written in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ..network.weights import load_weights, save_weights
from ..network.weights_file import WeightsHeader

__all__ = ["SOURCES", "release"]

SOURCES = {
    "ICT-FaceKit (head model), USC Institute for Creative Technologies": "MIT",
    "MakeHuman base assets (skins, eyes, brows, hair)": "CC0-1.0",
    "Poly Haven panoramas (light, backgrounds)": "CC0-1.0",
    "Face Research Lab London Set (skins of photos, turned photos), DeBruine & Jones": "CC-BY-4.0",
}


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
        licences: what the training data came from, and under which licence.

    Returns:
        The header as written.
    """
    network, header = load_weights(source)
    training = header.training | {"licences": SOURCES if licences is None else licences}
    header = dataclasses.replace(header, training=training, evaluation=evaluation)
    save_weights(target, network, header)
    return header
