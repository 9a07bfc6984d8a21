"""Topology of the layout's surface: the cut face, and the patches that close its openings.

Every vertex of the surface lies on a straight line between two vertices of the head (twice the
same one for an ordinary vertex), so that the surface of any head is one gather. The mesh is
built for the subject's left half (x >= 0) and mirrored: it is symmetric by construction.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from ..errors import InputError
from .head import HeadModel

__all__ = ["SurfaceMesh", "boundary_loops", "build_surface_mesh"]

# Rings of quads between the end of the socket (first ring of the part "face") and the rim where
# the eyeball or the inside of the mouth becomes visible: counted on the neutral head.
EYE_RINGS = 1
MOUTH_RINGS = 6
EYE_ROWS = 6  # rows of patch vertices between the lids
MOUTH_ROWS = 5
SNAP = 0.2  # a cut closer than this to the end of an edge is moved to that end

SKIN, EYEBALL_LEFT, EYEBALL_RIGHT, MEMBRANE = range(4)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SurfaceMesh:
    """Triangles over vertices that are points of edges or chords of the head."""

    ends: np.ndarray  # [N, 2] int, head vertices
    fraction: np.ndarray  # [N], 0 at the first end, 1 at the second
    label: np.ndarray  # [N] int: SKIN, EYEBALL_LEFT, EYEBALL_RIGHT or MEMBRANE; rims are SKIN
    depth: np.ndarray  # [N] int, steps from the rim into the patch; 0 on skin
    triangles: np.ndarray  # [M, 3] int, counter-clockwise from outside
    mirror: np.ndarray  # [N] int, the vertex on the other side

    def points(self, vertices: Float[np.ndarray, "V 3"]) -> Float[np.ndarray, "N 3"]:
        """Return positions by straight blending (eyes not yet pushed onto the eyeball)."""
        fraction = self.fraction[:, None]
        return vertices[self.ends[:, 0]] * (1 - fraction) + vertices[self.ends[:, 1]] * fraction


class _Half:
    """Vertices and quads of the left half while it is put together."""

    def __init__(self, count: int) -> None:
        self.ends = [(k, k) for k in range(count)]
        self.fraction = [0.0] * count
        self.label = [SKIN] * count
        self.depth = [0] * count
        self.faces: list[tuple[int, ...]] = []

    def add(self, a: int, b: int, fraction: float, label: int = SKIN, depth: int = 0) -> int:
        self.ends.append((a, b))
        self.fraction.append(fraction)
        self.label.append(label)
        self.depth.append(depth)
        return len(self.ends) - 1

    def add_strip(
        self, top: list[int], bottom: list[int], rows: int, label: int, corners: set[int]
    ) -> None:
        """Close the gap between two rims, listed towards +x, with ``rows`` rows of vertices.

        A corner column is the end of the opening: it has no vertices of its own.
        """
        columns = []
        for k, (a, b) in enumerate(zip(top, bottom, strict=True)):
            if k in corners:
                columns.append([a] * (rows // 2 + 1) + [b] * (rows + 1 - rows // 2))
                continue
            to_corner = min(abs(k - c) for c in corners)
            inner = [
                self.add(a, b, r / (rows + 1), label, min(r, rows + 1 - r, to_corner))
                for r in range(1, rows + 1)
            ]
            columns.append([a, *inner, b])
        for left, right in itertools.pairwise(columns):
            for r in range(rows + 1):
                self.faces.append((left[r], left[r + 1], right[r + 1], right[r]))


def build_surface_mesh(
    head: HeadModel,
    mirror: Int[np.ndarray, " V"],
    outside: Callable[[np.ndarray], np.ndarray],
) -> SurfaceMesh:
    """Cut the face out of the head and close its eyes and mouth.

    Args:
        head: the model (the neutral head decides where to cut).
        mirror: the head vertex on the other side; midline vertices are their own.
        outside: points ``[N, 3]`` (ICT axes) to a level, > 0 where the surface shall end.
    """
    neutral = np.asarray(head.neutral, np.float64)
    quads = np.asarray(head.faces)
    face = quads[head.part_quads("face")]
    eye_rim, face = _open_rim(face, quads[head.part_quads("eye_socket_left")], EYE_RINGS)
    _, face = _open_rim(face, quads[head.part_quads("eye_socket_right")], EYE_RINGS)
    mouth_rim, face = _open_rim(face, quads[head.part_quads("mouth_socket")], MOUTH_RINGS)
    skin = np.concatenate([face, quads[head.part_quads("head_neck")]])

    half = _Half(len(neutral))
    half.faces = [tuple(quad) for quad in skin[neutral[skin][:, :, 0].mean(axis=1) > 0].tolist()]
    upper, lower = _eye_columns(eye_rim, neutral)
    half.add_strip(upper, lower, EYE_ROWS, EYEBALL_LEFT, corners={0, len(upper) - 1})
    upper, lower = _mouth_columns(mouth_rim, neutral)
    half.add_strip(upper, lower, MOUTH_ROWS, MEMBRANE, corners={len(upper) - 1})
    triangles = _split(half, neutral)
    triangles = _clip(half, triangles, outside(neutral))
    return _mirrored(half, _component(triangles, int(np.argmax(neutral[:9409, 2]))), mirror)


def _edges(faces: np.ndarray) -> list[tuple[int, int]]:
    edges: list[tuple[int, int]] = []
    for face in faces.tolist():
        corners = list(dict.fromkeys(face))
        edges += zip(corners, corners[1:] + corners[:1], strict=True)
    return edges


def boundary_loops(faces: Int[np.ndarray, "M corners"]) -> list[list[int]]:
    """Return the closed boundaries of a mesh, in the direction of its faces."""
    edges = set(_edges(faces))
    following = {a: b for a, b in edges if (b, a) not in edges}
    loops = []
    for start in sorted(following):
        loop = []
        while start in following:
            loop.append(start)
            start = following.pop(start)
        if loop:
            loops.append(loop)
    return loops


def _open_rim(face: np.ndarray, socket: np.ndarray, rings: int) -> tuple[list[int], np.ndarray]:
    """Take ``rings`` rings of quads off the face where the socket hangs on it."""
    inside = set(np.intersect1d(face, socket).tolist())
    if not inside:
        raise InputError("the sockets of this head model do not touch its face part")
    for _ in range(rings):
        touched = np.isin(face, list(inside)).any(axis=1)
        inside.update(face[touched].ravel().tolist())
    remaining = face[~np.isin(face, list(inside)).all(axis=1)]
    loop = next(loop for loop in boundary_loops(remaining) if loop[0] in inside)
    return loop, remaining


def _rotated(loop: list[int], start: int) -> list[int]:
    return loop[start:] + loop[:start]


def _eye_columns(rim: list[int], neutral: np.ndarray) -> tuple[list[int], list[int]]:
    """Return upper and lower lid from the inner to the outer corner; the corners are in both."""
    rim = _rotated(rim, int(np.argmax(neutral[rim, 0])))
    opposite = len(rim) // 2
    one, other = rim[: opposite + 1], [rim[0], *rim[:opposite:-1], rim[opposite]]
    upper, lower = sorted((one, other), key=lambda side: -neutral[side, 1].mean())
    return upper[::-1], lower[::-1]


def _mouth_columns(rim: list[int], neutral: np.ndarray) -> tuple[list[int], list[int]]:
    """Return upper and lower lip from the midline to the left corner."""
    midline = sorted(np.argsort(np.abs(neutral[rim, 0]))[:2], key=lambda k: -neutral[rim[k], 1])
    rim = _rotated(rim, int(midline[0]))
    if neutral[rim[1], 0] < 0:
        rim = [rim[0], *rim[:0:-1]]
    columns = (len(rim) + 2) // 4  # midline to corner edge, midline included
    return rim[:columns], rim[2 * columns - 1 : columns - 1 : -1]


def _split(half: _Half, neutral: np.ndarray) -> np.ndarray:
    """Split quads along the shorter diagonal."""
    ends, fraction = np.array(half.ends), np.array(half.fraction)[:, None]
    points = neutral[ends[:, 0]] * (1 - fraction) + neutral[ends[:, 1]] * fraction
    triangles = []
    for face in half.faces:
        corners = list(dict.fromkeys(face))
        if len(corners) == 3:
            triangles.append(corners)
            continue
        a, b, c, d = corners
        ac, bd = np.linalg.norm(points[a] - points[c]), np.linalg.norm(points[b] - points[d])
        triangles += [[a, b, c], [a, c, d]] if ac <= bd else [[a, b, d], [b, c, d]]
    return np.array(triangles)


def _clip(half: _Half, triangles: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Cut triangles along level 0 and keep the part below it; patches are never cut."""
    value = np.array(
        [
            level[a] if label == SKIN else -1e9
            for (a, _), label in zip(half.ends, half.label, strict=True)
        ]
    )
    value = _snapped(triangles, value)
    cuts: dict[tuple[int, int], int] = {}

    def cut(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in cuts:
            lo, hi = key
            cuts[key] = half.add(lo, hi, float(value[lo] / (value[lo] - value[hi])))
        return cuts[key]

    kept: list[list[int]] = []
    for triangle in triangles[(value[triangles] < 0).any(axis=1)].tolist():
        corners: list[int] = []
        for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            if value[a] <= 0:
                corners.append(a)
            if value[a] * value[b] < 0:
                corners.append(cut(a, b))
        kept += [[corners[0], *corners[k : k + 2]] for k in range(1, len(corners) - 1)]
    return np.array(kept)


def _snapped(triangles: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Put vertices near the cut onto it, so that the cut leaves no slivers."""
    edges = np.array(_edges(triangles))
    a, b = value[edges[:, 0]], value[edges[:, 1]]
    crossing = a * b < 0
    edges, a, b = edges[crossing], a[crossing], b[crossing]
    at = a / (a - b)
    value = value.copy()
    value[edges[at < SNAP, 0]] = 0.0
    value[edges[at > 1 - SNAP, 1]] = 0.0
    return value


def _component(triangles: np.ndarray, seed: int) -> np.ndarray:
    """Return the triangles that are connected with the seed vertex."""
    reached = {seed}
    while True:
        touched = np.isin(triangles, list(reached)).any(axis=1)
        grown = set(triangles[touched].ravel().tolist())
        if grown == reached:
            return triangles[touched]
        reached = grown


def _mirrored(half: _Half, triangles: np.ndarray, head_mirror: np.ndarray) -> SurfaceMesh:
    used, triangles = np.unique(triangles, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    ends, fraction = np.array(half.ends)[used], np.array(half.fraction)[used]
    label, depth = np.array(half.label)[used], np.array(half.depth)[used]
    on_midline = (head_mirror[ends] == ends).all(axis=1)
    other = np.arange(len(used))
    other[~on_midline] = len(used) + np.arange(np.count_nonzero(~on_midline))
    mirror = np.concatenate([other, np.flatnonzero(~on_midline)])
    away = np.where(label == EYEBALL_LEFT, EYEBALL_RIGHT, label)[~on_midline]
    return SurfaceMesh(
        ends=np.concatenate([ends, head_mirror[ends[~on_midline]]]),
        fraction=np.concatenate([fraction, fraction[~on_midline]]),
        label=np.concatenate([label, away]),
        depth=np.concatenate([depth, depth[~on_midline]]),
        triangles=np.concatenate([triangles, other[triangles[:, ::-1]]]),
        mirror=mirror,
    )
