"""A toy that draws a dotted face in a few lines, in place of the generator."""

import jax
import jax.numpy as jnp

from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.pose import rotation_from_angles
from uvface.core.geometry.spline import evaluate_control, fit_control
from uvface.core.training.stream import Drawn

SIZE = 320


def toy_face(layout):
    """Return the control map of a face, from which `toy_draw` draws."""
    return fit_control(layout.canonical)


def toy_draw(layout):
    """Return what draws turned copies of a face: a spot of its own colour at each landmark."""

    def one(face, key):
        yaw, roll = jax.random.uniform(key, (2,), minval=-30.0, maxval=30.0)
        rotation = rotation_from_angles(yaw, 0.0, roll)
        control = 9.0 * face @ rotation.T + jnp.array([159.5, 159.5, 0.0])
        landmarks = read_landmarks(evaluate_control(control, 256), layout.landmark_uv)
        line = jnp.arange(SIZE, dtype=jnp.float32)
        away = (landmarks[:, 0, None, None] - line) ** 2 + (
            landmarks[:, 1, None, None] - line[:, None]
        ) ** 2
        colour = jnp.stack([jnp.cos(jnp.arange(68.0) * k) for k in (1.0, 2.0, 3.0)], axis=-1)
        spots = jnp.einsum("phw,pc->hwc", jnp.exp(-away / 18.0), colour)
        return Drawn(
            image=jnp.clip(128.0 + 120.0 * spots, 0, 255).astype(jnp.uint8),
            mask=jnp.full((SIZE, SIZE), 255, jnp.uint8),
            control=control,
            landmarks=landmarks,
            angles=jnp.stack([yaw, jnp.zeros(()), roll]),
        )

    return jax.vmap(one, in_axes=(None, 0))
