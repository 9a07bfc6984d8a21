"""The back of a person, which a frontal photo does not show: a shell behind the outline.

A sheet with one depth per pixel cannot close a head: at the outline it would have to fall
straight back, and each error of the outline by a pixel would be drawn as long as the head is
deep. The shell leads each point of the outline straight back and around to the middle of its row,
so that the turned outline is as smooth as the one in the photo.

Convention:
    Masks are small stages (see `background_mesh`); what is returned is in stage pixels.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from ..geometry.ramps import smooth_step

__all__ = ["back_shell", "shell_triangles", "without_ears"]

_POINTS = 384  # of the outline
_RINGS = 12  # from the outline to the middle of the back
_PAD = 0.25  # of the side: as far as the shell reaches beyond the stage
_HEAD_DEPTH = 9.5  # cm from the ears' plane to the back of the head
_NECK_DEPTH = 5.0  # cm, below the ears
_EAR = 1.5  # cm around the mesh's ears where the photo's own ears may be
_GAP = 8.0  # cm, the height of a gap in the outline that an ear leaves
_INWARD = 1.5  # small pixels by which the shell begins inside the outline
_SMOOTH = 3.0  # points, blur of the outline


def without_ears(
    person: Bool[np.ndarray, "s s"],
    face: Bool[np.ndarray, "s s"],
    ears: Bool[np.ndarray, "s s"],
    *,
    scale: float,
) -> Bool[np.ndarray, "s s"]:
    """Return a person without ears: these are thin, and nothing lies behind them.

    Args:
        person: where the person is.
        face: where the face's mesh is.
        ears: where that shows its ears.
        scale: small pixels per cm.
    """
    near = cv2.distanceTransform((~ears).astype(np.uint8), cv2.DIST_L2, 5) < _EAR * scale
    bare = (person | face) & ~(near & ~(face & ~ears)) if ears.any() else person | face
    # Hair that hangs over ears goes on over the gap.
    gap = np.ones((2 * round(0.5 * _GAP * scale) + 1, 1), np.uint8)
    closed = cv2.morphologyEx(bare.astype(np.uint8), cv2.MORPH_CLOSE, gap) > 0
    smooth = cv2.GaussianBlur((closed & (person | face)).astype(np.float32), (0, 0), 1.5)
    return smooth > 0.5


def back_shell(
    person: Bool[np.ndarray, "s s"],
    depth: Float[np.ndarray, "s s"],
    *,
    middle: float,
    scale: float,
    side: int,
) -> tuple[Float[np.ndarray, "v 3"], Float[np.ndarray, "v 2"]]:
    """Return vertices of the back, and where on the stage each has its colour from.

    Args:
        person: from `without_ears`.
        depth: z of the front, stage pixels.
        middle: row of the ears.
        scale: stage pixels per cm.
        side: of the stage.
    """
    grow = side / len(person)
    pad = round(_PAD * len(person))
    padded = np.pad(person, pad, mode="edge")
    points = _outline(padded)
    center = _row_middles(padded)[np.clip(points[:, 1].astype(int), 0, len(padded) - 1)]
    at = np.clip(points - pad, 0, len(person) - 1).astype(np.float32)
    start = cv2.remap(depth.astype(np.float32), at[:, 0], at[:, 1], cv2.INTER_LINEAR)[:, 0]
    deep = scale * _thickness(points[:, 1], padded, middle + pad, scale / grow)
    angle = np.linspace(0.0, 0.5 * np.pi, _RINGS)[:, None]
    x = center + (points[:, 0] - center) * np.cos(angle)
    y = np.broadcast_to(points[:, 1], x.shape)
    z = start - deep * np.sin(angle)
    places = (np.stack([x, y], axis=-1) - pad + 0.5) * grow - 0.5
    colors = (_colored(at, angle, middle, scale / grow) + 0.5) * grow - 0.5
    vertices = np.concatenate([places, z[..., None]], axis=-1).reshape(-1, 3)
    return vertices.astype(np.float32), colors.reshape(-1, 2).astype(np.float32)


def _colored(
    at: Float[np.ndarray, "p 2"], angle: Float[np.ndarray, "r 1"], middle: float, scale: float
) -> Float[np.ndarray, "r p 2"]:
    """Return where rings have their colours: hair hangs from above the ears down to the nape."""
    above, nape = middle - 0.6 * _GAP * scale, middle + 0.6 * _GAP * scale
    lift = np.clip((nape - at[:, 1]) / (nape - above), 0.0, 1.0)
    share = np.clip(4.0 * lift - 0.8, 0.0, 1.0) * np.clip(3.0 * np.sin(angle) - 0.5, 0.0, 1.0)
    row = at[:, 1] + share * (np.minimum(at[:, 1], above) - at[:, 1])
    return np.stack([np.broadcast_to(at[:, 0], row.shape), row], axis=-1)


def _outline(person: Bool[np.ndarray, "s s"]) -> Float[np.ndarray, "p 2"]:
    """Return points (x, y), evenly spaced, a little inside the person's outer outline."""
    solid = np.pad(person, 2)
    distance = cv2.distanceTransform(solid.astype(np.uint8), cv2.DIST_L2, 5)
    inner = (cv2.GaussianBlur(distance, (0, 0), 1.0) > _INWARD).astype(np.uint8)
    found, _ = cv2.findContours(inner, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(found, key=len)[:, 0].astype(np.float64) - 2.0
    closed = np.concatenate([line, line[:1]])
    length = np.concatenate([[0.0], np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum()])
    at = np.linspace(0.0, length[-1], _POINTS, endpoint=False)
    points = np.stack([np.interp(at, length, closed[:, k]) for k in (0, 1)], axis=-1)
    steps = np.arange(_POINTS)
    kernel = np.exp(-0.5 * (np.minimum(steps, _POINTS - steps) / _SMOOTH) ** 2)
    wave = np.fft.rfft(kernel / kernel.sum())[:, None]
    return np.fft.irfft(np.fft.rfft(points, axis=0) * wave, _POINTS, axis=0)


def _row_middles(person: Bool[np.ndarray, "s s"]) -> Float[np.ndarray, " s"]:
    """Return the middle of the person in each row; where there is none, that of the next."""
    columns = np.arange(len(person))
    count = person.sum(axis=1)
    rows = np.flatnonzero(count)
    middles = (person * columns).sum(axis=1)[rows] / count[rows]
    filled = np.interp(columns, rows, middles)
    return cv2.GaussianBlur(filled[:, None], (1, 0), sigmaX=0.1, sigmaY=5.0)[:, 0]


def _thickness(
    y: Float[np.ndarray, " p"], person: Bool[np.ndarray, "s s"], middle: float, scale: float
) -> Float[np.ndarray, " p"]:
    """Return how far the back lies behind the outline at each row, cm."""
    top = float(np.flatnonzero(person.any(axis=1)).min())
    up = np.clip((middle - y) / max(middle - top, 1.0), 0.0, 1.0)
    low = smooth_step((y - middle) / (_GAP * scale))
    return _HEAD_DEPTH * np.sqrt(1.0 - up**2) + low * (_NECK_DEPTH - _HEAD_DEPTH)


@cache
def shell_triangles() -> Int[np.ndarray, "t 3"]:
    """Return the triangles between the rings, on both sides: the back is seen from everywhere."""
    ring, point = np.meshgrid(np.arange(_RINGS - 1), np.arange(_POINTS), indexing="ij")
    a = (ring * _POINTS + point).ravel()
    b = (ring * _POINTS + (point + 1) % _POINTS).ravel()
    c, d = a + _POINTS, b + _POINTS
    outer = np.concatenate([np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)])
    return np.concatenate([outer, outer[:, ::-1]]).astype(np.int32)
