"""Colours as whole numbers, as files and detectors take them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8, UInt16

__all__ = ["quantise"]

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
