"""Smooth steps from 0 to 1, for JAX and for NumPy."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from jax import Array

__all__ = ["ramp", "smooth_step"]

_Values = TypeVar("_Values", Array, np.ndarray)


def smooth_step(x: _Values) -> _Values:
    """Rise from 0 at 0 to 1 at 1, with no slope at either end: 3 x^2 - 2 x^3; of any shape."""
    t = x.clip(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def ramp(x: _Values, ends: tuple[float, float]) -> _Values:
    """Rise smoothly from 0 at the first of two ends to 1 at the second, which may be the lower."""
    start, end = ends
    return smooth_step((x - start) / (end - start))
