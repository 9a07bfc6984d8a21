"""Faces for tests of what is made of them: the layout's mean face before a camera."""

from __future__ import annotations

import jax.numpy as jnp

from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.layout import UVLayout
from uvface.core.geometry.pose import rotation_from_angles
from uvface.core.types import Camera, Face


def mean_face(
    layout: UVLayout,
    *,
    centre: tuple[float, float],
    scale: float,
    pose: tuple[float, float, float] = (20.0, -5.0, 8.0),
) -> Face:
    """Return the mean face at a place, of a size (pixels per cm) and a pose (degrees), all seen."""
    camera = Camera(
        scale=jnp.asarray(scale, jnp.float32),
        rotation=rotation_from_angles(*pose),
        translation=jnp.array([*centre, 0.0], jnp.float32),
    )
    position_map = camera.project(layout.canonical)
    landmarks = read_landmarks(position_map, layout.landmark_uv)
    return Face(
        position_map=position_map,
        texture=jnp.zeros_like(position_map),
        visibility=layout.mask,
        self_visibility=layout.mask,
        camera=camera,
        landmarks=landmarks,
        box=jnp.concatenate([landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)]),
        score=jnp.asarray(0.9, jnp.float32),
    )
