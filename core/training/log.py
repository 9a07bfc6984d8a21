"""The CSV log of a training run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

__all__ = ["Log"]

_COLUMNS = (
    "step", "images", "minutes", "samples", "images_per_second", "learning_rate",
    "loss", "dense", "points", "val_nme", "val_dense", "val_mask", "val_cover", "val_confidence",
)  # fmt: skip


class Log:
    """Rows are appended and flushed; errors are over the face size."""

    def __init__(self, path: Path, *, keep: bool) -> None:
        self._path = path
        if not (keep and path.is_file()):
            with path.open("w", newline="") as file:
                csv.writer(file).writerow(_COLUMNS)

    def write(self, progress: Any, *, dense: float, points: float, batch: int) -> None:
        """Append what is known at this moment; what is not stays empty."""
        row = {
            "step": progress.step,
            "images": progress.step * batch,
            "minutes": f"{progress.seconds / 60:.2f}",
            "samples": progress.samples,
            "images_per_second": f"{progress.images_per_second:.1f}",
            "learning_rate": f"{progress.learning_rate:.6f}",
        }
        if progress.validation:
            row |= {name: f"{value:.6f}" for name, value in progress.validation.items()}
        else:
            row |= {
                "loss": f"{progress.loss:.6f}",
                "dense": f"{dense:.6f}",
                "points": f"{points:.6f}",
            }
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, _COLUMNS, restval="").writerow(row)
