"""Take one photo's texture into the head's face tile.

The tile is sampled at the fitted surface, moved by the smoothed landmark residuals so that lids
and lips land on their texels to the pixel. After the light of the whole set is known, it is
divided out, hair is dropped and what the photo does not show is filled smoothly.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from jaxtyping import Float

from ..geometry.ramps import ramp
from .delight import linear_from_srgb, shading, soften_highlights, srgb_from_linear
from .face_tile import FaceTile, point_uv, vertex_normals
from .fitting import Correspondence
from .head import HeadModel
from .skin_mask import openings, skin_seeds, skin_weight, without_hair

__all__ = [
    "LandmarkWarp",
    "SkinConfig",
    "TileSample",
    "allowed_region",
    "filled",
    "finish_skin",
    "sample_tile",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SkinConfig:
    """How skins are taken from photos; lengths in UV units of the face tile."""

    size: int = 512
    facing: tuple[float, float] = (0.30, 0.55)  # normal's z: confidence rises from 0 to 1
    facing_nose: tuple[float, float] = (0.14, 0.34)  # the same beside the nose: no backdrop there
    nose: tuple[float, float] = (0.12, 0.17)  # distance from the middle where the nose's rule ends
    chin: tuple[float, float] = (0.735, 0.785)  # v (down) where the neck begins
    sides: tuple[float, float] = (0.33, 0.38)  # distance from the middle where the ears begin
    warp_length: float = 0.035  # reach of a landmark's residual
    warp_noise: float = 0.5  # smoothing of the residuals, relative


@dataclasses.dataclass(frozen=True, kw_only=True)
class TileSample:
    """One photo in the tile before the light is known."""

    color: np.ndarray  # [S, S, 3] uint8 sRGB as photographed
    mask: np.ndarray  # [S, S] uint8
    normals: np.ndarray  # [S, S, 3] int8, times 127
    seeds: np.ndarray  # [S, S] bool, plain skin


def _facing(normal_z: np.ndarray, config: SkinConfig) -> np.ndarray:
    """Return the confidence of texels by how much they face the camera."""
    centre = (np.arange(config.size) + 0.5) / config.size
    aside = ramp(np.abs(centre - 0.5), config.nose)
    cheek = ramp(normal_z, config.facing)
    nose = ramp(normal_z, config.facing_nose)
    return nose + aside * (cheek - nose)


def allowed_region(config: SkinConfig) -> np.ndarray:
    """Return the weight of the tile's region without neck and ears, ``[S, S]``."""
    centre = (np.arange(config.size) + 0.5) / config.size
    low = 1.0 - ramp(centre, config.chin)
    side = 1.0 - ramp(np.abs(centre - 0.5), config.sides)
    return (low[:, None] * side[None]).astype(np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LandmarkWarp:
    """Smooth interpolation of landmark residuals over the tile (Gaussian process mean)."""

    landmarks: np.ndarray  # [L], numbers of the used landmarks
    triangle: np.ndarray  # [L, 3]
    barycentric: np.ndarray  # [L, 3]
    weights: np.ndarray  # [s * s, L], residuals -> displacement on a coarse grid
    side: int

    @staticmethod
    def build(head: HeadModel, correspondence: Correspondence, config: SkinConfig) -> LandmarkWarp:
        """Invert the process once for the landmarks of a correspondence."""
        side = 128
        used = np.flatnonzero(correspondence.weight[:468] > 0)
        triangle, barycentric = correspondence.triangle[used], correspondence.barycentric[used]
        uv = point_uv(head, triangle, barycentric).astype(np.float64)
        centre = (np.arange(side) + 0.5) / side
        grid = np.stack(np.meshgrid(centre, centre), axis=-1).reshape(-1, 2)

        def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            square = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
            return np.exp(-0.5 * square / config.warp_length**2)

        inner = kernel(uv, uv) + config.warp_noise * np.eye(len(uv))
        weights = np.linalg.solve(inner, kernel(uv, grid)).T.astype(np.float32)
        return LandmarkWarp(
            landmarks=used, triangle=triangle, barycentric=barycentric, weights=weights, side=side
        )

    def displacement(
        self, vertices: np.ndarray, landmarks: np.ndarray, size: int
    ) -> Float[np.ndarray, "size size 2"]:
        """Return how far each texel's photo position moves, in pixels."""
        placed = np.einsum("lk,lkc->lc", self.barycentric, vertices[self.triangle])[:, :2]
        residual = landmarks[self.landmarks, :2] - placed
        coarse = (self.weights @ residual.astype(np.float32)).reshape(self.side, self.side, 2)
        return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _silhouette(vertices: np.ndarray, head: HeadModel, shape: tuple[int, int]) -> np.ndarray:
    quads = np.asarray(head.faces)[head.part_quads("face")]
    mask = np.zeros(shape, np.uint8)
    for quad in np.round(vertices[quads][..., :2] * 16).astype(np.int32):
        cv2.fillConvexPoly(mask, quad, 1, cv2.LINE_8, 4)
    return mask


def sample_tile(
    photo: np.ndarray,
    vertices: np.ndarray,
    landmarks: np.ndarray,
    head: HeadModel,
    tile: FaceTile,
    warp: LandmarkWarp,
    allowed: np.ndarray,
    config: SkinConfig,
) -> TileSample:
    """Sample one photo in the tile."""
    shape = photo.shape[:2]
    positions = tile.interpolate(vertices)[..., :2]
    positions = positions + warp.displacement(vertices, landmarks, config.size)
    normals = tile.interpolate(vertex_normals(vertices, head))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)

    def sampled(image: np.ndarray, how: int) -> np.ndarray:
        x, y = np.moveaxis(positions.astype(np.float32), -1, 0)
        return cv2.remap(image, x, y, how, borderMode=cv2.BORDER_REPLICATE)

    weight = skin_weight(photo, landmarks, _silhouette(vertices, head, shape))
    hole = openings(landmarks, shape).astype(np.float32)
    confidence = sampled(weight * (1.0 - hole), cv2.INTER_LINEAR)
    confidence *= _facing(normals[..., 2], config) * allowed * tile.mask
    # The border of the mask is soft inwards only: texels outside stay untouched.
    soft = cv2.GaussianBlur(confidence, (0, 0), 0.005 * config.size)
    confidence = np.minimum(confidence, ramp(soft, (0.35, 1.0)))
    seeds = sampled(skin_seeds(landmarks, shape), cv2.INTER_NEAREST).astype(bool)
    seeds |= _forehead(tile) & (sampled(weight, cv2.INTER_LINEAR) > 0.9)
    return TileSample(
        color=sampled(photo, cv2.INTER_CUBIC),
        mask=np.round(255 * confidence).astype(np.uint8),
        normals=np.round(127 * normals).astype(np.int8),
        seeds=seeds & (confidence > 0.5),
    )


def _forehead(tile: FaceTile) -> np.ndarray:
    """Return a part of the tile above the brows, for the fit of the light."""
    size = len(tile.mask)
    is_in = np.zeros_like(tile.mask)
    is_in[int(0.08 * size) : int(0.16 * size), int(0.28 * size) : int(0.72 * size)] = True
    return is_in


def finish_skin(raw: TileSample, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide the light out, drop hair, fill what the photo does not show: skin and mask."""
    color = linear_from_srgb(raw.color.astype(np.float32) / 255.0)
    color = color / shading(light, raw.normals / 127.0)[..., None]
    color = np.clip(color, 0.0, 1.0).astype(np.float32)
    color = soften_highlights(color, raw.seeds)
    known = raw.mask.astype(np.float32) / 255.0
    known = known * without_hair(color, known, raw.seeds)
    srgb = srgb_from_linear(color).astype(np.float32)
    blend = known[..., None]
    completed = filled(srgb, known**2)
    skin = np.round(255 * (srgb * blend + completed * (1 - blend))).astype(np.uint8)
    return skin, np.round(255 * known).astype(np.uint8)


def filled(color: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Extend colours smoothly into unknown texels, from coarse to fine (pull-push)."""
    if len(color) <= 4:
        total = np.maximum(weight.sum(), 1e-6)
        return np.broadcast_to((color * weight[..., None]).sum((0, 1)) / total, color.shape)
    half = (len(color) // 2, len(color) // 2)
    mass = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    small = cv2.resize(color * weight[..., None], half, interpolation=cv2.INTER_AREA)
    small = small / np.maximum(mass, 1e-6)[..., None]
    coarse = filled(small.astype(np.float32), np.minimum(1.0, 4.0 * mass))
    up = cv2.resize(np.ascontiguousarray(coarse), color.shape[:2], interpolation=cv2.INTER_LINEAR)
    return color * weight[..., None] + up * (1 - weight[..., None])
