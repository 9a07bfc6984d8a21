"""Random views: pose, perspective camera, and the frame of the picture.

Convention:
    Points are in the canonical frame (x right, y down, z towards the camera, cm). The picture is
    a square whose middle 256 pixels are the crop that the 68 landmarks call for: their box is
    centred and the mean of its sides is 256 / 1.6 = 160 pixels.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..geometry.pose import angles_from_rotation, rotation_from_angles
from .numbers import Numbers

__all__ = ["PICTURE_SIZE", "Frame", "View", "frame_from_landmarks", "project", "sample_view"]

PICTURE_SIZE = 320
CROP_SIZE = 256
BOX_SCALE = 1.6  # side of the crop over the mean side of the landmark box (PRNet)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """Pose of the head and of the body, and the distance of the camera."""

    angles: Array  # [3] yaw, pitch, roll, degrees
    rotation: Array  # [3, 3] of the head
    body_rotation: Array  # [3, 3]
    distance: Array  # [], camera to head centre, cm


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """Where the projection lands in the picture: pixels = scale * plane + offset."""

    scale: Array  # [], pixels per cm at the head's centre
    offset: Array  # [2], pixels


def sample_view(key: Array) -> View:
    """Return a random view: half near frontal, half over the full range of yaw."""
    draw = Numbers(key, 13)
    wide = draw.uniform(low=-95.0, high=95.0)
    yaw = jnp.where(draw.chance(0.5), wide, 22.0 * draw.normal())
    pitch = 21.0 * draw.normal()
    roll = 21.0 * draw.normal()
    roll = jnp.where(draw.chance(0.06), draw.uniform(low=-180.0, high=180.0), roll)
    yaw, pitch = jnp.clip(yaw, -95, 95), jnp.clip(pitch, -50, 50)
    # Half of the pitch is the head's own nod, half the height of the camera.
    nod = draw.uniform()
    rotation = _turn(yaw, nod * pitch, roll, (1.0 - nod) * pitch)
    follow = draw.uniform((2,), low=0.1, high=1.0)
    body = _turn(follow[0] * yaw, 0.3 * nod * pitch, follow[1] * roll, (1.0 - nod) * pitch)
    distance = jnp.exp(draw.uniform(low=math.log(28.0), high=math.log(250.0)))
    return View(
        angles=jnp.stack(angles_from_rotation(rotation)),
        rotation=rotation,
        body_rotation=body,
        distance=distance,
    )


def _turn(yaw: Array, nod: Array, roll: Array, height: Array) -> Array:
    """Return the rotation: nod, then yaw, then roll of the head, seen from a camera's height."""
    head = rotation_from_angles(yaw, 0.0, 0.0) @ rotation_from_angles(0.0, nod, 0.0)
    rolled = rotation_from_angles(0.0, 0.0, roll) @ head
    return rotation_from_angles(0.0, height, 0.0) @ rolled


def _plane(points: Array, distance: Array) -> Array:
    """Return perspective positions, still in cm at the distance of the head's centre."""
    return points[..., :2] * (distance / jnp.maximum(distance - points[..., 2:], 5.0))


def frame_from_landmarks(landmarks: Float[Array, "68 3"], view: View) -> Frame:
    """Return the frame that makes the landmark box fill the crop (points as turned by the pose)."""
    plane = _plane(landmarks, view.distance)
    low, high = plane.min(axis=0), plane.max(axis=0)
    scale = CROP_SIZE / BOX_SCALE / (high - low).mean()
    return Frame(scale=scale, offset=(PICTURE_SIZE - 1) / 2 - scale * (low + high) / 2)


def project(points: Float[Array, "*n 3"], view: View, frame: Frame) -> Float[Array, "*n 3"]:
    """Return picture positions: exact perspective x and y, z in the scale of the head's centre."""
    plane = frame.scale * _plane(points, view.distance) + frame.offset
    return jnp.concatenate([plane, frame.scale * points[..., 2:]], axis=-1)
