"""Real spherical harmonics up to order two: light from all sides as nine numbers.

Convention:
    Directions are unit vectors; those of panoramas have y up. Basis order and factors are those of
    the data pack's ``hdri_sh9.npz``.

References:
    R. Ramamoorthi and P. Hanrahan, "An Efficient Representation for Irradiance Environment
    Maps", 2001 (eq. 12 and 13).
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

__all__ = ["CONSTANT", "harmonics"]

CONSTANT = 0.282095  # the harmonic of order zero: 1 / CONSTANT is an even light of 1


def harmonics(directions: Float[Array, "*n 3"]) -> Float[Array, "*n 9"]:
    """Return the nine real harmonics up to order two of unit directions."""
    x, y, z = directions[..., 0], directions[..., 1], directions[..., 2]
    return jnp.stack(
        [
            jnp.full_like(x, CONSTANT),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3.0 * z * z - 1.0),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        axis=-1,
    )
