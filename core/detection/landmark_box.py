"""From a detector's face to the box around the 68 landmarks, which crops are made from.

A detector's box is not the box that the networks are trained with: it ends at other places, and
it changes with the detector and with the roll of the head. So the box is predicted from the five
points, in the face frame, as the *support function* of the 68 landmarks: how far they reach in a
direction. Its value in the four directions of the picture is the box at any roll.

The reach in direction a (radians from the face's x axis towards its y axis) is::

    reach(a) = features @ COEFFICIENTS @ [1, cos a, sin a, cos 2a, sin 2a, ...]

in units of the face frame, with the features of `point_features`. `fit_landmark_box.py` makes the
coefficients; the note beside them says from what.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .five_points import face_frame
from .landmark_box_coefficients import COEFFICIENTS
from .protocol import Detection

__all__ = ["harmonics", "landmark_box", "point_features"]

_ORDER = 4  # harmonics of the support function


def harmonics(angle: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n 9"]:
    """Return the basis of the support function at angles in radians."""
    waves = [np.ones_like(angle)]
    for order in range(1, _ORDER + 1):
        waves += [np.cos(order * angle), np.sin(order * angle)]
    return np.stack(waves, axis=-1)


def point_features(points: Float[np.ndarray, "5 2"]) -> Float[np.ndarray, " features"]:
    """Return what the prediction is made from: a constant and the points in the face frame.

    The products let the reach bend with the turn of the head, which moves the nose tip.
    """
    local = face_frame(points).from_photo(points)
    flat = local.reshape(-1)
    nose_x, nose_y = local[2]
    bends = [nose_x * nose_x, nose_x * nose_y, nose_y * nose_y]
    return np.concatenate([[1.0], flat, bends]).astype(np.float32)


def landmark_box(face: Detection) -> Float[np.ndarray, " 4"]:
    """Return the box around the 68 landmarks: left, top, right, bottom in photo pixels."""
    frame = face_frame(face.points)
    directions = np.array([np.pi, 1.5 * np.pi, 0.0, 0.5 * np.pi]) - frame.roll
    reach = point_features(face.points) @ COEFFICIENTS @ harmonics(directions).T
    sign = np.array([-1, -1, 1, 1])
    box = np.tile(frame.centre, 2) + sign * frame.unit * reach
    return box.astype(np.float32)
