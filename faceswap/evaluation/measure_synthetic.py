"""Swaps of drawn pairs against their exact truth, with exact and with reconstructed geometry."""

from __future__ import annotations

import dataclasses

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from ...core.geometry.landmarks import read_landmarks
from ...core.geometry.layout import UVLayout
from ...core.geometry.sampling import sample_texture
from ...core.geometry.visibility import visibility
from ...core.reconstruct import Model
from ...core.synthesis.labels import position_maps, visibility_maps
from ...core.synthesis.surface import TexelBinding
from ...core.types import Face
from ...core.upright import fit_camera
from .face_areas import draw_layers
from .measures import ciede2000, gradient_similarity, psnr
from .synthetic_pairs import DrawnPair, Picture

__all__ = ["TruthMeasures", "compare", "covered_share", "exact_face", "inner_area", "read_face"]

RgbImage = Float[np.ndarray, "height width 3"]

_KEPT = ("eyeballs", "mouth_interior")
_OUTLINE = [*range(5, 12), *range(17, 68)]  # landmarks of the inner face down to the chin


@dataclasses.dataclass(frozen=True, kw_only=True)
class TruthMeasures:
    """Differences from the true picture over the inner face."""

    psnr: float  # dB
    ciede2000: float
    gradient: float  # similarity of gradients, 1 is equal


def exact_face(picture: Picture, binding: TexelBinding, layout: UVLayout) -> Face:
    """Return the face of a drawn picture with the geometry that it was drawn with."""
    maps = position_maps(picture.surface[None], binding)
    bare = jnp.round(255.0 * picture.bare).astype(jnp.uint8)
    seen = visibility_maps(maps, bare[None], layout)[0]
    return _face(picture.image, maps[0], seen, layout)


@jax.jit
def _face(image: Array, position_map: Array, seen: Array, layout: UVLayout) -> Face:
    landmarks = read_landmarks(position_map, layout.landmark_uv)
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return Face(
        position_map=position_map,
        texture=sample_texture(image, position_map),
        visibility=seen,
        self_visibility=visibility(position_map, layout),
        camera=fit_camera(position_map, layout),
        landmarks=landmarks,
        box=jnp.concatenate([low, high]),
        score=jnp.ones(()),
    )


def read_face(picture: Picture, exact: Face, model: Model) -> Face:
    """Return the face as the network reads it, in the box of the true landmarks."""
    box = [np.asarray(exact.box).tolist()]
    return model.reconstruct(np.asarray(picture.image), boxes=box)[0]


def inner_area(picture: Picture, exact: Face, layout: UVLayout) -> Bool[np.ndarray, "height width"]:
    """Return the pixels of the face from brows to chin without eyeballs and mouth interior.

    What lies before the face belongs to it: there the truth shows the same as the target.
    """
    shape = (picture.image.shape[0], picture.image.shape[1])
    kept = jnp.stack([layout.region(name) for name in _KEPT]).max(axis=0)
    layers = jnp.stack([layout.mask, kept], axis=-1)
    face, own = np.moveaxis(draw_layers(shape, exact, layers, layout), -1, 0)
    points = np.ascontiguousarray(np.asarray(exact.landmarks, np.float32)[_OUTLINE, :2])
    hull = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(hull, np.rint(cv2.convexHull(points)).astype(np.int32), 1)
    return (hull > 0) & (face > 0.5) & (own < 0.05)


def covered_share(picture: Picture, area: Bool[np.ndarray, "height width"]) -> float:
    """Return how much of an area something lies before."""
    return float(np.mean(np.asarray(picture.bare)[area] < 0.5)) if area.any() else 0.0


def compare(
    result: RgbImage, pair: DrawnPair, area: Bool[np.ndarray, "height width"]
) -> TruthMeasures:
    """Measure a result of a pair against its truth."""
    truth = np.asarray(pair.truth.image)
    return TruthMeasures(
        psnr=psnr(result, truth, area),
        ciede2000=ciede2000(result, truth, area),
        gradient=gradient_similarity(result, truth, area),
    )
