"""Pictures that show a person what was reconstructed: six panels around one face.

The panels are the 68 landmarks (bright where they are seen), the dense points in the colours of
their place on the mean face, the mesh as wires, the surface as clay, the head's pose as a box, and
the depth. All are drawn at one size, whatever the size of the face in the photo.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from ..geometry.layout import UVLayout
from ..geometry.pose import angles_from_rotation
from ..types import Face
from .layers import canonical_code, draw_surface
from .panels import (
    captioned,
    clay_panel,
    dense_panel,
    depth_panel,
    landmark_panel,
    pose_panel,
    wire_panel,
)
from .view import view_around

__all__ = ["PANEL", "draw_landmarks", "draw_overlay"]

PANEL = 512  # pixels of one panel along each side; a window size, so that depth shares the code

_FACTOR = 1.12  # side of the view over that of the box around mesh and pose box
_LANDMARK_FACTOR = 2.0  # over that of the box around the landmarks
_STEP = 4  # texels between dense points


def draw_overlay(
    image: Float[np.ndarray, "height width 3"], face: Face, layout: UVLayout
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Return the six panels of one face, two rows of three.

    Args:
        image: the photo, RGB in [0, 1].
        face: what was reconstructed from it.
        layout: UV layout of the face.
    """
    is_face = np.asarray(layout.mask) > 0.5
    positions = np.asarray(face.position_map, np.float32)
    box = _project(face, _head_box(layout, is_face))
    shown = np.concatenate([positions[is_face], box])
    view = view_around(shown, size=PANEL, factor=_FACTOR)
    back = view.cut(image)
    origin = np.zeros(2, np.int32)
    drawn = np.asarray(draw_surface(view.place(positions), layout, origin, side=PANEL))
    seen = np.asarray(face.visibility, np.float32)
    chosen = np.zeros_like(is_face)
    chosen[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP] = True
    chosen &= is_face
    angles = [float(angle) for angle in angles_from_rotation(face.camera.rotation)]
    words = "  ".join(
        f"{name} {angle:+.0f}" for name, angle in zip(("yaw", "pitch", "roll"), angles, strict=True)
    )
    landmarks = view.place(np.asarray(face.landmarks))[:, :2]
    places = view.place(positions)[chosen][:, :2]
    code = canonical_code(layout)[chosen]
    panels = [
        (landmark_panel(back, landmarks, _at_landmarks(seen, layout)), "68 landmarks"),
        (dense_panel(back, places, code, seen[chosen]), "dense alignment"),
        (wire_panel(back, drawn), "mesh"),
        (clay_panel(back, drawn), "surface"),
        (pose_panel(back, view.place(box)[:, :2]), words),
        (depth_panel(back, drawn), "depth"),
    ]
    tiles = [captioned(panel, caption) for panel, caption in panels]
    return np.concatenate(
        [np.concatenate(tiles[:3], axis=1), np.concatenate(tiles[3:], axis=1)], axis=0
    )


def draw_landmarks(
    image: Float[np.ndarray, "height width 3"], landmarks: Float[np.ndarray, "68 d"]
) -> UInt8[np.ndarray, "side side 3"]:
    """Return the panel of the landmarks alone, ``PANEL`` pixels along each side."""
    view = view_around(landmarks, size=PANEL, factor=_LANDMARK_FACTOR)
    placed = view.place(landmarks[:, :2])
    return landmark_panel(view.cut(image), placed, np.ones(68, np.float32))


def _at_landmarks(
    values: Float[np.ndarray, "size size"], layout: UVLayout
) -> Float[np.ndarray, " 68"]:
    """Return the values of the texels nearest to the landmarks."""
    texel = np.asarray(layout.landmark_uv) * layout.size
    column, row = np.clip(texel.astype(int), 0, layout.size - 1).T
    return values[row, column]


def _project(face: Face, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    camera = face.camera
    turned = points @ np.asarray(camera.rotation).T
    return np.asarray(camera.scale) * turned + np.asarray(camera.translation)


def _head_box(layout: UVLayout, is_face: np.ndarray) -> Float[np.ndarray, "8 3"]:
    """Return the corners of a box around the canonical face: front four, then back four."""
    points = np.asarray(layout.canonical)[is_face]
    low, high = points.min(axis=0), points.max(axis=0)
    depth = low[2] + 0.3 * (high[2] - low[2]), low[2] + 1.02 * (high[2] - low[2])
    square = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    corners = [(x, y, z) for z in (depth[1], depth[0]) for x, y in square]
    return np.array(corners, dtype=np.float32)
