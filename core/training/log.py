"""The CSV log of a training run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ..whole_files import write_bytes_atomic

__all__ = ["Log"]

_COLUMNS = (
    "step", "images", "minutes", "samples", "images_per_second", "learning_rate",
    "loss", "dense", "points", "val_nme", "val_dense", "val_mask", "val_cover", "val_confidence",
)  # fmt: skip


class Log:
    """Rows are appended and flushed; errors are over the face size."""

    def __init__(self, path: Path, *, until: int | None = None) -> None:
        """Begin a log, or go on with one.

        Args:
            path: the file.
            until: step of the checkpoint that a run goes on from: what was written of later ones
                is dropped, since they are made again. By default nothing is kept.
        """
        self._path = path
        rows = [] if until is None else _rows_until(path, until)
        write_bytes_atomic(path, "".join([",".join(_COLUMNS), "\r\n", *rows]).encode())

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


def _rows_until(path: Path, step: int) -> list[str]:
    """Return the lines of a log up to a step; none where there is no file."""
    if not path.is_file():
        return []
    lines = path.read_bytes().decode(errors="replace").splitlines(keepends=True)
    steps = [line.partition(",")[0] for line in lines]
    return [row for row, at in zip(lines, steps, strict=True) if at.isdigit() and int(at) <= step]
