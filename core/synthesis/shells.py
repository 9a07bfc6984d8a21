"""Shells: short hair, caps and hoods grown from the surface of the head itself."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from .head import HeadModel, canonical_from_ict
from .scene import outward_normals, triangles_from_quads

__all__ = ["shell_meshes"]

# Hairline shift (cm, positive grows hair further down), volume range, probability, kind.
_SHELLS: tuple[tuple[float, tuple[float, float], float, str], ...] = (
    (0.3, (0.15, 1.0), 1.6, "hair"),
    (-0.7, (0.15, 1.5), 0.8, "hair"),
    (1.2, (0.5, 2.5), 0.8, "hair"),
    (0.4, (1.0, 5.0), 0.7, "curls"),
    (1.0, (0.3, 2.0), 0.6, "cap"),
    (5.0, (0.4, 1.8), 0.3, "hood"),
)


def _hairline(points: np.ndarray, kind: str) -> np.ndarray:
    """Return how far a point (ICT axes) lies behind the average hairline, cm."""
    x, y, z = np.moveaxis(points, -1, 0)
    level = y - 10.6 + 1.1 * np.maximum(6.0 - z, 0.0)
    if kind == "cap":
        return y - 8.0 + 0.25 * (6.0 - z)
    if kind == "hood":
        around = np.hypot(x / 8.0, (y - 1.0) / 11.0)
        return 6.0 * (around - 1.45) + 1.3 * (4.0 - z)
    is_ear = (np.abs(x) > 7.6) & (y < 4.8) & (z > -4.5)
    return np.where(is_ear, -5.0, level)


def _texture(kind: str, size: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    white = generator.standard_normal((size, size)).astype(np.float32)
    sigma = {"hair": (1.0, 14.0), "curls": (5.0, 5.0)}.get(kind, (1.2, 1.2))
    streaks = cv2.GaussianBlur(white, (0, 0), sigmaX=sigma[0], sigmaY=sigma[1])
    coarse = cv2.GaussianBlur(white, (0, 0), sigmaX=8, sigmaY=30)
    strength = {"hair": 38.0, "curls": 45.0}.get(kind, 10.0)
    level = 128 + strength * (streaks / streaks.std() + 0.5 * coarse / coarse.std())
    alpha = np.full((size, size), 255.0)
    return np.stack([np.clip(level, 0, 255), alpha], axis=-1).astype(np.uint8)


def shell_meshes(head: HeadModel, size: int) -> list[dict[str, Any]]:
    """Return the shells as keyword arguments of a hair style."""
    neutral = np.asarray(head.neutral)
    rows = head.part_quads("face", "head_neck")
    quads = np.asarray(head.faces)[rows]
    corners, owner = triangles_from_quads(quads)
    every = np.take_along_axis(quads[owner], corners, axis=1)
    canonical = np.asarray(canonical_from_ict(head.neutral))
    normals = outward_normals(canonical, every)
    generator = np.random.default_rng(3)
    styles = []
    for number, (shift, volume, probability, kind) in enumerate(_SHELLS):
        level = _hairline(neutral, kind) + shift
        wave = np.sin(neutral @ generator.normal(0, 1.2, (3, 4)) + generator.uniform(0, 6, 4))
        level = level + (0.12 if kind in ("cap", "hood") else 0.35) * wave.mean(axis=1)
        inside = (level[every] > 0).all(axis=1)
        used, flat = np.unique(every[inside], return_inverse=True)
        grow = np.clip(level[used] / 1.5, 0.15, 1.0)
        bumps = 1.0 + (0.25 if kind in ("hair", "curls") else 0.05) * wave[used].mean(axis=1)
        # Spherical texture coordinates around the middle of the skull.
        x, y, z = (neutral[used] - np.array([0, 4.0, 0])).T
        u = 0.5 + np.arctan2(x, z) / (2 * np.pi)
        v = 0.5 - np.arctan2(y, np.hypot(x, z)) / np.pi
        place = np.stack([u, v], axis=-1) * (size - 1)
        triangles = flat.reshape(-1, 3)
        seam = np.ptp(place[triangles][..., 0], axis=1) > size / 2
        positions = place[triangles]
        positions[seam, :, 0] = positions[seam, :, 0].max(axis=1, keepdims=True)
        styles.append(
            {
                "vertices": canonical[used] + 0.05 * normals[used],
                "puff": normals[used] * (grow * bumps)[:, None],
                "triangles": triangles,
                "positions": positions,
                "texture": _texture(kind, size, number),
                "probability": probability,
                "volume": volume,
                "is_cloth": kind in ("cap", "hood"),
            }
        )
    return styles
