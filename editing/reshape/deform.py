"""Other expressions and proportions of a face: how far each texel moves.

Expressions are those of the head that the layout was drawn on; proportions scale or move a part of
its neutral face about the part's own centre. Both are added to the shape that the face has, in its
pose and size, so that the same amount is the same smile on any face, whatever it did before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from ...core.geometry.expressions import load_expressions
from ...core.geometry.landmarks import INNER_LIPS, LIDS, read_landmarks
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ...core.geometry.visibility import visibility
from ...core.products import product
from ...core.types import Camera, Face
from ..amounts import Amounts, parse_amounts
from ..regions import soften

__all__ = [
    "PROPORTIONS",
    "Deformation",
    "deformation",
    "openings",
    "parse_reshaping",
    "reshape_names",
]

_OPENINGS = ("eyeballs", "mouth_interior")
_COVERED_BLUR = 14.0  # texels of 256: over this distance beside what covers the face nothing moves
_UNCOVERED = (0.3, 0.7)
_NOTHING = 0.02  # share of texels around that face the camera: too few to tell
_PLATEAU = 1.5  # of a bump's slope: its inner third moves as one
_NEVER = 1e3  # cm: a bump that does not end along an axis
_OVERLAP = 1.15  # by which lids and lips close further than they are open: no gap stays
_LEAST = 0.05  # cm: of a gap that an expression changes


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Bump:
    """A part of the face that is scaled about its centre, and moved; at amount 1."""

    landmarks: tuple[int, ...]  # their mean is the centre
    reach: tuple[float, float, float]  # cm, along the canonical axes
    scale: tuple[float, float, float] = (0.0, 0.0, 0.0)  # added to 1
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # cm
    # cm from the centre, sideways or up, from where to where it takes effect
    aside: tuple[float, float] | None = None
    above: tuple[float, float] | None = None


_RIGHT_EYE, _LEFT_EYE = tuple(range(36, 42)), tuple(range(42, 48))
_MOUTH = tuple(range(48, 68))
_ROUND = (3.4, 3.4, _NEVER)
PROPORTIONS: Mapping[str, tuple[_Bump, ...]] = {
    "eyes_size": tuple(
        _Bump(landmarks=eye, reach=_ROUND, scale=(0.3, 0.3, 0.1)) for eye in (_RIGHT_EYE, _LEFT_EYE)
    ),
    "eyes_distance": (
        _Bump(landmarks=_RIGHT_EYE, reach=_ROUND, shift=(-0.35, 0.0, 0.0)),
        _Bump(landmarks=_LEFT_EYE, reach=_ROUND, shift=(0.35, 0.0, 0.0)),
    ),
    "nose_size": (
        _Bump(landmarks=(30, 31, 33, 35), reach=(4.0, 4.5, _NEVER), scale=(0.25, 0.25, 0.25)),
    ),
    "nose_width": (
        _Bump(landmarks=(31, 33, 35), reach=(4.0, 4.0, _NEVER), scale=(0.35, 0.0, 0.0)),
    ),
    "nose_length": (_Bump(landmarks=(30, 33), reach=(4.0, 2.8, _NEVER), shift=(0.0, 0.5, 0.0)),),
    "lips_fullness": (_Bump(landmarks=_MOUTH, reach=(4.5, 2.8, _NEVER), scale=(0.0, 0.4, 0.0)),),
    "mouth_width": (_Bump(landmarks=_MOUTH, reach=(6.0, 2.8, _NEVER), scale=(0.25, 0.0, 0.0)),),
    "chin_length": (_Bump(landmarks=(8,), reach=(9.0, 4.2, _NEVER), shift=(0.0, 0.8, 0.0)),),
    "jaw_width": (
        _Bump(
            landmarks=(4, 12),
            reach=(_NEVER, 6.0, _NEVER),
            scale=(0.14, 0.0, 0.0),
            aside=(2.0, 5.5),  # the mouth stays
        ),
    ),
    "face_width": (
        _Bump(landmarks=(0, 16, 30), reach=(_NEVER, 22.0, _NEVER), scale=(0.1, 0.0, 0.0)),
    ),
    "forehead_height": (
        _Bump(
            landmarks=(19, 24),
            reach=(_NEVER, _NEVER, _NEVER),
            shift=(0.0, -0.8, 0.0),
            above=(0.5, 6.0),
        ),
    ),
}
# Names whose full amount in one direction closes what is open, however far that is: the sign of
# that direction, and pairs of landmarks, upper and lower.
_CLOSING: Mapping[str, tuple[int, Int[np.ndarray, "pairs 2"]]] = {
    "eyes_closed": (1, LIDS),
    "mouth_open": (-1, INNER_LIPS),
}
_TO_ONE_SIDE = ("mouth_left",)  # their negative amounts are the mirror image


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Deformation:
    """How far a face's texels move, photo pixels."""

    shift: Array  # [S, S, 3]
    # [S, S, 3]: the same of what is drawn there. Lids and lips move over eyeballs and teeth, which
    # stay where they are.
    carried: Array
    free: Array  # [S, S], 1 where nothing covers the face, 0 where it therefore stays


def parse_reshaping(given: Amounts, layout: UVLayout) -> dict[str, float]:
    """Return name -> amount from -1 to 1; see `parse_amounts`."""
    return parse_amounts(given, reshape_names(layout), verb="reshape", low=-1)


def reshape_names(layout: UVLayout) -> tuple[str, ...]:
    """Return what can be changed of faces of a layout."""
    return (*load_expressions(layout), *PROPORTIONS)


def deformation(face: Face, layout: UVLayout, amounts: Mapping[str, float]) -> Deformation:
    """Return how far a face's texels move for given amounts.

    Args:
        face: of a photo; where something covers it, it stays.
        layout: UV layout of the face.
        amounts: from `parse_reshaping`.
    """
    expressions = load_expressions(layout)
    moods, builds = [np.zeros((layout.size, layout.size, 3), np.float32)], []
    for name, amount in amounts.items():
        if name in expressions:
            field = expressions[name]
            if name in _TO_ONE_SIDE and amount < 0.0:
                field = -_mirrored(field, layout)
            moods.append(np.float32(_amount(name, amount, field, face, layout)) * field)
        else:
            builds.append(np.float32(amount) * _proportion(layout, name))
    mood, build = jnp.asarray(sum(moods)), jnp.asarray(sum(builds, start=moods[0]))
    free, skin = _free(face, layout), 1.0 - openings(layout)[..., None]
    whole, carried = (free[..., None] * offset for offset in (build + mood, build + skin * mood))
    return Deformation(
        shift=_in_photo(whole, face.camera), carried=_in_photo(carried, face.camera), free=free
    )


def openings(layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 at the texels that lids and lips move over: eyeballs, the inside of the mouth."""
    parts = (layout.regions[name] for name in _OPENINGS if name in layout.regions)
    return jnp.clip(sum(parts, start=jnp.zeros_like(layout.mask)), 0.0, 1.0)


def _in_photo(offset: Array, camera: Camera) -> Array:
    return camera.scale * product(offset, camera.rotation.T)


def _mirrored(field: Float[np.ndarray, "s s 3"], layout: UVLayout) -> Float[np.ndarray, "s s 3"]:
    """Return the offsets of the same done to the other side."""
    return np.asarray(layout.mirror(jnp.asarray(field))) * np.array([-1, 1, 1], np.float32)


def _amount(
    name: str, amount: float, field: Float[np.ndarray, "s s 3"], face: Face, layout: UVLayout
) -> float:
    """Return the factor of an expression; what closes, closes as far as it is open."""
    sign, pairs = _CLOSING.get(name, (0, LIDS))
    if amount * sign <= 0.0:
        return amount
    opening = _gap(np.asarray(face.camera.unproject(face.landmarks)), pairs)
    neutral = np.asarray(layout.landmarks())
    moved = neutral + np.asarray(read_landmarks(jnp.asarray(field), layout.landmark_uv))
    change = abs(_gap(moved, pairs) - _gap(neutral, pairs))
    return amount * _OVERLAP * max(opening, 0.0) / max(change, _LEAST)


def _gap(points: Float[np.ndarray, "68 3"], pairs: Int[np.ndarray, "pairs 2"]) -> float:
    upper, lower = pairs.T
    return float((points[lower, 1] - points[upper, 1]).mean())


def _proportion(layout: UVLayout, name: str) -> Float[np.ndarray, "s s 3"]:
    """Return the offsets of a proportion at amount 1, canonical cm."""
    points, landmarks = np.asarray(layout.canonical), np.asarray(layout.landmarks())
    bumps = PROPORTIONS[name]
    found = [_offsets(points, landmarks, bump) for bump in bumps]
    return np.asarray(sum(found[1:], start=found[0]))


def _offsets(
    points: Float[np.ndarray, "s s 3"],
    landmarks: Float[np.ndarray, "68 3"],
    bump: _Bump,
) -> Float[np.ndarray, "s s 3"]:
    away = points - landmarks[list(bump.landmarks)].mean(axis=0)
    distance = np.linalg.norm(away / np.array(bump.reach), axis=-1)
    weight = smooth_step(_PLATEAU * (1.0 - distance))
    if bump.aside is not None:
        weight = weight * ramp(np.abs(away[..., 0]), bump.aside)
    if bump.above is not None:
        weight = weight * ramp(-away[..., 1], bump.above)
    return (weight[..., None] * (away * bump.scale + np.array(bump.shift))).astype(np.float32)


@jax.jit
def _free(face: Face, layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 where nothing but the face itself lies before it, fading out beside what does.

    And beside the photo's border: what would come in from beyond it is not known.
    """
    facing = (visibility(face.position_map, layout) > 0.5).astype(jnp.float32)
    both = jnp.stack([facing * (1.0 - face.visibility), facing], axis=-1)
    covered, facing = jnp.moveaxis(soften(both, _COVERED_BLUR * layout.size / 256), -1, 0)
    return ramp(1.0 - covered / jnp.maximum(facing, _NOTHING), _UNCOVERED)
