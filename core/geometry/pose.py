"""Head pose as angles.

Convention:
    Rotations map the canonical frame to the photo frame (x right, y down, z to the camera).
    Angles are degrees with the signs and the order of 300W-LP and AFLW2000-3D:
    ``R = Rx(pitch) Ry(-yaw) Rz(roll)`` with the usual right-handed matrices of these axes.
    Positive yaw turns the nose to the left of the picture, positive pitch lifts it, positive roll
    turns the head clockwise in the picture. Two triples give each rotation, (yaw, pitch, roll) and
    (180 - yaw, pitch + 180, roll + 180). We take the one whose yaw lies in [-90, 90], but for
    pitch and roll both beyond 90 degrees: such a head is turned further, and otherwise upright.

References:
    X. Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", 2016 (300W-LP, AFLW2000).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..products import product

__all__ = [
    "Angle",
    "angles_from_rotation",
    "inplane_roll",
    "inplane_rotation",
    "rotation_from_angles",
]

Angle = int | float | np.floating | Float[Array, ""]


def _about(axis: int, degrees: Angle) -> Array:
    """Return the rotation about one axis."""
    angle = jnp.radians(jnp.asarray(degrees, dtype=jnp.float32))
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    one, zero = jnp.ones_like(angle), jnp.zeros_like(angle)
    rows = {
        0: [[one, zero, zero], [zero, cosine, -sine], [zero, sine, cosine]],
        1: [[cosine, zero, sine], [zero, one, zero], [-sine, zero, cosine]],
        2: [[cosine, -sine, zero], [sine, cosine, zero], [zero, zero, one]],
    }[axis]
    return jnp.stack([jnp.stack(row) for row in rows])


def rotation_from_angles(yaw: Angle, pitch: Angle, roll: Angle) -> Float[Array, "3 3"]:
    """Return the rotation matrix of a pose, angles in degrees."""
    return product(product(_about(0, pitch), _about(1, -yaw)), _about(2, roll))


@jax.jit
def angles_from_rotation(
    rotation: Float[Array, "3 3"],
) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """Return (yaw, pitch, roll) in degrees, each in [-180, 180].

    Roll is 0 where yaw is exactly +-90. Yaw is beyond 90 only where pitch and roll are not.
    """
    r = rotation
    across = jnp.hypot(r[0, 0], r[0, 1])
    is_locked = across < 1e-6
    yaw = -jnp.arctan2(r[0, 2], across)
    pitch = jnp.where(is_locked, jnp.arctan2(r[2, 1], r[1, 1]), jnp.arctan2(-r[1, 2], r[2, 2]))
    roll = jnp.where(is_locked, 0.0, jnp.arctan2(-r[0, 1], r[0, 0]))
    is_beyond = (jnp.abs(pitch) > jnp.pi / 2) & (jnp.abs(roll) > jnp.pi / 2)
    half_turn = jnp.pi * is_beyond.astype(yaw.dtype)
    yaw = jnp.where(is_beyond, jnp.copysign(jnp.pi, yaw) - yaw, yaw)
    pitch, roll = (angle - jnp.sign(angle) * half_turn for angle in (pitch, roll))
    return jnp.degrees(yaw), jnp.degrees(pitch), jnp.degrees(roll)


def inplane_rotation(degrees: Angle) -> Float[Array, "2 2"]:
    """Return the turn by an angle in the picture plane, clockwise as seen (y points down)."""
    return _about(2, degrees)[:2, :2]


def inplane_roll(rotation: Float[Array, "3 3"]) -> Float[Array, ""]:
    """Return the turn in the picture plane, degrees clockwise, that an upright crop undoes.

    Unlike the roll of `angles_from_rotation` it stays well defined for profiles, where nodding
    turns the head in the picture plane too.
    """
    r = rotation
    return jnp.degrees(jnp.arctan2(r[1, 0] - r[0, 1], r[0, 0] + r[1, 1]))
