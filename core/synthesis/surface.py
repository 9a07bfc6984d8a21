"""The surface that a UV layout covers: the face of any head, closed at eyes and mouth.

`surface_vertices` takes the vertices of a head to the vertices of the surface (a gather, plus
the eye patches which lie on the eyeballs); `bind_texels` finds, once per map size, the triangle
and the barycentric weights under each texel; `position_map` applies them.

Convention:
    Vertices keep the frame of the head vertices that were passed in (any affine frame of the
    head would do for skin and mouth; the eyeballs need equal scales along the axes). UV as in
    the layout: u right, v down, texel centres at (index + 0.5) / size.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from importlib import resources
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from ..errors import AssetError

__all__ = [
    "FaceSurface",
    "TexelBinding",
    "bind_texels",
    "landmark_points",
    "load_surface",
    "position_map",
    "save_surface",
    "surface_vertices",
]

# Radius of ICT's sclera mesh over the angle to the gaze: the cornea stands out. As parts of the
# radius at the pole; the width is in 1 - cos(angle).
SCLERA_RADIUS = 0.896
CORNEA_HEIGHT = 0.109
CORNEA_WIDTH = 0.08


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceSurface:
    """Disk over the face: each vertex lies on a line between two vertices of the head."""

    ends: Array  # [N, 2] int32, head vertices; twice the same for an ordinary vertex
    fraction: Array  # [N], 0 at the first end, 1 at the second
    triangles: Array  # [M, 3] int32, counter-clockwise from outside
    uv: Array  # [N, 2], in [0, 1], v down; u of a mirrored vertex is exactly 1 - u
    mirror: Array  # [N] int32, the vertex on the other side of the face
    label: Array  # [N] int32: 0 skin, 1 left eyeball, 2 right eyeball, 3 mouth membrane
    landmarks: Array  # [68] int32, surface vertices, iBUG order, convention of 300W-LP
    eyeball_vertices: Array  # [2, K] int32, surface vertices of the left and right eye patch
    eyeball_weight: Array  # [K], how much a patch vertex is drawn onto the eyeball
    eyeball_equator: Array  # [2, E] int32, head vertices around the centre of each eyeball
    eyeball_pole: Array  # [2, P] int32, head vertices at the front of each eyeball


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class TexelBinding:
    """Which point of the surface each texel is."""

    vertices: Array  # [S, S, 3] int32, surface vertices; outside the mask of the nearest point
    barycentric: Array  # [S, S, 3]
    mask: Array  # [S, S], 1 where the texel lies on the surface


_DTYPES = {
    "fraction": np.float32,
    "uv": np.float32,
    "eyeball_weight": np.float32,
}


def save_surface(path: Path, surface: FaceSurface) -> None:
    """Write a surface as a compressed ``.npz``."""
    names = [field.name for field in dataclasses.fields(surface)]
    arrays = {name: np.asarray(getattr(surface, name)) for name in names}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


@cache
def load_surface(path: Path | None = None) -> FaceSurface:
    """Load a surface, by default the one that comes with the package.

    Raises:
        AssetError: the file is missing or damaged.
    """
    if path is None:
        path = Path(str(resources.files("uvface.assets"))) / "uv" / "uvface_surface.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            return FaceSurface(
                **{
                    field.name: jnp.asarray(
                        stored[field.name].astype(_DTYPES.get(field.name, np.int32))
                    )
                    for field in dataclasses.fields(FaceSurface)
                }
            )
    except (OSError, KeyError, ValueError) as error:
        raise AssetError(
            f"cannot read the face surface {path} ({error}); build or reinstall it"
        ) from error


def surface_vertices(
    surface: FaceSurface, head_vertices: Float[Array, "head 3"]
) -> Float[Array, "vertices 3"]:
    """Return the surface's vertices on a given head."""
    ends = head_vertices[surface.ends]
    fraction = surface.fraction[:, None]
    points = ends[:, 0] * (1 - fraction) + ends[:, 1] * fraction
    for eye in range(2):
        patch = surface.eyeball_vertices[eye]
        centre = head_vertices[surface.eyeball_equator[eye]].mean(axis=0)
        pole = head_vertices[surface.eyeball_pole[eye]].mean(axis=0)
        rim = jnp.linalg.norm(ends[patch] - centre, axis=-1)
        rim_radius = rim[:, 0] * (1 - fraction[patch, 0]) + rim[:, 1] * fraction[patch, 0]
        onto = _onto_eyeball(points[patch], centre, pole, rim_radius, surface.eyeball_weight)
        points = points.at[patch].set(onto)
    return points


def _onto_eyeball(
    points: Float[Array, "k 3"],
    centre: Float[Array, 3],
    pole: Float[Array, 3],
    rim_radius: Float[Array, " k"],
    weight: Float[Array, " k"],
) -> Float[Array, "k 3"]:
    """Push points along the rays from the centre onto the sclera and its cornea."""
    gaze = pole - centre
    pole_radius = jnp.linalg.norm(gaze)
    ray = points - centre
    ray = ray / jnp.linalg.norm(ray, axis=-1, keepdims=True)
    away = 1 - ray @ (gaze / pole_radius)
    ball = pole_radius * (SCLERA_RADIUS + CORNEA_HEIGHT * jnp.exp(-away / CORNEA_WIDTH))
    radius = rim_radius + weight * (ball - rim_radius)
    return centre + ray * radius[:, None]


def landmark_points(
    surface: FaceSurface, vertices: Float[Array, "vertices 3"]
) -> Float[Array, "68 3"]:
    """Return the 68 landmarks, exact, from the surface's vertices."""
    return vertices[surface.landmarks]


def position_map(
    binding: TexelBinding, vertices: Float[Array, "vertices c"]
) -> Float[Array, "size size c"]:
    """Return the map of values given at the surface's vertices (positions, colours, ...)."""
    return (vertices[binding.vertices] * binding.barycentric[..., None]).sum(axis=-2)


def bind_texels(surface: FaceSurface, size: int) -> TexelBinding:
    """Find the surface point under every texel (on the host; do it once per size).

    The right half is located and the left half is its mirror image, so that maps of symmetric
    heads are exactly symmetric. Texels outside the surface get the nearest point of its rim.

    Args:
        surface: the surface; its UV triangles must not overlap.
        size: texels along one side, even.
    """
    uv = np.asarray(surface.uv, np.float64)
    triangles = np.asarray(surface.triangles)
    found, weights = _locate(uv * size - 0.5, triangles, size)
    inside = found >= 0
    corners = np.where(inside[..., None], triangles[found], 0)
    outside = np.argwhere(~inside)
    rim_ends, along = _nearest_rim(uv, triangles, (outside[:, ::-1] + 0.5) / size)
    corners[~inside] = rim_ends[:, [0, 1, 1]]
    weights[~inside] = np.stack([1 - along, along, np.zeros_like(along)], axis=1)
    half = size // 2
    corners[:, :half] = np.asarray(surface.mirror)[corners[:, half:]][:, ::-1]
    weights[:, :half] = weights[:, half:][:, ::-1]
    inside[:, :half] = inside[:, half:][:, ::-1]
    return TexelBinding(
        vertices=jnp.asarray(corners.astype(np.int32)),
        barycentric=jnp.asarray(weights.astype(np.float32)),
        mask=jnp.asarray(inside.astype(np.float32)),
    )


def _locate(
    pixels: Float[np.ndarray, "N 2"], triangles: Int[np.ndarray, "M 3"], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangle number (-1: none) and barycentric weights at each texel centre."""
    corners = pixels[triangles]
    low = np.maximum(np.ceil(corners.min(axis=1) - 1e-9), 0).astype(int)
    high = np.minimum(np.floor(corners.max(axis=1) + 1e-9), size - 1).astype(int)
    extent = np.maximum(high - low + 1, 0)
    cells = extent[:, 0] * extent[:, 1]
    owner = np.repeat(np.arange(len(triangles)), cells)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(cells) - cells, cells)
    x = low[owner, 0] + rank % np.maximum(extent[owner, 0], 1)
    y = low[owner, 1] + rank // np.maximum(extent[owner, 0], 1)
    a, b, c = (corners[owner, k] for k in range(3))
    point = np.stack([x, y], axis=1)
    parts = np.stack([_cross(b - point, c - point), _cross(c - point, a - point)], axis=1)
    parts = parts / _cross(b - a, c - a)[:, None]
    weights = np.concatenate([parts, 1 - parts.sum(axis=1, keepdims=True)], axis=1)
    covered = (weights >= -1e-9).all(axis=1)
    found = np.full((size, size), -1)
    values = np.zeros((size, size, 3))
    found[y[covered], x[covered]] = owner[covered]
    values[y[covered], x[covered]] = weights[covered]
    return found, values


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _nearest_rim(
    uv: Float[np.ndarray, "N 2"],
    triangles: Int[np.ndarray, "M 3"],
    points: Float[np.ndarray, "K 2"],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the boundary edge nearest to each point, and the position along it in [0, 1]."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    ordered = np.sort(edges, axis=1)
    _, first, count = np.unique(ordered, axis=0, return_index=True, return_counts=True)
    rim = edges[first[count == 1]]
    start, span = uv[rim[:, 0]], uv[rim[:, 1]] - uv[rim[:, 0]]
    along = ((points[:, None] - start) * span).sum(axis=-1) / (span**2).sum(axis=-1)
    along = np.clip(along, 0, 1)
    distance = np.linalg.norm(start + along[..., None] * span - points[:, None], axis=-1)
    nearest = distance.argmin(axis=1)
    return rim[nearest], along[np.arange(len(points)), nearest]
