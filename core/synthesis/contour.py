"""The sliding outline of cheeks and jaw: which surface points a photo's contour belongs to.

For each outline landmark with outward direction d, the surface point that is farthest along d
among the jaw's vertices in a narrow slab through the landmark is its partner; only the distance
along d counts. The neck and the ears are no candidates: they do not bound the face.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..types import Camera
from .head import HeadModel, canonical_from_ict

__all__ = ["JAW_OUTLINE", "ContourBasis", "contour_basis", "contour_residual"]

# MediaPipe's face oval from the right ear lobe over the chin to the left ear lobe.
JAW_OUTLINE = (
    132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361,
)  # fmt: skip
# Part of the face tile (u, v with v up) that can bound the face in a near-frontal view.
JAW_U = (0.17, 0.83)
JAW_V = (0.255, 0.62)
SLAB = 0.8  # half width of the slab, cm
OUTLIER = 0.8  # cm


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class ContourBasis:
    """Candidates on the head, and the outline of the photos (or of one photo, without N)."""

    neutral: Array  # [C, 3], canonical frame
    modes: Array  # [I + E, C, 3]
    points: Array  # [N, J, 2], photo pixels
    normals: Array  # [N, J, 2], unit, outward in the photo


def contour_basis(head: HeadModel, landmarks: Float[Array, "photos 478 2"]) -> ContourBasis:
    """Collect the outline of all photos and the surface points that can lie on it."""
    candidates = _jaw_vertices(head)
    line = landmarks[:, np.array(JAW_OUTLINE)]
    ends = jnp.concatenate([line[:, :1], line, line[:, -1:]], axis=1)
    tangent = ends[:, 2:] - ends[:, :-2]
    # The outline runs from image left over the chin to image right: outward is to its right.
    outward = jnp.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
    outward = outward / jnp.linalg.norm(outward, axis=-1, keepdims=True)
    modes = jnp.concatenate([head.identity[:, candidates], head.expression[:, candidates]])
    return ContourBasis(
        neutral=canonical_from_ict(head.neutral[candidates]),
        modes=canonical_from_ict(modes),
        points=line,
        normals=outward,
    )


def _jaw_vertices(head: HeadModel) -> np.ndarray:
    quads = head.part_quads("face")
    uv = np.zeros((len(head.neutral), 2), np.float32)
    uv[np.asarray(head.faces)[quads]] = np.asarray(head.uv)[np.asarray(head.faces_uv)[quads]]
    u, v = uv.T
    is_jaw = (u > JAW_U[0]) & (u < JAW_U[1]) & (v > JAW_V[0]) & (v < JAW_V[1])
    return np.intersect1d(np.flatnonzero(is_jaw), head.part_vertices("face"))


def contour_residual(
    camera: Camera,
    coefficients: Float[Array, " modes"],
    before: Camera,
    previous: Float[Array, " modes"],
    outline: ContourBasis,
) -> Float[Array, " outline"]:
    """Return the robustly weighted distances along the outward directions, in cm.

    The partners are chosen with the parameters before the step, the distances taken with the
    current ones.
    """
    shape = outline.neutral + jnp.tensordot(previous, outline.modes, axes=1)
    placed = jax.lax.stop_gradient(before.project(shape)[:, :2])
    offset = (placed[None] - outline.points[:, None]) / before.scale  # [J, C, 2]
    normal = outline.normals[:, None]
    along = (offset * normal).sum(axis=-1)
    across = offset[..., 0] * normal[..., 1] - offset[..., 1] * normal[..., 0]
    partner = jnp.argmax(jnp.where(jnp.abs(across) < SLAB, along, -jnp.inf), axis=1)
    reach = jnp.take_along_axis(along, partner[:, None], axis=1)[:, 0]
    weight = 1.0 / (1.0 + (reach / OUTLIER) ** 2)
    modes = outline.modes[:, partner]
    moved = outline.neutral[partner] + jnp.tensordot(coefficients, modes, axes=1)
    error = (camera.project(moved)[:, :2] - outline.points) / before.scale
    return weight * (error * outline.normals).sum(axis=-1)
