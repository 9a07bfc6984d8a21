"""Texture atlas of one sample: every surface of the head reads its colour from one image.

Convention:
    Atlas positions are pixels (x right, y down, centres at integers). ICT's UV has its origin at
    the bottom left and an integer tile offset in u.
"""

from __future__ import annotations

import numpy as np

__all__ = ["ATLAS_SHAPE", "TILES", "tile_positions"]

FACE_SIZE = 384
HEAD_SIZE = 192
SMALL_SIZE = 96

# Tile -> left, top, side. The last tile is plain: cloth and the like.
TILES = {
    "face": (0, 0, FACE_SIZE),
    "head": (FACE_SIZE, 0, HEAD_SIZE),
    "eye": (FACE_SIZE, HEAD_SIZE, SMALL_SIZE),
    "teeth": (FACE_SIZE + SMALL_SIZE, HEAD_SIZE, SMALL_SIZE),
    "gums": (FACE_SIZE, HEAD_SIZE + SMALL_SIZE, SMALL_SIZE),
    "cloth": (FACE_SIZE + SMALL_SIZE, HEAD_SIZE + SMALL_SIZE, SMALL_SIZE),
}
ATLAS_SHAPE = (FACE_SIZE, FACE_SIZE + HEAD_SIZE)


def tile_positions(uv: np.ndarray, tile: str) -> np.ndarray:
    """Turn ICT's uv ``[..., 2]`` into atlas positions inside a tile, kept off its border."""
    left, top, side = TILES[tile]
    column = np.clip(np.mod(uv[..., 0], 1.0) * side - 0.5, 0.5, side - 1.5)
    row = np.clip((1.0 - uv[..., 1]) * side - 0.5, 0.5, side - 1.5)
    return np.stack([left + column, top + row], axis=-1).astype(np.float32)
