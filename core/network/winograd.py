"""Convolutions with fewer products: several rows of outputs at once, after Winograd, Toom and Cook.

A tile of m outputs of k taps depends on n = m + k - 1 inputs. Inputs, taps and outputs are taken as
polynomials: what their product is at n points determines it. So inputs and kernel are evaluated
there (linear maps, the kernel's once and for all), multiplied point by point and interpolated: n
products in place of m k. Here that is done along the rows of a picture only: what is multiplied
at each point is a convolution along the columns. A 4x4 kernel costs 28 products per 4 outputs
rather than 64, its maps before and after are sums of a few shifted rows, with constants that are
small for points near 0, and the n convolutions run side by side. At a stride of s every s-th tap
meets every s-th row: so s pictures, whose rows lie side by side, have a kernel of k / s taps each,
and their products are summed by the same convolution along the columns.

Along both axes 49 products per 16 outputs suffice, but the maps grow threefold (they are what takes
the time) and the rounding errors, too: along one axis they are 1e-6 of the outputs on average for
8 points.

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

__all__ = ["Padding", "convolve_tiles", "transform_kernel"]

Padding = tuple[tuple[int, int], tuple[int, int]]  # rows, columns: before, after

# By their number; infinity is one more. Of all sets of simple fractions those that round least,
# tried on random tiles of 2 to 5 outputs of 4 taps.
_POINTS: tuple[tuple[float, ...], ...] = (
    (),
    (0,),
    (0, 1),
    (0, 1, -1),
    (0, -1, 5 / 3, 5 / 8),
    (0, 2 / 3, -2 / 3, 3 / 2, -3 / 2),
    (0, -1, -1 / 2, 3 / 4, 4 / 3, -5 / 2),
    (0, 1, -1, 2, -1 / 2, -2, 1 / 2),
)


@functools.cache
def _maps(
    tile: int, taps: int
) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n k"], Float[np.ndarray, "m n"]]:
    """Return what evaluates inputs, what evaluates a kernel, what interpolates outputs.

    Outputs i are the sums over taps k of inputs i + k times the kernel's k.
    """
    count = tile + taps - 1
    if count > len(_POINTS):
        limit = len(_POINTS)
        raise ValueError(f"tiles of {tile} outputs of {taps} taps; need at most {limit} points")
    points = np.array(_POINTS[count - 1], np.float64)
    others = [np.delete(points, k) for k in range(len(points))] + [points]
    evaluate = np.zeros((count, count))
    for row, roots in zip(evaluate, others, strict=True):
        row[: len(roots) + 1] = np.poly(roots)[::-1]
    scale = [np.prod(point - roots) for point, roots in zip(points, others, strict=False)]
    kernel = np.vstack([np.vander(points, taps, True) / np.c_[scale], np.eye(taps)[-1:]])
    outputs = np.vstack([np.vander(points, tile, True), np.eye(tile)[-1:]])
    return evaluate, kernel, outputs.T


def transform_kernel(
    kernel: Float[np.ndarray, "k k2 c d"], tile: int, stride: int = 1
) -> list[Float[np.ndarray, "s k2 c d"]]:
    """Return the n kernels that `convolve_tiles` multiplies with; ``stride`` is that of rows."""
    taps = kernel.shape[0] // stride
    parts = kernel.astype(np.float64).reshape(taps, stride, *kernel.shape[1:])
    values = np.einsum("ny,ysxcd->nsxcd", _maps(tile, taps)[1], parts)
    return list(values.astype(np.float32))


def _combine(weights: np.ndarray, parts: Sequence[jax.Array]) -> list[jax.Array]:
    """Return the sum of ``parts`` with each row of weights."""

    def total(row: np.ndarray) -> jax.Array:
        terms = [float(w) * part for w, part in zip(row, parts, strict=True) if w]
        return functools.reduce(jnp.add, terms)

    return [total(row) for row in weights]


def convolve_tiles(
    x: Float[jax.Array, "b h w c"],
    kernels: Sequence[Float[jax.Array, "s k2 c d"]],
    *,
    tile: int,
    padding: Padding,
    stride: int = 1,
) -> Float[jax.Array, "b h2 w2 d"]:
    """Convolve, at strides of rows and of columns.

    Args:
        x: input.
        kernels: from `transform_kernel` of the same tile, for s as stride of the rows.
        tile: rows of outputs at once.
        padding: rows and columns of 0 around it.
        stride: that of the columns; that of the rows is in the kernels.
    """
    count, step = len(kernels), kernels[0].shape[0]
    taps = count - tile + 1
    evaluate, _, interpolate = _maps(tile, taps)
    rows, (before, after) = x.shape[1], padding[0]
    outputs = (rows + before + after) // step - taps + 1
    tiles = -(-outputs // tile)
    whole = tiles + -(-(taps - 1) // tile)  # and those after one that it needs inputs of
    x = jnp.pad(x, ((0, 0), (before, whole * tile * step - before - rows), (0, 0), (0, 0)))
    x = x.reshape(x.shape[0], whole, tile, step, *x.shape[2:])
    inputs = [x[:, k // tile :][:, :tiles, k % tile] for k in range(count)]
    products = [
        jax.lax.conv_general_dilated(
            row.reshape(x.shape[0], tiles * step, *x.shape[4:]),
            kernel,
            (step, stride),
            ((0, 0), padding[1]),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            precision="highest",  # rounding grows in what follows
        )
        for row, kernel in zip(_combine(evaluate, inputs), kernels, strict=True)
    ]
    y = jnp.stack(_combine(interpolate, products), axis=2)
    return y.reshape(y.shape[0], tiles * tile, *y.shape[3:])[:, :outputs]
