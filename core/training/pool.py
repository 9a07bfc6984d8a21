"""Reader of pre-rendered pools: shards of JPEG pictures with exact control maps.

Convention:
    A pool picture is ``size`` pixels wide; its middle 256 x 256 pixels are the ideal crop.
    Coordinates are pixel centres of the picture. Control maps are cubic B-spline control maps of
    the position map (``core/geometry/spline.py``).
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import jax
import numpy as np
from jaxtyping import Float, UInt8

from ..errors import InputError
from ..geometry.layout import UVLayout
from ..geometry.pose import inplane_roll, rotation_from_angles
from ..network.weights_file import check_licences
from .config import HELD_BACK

__all__ = ["Pool", "Sample"]

CONTROL_SCALE = 64.0  # stored int16 = 64 x pixels
_FIRST = "shard_0000.npz"  # of every folder: its last quarter is kept for validation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One picture with its labels, in pixels of the picture."""

    image: np.ndarray  # [size, size, 3] uint8 RGB
    control: np.ndarray  # [n, n, 3] float32
    landmarks: np.ndarray  # [68, 3] float32
    mask: np.ndarray  # [m, m] uint8 over the whole picture: 255 where the head itself is seen
    angles: np.ndarray  # [3] yaw, pitch, roll, degrees
    roll: float  # degrees clockwise in the picture (`inplane_roll`)
    kind: np.ndarray | None = None  # [m, m] uint8, what covers the head (`synthesis.kinds.KINDS`)
    ita: float | None = None  # lightness of the skin itself, degrees; None in older pools


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Shard:
    jpeg: np.ndarray
    offset: np.ndarray
    mask: np.ndarray
    mask_offset: np.ndarray
    control: np.ndarray
    landmarks: np.ndarray
    angles: np.ndarray
    kind: np.ndarray | None = None  # labels of groups; older pools have none
    kind_offset: np.ndarray | None = None
    ita: np.ndarray | None = None

    @staticmethod
    def read(path: Path) -> _Shard:
        fields = dataclasses.fields(_Shard)
        # Opened here, because np.load leaves the file of a damaged archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            needed = [field.name for field in fields if field.default is dataclasses.MISSING]
            known = [field.name for field in fields if field.name in stored.files]
            return _Shard(**{name: stored[name] for name in dict.fromkeys([*needed, *known])})


@jax.jit
def _rolls(angles: Float[jax.Array, "n 3"]) -> Float[jax.Array, " n"]:
    return jax.vmap(lambda a: inplane_roll(rotation_from_angles(a[0], a[1], a[2])))(angles)


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / "pool.json"
    try:
        header: dict[str, Any] = json.loads(path.read_text())
        int(header["size"]), str(header["layout_digest"])
        check_licences(header)
    except (OSError, KeyError, TypeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"cannot read the pool {path} ({reason}); make one by uvface synthesize --pool"
        ) from error
    return header


def _check_alike(first: dict[str, Any], other: dict[str, Any], folder: Path) -> None:
    for name in ("size", "layout_digest"):
        if first[name] != other[name]:
            raise InputError(
                f"the pool {folder} has {name} {other[name]}, the first one {first[name]}; "
                "synthesize it anew"
            )


class Pool:
    """Folders of shards, held in memory; more shards may arrive while they are in use."""

    def __init__(
        self,
        folder: Path,
        *,
        more: Sequence[Path] = (),
        names: Sequence[str] = (),
        limit: int | None = None,
    ) -> None:
        """Open a pool.

        Args:
            folder: where ``pool.json`` and the shards are.
            more: folders of other pools, read after it.
            names: shards to read first, in this order (to repeat an earlier state of the folders).
            limit: shards of each folder at most; default all.
        """
        self.header = _read_header(Path(folder))
        self.size = int(self.header["size"])
        self.layout_digest = str(self.header["layout_digest"])
        self.folder = Path(folder)
        self._more = [Path(other).resolve() for other in more]
        self.headers = [self.header, *map(_read_header, self._more)]  # of all folders
        for other, header in zip(self._more, self.headers[1:], strict=True):
            _check_alike(self.header, header, other)
        self._limit = limit
        # Samples of every folder that are kept for validation; more come with the shards.
        self.held_back: set[int] = set()
        self.names: list[str] = []  # shards in the order in which they were seen
        self._shards: list[_Shard] = []
        self._roll: list[np.ndarray] = []
        self._start = [0]
        for name in names:
            self._read(self.folder / name)
        self.refresh()

    def __len__(self) -> int:
        return self._start[-1]

    def refresh(self) -> int:
        """Read shards that have appeared since; return the number of samples now."""
        for folder in (self.folder, *self._more):
            for path in sorted(folder.glob("shard_[0-9]*.npz"))[: self._limit]:
                if self._name(path) not in self.names:
                    self._read(path)
        return len(self)

    def _name(self, path: Path) -> str:
        return path.name if path.parent == self.folder else str(path)

    def _read(self, path: Path) -> None:
        try:
            shard = _Shard.read(path)
        except (OSError, KeyError, ValueError, EOFError, BadZipFile, zlib.error) as error:
            raise InputError(
                f"cannot read the shard {path} ({error}); it is damaged or of an older version"
            ) from error
        self.names.append(self._name(path))
        self._shards.append(shard)
        self._roll.append(np.asarray(_rolls(shard.angles.astype(np.float32))))
        count, end = len(shard.offset) - 1, len(self) + len(shard.offset) - 1
        self._start.append(end)
        if path.name == _FIRST:
            self.held_back.update(range(end - min(HELD_BACK, count // 4), end))

    def validation(self, at_most: int = HELD_BACK) -> range:
        """Return the first folder's samples kept for validation: of its first shard's last quarter.

        Args:
            at_most: fewer of them; a larger number adds none, since the others are trained on.

        Raises:
            InputError: that shard is missing, or holds too few.
        """
        if _FIRST not in self.names:
            raise InputError(
                f"the pool {self.folder} holds no {_FIRST} yet, whose last quarter is kept for "
                "validation"
            )
        first = self.names.index(_FIRST)
        start, end = self._start[first : first + 2]
        count = end - start
        if count < 4:
            raise InputError(
                f"the first shard of the pool {self.folder} holds {count} pictures; "
                "need 4 or more, of which a quarter is kept for validation"
            )
        return range(end - min(at_most, HELD_BACK, count // 4), end)

    def check_layout(self, layout: UVLayout) -> None:
        """Raise an `InputError` where the labels are those of another UV layout."""
        if self.layout_digest != layout.digest:
            raise InputError(
                f"the pool {self.folder} was made for another UV layout than {layout.name}; "
                "synthesize it anew, or take weights for its layout"
            )

    def _find(self, index: int) -> tuple[_Shard, int]:
        shard = int(np.searchsorted(self._start, index, side="right")) - 1
        return self._shards[shard], index - self._start[shard]

    def image(self, index: int) -> UInt8[np.ndarray, "size size 3"]:
        """Decode one picture, RGB."""
        shard, i = self._find(index)
        coded = shard.jpeg[shard.offset[i] : shard.offset[i + 1]]
        image = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise InputError(f"picture {index} of the pool {self.folder} is damaged")
        return np.asarray(image, dtype=np.uint8)

    def mask(self, index: int) -> UInt8[np.ndarray, "m m"]:
        """Decode where one picture shows the head itself: not hair, glasses or hands."""
        shard, i = self._find(index)
        return self._decode_gray(shard.mask, shard.mask_offset[i : i + 2], index)

    def kind(self, index: int) -> UInt8[np.ndarray, "m m"] | None:
        """Decode what covers the head in one picture; None where the pool does not say."""
        shard, i = self._find(index)
        if shard.kind is None or shard.kind_offset is None:
            return None
        return self._decode_gray(shard.kind, shard.kind_offset[i : i + 2], index)

    def _decode_gray(
        self, coded: np.ndarray, ends: np.ndarray, index: int
    ) -> UInt8[np.ndarray, "m m"]:
        mask = cv2.imdecode(coded[ends[0] : ends[1]], cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise InputError(f"mask {index} of the pool {self.folder} is damaged")
        return np.asarray(mask, dtype=np.uint8)

    def control(self, index: int) -> Float[np.ndarray, "n n 3"]:
        """Return one control map, in pixels of the picture."""
        shard, i = self._find(index)
        middle = np.array([self.size / 2, self.size / 2, 0.0], np.float32)
        return shard.control[i].astype(np.float32) / np.float32(CONTROL_SCALE) + middle

    def roll(self, index: int) -> float:
        """Return how far one head is turned in the picture plane, degrees clockwise."""
        shard = int(np.searchsorted(self._start, index, side="right")) - 1
        return float(self._roll[shard][index - self._start[shard]])

    def sample(self, index: int) -> Sample:
        """Return one picture with its labels."""
        shard, i = self._find(index)
        return Sample(
            image=self.image(index),
            control=self.control(index),
            landmarks=shard.landmarks[i].astype(np.float32),
            mask=self.mask(index),
            angles=shard.angles[i].astype(np.float32),
            roll=self.roll(index),
            kind=self.kind(index),
            ita=None if shard.ita is None else float(shard.ita[i]),
        )
