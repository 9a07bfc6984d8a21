"""Light: spherical-harmonic surroundings, one lamp, baked self-shadow, shading per vertex.

Convention:
    Directions for the harmonics have y UP (panorama frame); points and normals of the head have
    y down.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..geometry.harmonics import CONSTANT, harmonics
from ..geometry.pose import rotation_from_angles
from .numbers import Numbers

__all__ = ["Light", "main_light", "sample_light", "shade", "vertex_normals"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Light:
    """Light of one picture; colours are linear, about 1 for a well-lit surface."""

    surround: Array  # [9, 3] irradiance over pi of a diffuse surface, already turned
    turn: Array  # [3, 3] camera frame (y up) -> panorama frame
    lamp: Array  # [3] direction to the lamp in the camera frame (y down), unit
    lamp_color: Array  # [3]
    gloss: Array  # [], strength of the highlights
    sharpness: Array  # [], exponent of the highlights
    occlusion: Array  # [], strength of the ambient shadow in [0, 1.5]


def sample_light(key: Array, irradiance: Float[Array, "panoramas 9 3"]) -> Light:
    """Return a random light: a turned panorama, and a lamp of random strength."""
    draw = Numbers(key, 20)
    chosen = irradiance[draw.integer(irradiance.shape[0])]
    # Scale to one for a surface that sees everything; colour casts are kept in part only.
    white = jnp.maximum(chosen[0] * CONSTANT, 1e-4)
    cast = draw.uniform(high=0.4)
    surround = chosen / white * (white / white.mean()) ** cast
    turn = rotation_from_angles(
        draw.uniform(low=-180.0, high=180.0), 12.0 * draw.normal(), 8.0 * draw.normal()
    )
    # Lamps stand mostly above and before the face, sometimes anywhere.
    spread = draw.uniform(low=0.3, high=1.6)
    lamp = jnp.array([0.0, -0.45, 0.8]) + spread * draw.normal((3,))
    lamp = lamp / jnp.maximum(jnp.linalg.norm(lamp), 1e-3)
    power = 2.2 * jnp.maximum(draw.uniform(low=-0.6, high=1.0), 0.0) ** 1.5
    warm = 0.25 * draw.normal() * jnp.array([1.0, 0.1, -1.0])
    return Light(
        surround=surround / (1.0 + 0.5 * power),
        turn=turn,
        lamp=lamp,
        lamp_color=power * jnp.exp(warm),
        gloss=draw.uniform() ** 2 * 0.5,
        sharpness=jnp.exp(draw.uniform(low=1.6, high=3.6)),
        occlusion=draw.uniform(low=0.5, high=1.4),
    )


def main_light(light: Light) -> Float[Array, " 3"]:
    """Return where most of the light comes from (y down).

    The length is the share that comes from there: 0 in an even light, 1 in that of a lamp alone.
    """
    towards = jnp.concatenate([jnp.eye(3), -jnp.eye(3)])
    up = towards * jnp.array([1.0, -1.0, 1.0])
    around = (harmonics(up @ light.turn.T) @ light.surround).mean(axis=-1)
    lamp = light.lamp_color.mean()
    slope = (around[:3] - around[3:]) / 2 + lamp * light.lamp
    return slope / jnp.maximum(around.mean() + lamp, 1e-3)


def vertex_normals(vertices: Float[Array, "v 3"], triangles: Array) -> Float[Array, "v 3"]:
    """Return unit normals that point outwards.

    Args:
        vertices: positions in a frame with y down.
        triangles: ``[T, 3]``, counter-clockwise from outside.
    """
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    face = jnp.cross(c - a, b - a)  # y down: the other order points inwards
    total = jnp.zeros_like(vertices)
    for corner in range(3):
        total = total.at[triangles[:, corner]].add(face)
    return total / jnp.maximum(jnp.linalg.norm(total, axis=-1, keepdims=True), 1e-12)


def shade(
    normals: Float[Array, "v 3"],
    light: Light,
    lamp_visibility: Float[Array, " v"],
    openness: Float[Array, " v"],
) -> Float[Array, "v 4"]:
    """Return the diffuse light (RGB) and the specular light (white) of vertices.

    Args:
        normals: outward, camera frame (y down).
        light: the light.
        lamp_visibility: 1 where the lamp is seen, 0 in its shadow.
        openness: share of the surroundings that is seen, cosine-weighted.
    """
    up = normals * jnp.array([1.0, -1.0, 1.0])
    ambient = jnp.maximum(harmonics(up @ light.turn.T) @ light.surround, 0.06)
    ambient *= (openness**light.occlusion)[:, None]
    facing = normals @ light.lamp
    lambert = jnp.clip((facing + 0.12) / 1.12, 0.0, None) * lamp_visibility
    diffuse = ambient + lambert[:, None] * light.lamp_color
    view = jnp.array([0.0, 0.0, 1.0])
    half = light.lamp + view
    half = half / jnp.maximum(jnp.linalg.norm(half), 1e-3)
    shine = jnp.clip(normals @ half, 0.0, 1.0) ** light.sharpness * lamp_visibility
    rim = (1.0 - jnp.clip(normals[:, 2], 0.0, 1.0)) ** 4
    glare = shine * light.lamp_color.mean() + 0.35 * rim * ambient.mean(axis=-1)
    return jnp.concatenate([diffuse, (light.gloss * glare)[:, None]], axis=-1)
