"""What the networks are trained to make small, in the units of the normalised mean error.

The distance of each texel (and landmark) to its true place is divided by the size of the face,
sqrt(w h) of the box of its true landmarks: a loss of 0.03 is a mean error of 3 %. Texels weigh as
the layout says (PRNet: 16 at landmarks, 4 at eyes, nose and mouth, 3 elsewhere on the face, 0 on
the neck).

References:
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", 2018, section 3.2 (weights) and 4.1 (normalised mean error).
    Y. Feng et al., "Learning an Animatable Detailed 3D Face Model from In-The-Wild Images", 2021,
    section 4.3 (distances between the lids as a loss of their own).
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..errors import InputError
from ..geometry.landmarks import read_landmarks
from ..geometry.layout import UVLayout
from ..geometry.spline import evaluate_control

__all__ = [
    "Reading",
    "control_landmarks",
    "control_loss",
    "face_size",
    "make_reading",
    "map_landmarks",
    "map_loss",
    "opening_loss",
]

SOFT = 0.002  # of the face size: below it the distance turns from absolute into squared
# Upper and lower landmark of the lids and of the lips, inner and outer edge.
_OPENINGS = np.array(
    [
        *((37, 41), (38, 40), (43, 47), (44, 46)),
        *((61, 67), (62, 66), (63, 65), (50, 58), (51, 57), (52, 56)),
    ]
)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """How a map is read for the loss."""

    weights: Array  # [s, s], sums to 1
    landmark_matrix: Array  # [68, n * n]: control map -> landmarks
    landmark_uv: Array  # [68, 2]
    face: Array  # [64, 64], 1 on texels of the face


def _axis_basis(size: int, n: int) -> np.ndarray:
    """Return the ``[size, n]`` spline basis, read off `evaluate_control`."""
    unit = jnp.broadcast_to(jnp.eye(n)[None], (n, n, n))
    return np.asarray(evaluate_control(unit, size)[0], dtype=np.float64)


def _bilinear(at: np.ndarray, size: int) -> np.ndarray:
    """Return ``[len(at), size]`` weights that read a row of texels at pixel coordinates."""
    place = np.clip(at, 0.0, size - 1.0)
    first = np.minimum(np.floor(place).astype(int), size - 2)
    matrix = np.zeros((len(at), size))
    matrix[np.arange(len(at)), first] = 1.0 - (place - first)
    matrix[np.arange(len(at)), first + 1] = place - first
    return matrix


def _texel_weights(layout: UVLayout, name: str) -> np.ndarray:
    """Return one of the presets, ``[S, S]``."""
    mask, stored = np.asarray(layout.mask), np.asarray(layout.texel_weights)
    if name == "uniform":
        return mask
    if name == "layout":
        return stored * mask
    if name == "prnet":
        return stored * mask * (1.0 - np.asarray(layout.region("neck")))
    raise InputError(f"unknown texel weights {name!r}; choose layout, prnet or uniform")


def make_reading(
    layout: UVLayout, *, texel_weights: str = "layout", size: int = 64, n: int = 64
) -> Reading:
    """Prepare the loss for a layout.

    Args:
        layout: which texels count, and where the landmarks are.
        texel_weights: "layout" (as the layout stores them: PRNet's 16:4:3, and a little for the
            neck), "prnet" (16:4:3:0: nothing for the neck) or "uniform".
        size: texels along one side at which dense errors are measured.
        n: control points along one side.

    Returns:
        Weights and the matrix that reads landmarks exactly as `read_landmarks` does on the
        layout's own grid.
    """
    mask = np.asarray(layout.mask)
    weights = _texel_weights(layout, texel_weights)
    cell = layout.size // size
    weights = weights.reshape(size, cell, size, cell).mean(axis=(1, 3))
    basis = _axis_basis(layout.size, n)
    at = np.asarray(layout.landmark_uv, dtype=np.float64) * layout.size - 0.5
    columns = _bilinear(at[:, 0], layout.size) @ basis
    rows = _bilinear(at[:, 1], layout.size) @ basis
    matrix = np.einsum("pi,pj->pij", rows, columns).reshape(len(at), n * n)
    return Reading(
        weights=jnp.asarray(weights / weights.sum(), dtype=jnp.float32),
        landmark_matrix=jnp.asarray(matrix, dtype=jnp.float32),
        landmark_uv=jnp.asarray(layout.landmark_uv, dtype=jnp.float32),
        face=jnp.asarray(mask.reshape(64, layout.size // 64, 64, -1).min(axis=(1, 3)), jnp.float32),
    )


def control_landmarks(control: Float[Array, "b n n 3"], reading: Reading) -> Float[Array, "b 68 3"]:
    """Return the landmarks of control maps."""
    flat = control.reshape(control.shape[0], -1, 3)
    return jnp.einsum("pn,bnc->bpc", reading.landmark_matrix, flat)


def map_landmarks(maps: Float[Array, "b s s 3"], reading: Reading) -> Float[Array, "b 68 3"]:
    """Return the landmarks of position maps."""
    return jax.vmap(lambda m: read_landmarks(m, reading.landmark_uv))(maps)


def face_size(landmarks: Float[Array, "b 68 3"]) -> Float[Array, " b"]:
    """Return sqrt(w h) of the landmarks' box, pixels."""
    extent = landmarks[..., :2].max(axis=1) - landmarks[..., :2].min(axis=1)
    return jnp.sqrt(extent[:, 0] * extent[:, 1])


def _distance(difference: Array, depth_weight: float) -> Array:
    """Return a distance that is smooth at 0; the last axis is x, y, z over the face size."""
    scale = jnp.array([1.0, 1.0, depth_weight], dtype=difference.dtype)
    squared = jnp.sum((difference * scale) ** 2, axis=-1)
    return jnp.sqrt(squared + SOFT**2) - SOFT


def _weigh(
    difference: Array,
    far: Array,
    size: Array,
    reading: Reading,
    depth_weight: float,
    share: Array | None,
) -> tuple[Array, Array]:
    """Return the dense and the landmark loss of differences in pixels."""
    error = _distance(difference / size[:, None, None, None], depth_weight)
    dense = jnp.sum(error * reading.weights, axis=(1, 2))
    points = jnp.mean(_distance(far / size[:, None, None], depth_weight), axis=1)
    if share is None:
        return jnp.mean(dense), jnp.mean(points)
    return jnp.sum(share * dense), jnp.sum(share * points)


def map_loss(
    predicted: Float[Array, "b s s 3"],
    control: Float[Array, "b n n 3"],
    landmarks: Float[Array, "b 68 3"],
    reading: Reading,
    *,
    share: Float[Array, " b"] | None = None,
    depth_weight: float = 1.0,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the dense loss and the landmark loss of predicted position maps.

    Args:
        predicted: position maps, crop pixels.
        control: true control maps, crop pixels.
        landmarks: true landmarks, crop pixels; they give the face size.
        reading: made for the maps' own size.
        share: weight of each sample; they sum to 1. By default all weigh the same.
        depth_weight: weight of z against x and y.
    """
    truth = jax.vmap(lambda c: evaluate_control(c, predicted.shape[1]))(control)
    difference = predicted - truth
    far = map_landmarks(difference, reading)
    return _weigh(difference, far, face_size(landmarks), reading, depth_weight, share)


def control_loss(
    predicted: Float[Array, "b n n 3"],
    control: Float[Array, "b n n 3"],
    landmarks: Float[Array, "b 68 3"],
    reading: Reading,
    *,
    share: Float[Array, " b"] | None = None,
    depth_weight: float = 1.0,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the same of predicted control maps; arguments as in `map_loss`.

    Splines are linear in their control points, so that only the difference is evaluated.
    """
    texels = reading.weights.shape[0]
    difference = jax.vmap(lambda c: evaluate_control(c, texels))(predicted - control)
    far = control_landmarks(predicted - control, reading)
    return _weigh(difference, far, face_size(landmarks), reading, depth_weight, share)


def opening_loss(
    predicted: Float[Array, "b 68 3"],
    landmarks: Float[Array, "b 68 3"],
    *,
    share: Float[Array, " b"],
) -> Float[Array, ""]:
    """Return how wrongly eyes and mouth are opened: in the picture, over the face size.

    A mean distance hardly notices whether a mouth is open: its lips are few texels, and halfway
    closed they are never far off.

    Args:
        predicted: landmarks, crop pixels.
        landmarks: true ones, read off the true map; they give the face size, too.
        share: weight of each sample; they sum to 1.
    """
    far = predicted - landmarks
    wrong = far[:, _OPENINGS[:, 0]] - far[:, _OPENINGS[:, 1]]
    wrong = wrong / face_size(landmarks)[:, None, None]
    return jnp.sum(share * jnp.mean(_distance(wrong, 0.0), axis=1))
