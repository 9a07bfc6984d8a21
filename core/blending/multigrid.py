"""Conjugate gradients with a multigrid preconditioner for Poisson's equation on a pixel mask.

The unknowns are the pixels of a mask. Each is joined to its four neighbours: to a neighbour in
the mask by an edge of weight one, to a neighbour outside the mask by a fixed value of zero
(Dirichlet; other values go to the right-hand side), beyond the picture's border by nothing
(Neumann). The conjugate gradients make it exact on any mask, however ragged; the multigrid
makes it fast: about seven iterations on the masks of faces, whatever their size.

Convention:
    Images are ``[rows, channels, columns]``: loops over columns fill the vector units, and rows are
    shared out evenly among the cores (three channels are not, among two).

References:
    U. Trottenberg, C. Oosterlee, A. Schueller, "Multigrid", 2001: cell-centred coarsening
    (section 2.8.4), coarse operators by finite volumes, multigrid as a preconditioner (7.8).
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float

__all__ = [
    "Level",
    "apply_operator",
    "build_levels",
    "neighbours",
    "padded_size",
    "refine",
    "solve",
    "sum_blocks",
]

_COARSEST = 12  # cells along a side, at most; there the system is solved directly
_DAMPING = 0.9  # of Jacobi's iteration; 0.8 and 1 take more iterations on masks of faces
_NEWTON_STEPS = 36  # 2 log2 of the condition number is enough
_SHIFT = 1e-4  # on the coarsest diagonal, whose entries are about 4
_EPSILON = 1e-20
_SHRINKAGE = (0.5, 0.9)  # range of the errors' shrinkage per iteration: one step may be lucky


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Level:
    """One grid: a five-point operator with a weight per edge, and how it is left for another."""

    across: Array | None  # [h, 1, w + 1], weights of the edges between columns, 0 at both ends;
    # None on the finest grid, where they are 1
    along: Array | None  # [h + 1, 1, w], weights of the edges between rows
    diagonal: Array  # [h, 1, w], sum of the cell's edges, those to fixed pixels too; 0: no unknown
    relaxation: Array  # [h, 1, w], step of Jacobi's iteration per residual
    transfer: Array | None  # [h, 1, w], factor on values from the coarser grid and on residuals
    # for it; None on the coarsest
    direct: Array | None  # [h * w, h * w], inverse of the operator; on the coarsest grid only

    @property
    def is_unknown(self) -> Array:
        """Return ``[h, 1, w]``: 1 where the cell holds unknowns, else 0."""
        return (self.diagonal > 0.0).astype(self.diagonal.dtype)


def _halvings(size: int) -> int:
    count = 0
    while size > _COARSEST << count:
        count += 1
    return count


def padded_size(height: int, width: int) -> tuple[int, int]:
    """Return the smallest height and width of at least these that halve to the coarsest grid."""
    step = 1 << _halvings(max(height, width))
    return -(-height // step) * step, -(-width // step) * step


def _padded_by_one(image: Array) -> Array:
    return jnp.pad(image, [(1, 1)] + [(0, 0)] * (image.ndim - 2) + [(1, 1)])


def neighbours(image: Float[Array, "h *c w"]) -> tuple[Array, Array, Array, Array]:
    """Return the values at the right, left, lower and upper neighbour, zero beyond the border."""
    ring = _padded_by_one(image)
    middle = ring[1:-1]
    return middle[..., 2:], middle[..., :-2], ring[2:, ..., 1:-1], ring[:-2, ..., 1:-1]


def sum_blocks(image: Float[Array, "h c w"]) -> Float[Array, "h/2 c w/2"]:
    """Sum blocks of 2x2 cells."""
    height, channels, width = image.shape
    return image.reshape(height // 2, 2, channels, width // 2, 2).sum(axis=(1, 4))


def refine(coarse: Float[Array, "h c w"]) -> Float[Array, "2*h c 2*w"]:
    """Interpolate cell centres linearly to the next finer grid, zero beyond the border."""
    height, channels, width = coarse.shape
    ring = _padded_by_one(coarse)
    middle = 0.75 * ring[..., 1:-1]
    halves = [middle + 0.25 * ring[..., :-2], middle + 0.25 * ring[..., 2:]]
    fine = jnp.stack(halves, axis=-1).reshape(height + 2, channels, 2 * width)
    middle = 0.75 * fine[1:-1]
    halves = [middle + 0.25 * fine[:-2], middle + 0.25 * fine[2:]]
    return jnp.stack(halves, axis=1).reshape(2 * height, channels, 2 * width)


def _coarsen(fine: Float[Array, "h c w"]) -> Array:
    """Apply the transpose of `refine`."""
    height, channels, width = fine.shape
    ring = _padded_by_one(fine)
    weights = (0.25, 0.75, 0.75, 0.25)
    total = jnp.zeros((height // 2, channels, width // 2), fine.dtype)
    for i, down in enumerate(weights):
        rows = slice(i, i + height, 2)
        line = sum(w * ring[rows, :, j : j + width : 2] for j, w in enumerate(weights))
        total = total + down * line
    return total


def _border_factor(is_inside: Array) -> tuple[Array, Array]:
    """Return which coarse cells of a line are in the picture, and the factor at its fine cells.

    Where the picture ends, interpolation has one neighbour only; the factor makes up for it.
    """
    coarse = is_inside.reshape(-1, 2).any(axis=1)
    ring = jnp.pad(coarse.astype(jnp.float32), 1)
    halves = [0.75 * ring[1:-1] + 0.25 * ring[:-2], 0.75 * ring[1:-1] + 0.25 * ring[2:]]
    weights = jnp.stack(halves, axis=-1).reshape(-1)
    return coarse, 1.0 / jnp.maximum(weights, 0.5)


def _relaxation(diagonal: Array) -> Array:
    return jnp.where(diagonal > 0.0, _DAMPING / jnp.where(diagonal > 0.0, diagonal, 1.0), 0.0)


def _invert(level: Level) -> Array:
    """Return the dense inverse, by Newton's iteration (Schulz, 1933).

    A little is added to the diagonal, for parts of the mask that touch no fixed pixel.
    """
    height, _, width = level.diagonal.shape
    one = jnp.eye(height * width)
    unknown = level.is_unknown
    basis = one.reshape(-1, height, width).swapaxes(0, 1)
    matrix = unknown * apply_operator(level, unknown * basis) + (1.0 - unknown) * basis
    matrix = matrix.swapaxes(0, 1).reshape(height * width, -1) + _SHIFT * one
    start = one / jnp.abs(matrix).sum(axis=0).max()

    def improve(_: Array | int, inverse: Array) -> Array:
        product = jnp.matmul(matrix, inverse, precision="highest")
        return inverse + jnp.matmul(inverse, one - product, precision="highest")

    return lax.fori_loop(0, _NEWTON_STEPS, improve, start)


def build_levels(
    unknown: Bool[Array, "height width"],
    valid: Bool[Array, "height width"],
    *,
    screening: float | Float[Array, ""] = 0.0,
) -> tuple[Level, ...]:
    """Build the hierarchy of grids, the finest first.

    Coarse edges are finite volumes: a face of h pixels over a distance of h pixels. A fixed pixel
    would be (h + 1) / 2 pixels away from the centre of a full cell, but cells at a ragged edge are
    partly filled and nearer to it: h ** 0.5 takes the fewest iterations.

    Args:
        unknown: pixels to solve for; sizes as from `padded_size`.
        valid: pixels of the picture; nothing is joined to the others.
        screening: added to the diagonal of every unknown (a screened Poisson equation); its
            solutions decay over ``screening ** -0.5`` pixels from fixed ones.
    """
    mask = (unknown & valid).astype(jnp.float32)[:, None]
    contacts = mask * sum(neighbours(valid.astype(jnp.float32)[:, None] - mask))
    across = jnp.pad(mask[..., 1:] * mask[..., :-1], ((0, 0), (0, 0), (1, 1)))
    along = jnp.pad(mask[1:] * mask[:-1], ((1, 1), (0, 0), (0, 0)))
    rows, columns = valid.any(axis=1), valid.any(axis=0)
    screened = mask * jnp.asarray(screening, mask.dtype)
    levels = []
    depths = _halvings(max(valid.shape))
    for depth in range(depths + 1):
        fixed = contacts * 0.5 ** (0.5 * depth)
        edges = across[..., 1:] + across[..., :-1] + along[1:] + along[:-1]
        diagonal = fixed + screened + edges
        level = Level(
            across=across if depth else None,
            along=along if depth else None,
            diagonal=diagonal,
            relaxation=_relaxation(diagonal),
            transfer=None,
            direct=None,
        )
        if depth == depths:
            levels.append(dataclasses.replace(level, direct=_invert(level)))
            break
        rows, row_factor = _border_factor(rows)
        columns, column_factor = _border_factor(columns)
        transfer = level.is_unknown * row_factor[:, None, None] * column_factor
        levels.append(dataclasses.replace(level, transfer=transfer))
        height, _, width = contacts.shape
        across = 0.5 * across[..., ::2].reshape(height // 2, 2, 1, width // 2 + 1).sum(axis=1)
        along = 0.5 * along[::2].reshape(height // 2 + 1, 1, width // 2, 2).sum(axis=3)
        contacts, screened = sum_blocks(contacts), sum_blocks(screened)
    return tuple(levels)


def apply_operator(level: Level, x: Float[Array, "h c w"]) -> Float[Array, "h c w"]:
    """Return diagonal times value minus the weighted neighbours; ``x`` is 0 at fixed pixels.

    On the finest grid the product is right only where there is an unknown.
    """
    right, left, below, above = neighbours(x)
    if level.across is None or level.along is None:
        return level.diagonal * x - (right + left + below + above)
    weighted = level.across[..., 1:] * right + level.across[..., :-1] * left
    weighted += level.along[1:] * below + level.along[:-1] * above
    return level.diagonal * x - weighted


def _cycle(levels: tuple[Level, ...], b: Array) -> Array:
    """Return one symmetric V-cycle for ``A x = b`` from zero."""
    level = levels[0]
    if level.direct is not None:
        channels = b.swapaxes(0, 1)
        found = channels.reshape(len(channels), -1) @ level.direct
        return found.reshape(channels.shape).swapaxes(0, 1)
    assert level.transfer is not None  # only the coarsest has none
    x = level.relaxation * b
    coarse = _cycle(levels[1:], _coarsen(level.transfer * (b - apply_operator(level, x))))
    x = x + level.transfer * refine(coarse)
    return x + level.relaxation * (b - apply_operator(level, x))


def _dot(a: Array, b: Array) -> Array:
    return jnp.sum(a * b, axis=(0, 2), keepdims=True)


def _ratio(numerator: Array, denominator: Array, *, otherwise: float = 0.0) -> Array:
    usable = denominator > _EPSILON
    return jnp.where(usable, numerator / jnp.where(usable, denominator, 1.0), otherwise)


def solve(
    levels: tuple[Level, ...],
    b: Float[Array, "h c w"],
    *,
    tolerance: float = 1e-3,
    weight: Float[Array, "h 1 w"] | None = None,
    max_iterations: int = 40,
) -> Float[Array, "h c w"]:
    """Solve ``A x = b`` for every channel.

    Args:
        levels: from `build_levels`.
        b: right-hand side; zero where nothing is unknown.
        tolerance: stop when the error is expected to be below this everywhere: the sum of all
            changes to come, if they go on shrinking as the last one did.
        weight: factor on the errors; 1 if None. Specks of a mask beside the rest of it, which
            touch no fixed pixel, take the longest to come right, and are the faintest.
        max_iterations: stop then at the latest.

    Returns:
        The solution, zero where nothing is unknown. Where a part of the mask touches no fixed
        pixel, its constant is left where the iteration from zero put it.
    """
    is_unknown = levels[0].is_unknown

    def is_running(state: tuple[Array, ...]) -> Array:
        count, error, *_ = state
        return (count < max_iterations) & (error > tolerance)

    def iterate(state: tuple[Array, ...]) -> tuple[Array, ...]:
        count, _, change, x, r, p, previous = state
        z = _cycle(levels, r)
        product = _dot(r, z)
        p = z + _ratio(product, previous) * p
        q = is_unknown * apply_operator(levels[0], p)
        step = _ratio(product, _dot(p, q))
        following = jnp.max(jnp.abs(z) if weight is None else jnp.abs(z) * weight)
        shrinkage = _ratio(following, change, otherwise=1.0)
        shrinkage = jnp.clip(shrinkage, *_SHRINKAGE)
        error = following * shrinkage / (1.0 - shrinkage)
        return count + 1, error, following, x + step * p, r - step * q, p, product

    zero = jnp.zeros_like(b)
    large = jnp.full((), jnp.inf, b.dtype)
    count = jnp.zeros((), jnp.int32)
    change, product = jnp.zeros((), b.dtype), jnp.zeros_like(_dot(b, b))
    start: tuple[Array, ...] = (count, large, change, zero, b, zero, product)
    return lax.while_loop(is_running, iterate, start)[3]
