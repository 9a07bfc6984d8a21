"""Conjugate gradients with a multigrid preconditioner for Poisson's equation on a pixel mask.

The unknowns are the pixels of a mask. Each is joined to its four neighbours: to a neighbour in
the mask by an edge of weight one, to a neighbour outside the mask by a fixed value of zero
(Dirichlet; other values go to the right-hand side), beyond the picture's border by nothing
(Neumann). The conjugate gradients make it exact on any mask, however ragged; the multigrid
makes it fast: five or six iterations on the masks of faces, whatever their size.

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

__all__ = ["Level", "apply_operator", "build_levels", "neighbours", "padded_size", "solve"]

_COARSEST = 8  # cells along a side; there the system is solved directly
_DAMPING = 0.8  # of Jacobi's iteration; best for five-point operators
_NEWTON_STEPS = 36  # 2 log2 of the condition number is enough
_SHIFT = 1e-4  # on the coarsest diagonal, whose entries are about 4
_EPSILON = 1e-20


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Level:
    """One grid: a five-point operator with a weight per edge."""

    across: Array | None  # [h, w + 1], weights of the edges between columns, 0 at both ends; None
    # on the finest grid, where they are 1
    along: Array | None  # [h + 1, w], weights of the edges between rows
    diagonal: Array  # [h, w], sum of the cell's edges, those to fixed pixels too; 0: no unknown
    rows: Array | None  # [h], factor on values from the coarser grid; None on the coarsest
    columns: Array | None  # [w], the same
    direct: Array | None  # [h * w, h * w], inverse of the operator; on the coarsest grid only

    @property
    def is_unknown(self) -> Array:
        """Return ``[h, w]``: 1 where the cell holds unknowns, else 0."""
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
    return jnp.pad(image, [(0, 0)] * (image.ndim - 2) + [(1, 1), (1, 1)])


def neighbours(image: Array) -> tuple[Array, Array, Array, Array]:
    """Return the values at the right, left, lower and upper neighbour, zero beyond the border."""
    ring = _padded_by_one(image)
    middle = ring[..., 1:-1, :]
    return middle[..., 2:], middle[..., :-2], ring[..., 2:, 1:-1], ring[..., :-2, 1:-1]


def _pool(image: Array) -> Array:
    """Sum blocks of 2x2 cells."""
    *lead, height, width = image.shape
    return image.reshape(*lead, height // 2, 2, width // 2, 2).sum(axis=(-3, -1))


def _refine(coarse: Array) -> Array:
    """Interpolate cell centres linearly to the next finer grid, zero beyond the border."""
    *lead, height, width = coarse.shape
    ring = _padded_by_one(coarse)
    parts = [slice(0, -2), slice(1, -1), slice(2, None)]

    def fine(row: int, column: int) -> Array:
        near = 0.75 * ring[..., parts[1], parts[1]] + 0.25 * ring[..., parts[1], parts[column]]
        far = 0.75 * ring[..., parts[row], parts[1]] + 0.25 * ring[..., parts[row], parts[column]]
        return 0.75 * near + 0.25 * far

    rows = [jnp.stack([fine(row, 0), fine(row, 2)], axis=-1) for row in (0, 2)]
    return jnp.stack(rows, axis=-3).reshape(*lead, 2 * height, 2 * width)


def _coarsen(fine: Array) -> Array:
    """Apply the transpose of `_refine`."""
    ring = _padded_by_one(fine)
    weights = (0.25, 0.75, 0.75, 0.25)
    height, width = fine.shape[-2], fine.shape[-1]
    total = jnp.zeros((*fine.shape[:-2], height // 2, width // 2), fine.dtype)
    for i, down in enumerate(weights):
        rows = slice(i, i + height, 2)
        line = sum(w * ring[..., rows, j : j + width : 2] for j, w in enumerate(weights))
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


def _invert(level: Level) -> Array:
    """Return the dense inverse, by Newton's iteration (Schulz, 1933).

    A little is added to the diagonal, for parts of the mask that touch no fixed pixel.
    """
    height, width = level.diagonal.shape
    one = jnp.eye(height * width)
    unknown = level.is_unknown
    basis = one.reshape(-1, height, width)
    matrix = unknown * apply_operator(level, unknown * basis) + (1.0 - unknown) * basis
    matrix = matrix.reshape(height * width, -1) + _SHIFT * one
    start = one / jnp.abs(matrix).sum(axis=0).max()

    def refine(_: Array | int, inverse: Array) -> Array:
        product = jnp.matmul(matrix, inverse, precision="highest")
        return inverse + jnp.matmul(inverse, one - product, precision="highest")

    return lax.fori_loop(0, _NEWTON_STEPS, refine, start)


def build_levels(
    unknown: Bool[Array, "height width"],
    valid: Bool[Array, "height width"],
    *,
    screening: float | Float[Array, ""] = 0.0,
) -> tuple[Level, ...]:
    """Build the hierarchy of grids, the finest first.

    Coarse edges are finite volumes: a face of h pixels over a distance of h pixels; a fixed
    pixel lies (h + 1) / 2 pixels away from the centre of its cell.

    Args:
        unknown: pixels to solve for; sizes as from `padded_size`.
        valid: pixels of the picture; nothing is joined to the others.
        screening: added to the diagonal of every unknown (a screened Poisson equation); its
            solutions decay over ``screening ** -0.5`` pixels from fixed ones.
    """
    mask = (unknown & valid).astype(jnp.float32)
    contacts = mask * sum(neighbours(valid.astype(jnp.float32) - mask))
    across = jnp.pad(mask[:, 1:] * mask[:, :-1], ((0, 0), (1, 1)))
    along = jnp.pad(mask[1:] * mask[:-1], ((1, 1), (0, 0)))
    rows, columns = valid.any(axis=1), valid.any(axis=0)
    screened = mask * jnp.asarray(screening, mask.dtype)
    levels = []
    depths = _halvings(max(mask.shape))
    for depth in range(depths + 1):
        fixed = contacts * (2.0 / (2.0**depth + 1.0))
        level = Level(
            across=across if depth else None,
            along=along if depth else None,
            diagonal=fixed + screened + across[:, 1:] + across[:, :-1] + along[1:] + along[:-1],
            rows=None,
            columns=None,
            direct=None,
        )
        if depth == depths:
            levels.append(dataclasses.replace(level, direct=_invert(level)))
            break
        rows, row_factor = _border_factor(rows)
        columns, column_factor = _border_factor(columns)
        levels.append(dataclasses.replace(level, rows=row_factor, columns=column_factor))
        height, width = contacts.shape[0] // 2, contacts.shape[1] // 2
        across = 0.5 * across[:, ::2].reshape(height, 2, width + 1).sum(axis=1)
        along = 0.5 * along[::2].reshape(height + 1, width, 2).sum(axis=2)
        contacts, screened = _pool(contacts), _pool(screened)
    return tuple(levels)


def apply_operator(level: Level, x: Float[Array, "c h w"]) -> Float[Array, "c h w"]:
    """Return diagonal times value minus the weighted neighbours; ``x`` is 0 at fixed pixels.

    On the finest grid the product is right only where there is an unknown.
    """
    right, left, below, above = neighbours(x)
    if level.across is None or level.along is None:
        return level.diagonal * x - (right + left + below + above)
    weighted = level.across[:, 1:] * right + level.across[:, :-1] * left
    weighted += level.along[1:] * below + level.along[:-1] * above
    return level.diagonal * x - weighted


def _relax(level: Level, residual: Array) -> Array:
    usable = level.diagonal > 0.0
    return jnp.where(usable, _DAMPING * residual / jnp.where(usable, level.diagonal, 1.0), 0.0)


def _cycle(levels: tuple[Level, ...], b: Array) -> Array:
    """Return one symmetric V-cycle for ``A x = b`` from zero."""
    level = levels[0]
    if level.direct is not None:
        return (b.reshape(b.shape[0], -1) @ level.direct).reshape(b.shape)
    assert level.rows is not None and level.columns is not None  # only the coarsest has none
    x = _relax(level, b)
    transfer = level.is_unknown * level.rows[:, None] * level.columns
    coarse = _cycle(levels[1:], _coarsen(transfer * (b - apply_operator(level, x))))
    x = x + transfer * _refine(coarse)
    return x + _relax(level, b - apply_operator(level, x))


def _dot(a: Array, b: Array) -> Array:
    return jnp.sum(a * b, axis=(-2, -1), keepdims=True)


def _ratio(numerator: Array, denominator: Array, *, otherwise: float = 0.0) -> Array:
    usable = denominator > _EPSILON
    return jnp.where(usable, numerator / jnp.where(usable, denominator, 1.0), otherwise)


def solve(
    levels: tuple[Level, ...],
    b: Float[Array, "c h w"],
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 40,
) -> Float[Array, "c h w"]:
    """Solve ``A x = b`` for every channel.

    Args:
        levels: from `build_levels`.
        b: right-hand side; zero where nothing is unknown.
        tolerance: stop when the error is expected to be below this everywhere: the last
            change times the factor by which the changes shrink.
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
        following = jnp.max(jnp.abs(z))
        error = following * jnp.minimum(_ratio(following, change, otherwise=1.0), 1.0)
        return count + 1, error, following, x + step * p, r - step * q, p, product

    zero = jnp.zeros_like(b)
    large = jnp.full((), jnp.inf, b.dtype)
    count = jnp.zeros((), jnp.int32)
    change, product = jnp.zeros((), b.dtype), jnp.zeros_like(_dot(b, b))
    start: tuple[Array, ...] = (count, large, change, zero, b, zero, product)
    return lax.while_loop(is_running, iterate, start)[3]
