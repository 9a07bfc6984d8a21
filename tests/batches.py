"""Batches for tests: of the photo of an astronaut, by the embedded weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from uvface.core.batch import Item, reconstruct
from uvface.core.reconstruct import Model

BOX = [177.0, 71.0, 271.0, 188.0]  # around the astronaut's landmarks


class Blind:
    """A detector that finds nothing."""

    def detect(self, image: Any) -> list[Any]:
        return []


def run_batch(
    photos: Sequence[str | Path], output: str | Path, model: Model, **options: Any
) -> list[Item]:
    """Reconstruct all photos; only the landmarks are saved if nothing else is asked for."""
    return list(reconstruct(photos, output, model=model, **({"save": "landmarks"} | options)))


def contents(folder: Path) -> dict[str, bytes]:
    """Return what stands in the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
