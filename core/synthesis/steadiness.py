"""The rigid part of the face: how little each texel moves when the face moves.

The head's pose is fitted to it. A region drawn by hand, forehead and nose, still moved with the
brows; weights from the model's own expressions take in temples and ears, too, and leave out what
moves.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from .head import HeadModel, canonical_from_ict, head_vertices
from .shape import expression_archetypes
from .surface import FaceSurface, TexelBinding, position_map, surface_vertices

__all__ = ["rigid_region"]

_STEADY = 0.2  # cm: root mean square movement at which a texel's weight has fallen to a quarter


def rigid_region(
    head: HeadModel,
    surface: FaceSurface,
    binding: TexelBinding,
    regions: dict[str, Float[np.ndarray, "size size"]],
) -> Float[np.ndarray, "size size"]:
    """Return the weights of the rigid part, without eyes and neck, which turn on their own.

    Args:
        head: whose expressions are tried, each as often as the generator draws it.
        surface: the layout's surface.
        binding: its texels.
        regions: the other regions; mirror symmetric.
    """
    nobody = jnp.zeros(head.identity.shape[0])

    def place(expression: Float[Array, " expressions"]) -> Float[Array, "vertices 3"]:
        vertices = head_vertices(head, nobody, expression)
        return surface_vertices(surface, canonical_from_ict(vertices))

    coefficients, weights = expression_archetypes(head.expression_names)
    still = place(jnp.zeros(coefficients.shape[1]))
    square = jnp.zeros((len(still), 1))
    for row, weight in zip(coefficients, weights, strict=True):
        square += weight * ((place(row) - still) ** 2).sum(axis=-1, keepdims=True)
    moved = np.asarray(position_map(binding, square))[..., 0]
    moved = (moved + moved[:, ::-1]) / 2
    steady = 1 / (1 + moved / _STEADY**2) ** 2
    kept = np.asarray(binding.mask) * (1 - regions["neck"]) * (1 - regions["eyes"])
    return (steady * kept).astype(np.float32)
