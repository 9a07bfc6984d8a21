"""Swaps of real photos, measured: likeness, landmarks, colours, edges, sharpness.

There is no true picture of such a swap; measured is what a good one must keep of either photo.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from ...core.detection.recognition import Recognizer
from ...core.errors import InputError
from ...core.geometry.coarse import coarse_layout
from ...core.geometry.layout import UVLayout
from ...core.geometry.pose import angles_from_rotation
from ...core.geometry.scales import pool
from ...core.io.images import read_photo
from ...core.reconstruct import Model
from ...core.types import Face
from ...editing.plan import TEXELS
from ..swap import SwapConfig, swap_masks
from .face_areas import FaceAreas, draw_layers, face_areas, face_size
from .measures import color_distance, edge_step, largest_change, sharpness_ratio

__all__ = [
    "MeasuredFace",
    "Shelf",
    "SwapMeasures",
    "london_pairs",
    "measure_swap",
    "ordered_pairs",
    "region_that_may_change",
    "summarise",
]

RgbImage = Float[np.ndarray, "height width 3"]
Pair = tuple[Path, Path]

_OPEN = 0.02  # distance between the lips from which on a mouth counts as open, of the face's size
_LEAST_PIXELS = 20  # of a mouth's inside
_BAND = 0.007  # of the face's size: band on either side of the mask's edge, at least 2 pixels


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredFace:
    """A photo, its largest face, and what is measured on it."""

    name: str
    image: np.ndarray  # [H, W, 3]
    face: Face
    areas: FaceAreas
    embedding: np.ndarray  # of the recognition network

    @property
    def yaw(self) -> float:
        """Return how far the face is turned, degrees."""
        return float(angles_from_rotation(self.face.camera.rotation)[0])


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapMeasures:
    """What is measured on one swap; NaN where it does not apply."""

    identity: float  # cosine to the reference
    identity_before: float  # cosine of target and reference, before the swap
    landmarks: float  # distance of the landmarks from the target's, % of the face's size
    mouth: float  # Lab distance of the open mouth's inside from the target's
    outside: float  # largest change of a pixel outside the mask, of 255
    color: float  # Lab distance of the inner face's skin from the target's
    edge: float  # gradient along the mask's edge, relative to the target's
    sharpness: float  # of the inner face, relative to the target's


class Shelf:
    """Reads and reconstructs each photo once."""

    def __init__(
        self,
        model: Model,
        recognizer: Recognizer,
        *,
        lips: Mapping[str, Float[np.ndarray, "corners 2"]] | None = None,
    ) -> None:
        """Keep what reads photos.

        Args:
            model: reconstructs faces.
            recognizer: says how alike they are.
            lips: stem of a photo -> known outline of the inner lips, photo pixels.
        """
        self.model, self.recognizer, self._lips = model, recognizer, lips or {}
        self._faces: dict[Path, MeasuredFace | None] = {}

    def find(self, path: Path) -> MeasuredFace | None:
        """Return a photo with its largest face; None if it shows none."""
        if path not in self._faces:
            self._faces[path] = self._read(path)
        return self._faces[path]

    def _read(self, path: Path) -> MeasuredFace | None:
        image = read_photo(path).image
        found = self.model.reconstruct(image, faces="largest")
        if not found:
            return None
        return MeasuredFace(
            name=path.stem,
            image=image,
            face=found[0],
            areas=face_areas(image, found[0], self.model.layout, lips=self._lips.get(path.stem)),
            embedding=self.recognizer.embed(image, np.asarray(found[0].landmarks)),
        )


def london_pairs(photos: Sequence[Path], count: int, *, seed: int = 5) -> list[Pair]:
    """Choose pairs (target, reference) of different people, neutral and smiling mixed.

    Args:
        photos: files named ``neutral_PERSON_..`` and ``smiling_PERSON_..``.
        count: how many; the first of a longer list are those of a shorter one.
        seed: of the choice.

    Raises:
        InputError: there are not that many pairs.
    """
    people: dict[str, list[Path]] = {}
    for path in sorted(photos):
        people.setdefault(path.stem.split("_")[1], []).append(path)
    names = sorted(people)
    if count > len(names) * (len(names) - 1):
        raise InputError(f"{count} pairs of {len(names)} people; ask for fewer")
    random = np.random.default_rng(seed)
    pairs: dict[tuple[str, str], Pair] = {}
    while len(pairs) < count:
        one, two = (names[k] for k in random.choice(len(names), 2, replace=False))
        first, second = (people[name][random.integers(len(people[name]))] for name in (one, two))
        pairs.setdefault((one, two), (first, second))
    return list(pairs.values())


def ordered_pairs(photos: Sequence[Path], *, seed: int = 5) -> list[Pair]:
    """Return all pairs (target, reference) of different photos, in a random order."""
    pairs = [(a, b) for a in photos for b in photos if a != b]
    return [pairs[k] for k in np.random.default_rng(seed).permutation(len(pairs))]


def region_that_may_change(
    image: RgbImage, face: Face, layout: UVLayout, config: SwapConfig | None = None
) -> Bool[np.ndarray, "height width"]:
    """Return the pixels that a swap is allowed to change: where its mask is drawn.

    The mask is drawn as the swap draws it, through the same texels, but on the face's own shape.
    """
    config = dataclasses.replace(config or SwapConfig(), keep=())
    mask = swap_masks(layout, config).mask
    coarse = coarse_layout(layout, TEXELS)
    drawn = dataclasses.replace(face, position_map=pool(face.position_map, coarse.size))
    return draw_layers(image.shape[:2], drawn, mask[..., None], coarse)[..., 0] > 0.0


def measure_swap(
    result: RgbImage,
    target: MeasuredFace,
    reference: MeasuredFace,
    *,
    allowed: Bool[np.ndarray, "height width"],
    edge_of: Bool[np.ndarray, "height width"],
    shelf: Shelf,
) -> SwapMeasures:
    """Measure one swap.

    Args:
        result: the swapped photo.
        target: the photo before.
        reference: where the face comes from.
        allowed: pixels that may change.
        edge_of: the pixels whose edge is looked at.
        shelf: reads the result's face in the target's box.
    """
    face, image, areas = target.face, target.image, target.areas
    own, theirs = target.embedding, reference.embedding
    points = np.asarray(face.landmarks)
    box = [np.asarray(face.box).tolist()]
    found = np.asarray(shelf.model.reconstruct(result, boxes=box)[0].landmarks)
    shift = np.linalg.norm((found - points)[:, :2], axis=1).mean()
    is_open = areas.opening > _OPEN and areas.mouth.sum() >= _LEAST_PIXELS
    has_skin = bool(areas.skin.any())
    nan = float("nan")
    return SwapMeasures(
        identity=float(shelf.recognizer.embed(result, points) @ theirs),
        identity_before=float(own @ theirs),
        landmarks=float(100.0 * shift / face_size(face)),
        mouth=color_distance(result, image, areas.mouth) if is_open else nan,
        outside=largest_change(result, image, allowed),
        color=color_distance(result, image, areas.skin) if has_skin else nan,
        edge=edge_step(result, image, edge_of, width=max(2, round(_BAND * face_size(face)))),
        sharpness=sharpness_ratio(result, image, areas.inner) if has_skin else nan,
    )


def summarise(rows: Sequence[SwapMeasures]) -> dict[str, dict[str, float]]:
    """Return median, tenths and count of each measure over the swaps that it applies to."""
    summary = {}
    for field in dataclasses.fields(SwapMeasures):
        values = np.array([getattr(row, field.name) for row in rows], float)
        values = values[np.isfinite(values)]
        low, middle, high = np.quantile(values, [0.1, 0.5, 0.9]) if values.size else [np.nan] * 3
        summary[field.name] = {
            "median": float(middle),
            "lowest_tenth": float(low),
            "highest_tenth": float(high),
            "largest": float(values.max()) if values.size else float("nan"),
            "count": float(values.size),
        }
    return summary
