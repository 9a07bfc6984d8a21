"""Glasses: rims, bridge, arms and lenses of random shape, worn by the head."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..geometry.rasterize import rasterize
from .numbers import Numbers

__all__ = ["GLASSES_SHARE", "GlassesLook", "draw_glasses", "glasses_vertices", "sample_glasses"]

GLASSES_SHARE = 0.2  # of the pictures
_SEGMENTS = 20  # around a lens


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class GlassesLook:
    """Shape and colours of one pair; lengths in cm, colours linear."""

    half_size: Array  # [2] of a lens
    squareness: Array  # [], exponent of the outline, 2 = ellipse
    thickness: Array  # []
    drop: Array  # [], how far below the eyes the lenses are centred
    standoff: Array  # [], distance of the lenses before the eyes
    frame_color: Array  # [3]
    lens_color: Array  # [3]
    lens_alpha: Array  # []


def sample_glasses(key: Array) -> GlassesLook:
    """Return a random pair: mostly clear, one in four dark."""
    draw = Numbers(key, 20)
    width = draw.uniform(low=2.2, high=3.0)
    dark = draw.chance(0.28)
    frame = draw.uniform() ** 3 * 0.5 * draw.uniform((3,), low=0.4, high=1.0)
    clear = draw.uniform(high=0.12)
    shade = draw.uniform(low=0.65, high=0.98)
    reflect = draw.uniform((3,), low=0.2, high=0.9)
    return GlassesLook(
        half_size=width * jnp.stack([jnp.ones(()), draw.uniform(low=0.6, high=0.95)]),
        squareness=draw.uniform(low=2.0, high=4.5),
        thickness=jnp.where(dark, 0.25, draw.uniform(low=0.08, high=0.35)),
        drop=0.35 + 0.2 * draw.normal(),
        standoff=draw.uniform(low=1.2, high=1.9),
        frame_color=frame + 0.004,
        lens_color=jnp.where(dark, 0.02 * reflect, reflect),
        lens_alpha=jnp.where(dark, shade, clear),
    )


def _mesh() -> tuple[np.ndarray, np.ndarray]:
    """Return triangles and, per triangle, 0 for the frame and 1 for a lens.

    Vertices: per lens (left, right) an inner ring, an outer ring and a back ring of `_SEGMENTS`
    each and the centre; then four for the bridge; then four for each arm.
    """
    triangles: list[tuple[int, int, int]] = []
    kinds: list[int] = []

    def quad(a: int, b: int, c: int, d: int, kind: int = 0) -> None:
        triangles.extend([(a, b, c), (a, c, d)])
        kinds.extend([kind, kind])

    n = _SEGMENTS
    for lens in range(2):
        start = lens * (3 * n + 1)
        for k in range(n):
            j = (k + 1) % n
            quad(start + k, start + j, start + n + j, start + n + k)
            quad(start + n + k, start + n + j, start + 2 * n + j, start + 2 * n + k)
            triangles.append((start + 3 * n, start + k, start + j))
            kinds.append(1)
    base = 2 * (3 * n + 1)
    for part in range(3):
        quad(*(base + 4 * part + k for k in range(4)))
    return np.array(triangles, np.int32), np.array(kinds, np.int32)


_TRIANGLES, _KINDS = _mesh()


def glasses_vertices(
    look: GlassesLook, eyes: Float[Array, "2 3"], ears: Float[Array, "2 3"]
) -> Float[Array, "n 3"]:
    """Return the vertices (canonical frame, cm).

    Args:
        look: the pair.
        eyes: centres of the left and the right eyeball.
        ears: where the arms end, left and right.
    """
    turn = 2 * np.pi * np.arange(_SEGMENTS) / _SEGMENTS
    cosine, sine = np.cos(turn), np.sin(turn)
    power = 2.0 / look.squareness
    outline = jnp.stack(
        [
            jnp.sign(cosine) * jnp.abs(cosine) ** power,
            jnp.sign(sine) * jnp.abs(sine) ** power,
        ],
        axis=-1,
    )
    middle = eyes.mean(axis=0)
    parts = []
    for side, sign in ((0, 1.0), (1, -1.0)):
        centre = middle + jnp.stack(
            [sign * jnp.abs(eyes[side, 0] - middle[0]) * 1.08, look.drop, look.standoff + 1.1]
        )
        for grow, back in ((0.0, 0.0), (1.0, 0.0), (0.8, 0.35)):
            ring = outline * (look.half_size + grow * look.thickness)
            bend = -0.05 * jnp.abs(ring[:, :1]) - back  # lenses follow the face a little
            parts.append(centre + jnp.concatenate([ring, bend], axis=1))
        parts.append(centre[None])
    gap = jnp.abs(eyes[0, 0] - middle[0]) * 1.08 - look.half_size[0]
    height = middle[1] + look.drop - 0.35 * look.half_size[1]
    depth = middle[2] + look.standoff + 1.15
    half = 0.5 * jnp.maximum(look.thickness, 0.15)
    for x0, x1 in ((-gap, gap),):
        parts.append(
            jnp.stack(
                [
                    jnp.stack([x + middle[0], height + y, depth])
                    for x, y in ((x0, -half), (x1, -half), (x1, half), (x0, half))
                ]
            )
        )
    for side, sign in ((0, 1.0), (1, -1.0)):
        edge = middle[0] + sign * (jnp.abs(eyes[side, 0] - middle[0]) * 1.08 + look.half_size[0])
        front = jnp.stack([edge, height, depth - 0.3])
        rear = jnp.stack([ears[side, 0], ears[side, 1], ears[side, 2]])
        up = jnp.stack([jnp.zeros(()), half, jnp.zeros(())])
        parts.append(jnp.stack([front - up, rear - up, rear + up, front + up]))
    return jnp.concatenate(parts)


def draw_glasses(
    points: Float[Array, "n 3"], look: GlassesLook, light: Float[Array, " 3"], size: int
) -> tuple[Float[Array, "size size 3"], Float[Array, "size size"], Float[Array, "size size"]]:
    """Draw glasses; returns linear colour, alpha and depth per pixel.

    Args:
        points: vertices in picture pixels.
        look: the pair.
        light: mean light on the face.
        size: side of the picture.
    """
    triangles = jnp.asarray(_TRIANGLES)
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles = jnp.where((area > 0)[:, None], triangles[:, ::-1], triangles)
    found = rasterize(points, triangles, height=size, width=size)
    number = jnp.maximum(found.triangle, 0)
    is_lens = jnp.asarray(_KINDS)[number] == 1
    # A rim catches light where its segment turns up: a cheap highlight per triangle.
    shine = (
        0.5 + 0.8 * jnp.asarray(np.random.default_rng(5).random(len(_KINDS)), jnp.float32)[number]
    )
    frame = look.frame_color * shine[..., None]
    color = jnp.where(is_lens[..., None], look.lens_color, frame) * light
    alpha = jnp.where(is_lens, look.lens_alpha, 1.0) * found.is_covered.astype(jnp.float32)
    return color, alpha, found.depth
