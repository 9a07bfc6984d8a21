"""Faces of a video made steady: what a network sees in neighbouring frames, put together.

Each frame is read by itself, so that a map trembles by a part of a pixel. A parabola through the
positions of a texel in the frames around follows how the head moves, and evens out what trembles:
the filter of Savitzky and Golay.

References:
    A. Savitzky, M. J. E. Golay, "Smoothing and Differentiation of Data by Simplified Least Squares
    Procedures", Analytical Chemistry 36, 1964.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Int

from ...core.geometry.camera import closest_rotation
from ...core.geometry.landmarks import read_landmarks
from ...core.geometry.layout import UVLayout
from ...core.geometry.visibility import in_photo
from ...core.reconstruct import read_texture
from ...core.types import Camera, Face

__all__ = ["REACH", "mean_weights", "parabola_weights", "steady_face"]

REACH = 3  # frames to either side that are looked at
# Seconds to either side: in more, lips do more than a parabola can follow. Of the slowest films, 24
# frames in a second, it is three frames, their times rounded to a millisecond.
_LONGEST = 0.127
_WIDTH = 0.05  # seconds, of the Gaussian by which visibilities are averaged


def parabola_weights(seconds: Sequence[float], middle: int) -> Float[np.ndarray, " frames"]:
    """Return weights of ``2 REACH + 1`` frames: what a parabola through those there are has at 0.

    Args:
        seconds: when the frames are shown that are there, up to `REACH` before and after the
            middle one.
        middle: which of them that is.
    """
    places, near = _places(seconds, middle)
    powers = np.vander(places[near], min(3, int(near.sum())), increasing=True)
    weights = np.zeros(len(places))
    weights[near] = np.linalg.pinv(powers)[0]
    return _padded(weights, middle)


def mean_weights(seconds: Sequence[float], middle: int) -> Float[np.ndarray, " frames"]:
    """Return weights of ``2 REACH + 1`` frames: a Gaussian's over those there are, sum 1.

    Args:
        seconds: as for `parabola_weights`.
        middle: which of the frames is meant.
    """
    places, near = _places(seconds, middle)
    weights = np.exp(-0.5 * (places * _LONGEST / _WIDTH) ** 2) * near
    return _padded(weights / weights.sum(), middle)


def _places(
    seconds: Sequence[float], middle: int
) -> tuple[Float[np.ndarray, " some"], Bool[np.ndarray, " some"]]:
    """Return times from the middle, in units of `_LONGEST`, and which are near enough."""
    places = (np.asarray(seconds, np.float64) - seconds[middle]) / _LONGEST
    return places, np.abs(places) <= 1.0


def _padded(weights: Float[np.ndarray, " some"], middle: int) -> Float[np.ndarray, " frames"]:
    after = len(weights) - 1 - middle
    return np.pad(weights, (REACH - middle, REACH - after)).astype(np.float32)


def steady_face(
    faces: Sequence[Face],
    seconds: Sequence[float],
    middle: int,
    image: Float[np.ndarray, "height width 3"],
    layout: UVLayout,
) -> Face:
    """Return the face of a frame as it and its neighbours tell.

    Args:
        faces: one face in consecutive frames, up to `REACH` before and after the middle one.
        seconds: when these are shown.
        middle: which of them it is.
        image: its frame, RGB in [0, 1].
        layout: UV layout of the faces.
    """
    before, after = middle, len(faces) - 1 - middle
    filled = [faces[middle]] * (REACH - before) + [*faces] + [faces[middle]] * (REACH - after)
    weights = parabola_weights(seconds, middle), mean_weights(seconds, middle)
    found = _averaged(filled, *weights, jnp.asarray(image.shape[1::-1], jnp.int32), layout)
    return dataclasses.replace(found, texture=read_texture(image, found.position_map))


@jax.jit
def _averaged(
    faces: list[Face],
    parabola: Float[Array, " frames"],
    soft: Float[Array, " frames"],
    size: Int[Array, " 2"],
    layout: UVLayout,
) -> Face:
    """Return the face in the middle with what the parabola and the averages say of it."""

    def total(weights: Array, parts: Iterable[Array]) -> Array:
        return sum((weights[k] * part for k, part in enumerate(parts)), jnp.zeros(()))

    cameras = [face.camera for face in faces]
    position_map = total(parabola, (face.position_map for face in faces))
    is_in = in_photo(position_map, size)
    return dataclasses.replace(
        faces[REACH],
        position_map=position_map,
        visibility=is_in * total(soft, (face.visibility for face in faces)),
        self_visibility=is_in * total(soft, (face.self_visibility for face in faces)),
        camera=Camera(
            scale=total(parabola, (camera.scale for camera in cameras)),
            rotation=closest_rotation(total(parabola, (camera.rotation for camera in cameras))),
            translation=total(parabola, (camera.translation for camera in cameras)),
        ),
        landmarks=read_landmarks(position_map, layout.landmark_uv),
    )
