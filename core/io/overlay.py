"""Pictures that show a person what was reconstructed: four panels around one face.

The panels are the 68 landmarks (bright where they are seen), the surface as clay with its UV
lines, the head's pose as a box, and the depth. All are drawn at one size, whatever the size of
the face in the photo.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from ..geometry.crop import box_from_landmarks, crop_box, extract_crop
from ..geometry.layout import UVLayout
from ..geometry.pose import angles_from_rotation
from ..geometry.sampling import sample_bilinear
from ..types import Face
from .layers import draw_surface

__all__ = ["PANEL", "draw_landmarks", "draw_overlay"]

PANEL = 512  # pixels of one panel along each side; a window size, so that depth shares the code

_FACTOR = 2.1  # side of the view over the mean of the landmark box's width and height
_SHIFT = 4  # OpenCV draws with 1 / 16 pixel
_SEEN = (120, 255, 190)
_HIDDEN = (255, 120, 90)
_INK = (20, 30, 40)
_FRONT = (255, 196, 64)
_BACK = (90, 160, 255)
_WHITE = (255, 255, 255)
_CAPTION = 36  # rows of the strip under the caption
_UV_LINES = 24  # lines across the UV map
_LIGHT = np.array([-0.35, -0.45, 0.82])  # from the upper left, towards the camera

# polylines of the 68 points: first, last, is closed
_CURVES = (
    (0, 16, False),
    (17, 21, False),
    (22, 26, False),
    (27, 30, False),
    (31, 35, False),
    (36, 41, True),
    (42, 47, True),
    (48, 59, True),
    (60, 67, True),
)

Picture = UInt8[np.ndarray, "height width 3"]


def draw_overlay(
    image: Float[np.ndarray, "height width 3"], face: Face, layout: UVLayout
) -> UInt8[np.ndarray, "side side 3"]:
    """Return the four panels of one face.

    Args:
        image: the photo, RGB in [0, 1].
        face: what was reconstructed from it.
        layout: UV layout of the face.

    Returns:
        RGB picture of ``2 * PANEL`` pixels along each side.
    """
    photo_from_panel = crop_box(box_from_landmarks(face.landmarks), size=PANEL, factor=_FACTOR)
    view = extract_crop(image, photo_from_panel, PANEL)
    panel_from_photo = photo_from_panel.inverse()
    position_map = panel_from_photo.apply(jnp.asarray(face.position_map))
    drawn = np.asarray(draw_surface(position_map, layout, jnp.zeros(2, jnp.int32), side=PANEL))
    seen = sample_bilinear(
        jnp.asarray(face.visibility)[..., None], layout.landmark_uv * layout.size - 0.5
    )
    landmarks = np.asarray(panel_from_photo.apply(jnp.asarray(face.landmarks)))
    base = np.ascontiguousarray(np.rint(np.clip(view, 0, 1) * 255).astype(np.uint8))
    corners = face.camera.project(jnp.asarray(_head_box(layout)))
    box = np.asarray(panel_from_photo.apply(corners))
    panels = [
        _landmark_panel(base, landmarks[:, :2], np.asarray(seen)[:, 0]),
        _clay_panel(view, drawn),
        _pose_panel(base, box[:, :2], face),
        _depth_panel(view, drawn),
    ]
    return np.concatenate(
        [np.concatenate(panels[:2], axis=1), np.concatenate(panels[2:], axis=1)], axis=0
    )


def draw_landmarks(
    image: Float[np.ndarray, "height width 3"], landmarks: Float[np.ndarray, "68 d"]
) -> UInt8[np.ndarray, "side side 3"]:
    """Return the panel of the landmarks alone, ``PANEL`` pixels along each side."""
    points = jnp.asarray(landmarks[:, :2], jnp.float32)
    photo_from_panel = crop_box(box_from_landmarks(points), size=PANEL, factor=_FACTOR)
    view = extract_crop(image, photo_from_panel, PANEL)
    base = np.ascontiguousarray(np.rint(np.clip(view, 0, 1) * 255).astype(np.uint8))
    placed = np.asarray(photo_from_panel.inverse().apply(points))
    return _landmark_panel(base, placed, np.ones(68, np.float32))


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.rint(points * 2**_SHIFT).astype(np.int32)


def _line(
    picture: Picture, points: np.ndarray, color: Sequence[int], width: int, closed: bool = False
) -> None:
    cv2.polylines(picture, [_fixed(points)], closed, tuple(color), width, cv2.LINE_AA, _SHIFT)


def _landmark_panel(
    base: Picture, points: Float[np.ndarray, "68 2"], seen: Float[np.ndarray, " 68"]
) -> Picture:
    picture = base.copy()
    weight = np.clip(seen, 0, 1)[:, None]
    colors = np.rint(weight * _SEEN + (1 - weight) * np.array(_HIDDEN)).astype(int)
    for first, last, closed in _CURVES:
        loop = [*range(first, last + 1), *([first] if closed else [])]
        _line(picture, points[loop], _INK, 4)
        for start, end in itertools.pairwise(loop):
            color = ((colors[start] + colors[end]) // 2).tolist()
            _line(picture, points[[start, end]], color, 2)
    for point, color in zip(_fixed(points), colors.tolist(), strict=True):
        for radius, shade in ((4.5, _INK), (3.2, color)):
            size = round(radius * 2**_SHIFT)
            cv2.circle(picture, point.tolist(), size, shade, -1, cv2.LINE_AA, _SHIFT)
    return picture


def _clay_panel(view: Float[np.ndarray, "n n 3"], drawn: Float[np.ndarray, "n n 7"]) -> Picture:
    normal, uv, coverage = drawn[..., :3], drawn[..., 4:6], drawn[..., 6:]
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    light = (normal / np.maximum(length, 1e-6)) @ (_LIGHT / np.linalg.norm(_LIGHT))
    clay = (0.30 + 0.70 * np.clip(light, 0, 1))[..., None] * np.array([0.93, 0.89, 0.85])
    lines = _uv_lines(uv) * 0.45
    surface = clay * (1 - lines) + np.array([0.10, 0.25, 0.45]) * lines
    return _blend(view, surface, 0.88 * _soften(coverage))


def _uv_lines(uv: Float[np.ndarray, "n n 2"]) -> Float[np.ndarray, "n n 1"]:
    """Return the weight of anti-aliased lines of constant u and v, about 1.2 pixels wide."""
    phase = uv * _UV_LINES
    slopes = [np.hypot(*np.gradient(phase[..., axis])) for axis in range(2)]
    slope = np.clip(np.stack(slopes, axis=-1), 1e-6, 1.0)  # no lines along the outline
    distance = np.abs(phase - np.rint(phase)) / slope
    return np.clip(1.1 - distance, 0, 1).max(axis=-1, keepdims=True)


def _soften(coverage: Float[np.ndarray, "n n 1"]) -> Float[np.ndarray, "n n 1"]:
    return cv2.GaussianBlur(coverage, (0, 0), 0.8)[..., None] * coverage


def _blend(view: np.ndarray, surface: np.ndarray, weight: Float[np.ndarray, "n n 1"]) -> Picture:
    mixed = view * (1 - weight) + surface * weight
    return np.ascontiguousarray(np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8))


def _head_box(layout: UVLayout) -> Float[np.ndarray, "8 3"]:
    """Return the corners of a box around the canonical face: front four, then back four."""
    points = np.asarray(layout.canonical)[np.asarray(layout.mask) > 0.5]
    low, high = points.min(axis=0), points.max(axis=0)
    depth = low[2], low[2] + 1.05 * (high[2] - low[2])
    square = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    corners = [(x, y, z) for z in (depth[1], depth[0]) for x, y in square]
    return np.array(corners, dtype=np.float32)


def _pose_panel(base: Picture, box: Float[np.ndarray, "8 2"], face: Face) -> Picture:
    picture = base.copy()
    front, back = box[:4], box[4:]
    for color, width in ((_INK, 4), (_BACK, 2)):
        _line(picture, back, color, width, closed=True)
        for start, end in zip(front, back, strict=True):
            _line(picture, np.stack([start, end]), color, width)
    glass = picture.copy()
    cv2.fillPoly(glass, [_fixed(front)], _FRONT, cv2.LINE_AA, _SHIFT)
    picture = cv2.addWeighted(glass, 0.18, picture, 0.82, 0)
    _line(picture, front, _INK, 4, closed=True)
    _line(picture, front, _FRONT, 2, closed=True)
    angles = [float(angle) for angle in angles_from_rotation(face.camera.rotation)]
    words = "  ".join(
        f"{name} {angle:+.0f}" for name, angle in zip(("yaw", "pitch", "roll"), angles, strict=True)
    )
    picture[-_CAPTION:] = picture[-_CAPTION:] // 3
    place = (14, PANEL - 12)
    cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, _WHITE, 1, cv2.LINE_AA)
    return picture


def _depth_panel(view: Float[np.ndarray, "n n 3"], drawn: Float[np.ndarray, "n n 7"]) -> Picture:
    depth, coverage = drawn[..., 3], drawn[..., 6:]
    covered = depth[coverage[..., 0] > 0.5]
    if not covered.size:
        covered = np.zeros(1, dtype=np.float32)
    low, high = covered.min(), covered.max()
    level = np.clip((depth - low) / max(high - low, 1e-6), 0, 1)
    colors = cv2.applyColorMap(np.rint(level * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    grey = np.repeat(view.mean(axis=-1, keepdims=True), 3, axis=-1) * 0.6
    return _blend(grey, colors[..., ::-1] / 255.0, 0.92 * _soften(coverage))
