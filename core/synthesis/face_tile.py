"""The head's face tile: which surface point each texel of a skin shows.

Convention:
    Texel (row i, column j) of an S x S tile has its centre at u = (j + 0.5) / S and, with ICT's v
    pointing up, v = 1 - (i + 0.5) / S. `u_down` and `v_down` below run right and down.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from jaxtyping import Float

from .head import HeadModel

__all__ = ["FaceTile", "bind_face_tile", "point_uv", "vertex_normals", "vertex_uv"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceTile:
    """Texels of the face tile bound to the head's vertices."""

    vertices: np.ndarray  # [S, S, 3] int32, vertex numbers; 0 outside the mask
    barycentric: np.ndarray  # [S, S, 3] float32, 0 outside the mask
    mask: np.ndarray  # [S, S] bool, texel lies on the face part

    def interpolate(self, values: Float[np.ndarray, "vertices c"]) -> np.ndarray:
        """Return values of the vertices at the texels, ``[S, S, C]``; 0 outside the mask."""
        return np.einsum("ijk,ijkc->ijc", self.barycentric, values[self.vertices])


def bind_face_tile(head: HeadModel, size: int) -> FaceTile:
    """Bind an S x S face tile to the vertices of the head."""
    quads = head.part_quads("face")
    select = np.array([[0, 1, 2], [0, 2, 3]])
    faces = np.asarray(head.faces)[quads][:, select].reshape(-1, 3)
    faces_uv = np.asarray(head.faces_uv)[quads][:, select].reshape(-1, 3)
    uv = np.asarray(head.uv, np.float64)
    pixels = np.stack([uv[:, 0] * size - 0.5, (1.0 - uv[:, 1]) * size - 0.5], axis=1)
    triangle, barycentric = _texels(pixels[faces_uv], size)
    mask = triangle >= 0
    vertices = np.where(mask[..., None], faces[np.maximum(triangle, 0)], 0)
    return FaceTile(vertices=vertices.astype(np.int32), barycentric=barycentric, mask=mask)


def _texels(corners: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangle of each texel (-1: none) and its barycentric weights.

    The charts do not overlap and this runs once per size, so each class of triangles simply tests
    a square window of texels.
    """
    triangle = np.full((size, size), -1, np.int32)
    barycentric = np.zeros((size, size, 3), np.float32)
    low = np.maximum(np.ceil(corners.min(axis=1)), 0).astype(int)
    side = (np.floor(corners.max(axis=1)) - low + 1).max(axis=1)
    limits = [0, *(2**k for k in range(1, 12))]
    for smaller, window in itertools.pairwise(limits):
        chosen = np.flatnonzero((side > smaller) & (side <= window))
        for part in np.array_split(chosen, len(chosen) * window**2 // 10**6 + 1):
            step = np.stack(np.meshgrid(*[np.arange(window)] * 2), axis=-1).reshape(-1, 2)
            texel = low[part, None] + step
            weight = _barycentric(corners[part], texel)
            is_in = (weight > -1e-6).all(axis=-1) & (texel < size).all(axis=-1)
            column, row = texel[is_in].T
            triangle[row, column] = np.broadcast_to(part[:, None], is_in.shape)[is_in]
            barycentric[row, column] = weight[is_in]
    return triangle, barycentric


def _barycentric(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return weights ``[T, P, 3]`` of points ``[T, P, 2]`` in triangles ``[T, 3, 2]``."""
    a, b, c = (corners[:, None, k] for k in range(3))

    def cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]

    area = cross(b - a, c - a)
    area = np.where(area == 0, np.inf, area)  # a repeated corner: no area, no texel
    weight = [cross(b - points, c - points), cross(c - points, a - points)]
    weight = [one / area for one in weight]
    weight.append(np.where(np.isinf(area), -1.0, 1.0) - weight[0] - weight[1])
    return np.stack(weight, axis=-1)


def vertex_uv(head: HeadModel) -> Float[np.ndarray, "vertices 2"]:
    """Return the tile position (u right, v down) of the face's vertices; NaN elsewhere."""
    quads = head.part_quads("face")
    uv = np.full((len(head.neutral), 2), np.nan, np.float32)
    uv[np.asarray(head.faces)[quads]] = np.asarray(head.uv)[np.asarray(head.faces_uv)[quads]]
    return np.stack([uv[:, 0], 1.0 - uv[:, 1]], axis=1)


def point_uv(head: HeadModel, triangle: np.ndarray, barycentric: np.ndarray) -> np.ndarray:
    """Return the tile position (u right, v down) of surface points of the face, ``[P, 2]``."""
    return np.einsum("pk,pkc->pc", barycentric, vertex_uv(head)[triangle])


def vertex_normals(
    vertices: Float[np.ndarray, "vertices 3"], head: HeadModel
) -> Float[np.ndarray, "vertices 3"]:
    """Return outward unit normals of the face part in a y-down frame; 0 elsewhere."""
    quads = np.asarray(head.faces)[head.part_quads("face")]
    a, b, c, d = (vertices[quads[:, k]] for k in range(4))
    # Twice the area vector of the quad; listed counter-clockwise, the y-down frame flips it.
    area = np.cross(d - b, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(normals, quads[:, corner], area)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
