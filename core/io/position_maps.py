"""Position maps as files: ``STEM_posmap.npz``."""

from __future__ import annotations

import io

import numpy as np
from jax import Array
from jaxtyping import Float

from ..geometry.layout import UVLayout

__all__ = ["pack_position_map"]


def pack_position_map(
    position_map: Float[Array, "size size 3"],
    visibility: Float[Array, "size size"],
    layout: UVLayout,
) -> bytes:
    """Return the bytes of a compressed ``.npz``; the same arrays give the same bytes.

    Its arrays are ``position_map`` and ``visibility`` (float32), ``mask`` (booleans, where the
    layout has a surface), and the layout's name and digest as ``layout`` and ``layout_digest``.

    Args:
        position_map: texel to picture position, pixels.
        visibility: 1 where the picture shows the texel, else 0.
        layout: UV layout of both.
    """
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        position_map=np.asarray(position_map, dtype=np.float32),
        visibility=np.asarray(visibility, dtype=np.float32),
        mask=np.asarray(layout.mask) > 0.5,
        layout=np.array(layout.name),
        layout_digest=np.array(layout.digest),
    )
    return stream.getvalue()
