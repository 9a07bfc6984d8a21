"""Colours as whole numbers, as files and detectors take them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8, UInt16

__all__ = ["largest_difference", "quantise"]

_BAND = 256  # rows at a time: copies of a large photo as floats fill the memory


def quantise(
    values: Float[np.ndarray, "rows columns *c"], *, bit_depth: int = 8
) -> UInt8[np.ndarray, "rows columns *c"] | UInt16[np.ndarray, "rows columns *c"]:
    """Return values in [0, 1] as whole numbers of 8 or 16 bits; those outside are clipped."""
    top = np.float32(2**bit_depth - 1)
    found = np.empty(values.shape, np.uint8 if bit_depth == 8 else np.uint16)
    for start in range(0, len(values), _BAND):
        band = slice(start, start + _BAND)
        found[band] = np.rint(np.clip(values[band], 0.0, 1.0) * top)
    return found


def largest_difference(
    one: Float[np.ndarray, "rows columns *c"], other: Float[np.ndarray, "rows columns *c"]
) -> float:
    """Return by how much the values of two pictures differ at most."""
    bands = (slice(start, start + _BAND) for start in range(0, len(one), _BAND))
    return max((float(np.abs(one[band] - other[band]).max()) for band in bands), default=0.0)
