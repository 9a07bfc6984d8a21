"""Masks on the face tile and the head tile: lips, cheeks, eyelids, beard, scalp.

They are drawn once from the head model's own uv, so that they fit any file of the model.
"""

from __future__ import annotations

import dataclasses

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .atlas import FACE_SIZE, TILES, tile_positions
from .head import HeadModel
from .scene import triangles_from_quads

__all__ = ["SkinMasks", "build_masks"]

# Full beard (cheek line, then a strip below the jaw), moustache, goatee: outlines in pixels of a
# 1024 x 1024 face tile, and how far their edge is blurred (pixels of our tile).
_HAIR_OUTLINES: tuple[tuple[tuple[tuple[int, int], ...], float], ...] = (
    (
        (
            *((150, 400), (215, 480), (330, 520), (440, 478)),
            *((584, 478), (694, 520), (809, 480), (874, 400)),
            *((880, 560), (820, 740), (700, 830), (512, 850)),
            *((324, 830), (204, 740), (144, 560)),
        ),
        7.0,
    ),
    (((415, 470), (609, 470), (640, 560), (512, 505), (384, 560)), 4.0),
    (
        (
            *((390, 540), (450, 480), (574, 480), (634, 540)),
            *((640, 700), (512, 790), (384, 700)),
        ),
        5.0,
    ),
)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class SkinMasks:
    """Soft masks in [0, 1] on the tiles; scalp as signed distances in cm, positive = hair."""

    lips: Array  # [384, 384]
    blush: Array  # [384, 384]
    eyelids: Array  # [384, 384]
    liner: Array  # [384, 384]
    hairs: Array  # [3, 384, 384] full beard, moustache, goatee
    scalp_face: Array  # [384, 384]
    scalp_head: Array  # [192, 192]


def _fill(polygon: np.ndarray, blur: float) -> np.ndarray:
    mask = np.zeros((FACE_SIZE, FACE_SIZE), np.float32)
    points = np.round(polygon * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 1.0, cv2.LINE_8, 4)
    return cv2.GaussianBlur(mask, (0, 0), blur)


def _spots(centres: np.ndarray, sigma: tuple[float, float]) -> np.ndarray:
    row, column = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    total = np.zeros((FACE_SIZE, FACE_SIZE))
    for x, y in centres:
        total += np.exp(-0.5 * (((column - x) / sigma[0]) ** 2 + ((row - y) / sigma[1]) ** 2))
    return np.clip(total, 0, 1).astype(np.float32)


def _corner_positions(head: HeadModel, part: str, tile: str) -> tuple[np.ndarray, np.ndarray]:
    rows = head.part_quads(part)
    faces, faces_uv = np.asarray(head.faces)[rows], np.asarray(head.faces_uv)[rows]
    corners, owner = triangles_from_quads(faces)
    ids = np.take_along_axis(faces[owner], corners, axis=1)
    uv = np.asarray(head.uv)[np.take_along_axis(faces_uv[owner], corners, axis=1)]
    return ids, tile_positions(uv, tile)


def _tile_points(head: HeadModel, part: str, tile: str) -> np.ndarray:
    """Return the neutral position (ICT axes) of every texel of a tile; nan where there is none."""
    ids, positions = _corner_positions(head, part, tile)
    left, top, side = TILES[tile]
    place = np.round(positions.reshape(-1, 2)).astype(int) - np.array([left, top])
    total = np.zeros((side, side, 4), np.float32)
    known = np.concatenate([np.asarray(head.neutral)[ids.ravel()], np.ones((ids.size, 1))], axis=1)
    np.add.at(total, (place[:, 1], place[:, 0]), known.astype(np.float32))
    # Vertices are some texels apart: a blur of values and weights fills the gaps.
    total = cv2.GaussianBlur(total, (0, 0), 2.0) + 1e-4 * cv2.GaussianBlur(total, (0, 0), 9.0)
    weight = total[..., 3:]
    return np.where(weight > 1e-9, total[..., :3] / np.maximum(weight, 1e-9), np.nan)


def _scalp(points: np.ndarray) -> np.ndarray:
    """Return how far a point lies behind an average hairline (cm, ICT axes)."""
    x, y, z = np.moveaxis(np.nan_to_num(points, nan=0.0), -1, 0)
    level = y - 10.6 + 1.1 * np.maximum(6.0 - z, 0.0)
    is_ear = (np.abs(x) > 7.7) & (y < 4.8) & (z > -4.5)
    level = np.where(is_ear, np.minimum(level, -3.0), level)
    return np.where(np.isnan(points[..., 0]), -5.0, level).astype(np.float32)


def build_masks(head: HeadModel, landmarks: np.ndarray) -> SkinMasks:
    """Draw the masks.

    Args:
        head: the model.
        landmarks: ``[68]`` vertex numbers, iBUG order.
    """
    ids, positions = _corner_positions(head, "face", "face")
    where = np.zeros((len(head.neutral), 2), np.float32)
    where[ids.ravel()] = positions.reshape(-1, 2)
    mark = where[np.asarray(landmarks)]
    scale = FACE_SIZE / 1024
    lips = _fill(mark[48:60], 1.5)
    cheeks = np.stack([(mark[36] + mark[48]) / 2, (mark[45] + mark[54]) / 2])
    cheeks[:, 0] += np.array([-18, 18]) * scale
    eyes = np.stack([mark[36:42].mean(axis=0), mark[42:48].mean(axis=0)])
    beard, moustache, goatee = (
        _fill(np.array(outline) * scale, blur) for outline, blur in _HAIR_OUTLINES
    )
    bare = 1.0 - np.clip(_fill(mark[48:60], 1.0) * 1.2, 0, 1)
    upper = eyes + np.array([0, -14]) * scale
    return SkinMasks(
        lips=jnp.asarray(lips),
        blush=jnp.asarray(_spots(cheeks, (42 * scale, 34 * scale))),
        eyelids=jnp.asarray(_spots(upper, (38 * scale, 15 * scale))),
        liner=jnp.asarray(_spots(eyes + np.array([0, -5]) * scale, (34 * scale, 4.5 * scale))),
        hairs=jnp.asarray(np.stack([beard, moustache, goatee]) * bare),
        scalp_face=jnp.asarray(_scalp(_tile_points(head, "face", "face"))),
        scalp_head=jnp.asarray(_scalp(_tile_points(head, "head_neck", "head"))),
    )
