"""Matrix products of coordinates."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

__all__ = ["product"]

_Floats = Float[Array | np.ndarray, "*_"]


def product(left: _Floats, right: _Floats) -> Float[Array, "*_"]:
    """Return ``left @ right``, each a matrix, a stack of them or a vector, in whole float32.

    By default GPUs round what they multiply to TF32, which has 11 bits: a coordinate of 1,000
    pixels is off by up to a quarter of a pixel, or by half of one if its matrix is, too.
    """
    return jnp.matmul(left, right, precision="highest")
