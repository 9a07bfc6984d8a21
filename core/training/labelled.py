"""Pictures whose faces are known: photos with AFLW2000-style labels, or pools of drawn faces.

A source is read picture by picture and can be read again, so that no picture stays in memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..geometry.layout import UVLayout
from ..io.images import read_photo
from .evaluate import read_truth
from .pool import Pool, Sample

__all__ = ["Labelled", "PhotoSource", "PoolSource", "Source", "is_pool"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Labelled:
    """A picture with what is known of its face."""

    name: str
    image: np.ndarray  # [H, W, 3] float32 RGB in [0, 1]
    truth: np.ndarray  # [68, 3] pixels
    angles: np.ndarray  # [3] yaw, pitch, roll, degrees
    sample: Sample | None = None  # exact labels of a synthetic face


class PhotoSource:
    """``NAME.jpg`` with ``NAME.mat`` in one or more folders; a name counts once."""

    def __init__(self, folders: Sequence[str | Path]) -> None:
        for folder in folders:
            if not Path(folder).is_dir():
                raise InputError(f"no folder {folder}; give one with NAME.jpg and NAME.mat")
        pictures = [path for folder in folders for path in sorted(Path(folder).glob("*.jpg"))]
        has_labels = [path for path in pictures if path.with_suffix(".mat").is_file()]
        self._paths = list({path.stem: path for path in reversed(has_labels)}.values())[::-1]
        if not self._paths:
            where = ", ".join(map(str, folders))
            raise InputError(f"no NAME.jpg with NAME.mat in {where}; the labels lie beside them")

    def __len__(self) -> int:
        return len(self._paths)

    def name(self, index: int) -> str:
        """Return the name of a picture, without reading it."""
        return self._paths[index].stem

    def __getitem__(self, index: int) -> Labelled:
        path = self._paths[index]
        truth, angles = read_truth(path.with_suffix(".mat"))
        return Labelled(
            name=self.name(index), image=read_photo(path).image, truth=truth, angles=angles
        )


class PoolSource:
    """Drawn faces of a pool: those kept for validation, or all."""

    def __init__(self, folder: str | Path, *, whole: bool = False) -> None:
        if not is_pool(folder):
            raise InputError(
                f"no pool.json in {folder}; make a pool by uvface synthesize --pool -o {folder}"
            )
        self._pool = Pool(Path(folder), limit=None if whole else 1)
        self._numbers = range(len(self._pool)) if whole else self._pool.validation()
        if not self._numbers:
            raise InputError(f"the pool {folder} holds no shard yet")

    def __len__(self) -> int:
        return len(self._numbers)

    def name(self, index: int) -> str:
        """Return the name of a picture: its number in the pool."""
        return str(self._numbers[index])

    def check_layout(self, layout: UVLayout) -> None:
        """Raise an `InputError` where the labels are those of another UV layout."""
        self._pool.check_layout(layout)

    def __getitem__(self, index: int) -> Labelled:
        number = self._numbers[index]
        sample = self._pool.sample(number)
        return Labelled(
            name=self.name(index),
            image=sample.image.astype(np.float32) / 255.0,
            truth=sample.landmarks,
            angles=sample.angles,
            sample=sample,
        )


Source = PhotoSource | PoolSource


def is_pool(folder: str | Path) -> bool:
    """Tell whether a folder is a pool of drawn faces."""
    return (Path(folder) / "pool.json").is_file()
