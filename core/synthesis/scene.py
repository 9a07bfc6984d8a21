"""The mesh that is drawn: parts of the head plus a body, with atlas positions and baked shadow."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ..geometry.harmonics import CONSTANT, harmonics
from ..geometry.rasterize import rasterize
from .atlas import tile_positions
from .fragments import pack_positions
from .head import HeadModel, canonical_from_ict

__all__ = [
    "BODY_PIVOT",
    "Scene",
    "bake_visibility",
    "build_scene",
    "outward_normals",
    "triangles_from_quads",
]

_PART_TILES = {
    "face": "face",
    "head_neck": "head",
    "mouth_socket": "head",
    "eye_socket_left": "head",
    "eye_socket_right": "head",
    "gums_tongue": "gums",
    "teeth": "teeth",
    "sclera_left": "eye",
    "sclera_right": "eye",
}
BODY_PIVOT = (0.0, 13.0, -2.0)  # canonical frame, cm: where the neck meets the body
# Smallest z (cm) that is drawn of the parts inside the mouth.
_DEPTHS = {"teeth": 6.0, "gums_tongue": 3.0, "mouth_socket": 0.5}
_SEEN = 0.035  # openness; what is shut in has a little more than nothing
_BODY_RINGS = (24, 56)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """Static mesh. Vertices: all V of the head model, then the body's."""

    triangles: Array  # [T, 3] int32, counter-clockwise from outside
    corner_positions: Array  # [T, 3] int32, packed atlas position of every corner
    visibility: Array  # [V + B, 9] harmonics of the visibility per direction (head frame, y up)
    openness: Array  # [V + B], in [0, 1]
    body: Array  # [B, 3] canonical frame at rest
    eye_vertices: Array  # [2, E] int32, vertices of the left and the right eyeball
    eye_centres: Array  # [2, 3] canonical frame, of the neutral head
    body_triangles: int = dataclasses.field(metadata={"static": True})  # the last of triangles


def triangles_from_quads(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split quads ``[F, 4]``; returns corner numbers ``[T, 3]`` and quad numbers ``[T]``."""
    order = np.array([[0, 1, 2], [0, 2, 3]])
    corners = np.tile(order, (len(quads), 1))
    owner = np.repeat(np.arange(len(quads)), 2)
    chosen = np.take_along_axis(quads[owner], corners, axis=1)
    is_real = (
        (chosen[:, 0] != chosen[:, 1])
        & (chosen[:, 1] != chosen[:, 2])
        & (chosen[:, 2] != chosen[:, 0])
    )
    return corners[is_real], owner[is_real]


def outward_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return unit normals ``[V, 3]`` on the host (canonical frame, y down)."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    face = np.cross(c - a, b - a)
    total = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], face)
    length = np.linalg.norm(total, axis=-1, keepdims=True)
    return np.asarray(total / np.maximum(length, 1e-12), np.float32)


def _body_mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return shoulders: vertices (canonical frame), triangles, uv. Half an ellipsoid, cloth."""
    rings, sectors = _BODY_RINGS
    rise = np.linspace(0.0, np.pi * 0.55, rings)[:, None]
    turn = np.linspace(0.0, 2 * np.pi, sectors, endpoint=False)[None, :]
    flat = np.abs(np.sin(rise)) ** 0.8
    x = 23.0 * flat * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.8
    z = -3.0 + 10.0 * flat * np.sin(turn)
    drop = 5.0 * (x / 23.0) ** 2
    y = 17.2 + 17.0 * (1 - np.cos(rise)) * np.ones_like(turn) + drop
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(sectors), indexing="ij")
    k = (j + 1) % sectors
    a, b = i * sectors + j, i * sectors + k
    c, d = (i + 1) * sectors + j, (i + 1) * sectors + k
    quads = np.stack([a, b, d, c], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    uv = np.stack([0.5 + x / 60.0, 0.9 - (y - 16) / 60.0], axis=-1).reshape(-1, 2)
    return vertices.astype(np.float32), triangles, uv


def build_scene(
    head: HeadModel, expression: np.ndarray, *, wide: Sequence[np.ndarray] = ()
) -> Scene:
    """Collect the drawn parts of the head and bake their visibility.

    Args:
        head: the model.
        expression: ``[E]`` coefficients at which the shadow is baked (a slightly open mouth).
        wide: expressions that show more of the mouth's inside, which is drawn as far as one of
            them shows it: where nothing is drawn, the backdrop would be seen through the head.
    """
    faces, faces_uv, uv = (np.asarray(a) for a in (head.faces, head.faces_uv, head.uv))
    neutral = np.asarray(canonical_from_ict(head.neutral))
    triangles, positions = [], []
    for part, tile in _PART_TILES.items():
        rows = head.part_quads(part)
        if part in _DEPTHS:  # the rest is never seen
            rows = rows[neutral[faces[rows], 2].mean(axis=1) > _DEPTHS[part]]
        if part.startswith("sclera"):
            depth = neutral[faces[rows], 2].mean(axis=1)
            rows = rows[depth > depth.min() + 0.25 * np.ptp(depth)]
        corners, owner = triangles_from_quads(faces[rows])
        triangles.append(np.take_along_axis(faces[rows][owner], corners, axis=1))
        corner_uv = uv[np.take_along_axis(faces_uv[rows][owner], corners, axis=1)]
        positions.append(tile_positions(corner_uv, tile))
    body, body_triangles, body_uv = _body_mesh()
    head_triangles = np.concatenate(triangles).astype(np.int32)
    visibility, openness = _bake(head, neutral, expression, head_triangles)
    shown = [openness, *(_bake(head, neutral, other, head_triangles)[1] for other in wide)]
    # Inside the mouth most is never seen: drop it, but for the wall behind all.
    parts = np.asarray(head.vertex_part)[head_triangles[:, 0]]
    outer = [head.part_names.index(name) for name in ("face", "mouth_socket")]
    is_inner = ~np.isin(parts, outer) & (neutral[head_triangles[:, 0], 2] > 0)
    is_seen = np.max(shown, axis=0)[head_triangles].max(axis=1) > _SEEN
    is_kept = is_seen | ~is_inner
    triangles = [head_triangles[is_kept]]
    positions = [np.concatenate(positions)[is_kept]]
    eyes = np.stack([head.part_vertices(f"sclera_{side}") for side in ("left", "right")])
    triangles.append(body_triangles + len(neutral))
    positions.append(tile_positions(body_uv[body_triangles], "cloth"))
    whole = jnp.zeros((len(body), 9)).at[:, 0].set(1.0 / CONSTANT)
    return Scene(
        triangles=jnp.asarray(np.concatenate(triangles), dtype=jnp.int32),
        corner_positions=jnp.asarray(pack_positions(np.concatenate(positions))),
        visibility=jnp.concatenate([visibility, whole]),
        openness=jnp.concatenate([openness, jnp.full(len(body), 0.8)]),
        body=jnp.asarray(body),
        eye_vertices=jnp.asarray(eyes, dtype=jnp.int32),
        eye_centres=jnp.asarray(_eye_centres(neutral, eyes)),
        body_triangles=len(body_triangles),
    )


def _bake(
    head: HeadModel, neutral: np.ndarray, expression: np.ndarray, triangles: np.ndarray
) -> tuple[Array, Array]:
    moved = canonical_from_ict(jnp.tensordot(jnp.asarray(expression), head.expression, axes=1))
    return bake_visibility(jnp.asarray(neutral) + moved, jnp.asarray(triangles))


def _eye_centres(neutral: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    points = neutral[eyes]
    return ((points.min(axis=1) + points.max(axis=1)) / 2).astype(np.float32)


def _directions(count: int) -> np.ndarray:
    """Return directions spread evenly over the sphere (Fibonacci)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    turn = np.pi * (1 + 5**0.5) * index
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=-1).astype(np.float32)


def bake_visibility(
    vertices: Float[Array, "v 3"], triangles: Array, *, directions: int = 64, size: int = 160
) -> tuple[Float[Array, "v 9"], Float[Array, " v"]]:
    """Return per vertex the harmonics of what directions it sees, and its openness.

    Each direction looks at the head from far away and compares depths: the classical depth map.
    """
    scale = size / 36.0
    centre = vertices.mean(axis=0)

    def see(direction: Array) -> Array:
        other = jnp.where(jnp.abs(direction[1]) > 0.9, jnp.eye(3)[0], jnp.eye(3)[1])
        right = jnp.cross(other, direction)
        right = right / jnp.linalg.norm(right)
        turn = jnp.stack([right, jnp.cross(direction, right), direction])
        points = (vertices - centre) @ turn.T * scale + (size - 1) / 2
        depth = rasterize(points, triangles, height=size, width=size).depth
        column, row = (
            jnp.clip(jnp.round(points[:, k]).astype(jnp.int32), 0, size - 1) for k in (0, 1)
        )
        return (points[:, 2] > depth[row, column] - 1.2).astype(jnp.float32)

    ways = jnp.asarray(_directions(directions))
    normals = jnp.asarray(outward_normals(np.asarray(vertices), np.asarray(triangles)))
    seen = jax.jit(lambda d: lax.map(see, d))(ways).T  # [V, D]
    cosine = jnp.maximum(normals @ ways.T, 0.0)
    seen = jnp.where(normals @ ways.T > -0.1, seen, 0.0)
    openness = (seen * cosine).sum(axis=1) / jnp.maximum(cosine.sum(axis=1), 1e-3)
    basis = harmonics(ways * jnp.array([1.0, -1.0, 1.0]))
    # Behind the surface nothing is known; the shading's cosine is zero there. Count it as seen.
    open_back = jnp.where(cosine > 0, seen, 1.0)
    coefficients = (4 * jnp.pi / directions) * open_back @ basis
    return coefficients, jnp.clip(openness, 0.03, 1.0)
