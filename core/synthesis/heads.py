"""Random heads of a batch, made by one matrix product, and where they stand before the camera."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Shaped

from .head import HeadModel, canonical_from_ict
from .scene import BODY_PIVOT, Scene
from .shape import sample_expression, sample_gaze, sample_identity
from .surface import FaceSurface, landmark_points, surface_vertices
from .view import Frame, View, frame_from_landmarks, project

__all__ = ["STRETCH", "Heads", "Stage", "place_head", "sample_heads"]

STRETCH = 0.035  # standard deviation of the stretch along each axis: beyond the model's space
_BODY_RISE = 3.2  # cm, how far the body may be drawn up, so that clothes cover the neck


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Heads:
    """Heads in the canonical frame, cm."""

    identity: Array  # [B, I]
    vertices: Array  # [B, V, 3]
    stretch: Array  # [B, 3], already applied to the vertices


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """One head before the camera."""

    centre: Array  # [3] canonical frame: the mean landmark, turns to the origin
    view: View
    frame: Frame
    turned: Array  # [V + B, 3] head and body as turned by the pose, cm
    surface: Array  # [N, 3] the layout's surface in picture pixels

    def points(self, canonical: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
        """Return the picture positions of points that move with the head."""
        turned = (canonical - self.centre) @ self.view.rotation.T
        return project(turned, self.view, self.frame)


def _turn_eyes(vertices: Array, scene: Scene, neutral: Array, gaze: Array) -> Array:
    """Rotate both eyeballs about their centres."""
    (cos_x, cos_y), (sin_x, sin_y) = jnp.cos(gaze[::-1]), jnp.sin(gaze[::-1])
    one, nil = jnp.ones(()), jnp.zeros(())
    about_y = jnp.stack([cos_y, nil, sin_y, nil, one, nil, -sin_y, nil, cos_y]).reshape(3, 3)
    about_x = jnp.stack([one, nil, nil, nil, cos_x, -sin_x, nil, sin_x, cos_x]).reshape(3, 3)
    turn = about_y @ about_x
    for side in range(2):
        ids = scene.eye_vertices[side]
        points = vertices[ids]
        centre = scene.eye_centres[side] + (points - neutral[ids]).mean(axis=0)
        vertices = vertices.at[ids].set((points - centre) @ turn.T + centre)
    return vertices


def sample_heads(head: HeadModel, scene: Scene, keys: Shaped[Array, " batch"]) -> Heads:
    """Return one random head per key."""
    split = jax.vmap(lambda key: jax.random.split(key, 4))(keys)
    identity = jax.vmap(lambda key: sample_identity(key, head.identity.shape[0]))(split[:, 0])
    expression = jax.vmap(lambda key: sample_expression(key, head))(split[:, 1])
    gaze = jax.vmap(sample_gaze)(split[:, 2])
    normal = jax.vmap(lambda key: jax.random.normal(key, (3,)))(split[:, 3])
    flat = identity @ head.identity.reshape(head.identity.shape[0], -1)
    flat += expression @ head.expression.reshape(head.expression.shape[0], -1)
    vertices = canonical_from_ict(head.neutral + flat.reshape(len(keys), -1, 3))
    neutral = canonical_from_ict(head.neutral)
    turned = jax.vmap(lambda v, g: _turn_eyes(v, scene, neutral, g))(vertices, gaze)
    stretch = jnp.exp(STRETCH * normal)
    return Heads(identity=identity, vertices=turned * stretch[:, None], stretch=stretch)


def place_head(
    key: Array, view: View, head: Float[Array, "v 3"], scene: Scene, surface: FaceSurface
) -> Stage:
    """Turn a head and its body, and frame the face."""
    skin = surface_vertices(surface, head)
    centre = landmark_points(surface, skin).mean(axis=0)
    skin = (skin - centre) @ view.rotation.T
    frame = frame_from_landmarks(landmark_points(surface, skin), view)
    pivot = jnp.array(BODY_PIVOT)
    rise = jnp.array([0.0, _BODY_RISE, 0.0]) * jax.random.uniform(key, minval=-0.3)
    body = (scene.body - rise - pivot) @ view.body_rotation.T
    body += (pivot - centre) @ view.rotation.T
    return Stage(
        centre=centre,
        view=view,
        frame=frame,
        turned=jnp.concatenate([(head - centre) @ view.rotation.T, body]),
        surface=project(skin, view, frame),
    )
