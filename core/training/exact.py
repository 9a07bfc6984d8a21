"""Errors that only synthetic faces can tell: every texel's place, and what covers it.

Convention:
    A texel counts as covered when it faces the camera and the picture shows something else there.
    Of the texels that truly face it, the found ones are those that a face says do so and are
    hidden: what it holds for turned away, or behind itself, is not found covered. What covers a
    texel is read from the pool's kind mask (`synthesis.kinds`); where the masks' soft borders
    disagree it has no kind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, UInt8

from ..geometry.layout import UVLayout
from ..geometry.sampling import sample_bilinear
from ..geometry.spline import evaluate_control
from ..geometry.visibility import in_photo, visibility
from ..synthesis.kinds import KINDS
from ..types import Face
from .evaluate import face_size
from .pool import Sample

__all__ = ["REGIONS", "ExactErrors", "exact_errors", "hidden_overlap", "intersection_over_union"]

REGIONS = (
    *("eyes", "brows", "nose", "lips", "mouth_interior", "cheeks", "chin", "jaw", "forehead"),
    *("ears", "scalp", "neck"),
)
_PRESENT = 0.02  # share of the camera-facing texels from which a kind counts as present


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExactErrors:
    """One face against its exact labels; distances are over the face size."""

    dense: float  # mean 3D distance of the texels, weighted as in the loss
    regions: dict[str, float]  # mean 3D distance of each region's texels
    facing: int  # texels that face the camera
    covered: np.ndarray  # [K + 1] int: those that each kind covers; the last: without a name
    hit: np.ndarray  # [K + 1] int: those of them that the face says are covered
    false: int  # camera-facing texels that the face says are covered and are not
    hidden_both: int  # texels that truth and face call hidden, by the face itself or by anything
    hidden_either: int  # texels that one of them does
    ita: float | None  # lightness of the skin, degrees; None where the pool does not say
    has_kinds: bool  # the pool says what covers the head

    def kinds(self) -> tuple[str, ...]:
        """Return what covers the face: the kinds that hide 2 % of it or more, or ``none``."""
        least = _PRESENT * max(self.facing, 1)
        found = [k for k, count in zip(KINDS[1:], self.covered[1:-1], strict=True) if count > least]
        return tuple(found) or ("none",)


@jax.jit
def _truth(
    control: Float[Array, "n n 3"],
    mask: Float[Array, "m m"],
    size: Int[Array, " 2"],
    layout: UVLayout,
) -> tuple[Array, Array, Array, Array]:
    """Return the true map, which texels of it face the camera in the picture, how bare, and where.

    The places are those of the mask.
    """
    scale = mask.shape[0] / size[1].astype(jnp.float32)
    true_map = evaluate_control(control, layout.size)
    places = scale * (true_map[..., :2] + 0.5) - 0.5
    bare = sample_bilinear(mask[..., None], places)[..., 0]
    return true_map, visibility(true_map, layout) * in_photo(true_map, size), bare, places


def exact_errors(face: Face, sample: Sample, layout: UVLayout) -> ExactErrors:
    """Compare a reconstructed face with the sample that it was read from; z has no zero."""
    size = jnp.asarray(sample.image.shape[1::-1], jnp.int32)
    bare_mask = jnp.asarray(sample.mask, jnp.float32) / 255.0
    control = jnp.asarray(sample.control)
    found = (np.asarray(a) for a in _truth(control, bare_mask, size, layout))
    true_map, facing, bare, places = found
    distance = _distances(np.asarray(face.position_map), true_map, layout)
    distance /= face_size(sample.landmarks)
    mask = np.asarray(layout.mask)
    is_facing = facing > 0.5
    is_covered = is_facing & (bare < 0.5)
    is_hidden = np.asarray(face.visibility) < 0.5
    is_found = is_facing & (np.asarray(face.self_visibility) > 0.5) & is_hidden
    truly_hidden = ~is_facing | is_covered
    numbers = _kinds_at(sample.kind, places)[is_covered]
    hit = numbers[is_found[is_covered]]
    return ExactErrors(
        dense=float(np.average(distance, weights=np.asarray(layout.texel_weights) * mask)),
        regions={
            name: float(np.average(distance, weights=np.asarray(layout.regions[name]) * mask))
            for name in REGIONS
            if name in layout.regions
        },
        facing=int(is_facing.sum()),
        covered=np.bincount(numbers, minlength=len(KINDS) + 1),
        hit=np.bincount(hit, minlength=len(KINDS) + 1),
        false=int((is_found & ~is_covered).sum()),
        hidden_both=int((mask > 0.5)[truly_hidden & is_hidden].sum()),
        hidden_either=int((mask > 0.5)[truly_hidden | is_hidden].sum()),
        ita=sample.ita,
        has_kinds=sample.kind is not None,
    )


def _distances(
    found: Float[np.ndarray, "s s 3"], true_map: Float[np.ndarray, "s s 3"], layout: UVLayout
) -> Float[np.ndarray, "s s"]:
    """Return the distance of every texel, pixels, after the mean depths are made equal."""
    far = found - true_map
    far[..., 2] -= np.average(far[..., 2], weights=np.asarray(layout.mask))
    return np.linalg.norm(far, axis=-1)


def _kinds_at(kind: UInt8[np.ndarray, "m m"] | None, places: np.ndarray) -> np.ndarray:
    """Return the number of the kind at places of the mask; ``len(KINDS)`` where there is none."""
    unnamed = len(KINDS)
    if kind is None:
        return np.full(places.shape[:-1], unnamed)
    # Soft borders: beside a kind's mask, what covers the head is that kind.
    wide = np.where(kind > 0, kind, cv2.dilate(kind, np.ones((3, 3), np.uint8)))
    last = np.array(kind.shape[::-1]) - 1
    column, row = np.moveaxis(np.clip(np.rint(places), 0, last).astype(int), -1, 0)
    numbers = wide[row, column].astype(int)
    return np.where(numbers > 0, numbers, unnamed)


def intersection_over_union(
    errors: Sequence[ExactErrors], *, kind: str | None = None
) -> float | None:
    """Return the overlap of covered and found texels, over all faces together.

    Args:
        errors: the faces.
        kind: count the texels that this kind covers, in the faces where it covers some; texels
            under other kinds are left out, and what is found where nothing lies counts against
            it. By default all.

    Returns:
        The overlap in [0, 1]; None where nothing is covered or found.
    """
    if kind is None:
        both = sum(int(one.hit.sum()) for one in errors)
        either = sum(int(one.covered.sum()) + one.false for one in errors)
    else:
        number = KINDS.index(kind)
        having = [one for one in errors if one.covered[number] > 0]
        both = sum(int(one.hit[number]) for one in having)
        either = sum(int(one.covered[number]) + one.false for one in having)
    return both / either if either else None


def hidden_overlap(errors: Sequence[ExactErrors]) -> float | None:
    """Return the overlap of hidden texels, whatever hides them, over all faces together.

    Args:
        errors: the faces.

    Returns:
        Intersection over union in [0, 1]; None where nothing is hidden.
    """
    either = sum(one.hidden_either for one in errors)
    return sum(one.hidden_both for one in errors) / either if either else None
