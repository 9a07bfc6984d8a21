"""Convolutions with fewer products: tiles of outputs at once, after Winograd, Toom and Cook.

A tile of m x m outputs of a k x k kernel depends on n x n inputs, n = m + k - 1. Inputs, kernel
and outputs of one axis are taken as polynomials: what their product is at n points determines it.
So inputs and kernel are evaluated there (linear maps, the kernel's once and for all), multiplied
point by point and summed over the channels, which makes n x n matrix products, and outputs are
interpolated. A 4x4 kernel costs 49 products per 16 outputs rather than 256. The maps before and
after are sums of a few shifted maps, with constants that are small for points near 0.

The rounding errors grow with the tile: relative to the outputs 1e-6 on average for 7 points.

References:
    A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. B. Barabasz,
    A. Anderson, K. M. Soodhalter, D. Gregg, "Error Analysis and Improving the Accuracy of
    Winograd Convolution for Deep Neural Networks", 2020 (points).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

__all__ = ["convolve_tiles", "transform_kernel"]

_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, -0.5)  # the first few, and infinity


@functools.cache
def _maps(
    tile: int, taps: int
) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n k"], Float[np.ndarray, "m n"]]:
    """Return what evaluates inputs, what evaluates a kernel, what interpolates outputs.

    Outputs i are the sums over taps k of inputs i + k times the kernel's k.
    """
    count = tile + taps - 1
    points = np.array(_POINTS[: count - 1])
    if len(points) < count - 1:
        limit = len(_POINTS) + 1
        raise ValueError(f"tiles of {tile} outputs of {taps} taps; need at most {limit} points")
    others = [np.delete(points, k) for k in range(len(points))] + [points]
    evaluate = np.zeros((count, count))
    for row, roots in zip(evaluate, others, strict=True):
        row[: len(roots) + 1] = np.poly(roots)[::-1]
    scale = [np.prod(point - roots) for point, roots in zip(points, others, strict=False)]
    kernel = np.vstack([np.vander(points, taps, True) / np.c_[scale], np.eye(taps)[-1:]])
    outputs = np.vstack([np.vander(points, tile, True), np.eye(tile)[-1:]])
    return evaluate, kernel, outputs.T


def transform_kernel(
    kernel: Float[np.ndarray, "k k c d"], tile: int
) -> Float[np.ndarray, "n2 c d"]:
    """Return the matrices that `convolve_tiles` multiplies with."""
    taps, _, c, d = kernel.shape
    evaluate = _maps(tile, taps)[1]
    values = np.einsum("ax,by,yxcd->abcd", evaluate, evaluate, kernel.astype(np.float64))
    return values.reshape(-1, c, d).astype(np.float32)


def _combine(weights: np.ndarray, parts: Sequence[jax.Array]) -> jax.Array:
    """Return the sums of ``parts`` with each row of weights, stacked."""

    def total(row: np.ndarray) -> jax.Array:
        terms = [float(w) * part for w, part in zip(row, parts, strict=True) if w]
        return functools.reduce(jnp.add, terms)

    return jnp.stack([total(row) for row in weights])


def convolve_tiles(
    x: Float[jax.Array, "b h w c"],
    matrices: Float[jax.Array, "n2 c d"],
    *,
    tile: int,
    padding: tuple[int, int],
) -> Float[jax.Array, "b h2 w2 d"]:
    """Convolve at stride 1.

    Args:
        x: input.
        matrices: from `transform_kernel` of the same tile.
        tile: outputs along one side of a tile.
        padding: rows and columns of 0 before and after.
    """
    count = round(matrices.shape[0] ** 0.5)
    taps = count - tile + 1
    evaluate, _, interpolate = _maps(tile, taps)
    b, *sizes, c = x.shape
    outputs = [size + sum(padding) - taps + 1 for size in sizes]
    h, w = (-(-size // tile) for size in outputs)
    over = -(-(taps - 1) // tile)  # tiles after one whose inputs it needs, too
    before = padding[0]
    after = [(tiles + over) * tile - before - n for tiles, n in zip((h, w), sizes, strict=True)]
    x = jnp.pad(x, ((0, 0), *((before, n) for n in after), (0, 0)))
    # Inputs by their place in their tile first: what is summed are whole maps, not strided ones.
    x = x.reshape(b, h + over, tile, w + over, tile, c).transpose(2, 4, 0, 1, 3, 5)
    x = _combine(evaluate, [x[k % tile, :, :, k // tile :][:, :, :h] for k in range(count)])
    x = _combine(evaluate, [x[:, k % tile, :, :, k // tile :][..., :w, :] for k in range(count)])
    x = jnp.matmul(x.reshape(count**2, b * h * w, c), matrices, precision="highest")
    x = _combine(interpolate, list(x.reshape(count, count, b, h, w, -1)))
    x = _combine(interpolate, list(x.swapaxes(0, 1)))
    x = x.transpose(2, 3, 0, 4, 1, 5).reshape(b, h * tile, w * tile, -1)
    return x[:, : outputs[0], : outputs[1]]
