"""Random numbers of one sample, drawn at once and handed out one after the other.

Every call of `jax.random` adds some tenths of a second of compilation; a picture needs about two
hundred numbers.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

__all__ = ["Numbers"]


class Numbers:
    """A row of uniform numbers; while a function is traced, each is used once.

    Args:
        key: random key.
        count: how many numbers there are.
    """

    def __init__(self, key: Array, count: int) -> None:
        self._row = jax.random.uniform(key, (count,))
        self._used = 0

    def uniform(self, shape: tuple[int, ...] = (), *, low: float = 0.0, high: float = 1.0) -> Array:
        """Return numbers evenly spread over [low, high)."""
        size = math.prod(shape)
        assert self._used + size <= self._row.shape[0], "ask for a longer row"
        taken = self._row[self._used : self._used + size].reshape(shape)
        self._used += size
        return low + (high - low) * taken

    def normal(self, shape: tuple[int, ...] = ()) -> Array:
        """Return normally distributed numbers."""
        clipped = jnp.clip(self.uniform(shape), 1e-6, 1.0 - 1e-6)
        return math.sqrt(2.0) * jax.lax.erf_inv(2.0 * clipped - 1.0)

    def chance(self, share: float) -> Array:
        """Return a boolean that is true in this share of the cases."""
        return self.uniform() < share

    def integer(self, count: int, shape: tuple[int, ...] = ()) -> Array:
        """Return whole numbers from 0 to ``count - 1`` (int32)."""
        number = jnp.floor(self.uniform(shape) * count).astype(jnp.int32)
        return jnp.minimum(number, count - 1)

    def choice(self, probability: Float[Array, " n"]) -> Array:
        """Return an index (int32) that falls as often as its probability says."""
        bounds = jnp.cumsum(probability)[:-1]
        return (self.uniform() > bounds).sum(dtype=jnp.int32)
