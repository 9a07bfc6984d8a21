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
from jaxtyping import Float

from ..core.geometry.camera import closest_rotation
from ..core.geometry.landmarks import read_landmarks
from ..core.geometry.layout import UVLayout
from ..core.reconstruct import read_texture
from ..core.types import Camera, Face

__all__ = ["REACH", "mean_weights", "parabola_weights", "steady_face"]

REACH = 3  # frames to either side: a tenth of a second, in which lips move little more than that
_WIDTH = 1.5  # frames, of the Gaussian by which visibilities are averaged


def parabola_weights(before: int, after: int) -> Float[np.ndarray, " frames"]:
    """Return weights of ``2 REACH + 1`` frames: what a parabola through those there are has at 0.

    Args:
        before: frames that are there before the middle one, up to `REACH`.
        after: and after it.
    """
    places = np.arange(-before, after + 1)
    powers = np.vander(places, min(3, len(places)), increasing=True).astype(np.float64)
    return _padded(np.linalg.pinv(powers)[0], before, after)


def mean_weights(before: int, after: int) -> Float[np.ndarray, " frames"]:
    """Return weights of ``2 REACH + 1`` frames: a Gaussian's over those there are, sum 1.

    Args:
        before: frames that are there before the middle one, up to `REACH`.
        after: and after it.
    """
    places = np.arange(-before, after + 1)
    weights = np.exp(-0.5 * (places / _WIDTH) ** 2)
    return _padded(weights / weights.sum(), before, after)


def _padded(
    weights: Float[np.ndarray, " some"], before: int, after: int
) -> Float[np.ndarray, " frames"]:
    return np.pad(weights, (REACH - before, REACH - after)).astype(np.float32)


def steady_face(
    faces: Sequence[Face],
    middle: int,
    image: Float[np.ndarray, "height width 3"],
    layout: UVLayout,
) -> Face:
    """Return the face of a frame as it and its neighbours tell.

    Args:
        faces: one face in consecutive frames, up to `REACH` before and after the middle one.
        middle: which of them it is.
        image: its frame, RGB in [0, 1].
        layout: UV layout of the faces.
    """
    before, after = middle, len(faces) - 1 - middle
    filled = [faces[middle]] * (REACH - before) + [*faces] + [faces[middle]] * (REACH - after)
    found = _averaged(filled, parabola_weights(before, after), mean_weights(before, after), layout)
    return dataclasses.replace(found, texture=read_texture(image, found.position_map))


@jax.jit
def _averaged(
    faces: list[Face],
    parabola: Float[Array, " frames"],
    soft: Float[Array, " frames"],
    layout: UVLayout,
) -> Face:
    """Return the face in the middle with what the parabola and the averages say of it."""

    def total(weights: Array, parts: Iterable[Array]) -> Array:
        return sum((weights[k] * part for k, part in enumerate(parts)), jnp.zeros(()))

    cameras = [face.camera for face in faces]
    position_map = total(parabola, (face.position_map for face in faces))
    return dataclasses.replace(
        faces[REACH],
        position_map=position_map,
        visibility=total(soft, (face.visibility for face in faces)),
        self_visibility=total(soft, (face.self_visibility for face in faces)),
        camera=Camera(
            scale=total(parabola, (camera.scale for camera in cameras)),
            rotation=closest_rotation(total(parabola, (camera.rotation for camera in cameras))),
            translation=total(parabola, (camera.translation for camera in cameras)),
        ),
        landmarks=read_landmarks(position_map, layout.landmark_uv),
    )
