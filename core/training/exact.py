"""Errors that only synthetic faces can tell: every texel's place, and what covers it."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..geometry.layout import UVLayout
from ..geometry.sampling import sample_bilinear
from ..geometry.spline import evaluate_control
from ..geometry.visibility import visibility
from ..types import Face
from .evaluate import face_size
from .pool import Sample

__all__ = ["ExactErrors", "exact_errors", "intersection_over_union"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExactErrors:
    """One face against its exact labels."""

    dense: float  # mean 3D distance of the texels, weighted as in the loss, over the face size
    covered: np.ndarray  # [S, S] bool: texels that face the camera, with something before them
    found: (
        np.ndarray
    )  # [S, S] bool: those of the camera-facing texels that the face says are hidden


@jax.jit
def _truth(
    control: Float[Array, "n n 3"], mask: Float[Array, "m m"], layout: UVLayout, scale: Array
) -> tuple[Array, Array, Array]:
    """Return the true position map, which texels face the camera, and how bare they are."""
    true_map = evaluate_control(control, layout.size)
    places = scale * (true_map[..., :2] + 0.5) - 0.5
    bare = sample_bilinear(mask[..., None], places)[..., 0]
    return true_map, visibility(true_map, layout), bare


def exact_errors(face: Face, sample: Sample, layout: UVLayout) -> ExactErrors:
    """Compare a reconstructed face with the sample that it was read from; z has no zero."""
    scale = jnp.float32(sample.mask.shape[0] / sample.image.shape[0])
    bare_mask = jnp.asarray(sample.mask, jnp.float32) / 255.0
    control = jnp.asarray(sample.control)
    true_map, facing, bare = (np.asarray(a) for a in _truth(control, bare_mask, layout, scale))
    mask = np.asarray(layout.mask)
    far = np.asarray(face.position_map) - true_map
    far[..., 2] -= np.average(far[..., 2], weights=mask)
    weights = np.asarray(layout.texel_weights) * mask
    distance = np.average(np.linalg.norm(far, axis=-1), weights=weights)
    is_facing = facing > 0.5
    return ExactErrors(
        dense=float(distance) / face_size(sample.landmarks),
        covered=is_facing & (bare < 0.5),
        found=is_facing & (np.asarray(face.visibility) < 0.5),
    )


def intersection_over_union(pairs: list[ExactErrors]) -> float:
    """Return the overlap of covered and found texels, over all faces together."""
    both = sum(int((one.covered & one.found).sum()) for one in pairs)
    either = sum(int((one.covered | one.found).sum()) for one in pairs)
    return both / max(either, 1)
