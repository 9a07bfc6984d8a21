"""The 68 iBUG landmarks: their groups, their mirror order, and reading them from a position map.

Convention:
    iBUG order; jaw points lie on the surface (3D convention of 300W-LP). "Left" in
    ``MIRROR_68`` does not matter: landmark k of a mirrored face is landmark ``MIRROR_68[k]`` of
    the face itself.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from .sampling import sample_bilinear

__all__ = [
    "BROWS",
    "EYES",
    "EYE_CORNERS",
    "INNER_LIPS",
    "JAW",
    "LIDS",
    "MIRROR_68",
    "MOUTH",
    "MOUTH_CORNERS",
    "NOSE",
    "NOSE_BASE",
    "NOSE_TIP",
    "pair_distance",
    "read_landmarks",
]

JAW = np.arange(0, 17)
BROWS = np.arange(17, 27)
NOSE = np.arange(27, 36)
NOSE_TIP = 30
NOSE_BASE = np.arange(31, 36)
EYES = np.arange(36, 48)
MOUTH = np.arange(48, 68)
MOUTH_CORNERS = np.array([48, 54])
# Pairs that lie opposite: upper and lower, or outer and inner.
LIDS = np.array([[37, 41], [38, 40], [43, 47], [44, 46]])
EYE_CORNERS = np.array([[36, 39], [45, 42]])
INNER_LIPS = np.array([[61, 67], [62, 66], [63, 65]])

MIRROR_68 = np.concatenate(
    [
        JAW[::-1],
        BROWS[::-1],
        [27, 28, 29, 30, 35, 34, 33, 32, 31],
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
        [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65],
    ]
)


def read_landmarks(
    position_map: Float[Array, "size size 3"], landmark_uv: Float[Array, "landmarks 2"]
) -> Float[Array, "landmarks 3"]:
    """Read the landmarks' photo positions from a position map, between its texels.

    Args:
        position_map: texel to photo position, pixels.
        landmark_uv: UV coordinates of the landmarks, in [0, 1].

    Returns:
        Positions (x, y, z), photo pixels.
    """
    return sample_bilinear(position_map, landmark_uv * position_map.shape[0] - 0.5)


def pair_distance(
    landmarks: Float[Array, "68 c"], pairs: Int[np.ndarray, "pairs 2"]
) -> Float[Array, ""]:
    """Return the mean distance between the two of each pair, such as `LIDS`."""
    first, second = pairs.T
    return jnp.linalg.norm(landmarks[second] - landmarks[first], axis=-1).mean()
