"""Data types that keep arrays together: frozen pytrees with named fields.

Convention:
    Images are ``[H, W, 3]`` float32 RGB in [0, 1]. Integer coordinates are pixel *centres*, x to
    the right, y down; z is in the same scale as x and y, larger is nearer to the camera. The
    canonical frame of a face has the same axes (x image-right of a frontal face, y down, z out
    of the face) in centimetres, so that a camera is a scale, a *proper* rotation and a
    translation. Triangles are listed counter-clockwise as seen from outside; with y down, a
    triangle that faces the camera therefore has a *negative* signed image area.

Field types are plain ``Array`` with a shape comment: JAX rebuilds pytrees with tracers and
placeholders, on which shaped field types would fail.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from .products import product

__all__ = ["Camera", "Face", "Fragments", "Mesh", "Similarity"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Similarity:
    """Similarity of the image plane; named by direction, e.g. ``photo_from_crop``."""

    scale: Array  # []
    rotation: Array  # [2, 2], orthonormal, det = +1
    translation: Array  # [2], pixels

    @staticmethod
    def identity() -> Similarity:
        """Return the similarity that changes nothing."""
        return Similarity(scale=jnp.ones(()), rotation=jnp.eye(2), translation=jnp.zeros(2))

    def apply(self, points: Float[Array, "*n d"]) -> Float[Array, "*n d"]:
        """Map points ``[..., 2]``, or ``[..., 3]`` whose z is only scaled."""
        plane = product(self.scale * points[..., :2], self.rotation.T) + self.translation
        return jnp.concatenate([plane, self.scale * points[..., 2:]], axis=-1)

    def inverse(self) -> Similarity:
        """Return the similarity that undoes this one."""
        scale = 1.0 / self.scale
        rotation = self.rotation.T
        return Similarity(
            scale=scale, rotation=rotation, translation=product(-scale * rotation, self.translation)
        )

    def compose(self, first: Similarity) -> Similarity:
        """Return the similarity that applies ``first`` and then this one."""
        return Similarity(
            scale=self.scale * first.scale,
            rotation=product(self.rotation, first.rotation),
            translation=self.apply(first.translation),
        )

    @jax.jit
    def matrix(self) -> Float[Array, "2 3"]:
        """Return the affine matrix ``[sR | t]``."""
        return jnp.concatenate([self.scale * self.rotation, self.translation[:, None]], axis=1)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Camera:
    """Weak-perspective camera: canonical points (cm) to photo pixels."""

    scale: Array  # [], pixels per cm
    rotation: Array  # [3, 3], orthonormal, det = +1
    translation: Array  # [3], pixels

    def project(self, points: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
        """Return photo positions; z keeps its sign and scale, for the depth test."""
        return product(self.scale * points, self.rotation.T) + self.translation

    def unproject(self, points: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
        """Return the canonical points that are seen at photo positions: undo `project`."""
        return product(points - self.translation, self.rotation) / self.scale

    def seen_through(self, photo_from_crop: Similarity) -> Camera:
        """Return the camera to the photo of one to a crop of it."""
        turn = jnp.eye(3).at[:2, :2].set(photo_from_crop.rotation)
        return Camera(
            scale=photo_from_crop.scale * self.scale,
            rotation=product(turn, self.rotation),
            translation=photo_from_crop.apply(self.translation),
        )

    @jax.jit
    def matrix(self) -> Float[Array, "3 4"]:
        """Return the affine camera matrix ``[sR | t]``."""
        return jnp.concatenate([self.scale * self.rotation, self.translation[:, None]], axis=1)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangle mesh, one UV coordinate and one colour per vertex."""

    vertices: Array  # [N, 3]
    triangles: Array  # [M, 3] int32, counter-clockwise from outside
    uv: Array  # [N, 2], in [0, 1], v down
    colors: Array  # [N, 3], RGB in [0, 1]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Fragments:
    """What the rasteriser found at each pixel."""

    triangle: Array  # [H, W] int32, -1 where no triangle covers the pixel centre
    barycentric: Array  # [H, W, 3], sums to 1 where covered, else 0
    depth: Array  # [H, W], interpolated z (larger is nearer), -inf where not covered

    @property
    def is_covered(self) -> Array:
        """Return ``[H, W]`` booleans: some triangle covers the pixel centre."""
        return self.triangle >= 0


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Face:
    """One face of a photo, as images in UV space plus its camera."""

    position_map: Array  # [S, S, 3], texel -> (x, y, z) in photo pixels, z of zero mean
    texture: Array  # [S, S, 3], the photo's colours at the texels
    visibility: Array  # [S, S], 1 = texel is seen in the photo
    self_visibility: Array  # [S, S], the same if nothing but the face itself could hide it
    camera: Camera  # canonical frame -> photo
    landmarks: Array  # [68, 3], iBUG order, photo pixels
    box: Array  # [4], left, top, right, bottom: the box that the crop was made from
    score: Array  # [], detector's score in [0, 1]; 1 for given boxes
    confidence: Array = dataclasses.field(default_factory=lambda: jnp.ones(()))
    # [], the network's own, in [0, 1]: near 0 where it sees no face; 1 where it does not tell

    def __repr__(self) -> str:
        """Return the face in a line, without its maps."""
        return f"Face(box={self.box}, score={self.score}, confidence={self.confidence})"
