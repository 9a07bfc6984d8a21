"""The panels of an overlay: drawings over one view of a photo."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..levels import quantise

__all__ = [
    "captioned",
    "clay_panel",
    "dense_panel",
    "depth_panel",
    "landmark_panel",
    "pose_panel",
    "wire_panel",
]

_SHIFT = 4  # OpenCV draws with 1 / 16 pixel
_SEEN = (120, 255, 190)
_HIDDEN = (255, 120, 90)
_INK = (20, 30, 40)
_FRONT = (255, 196, 64)
_BACK = (90, 160, 255)
_WHITE = (255, 255, 255)
_CAPTION = 32  # rows of the strip under the caption
_UV_LINES = 40  # lines across the UV map
_LIGHT = np.array([-0.35, -0.45, 0.82])  # from the upper left, towards the camera
_DIM = 0.72  # of a photo that lies behind bright drawings

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
View = Float[np.ndarray, "n n 3"]
Surface = Float[np.ndarray, "n n 7"]  # as `layers.draw_surface` returns it


def captioned(picture: Picture, words: str) -> Picture:
    """Return a panel with words in a dark strip at its foot and a thin frame."""
    picture = picture.copy()
    picture[-_CAPTION:] = picture[-_CAPTION:] // 3
    place = (12, picture.shape[0] - 10)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, words, place, font, 0.6, _WHITE, 1, cv2.LINE_AA)
    side = picture.shape[0] - 1
    cv2.rectangle(picture, (0, 0), (side, side), _INK, 2)
    return picture


def landmark_panel(
    view: View, points: Float[np.ndarray, "68 2"], seen: Float[np.ndarray, " 68"]
) -> Picture:
    """Draw the 68 landmarks: green where they are seen, red where not."""
    picture = quantise(view)
    weight = np.clip(seen, 0, 1)[:, None]
    colors = np.rint(weight * _SEEN + (1 - weight) * np.array(_HIDDEN)).astype(int)
    for first, last, closed in _CURVES:
        loop = [*range(first, last + 1), *([first] if closed else [])]
        _line(picture, points[loop], _INK, 3)
        for start, end in itertools.pairwise(loop):
            color = ((colors[start] + colors[end]) // 2).tolist()
            _line(picture, points[[start, end]], color, 1)
    for point, color in zip(_fixed(points), colors.tolist(), strict=True):
        for radius, shade in ((3.6, _INK), (2.5, color)):
            size = round(radius * 2**_SHIFT)
            cv2.circle(picture, point.tolist(), size, shade, -1, cv2.LINE_AA, _SHIFT)
    return picture


def dense_panel(
    view: View,
    points: Float[np.ndarray, "points 2"],
    colors: Float[np.ndarray, "points 3"],
    seen: Float[np.ndarray, " points"],
) -> Picture:
    """Draw points of the surface in their own colours; those that are hidden are left out."""
    picture = view * _DIM
    side = picture.shape[0]
    is_in = ((points > 2) & (points < side - 3)).all(axis=1) & (seen > 0.05)
    whole = np.rint(points[is_in]).astype(int)
    part = points[is_in] - whole
    for down, right in itertools.product(range(-2, 3), repeat=2):
        distance = np.hypot(part[:, 0] - right, part[:, 1] - down)
        weight = (np.clip(2.0 - distance, 0, 1) * seen[is_in])[:, None]
        row, column = whole[:, 1] + down, whole[:, 0] + right
        picture[row, column] += weight * (0.1 + 0.9 * colors[is_in] - picture[row, column])
    return quantise(picture)


def wire_panel(view: View, drawn: Surface) -> Picture:
    """Draw the mesh, every few texels, as wires over the photo."""
    uv, coverage = drawn[..., 4:6], drawn[..., 6:]
    wires = _lines(np.stack([uv[..., 0], uv[..., 1], uv[..., 0] - uv[..., 1]], axis=-1))
    facing = np.clip(1.4 * drawn[..., 2:3] + 0.3, 0, 1)
    return _blend(view * _DIM, np.full(3, (0.55, 0.95, 1.0)), 0.8 * wires * facing * coverage)


def clay_panel(view: View, drawn: Surface) -> Picture:
    """Draw the surface as clay under one light."""
    normal, coverage = drawn[..., :3], drawn[..., 6:]
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    light = (normal / np.maximum(length, 1e-6)) @ (_LIGHT / np.linalg.norm(_LIGHT))
    clay = (0.25 + 0.75 * np.clip(light, 0, 1))[..., None] * np.array([0.95, 0.90, 0.85])
    return _blend(view, clay, 0.95 * _soften(coverage))


def pose_panel(view: View, box: Float[np.ndarray, "8 2"]) -> Picture:
    """Draw the head's box: front four corners, then back four."""
    picture = quantise(view)
    front, back = box[:4], box[4:]
    for color, width in ((_INK, 4), (_BACK, 2)):
        _line(picture, back, color, width, closed=True)
        for start, end in zip(front, back, strict=True):
            _line(picture, np.stack([start, end]), color, width)
    glass = picture.copy()
    cv2.fillPoly(glass, [_fixed(front)], _FRONT, cv2.LINE_AA, _SHIFT)
    picture = cv2.addWeighted(glass, 0.14, picture, 0.86, 0)
    _line(picture, front, _INK, 4, closed=True)
    _line(picture, front, _FRONT, 2, closed=True)
    return picture


def depth_panel(view: View, drawn: Surface) -> Picture:
    """Draw the depth, from dark and far to bright and near, over a grey photo."""
    depth, coverage = drawn[..., 3], drawn[..., 6:]
    covered = depth[coverage[..., 0] > 0.5]
    if not covered.size:
        covered = np.zeros(1, dtype=np.float32)
    low, high = covered.min(), covered.max()
    level = np.clip((depth - low) / max(high - low, 1e-6), 0, 1)
    colors = cv2.applyColorMap(np.rint(level * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    grey = np.repeat(view.mean(axis=-1, keepdims=True), 3, axis=-1) * 0.6
    return _blend(grey, colors[..., ::-1] / np.float32(255), 0.95 * _soften(coverage))


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.rint(points * 2**_SHIFT).astype(np.int32)


def _line(
    picture: Picture, points: np.ndarray, color: Sequence[int], width: int, closed: bool = False
) -> None:
    cv2.polylines(picture, [_fixed(points)], closed, tuple(color), width, cv2.LINE_AA, _SHIFT)


def _lines(values: Float[np.ndarray, "n n k"]) -> Float[np.ndarray, "n n 1"]:
    """Return the weight of anti-aliased lines of constant value, about 1.2 pixels wide."""
    phase = values * _UV_LINES
    slopes = [np.hypot(*np.gradient(phase[..., axis])) for axis in range(phase.shape[-1])]
    slope = np.clip(np.stack(slopes, axis=-1), 1e-6, 1.0)  # no lines along the outline
    distance = np.abs(phase - np.rint(phase)) / slope
    return np.clip(1.0 - distance, 0, 1).max(axis=-1, keepdims=True)


def _soften(coverage: Float[np.ndarray, "n n 1"]) -> Float[np.ndarray, "n n 1"]:
    return cv2.GaussianBlur(coverage, (0, 0), 0.8)[..., None] * coverage


def _blend(view: np.ndarray, surface: np.ndarray, weight: Float[np.ndarray, "n n 1"]) -> Picture:
    return quantise(view * (1 - weight) + surface * weight)
