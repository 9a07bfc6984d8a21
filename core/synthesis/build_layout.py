"""Build the UV layout ``uvface`` from the ICT-FaceKit model.

Run ``python -m uvface.core.synthesis.build_layout --model DIR --landmarks FILE --size 256
-o assets/uv``. Needs SciPy. The surface and its UV do not depend on the size; the layout is that
surface seen on a grid of texels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from ..errors import InputError
from ..geometry.layout import UVLayout, layout_digest, save_layout
from ..geometry.ramps import ramp
from .head import HeadModel, canonical_from_ict, load_head
from .parameterise import flatten_disk, superellipse, tutte
from .patches import EYEBALL_LEFT, SurfaceMesh, boundary_loops, build_surface_mesh
from .regions import draw_regions, texel_weights
from .steadiness import rigid_region
from .surface import (
    FaceSurface,
    bind_texels,
    load_surface,
    position_map,
    save_surface,
    surface_vertices,
)

__all__ = [
    "build_layout",
    "build_mesh",
    "build_surface",
    "density",
    "grid_triangles",
    "landmark_vertices",
    "main",
    "outline",
]

HALF_WIDTH = 0.494  # of the UV domain: 1.5 texels of a 256 map stay free around it
EXPONENT = 4.5  # of the superellipse: nearly fills the square, still strictly convex
SLIM_STEPS = 24
# The shapes whose texels shall be even are those of an open face: lips and lids get the room
# that they need when they open.
OPEN_EXPRESSION = {"jawOpen": 0.45, "eyeWide_L": 0.6, "eyeWide_R": 0.6}
SMALLEST_SHAPE = 0.02  # cm added to each triangle's shape: slivers stay flat but not singular


def outline(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Return > 0 where the surface shall end: three planes in profile, rounded where they meet.

    Above the hairline and down to behind the ear; behind the ear; from there to the neck.
    """
    y, z = points[:, 1], points[:, 2]

    def beyond(start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
        along = np.subtract(end, start) / np.hypot(*np.subtract(end, start))
        return along[0] * (y - start[1]) - along[1] * (z - start[0])

    above = beyond((-2.2, 4.5), (7.0, 12.6))  # (z, y), cm
    behind = -2.2 - z
    below = -beyond((-2.2, -1.5), (5.0, -11.0))
    rounding = 0.8  # cm
    return rounding * np.logaddexp(
        np.logaddexp(above / rounding, behind / rounding), below / rounding
    )


def density(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Return how many texels per cm a point of the neutral head shall get, relatively."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]

    def near(
        centre: tuple[float, ...], radii: tuple[float, ...], full: float, none: float
    ) -> np.ndarray:
        offset = (np.stack([x, y, z], axis=1) - centre) / radii
        return 1 - ramp(np.linalg.norm(offset, axis=1), (full, none))

    in_front = np.stack([x / 6.5, (y - 0.2) / 8.0, np.minimum(z - 9, 0) / 6.0])
    value = 0.45 + 0.55 * (1 - ramp(np.linalg.norm(in_front, axis=0), (0.85, 1.75)))
    value *= 1 + 0.85 * near((3.2, 3.5, 9.0), (2.6, 1.5, 2.5), 0.55, 1.5)  # eye
    value *= 1 + 0.7 * near((0.0, -3.4, 10.5), (3.2, 1.7, 2.5), 0.6, 1.5)  # mouth
    value *= 1 - 0.75 * near((0.75, 0.25, 10.3), (0.75, 0.75, 1.0), 0.8, 1.2)  # inside the nose
    return value * (1 + 0.2 * near((8.0, 0.8, 0.0), (1.6, 3.2, 2.4), 0.6, 1.5))  # ear


def build_mesh(head: HeadModel) -> SurfaceMesh:
    """Cut the face out of the head and close it."""
    return build_surface_mesh(head, _head_mirror(head), outline)


def landmark_vertices(mesh: SurfaceMesh, landmarks: Int[np.ndarray, 68]) -> list[int]:
    """Return the surface vertices that are the given head vertices."""
    own = {int(a): k for k, (a, b) in enumerate(mesh.ends) if a == b}
    missing = [k for k, vertex in enumerate(landmarks.tolist()) if vertex not in own]
    if missing:
        raise InputError(f"landmarks {missing} do not lie on the surface; check the landmark file")
    return [own[vertex] for vertex in landmarks.tolist()]


def build_surface(head: HeadModel, landmarks: Int[np.ndarray, 68]) -> FaceSurface:
    """Cut, close and flatten the face.

    Args:
        head: the ICT-FaceKit model.
        landmarks: head vertices of the 68 points, convention of 300W-LP.
    """
    neutral = np.asarray(head.neutral, np.float64)
    head_mirror = _head_mirror(head)
    mesh = build_mesh(head)
    marks = landmark_vertices(mesh, landmarks)
    uv = _flatten(head, mesh)
    left = np.flatnonzero(mesh.label == EYEBALL_LEFT)
    equator, pole = _eyeball_rings(neutral, head.part_vertices("sclera_left"))
    integers = {
        "ends": mesh.ends,
        "triangles": mesh.triangles,
        "mirror": mesh.mirror,
        "label": mesh.label,
        "landmarks": np.array(marks),
        "eyeball_vertices": np.stack([left, mesh.mirror[left]]),
        "eyeball_equator": np.stack([equator, head_mirror[equator]]),
        "eyeball_pole": np.stack([pole, head_mirror[pole]]),
    }
    return FaceSurface(
        fraction=jnp.asarray(mesh.fraction, dtype=jnp.float32),
        uv=jnp.asarray(uv.astype(np.float32)),
        eyeball_weight=jnp.asarray(np.where(mesh.depth[left] > 1, 1.0, 0.6), dtype=jnp.float32),
        **{name: jnp.asarray(array.astype(np.int32)) for name, array in integers.items()},
    )


def _head_mirror(head: HeadModel) -> Int[np.ndarray, " V"]:
    """Return the vertex on the other side, part by part: lashes and lids share positions."""
    neutral = np.asarray(head.neutral, np.float64)
    mirror = np.arange(len(neutral))
    for name in head.part_names:
        sides = {"left": "right", "right": "left"}
        stem, _, side = name.rpartition("_")
        here = head.part_vertices(name)
        there = head.part_vertices(f"{stem}_{sides[side]}" if side in sides else name)
        if len(here) and len(there):
            mirror[here] = there[cKDTree(neutral[there] * [-1, 1, 1]).query(neutral[here])[1]]
    return mirror


def _eyeball_rings(neutral: np.ndarray, sclera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the vertices around the equator and at the front pole of the left eyeball."""
    points = neutral[sclera]
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    centre = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3]  # sphere fit
    ray = (points - centre) / np.linalg.norm(points - centre, axis=1, keepdims=True)
    front = ray[np.argmax(np.linalg.norm(points - centre, axis=1) * (ray[:, 2] > 0))]
    gaze = ray[ray @ front > np.cos(np.radians(12))].mean(axis=0)
    angle = np.degrees(np.arccos(np.clip(ray @ (gaze / np.linalg.norm(gaze)), -1, 1)))
    return sclera[np.abs(angle - 90) < 12], sclera[angle < 6]


def _flatten(head: HeadModel, mesh: SurfaceMesh) -> Float[np.ndarray, "N 2"]:
    """Return the UV coordinates of the surface's vertices."""
    neutral = np.asarray(head.neutral, np.float64)
    opened = neutral.copy()
    for name, weight in OPEN_EXPRESSION.items():
        opened += weight * np.asarray(head.expression[head.expression_index(name)], np.float64)
    neutral_points = _symmetric(mesh.points(neutral), mesh.mirror)
    wanted = density(neutral_points)
    rest = _target_shapes(_symmetric(mesh.points(opened), mesh.mirror), mesh.triangles, wanted)
    boundary, rim = _boundary(neutral_points, wanted, mesh)
    plane = tutte(mesh.triangles, boundary, rim)
    rest *= np.sqrt(_area(plane[mesh.triangles]).sum() / _area(rest).sum())
    plane = flatten_disk(rest, mesh.triangles, boundary, plane, iterations=SLIM_STEPS)
    # Exactly symmetric, also after rounding: 1 - u is exact for float32 u in [0.5, 1].
    plane = _symmetric(plane, mesh.mirror)
    uv = (np.stack([plane[:, 0], -plane[:, 1]], axis=1) + 0.5).astype(np.float32)
    is_left = np.arange(len(uv)) < mesh.mirror
    uv[mesh.mirror[is_left]] = np.stack([1 - uv[is_left, 0], uv[is_left, 1]], axis=1)
    uv[mesh.mirror == np.arange(len(uv)), 0] = 0.5
    return uv


def _symmetric(points: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    flipped = points[mirror].copy()
    flipped[:, 0] *= -1
    return (points + flipped) / 2


def _area(corners: np.ndarray) -> np.ndarray:
    return 0.5 * np.linalg.det(corners[:, 1:] - corners[:, :1])


def _target_shapes(points: np.ndarray, triangles: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Lay each triangle flat, ``[M, 3, 2]`` counter-clockwise, and scale it by the density."""
    corners = points[triangles]
    base, side = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = np.linalg.norm(base, axis=1)
    along = (side * base).sum(axis=1) / length
    rest = np.zeros((len(triangles), 3, 2))
    rest[:, 1, 0] = length
    rest[:, 2, 0] = along
    rest[:, 2, 1] = np.linalg.norm(side - (along / length)[:, None] * base, axis=1)
    rest += SMALLEST_SHAPE * np.array([[0, 0], [1, 0], [0.5, 0.866]])
    return rest * wanted[triangles].mean(axis=1)[:, None, None]


def _boundary(
    points: np.ndarray, wanted: np.ndarray, mesh: SurfaceMesh
) -> tuple[np.ndarray, np.ndarray]:
    """Return the boundary loop and its places on the superellipse.

    Halfway between "by wanted length" and "by direction as seen from the front".
    """
    (loop,) = boundary_loops(mesh.triangles)
    on_midline = [k for k, vertex in enumerate(loop) if mesh.mirror[vertex] == vertex]
    top = max(on_midline, key=lambda k: points[loop[k], 1])
    boundary = np.array(loop[top:] + loop[:top])
    at = points[boundary]
    following = np.roll(np.arange(len(boundary)), -1)
    length = np.linalg.norm(at[following] - at, axis=1)
    length *= (wanted[boundary] + wanted[boundary[following]]) / 2
    by_length = (np.cumsum(length) - length) / length.sum()
    turn = np.linspace(0, 2 * np.pi, 20001)
    curve = superellipse(turn + np.pi / 2, half_width=HALF_WIDTH, exponent=EXPONENT)
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    arc /= arc[-1]
    # The loop runs counter-clockwise from outside, as the superellipse does.
    direction = np.arctan2(at[:, 1] - 1.0, at[:, 0]) - np.pi / 2
    by_direction = np.interp(np.mod(direction, 2 * np.pi), turn, arc)
    by_direction[0] = 0.0
    place = (by_length + by_direction) / 2
    order = {int(vertex): k for k, vertex in enumerate(boundary)}
    opposite = np.array([order[int(vertex)] for vertex in mesh.mirror[boundary]])
    place[1:] = (place[1:] + 1 - place[opposite][1:]) / 2
    rim = superellipse(
        np.interp(place, arc, turn) + np.pi / 2, half_width=HALF_WIDTH, exponent=EXPONENT
    )
    return boundary, rim


def grid_triangles(mask: Float[np.ndarray, "size size"]) -> Int[np.ndarray, "M 3"]:
    """Return triangles between neighbouring texels of the mask, counter-clockwise from outside.

    The diagonals of the left half are the mirror images of those of the right half. A cell of
    which one corner is outside keeps one triangle.
    """
    size = len(mask)
    number = np.arange(size * size).reshape(size, size)
    a, b = number[:-1, :-1], number[1:, :-1]  # upper left, lower left
    c, d = number[1:, 1:], number[:-1, 1:]  # lower right, upper right
    falling = np.stack([a, b, c, a, c, d], axis=-1)  # diagonal a-c
    rising = np.stack([a, b, d, b, c, d], axis=-1)  # diagonal b-d
    inside = mask.ravel() > 0
    rising_side = np.arange(size - 1) >= (size - 1) // 2
    lacks_a_or_c = ~inside[a] | ~inside[c]
    lacks_b_or_d = ~inside[b] | ~inside[d]
    rising_cell = np.where(lacks_a_or_c | lacks_b_or_d, lacks_a_or_c, rising_side[None, :])
    triangles = np.where(rising_cell[..., None], rising, falling).reshape(-1, 3)
    return triangles[inside[triangles].all(axis=1)].astype(np.int32)


def build_layout(head: HeadModel, surface: FaceSurface, size: int) -> UVLayout:
    """See a surface on a grid of ``size`` x ``size`` texels."""
    if size % 2 or size < 32:
        raise InputError(f"a layout of size {size}: need an even number of texels, at least 32")
    binding = bind_texels(surface, size)
    points = np.asarray(canonical_from_ict(surface_vertices(surface, head.neutral)))
    canonical = position_map(binding, jnp.asarray(_symmetric(points, np.asarray(surface.mirror))))
    mask = np.asarray(binding.mask)
    regions = draw_regions(surface, binding, np.asarray(canonical))
    regions["rigid"] = rigid_region(head, surface, binding, regions)
    arrays = {
        "mask": mask.astype(np.uint8),
        "triangles": grid_triangles(mask),
        "landmark_uv": np.asarray(surface.uv)[np.asarray(surface.landmarks)],
    }
    texel = np.arange(size * size, dtype=np.int32).reshape(size, size)
    return UVLayout(
        mask=jnp.asarray(mask),
        triangles=jnp.asarray(arrays["triangles"]),
        canonical=canonical,
        landmark_uv=jnp.asarray(arrays["landmark_uv"]),
        mirror_texel=jnp.asarray(texel[:, ::-1].ravel()),
        texel_weights=jnp.asarray(texel_weights(mask, arrays["landmark_uv"], regions)),
        regions={name: jnp.asarray(region) for name, region in regions.items()},
        name="uvface",
        digest=layout_digest(arrays),
    )


def main(arguments: list[str] | None = None) -> None:
    """Write ``uvface_surface.npz`` and ``uvface_SIZE.npz``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of ICT-FaceKit")
    parser.add_argument("--landmarks", type=Path, required=True, help="JSON with 68 'vertices'")
    parser.add_argument("--size", type=int, default=256, help="texels along one side")
    parser.add_argument("--reuse-surface", action="store_true", help="keep the surface file")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    head = load_head(options.model)
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "uvface_surface.npz"
    if not options.reuse_surface:
        landmarks = np.array(json.loads(options.landmarks.read_text())["vertices"])
        save_surface(file, build_surface(head, landmarks))
        load_surface.cache_clear()
    layout = build_layout(head, load_surface(file), options.size)
    save_layout(options.output / f"uvface_{options.size}.npz", layout)


if __name__ == "__main__":
    main()
