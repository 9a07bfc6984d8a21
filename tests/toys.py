"""Toys for tests: a small symmetric layout on half an ellipsoid, and cameras that look at it."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from uvface.core.geometry.landmarks import MIRROR_68
from uvface.core.geometry.layout import UVLayout
from uvface.core.geometry.pose import rotation_from_angles
from uvface.core.types import Camera


def mirror_landmarks(landmarks, width):
    """Return the landmarks of a picture of so many columns mirrored left to right."""
    x = width - 1.0 - landmarks[:, :1]
    return jnp.concatenate([x, landmarks[:, 1:]], axis=1)[MIRROR_68]


def _canonical(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Half ellipsoid with a nose, cm; x right, y down, z out of the face."""
    across, down = (u - 0.5) * 2.9, (v - 0.5) * 2.6
    nose = 2.0 * np.exp(-((u - 0.5) ** 2 / 0.004 + (v - 0.52) ** 2 / 0.008))
    x = 7.0 * np.sin(across) * np.cos(down)
    y = 10.0 * np.sin(down)
    z = 8.0 * np.cos(across) * np.cos(down) + nose
    return np.stack([x, y, z], axis=-1).astype(np.float32)


def _landmark_uv() -> np.ndarray:
    """Return 68 plausible places, exactly symmetric."""
    uv = np.zeros((68, 2))
    angle = np.linspace(-1.45, 1.45, 17)
    uv[:17] = np.stack([0.5 + 0.38 * np.sin(angle), 0.45 + 0.42 * np.cos(angle)], axis=1)
    uv[17:22] = np.stack([np.linspace(0.22, 0.43, 5), 0.33 - 0.02 * np.array([0, 1, 2, 2, 1])], 1)
    uv[22:27] = uv[17:22][::-1] * [-1, 1] + [1, 0]
    uv[27:31] = np.stack([np.full(4, 0.5), np.linspace(0.40, 0.52, 4)], axis=1)
    uv[31:36] = np.stack([np.linspace(0.44, 0.56, 5), 0.57 + 0.01 * np.array([0, 1, 2, 1, 0])], 1)
    turn = np.deg2rad([180, 240, 300, 0, 60, 120])
    uv[36:42] = np.stack([0.33 + 0.06 * np.cos(turn), 0.40 + 0.025 * np.sin(turn)], axis=1)
    uv[42:48] = (uv[36:42] * [-1, 1] + [1, 0])[[3, 2, 1, 0, 5, 4]]
    outer = np.deg2rad(np.arange(180, 540, 30))
    uv[48:60] = np.stack([0.5 + 0.11 * np.cos(outer), 0.69 + 0.04 * np.sin(outer)], axis=1)
    inner = np.deg2rad(np.arange(180, 540, 45))
    uv[60:68] = np.stack([0.5 + 0.07 * np.cos(inner), 0.69 + 0.015 * np.sin(inner)], axis=1)
    mirrored = uv[MIRROR_68] * [-1, 1] + [1, 0]
    return ((uv + mirrored) / 2).astype(np.float32)


_REGIONS = {  # name -> centre and radii in UV, of the left half or of both
    "forehead": (0.5, 0.2, 0.25, 0.1),
    "nose": (0.5, 0.5, 0.07, 0.12),
    "lips": (0.5, 0.69, 0.12, 0.05),
    "mouth_interior": (0.5, 0.69, 0.07, 0.015),
    "chin": (0.5, 0.81, 0.12, 0.06),
}
_PAIRS = {  # name -> the same of the side with u > 0.5, the subject's left
    "brows": (0.67, 0.31, 0.12, 0.035),
    "eyes": (0.67, 0.40, 0.07, 0.035),
    "cheeks": (0.72, 0.58, 0.1, 0.1),
    "ears": (0.9, 0.45, 0.03, 0.1),
}


def _blob(u: np.ndarray, v: np.ndarray, place: tuple[float, float, float, float]) -> np.ndarray:
    x, y, across, down = place
    radius = np.sqrt(((u - x) / across) ** 2 + ((v - y) / down) ** 2)
    return np.clip((1.2 - radius) / 0.4, 0.0, 1.0)


def _regions(u: np.ndarray, v: np.ndarray, mask: np.ndarray) -> dict[str, jnp.ndarray]:
    regions = {name: _blob(u, v, place) for name, place in _REGIONS.items()}
    for name, place in _PAIRS.items():
        left = _blob(u, v, place)
        regions |= {f"{name}_left": left, f"{name}_right": left[:, ::-1]}
        regions[name] = np.maximum(left, left[:, ::-1])
    regions["face"] = mask
    regions["skin"] = mask * (1 - regions["eyes"]) * (1 - regions["mouth_interior"])
    return {n: jnp.asarray(r * mask, dtype=jnp.float32) for n, r in sorted(regions.items())}


def toy_layout(size: int = 64) -> UVLayout:
    """Return a small symmetric layout: half an ellipsoid with a nose, 68 landmarks, regions."""
    centres = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(centres, centres)
    mask = ((u - 0.5) ** 2 + (v - 0.5) ** 2 < 0.46**2).astype(np.float32)
    n = np.arange(size * size).reshape(size, size)
    corner, down, right, across = n[:-1, :-1], n[1:, :-1], n[:-1, 1:], n[1:, 1:]
    triangles = np.concatenate(
        [np.stack([corner, down, across], -1), np.stack([corner, across, right], -1)]
    ).reshape(-1, 3)
    triangles = triangles[mask.reshape(-1)[triangles].min(axis=1) > 0]
    return UVLayout(
        mask=jnp.asarray(mask),
        triangles=jnp.asarray(triangles, dtype=jnp.int32),
        canonical=jnp.asarray(_canonical(u, v)),
        landmark_uv=jnp.asarray(_landmark_uv()),
        mirror_texel=jnp.asarray(n[:, ::-1].reshape(-1), dtype=jnp.int32),
        texel_weights=jnp.asarray(mask / mask.mean()),
        regions=_regions(u, v, mask),
        name="toy",
        digest=f"toy-{size}",
    )


def toy_camera(
    *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, size: int = 128
) -> Camera:
    """Return a camera under which the toy face fills most of a ``size`` pixel photo."""
    return Camera(
        scale=jnp.asarray(size / 26.0),
        rotation=rotation_from_angles(yaw, pitch, roll),
        translation=jnp.array([(size - 1) / 2, (size - 1) / 2, 0.0]),
    )


def toy_position_map(layout: UVLayout, camera: Camera) -> jnp.ndarray:
    """Return the position map of the toy face under a camera, z of zero mean over the mask."""
    points = camera.project(layout.canonical)
    mean = (points[..., 2] * layout.mask).sum() / layout.mask.sum()
    return points.at[..., 2].add(-mean)


def toy_texture(size: int = 64) -> jnp.ndarray:
    """Return a smooth colourful texture in [0.1, 0.9]."""
    centres = (jnp.arange(size, dtype=jnp.float32) + 0.5) / size
    u, v = jnp.meshgrid(centres, centres)
    waves = jnp.stack([jnp.sin(9.0 * u + 3.0 * v), jnp.cos(7.0 * v), jnp.sin(5.0 * (u - v))], -1)
    return 0.5 + 0.4 * waves
