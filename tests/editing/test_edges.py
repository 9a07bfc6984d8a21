"""Edges of a drawn surface: found where it jumps or ends, and averaged as a camera would."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.editing.edges import edge_share, tent_average

SIDE = 32
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
ALL = np.ones((SIDE, SIDE), bool)


def _share(uv: np.ndarray, is_covered: np.ndarray = ALL) -> np.ndarray:
    return np.asarray(edge_share(jnp.asarray(uv, jnp.float32), jnp.asarray(is_covered)))


def _slope(step: float) -> np.ndarray:
    return np.stack([step * COLUMNS, 0.5 * step * ROWS], axis=-1)


@pytest.mark.parametrize("step", [0.0005, 0.004, 0.02])
def test_a_smooth_surface_has_edges_only_where_it_ends(step):
    is_covered = (ROWS >= 4) & (ROWS < 28) & (COLUMNS >= 6) & (COLUMNS < 20)
    share = _share(_slope(step), is_covered)
    inner = (ROWS >= 5) & (ROWS < 27) & (COLUMNS >= 7) & (COLUMNS < 19)
    assert (share[inner] == 0.0).all()
    assert (share[is_covered & ~inner] == 1.0).all()
    assert (share[~is_covered] == 0.0).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_jump_is_an_edge_on_both_sides(axis):
    place = (ROWS, COLUMNS)[axis]
    uv = _slope(0.004) + 0.2 * (place >= 10)[..., None]
    is_edge = (place == 9) | (place == 10)
    share = _share(uv)
    assert (share[is_edge] == 1.0).all()
    assert (share[~is_edge] == 0.0).all()


def test_skin_seen_from_the_side_is_no_edge():
    # Texels per pixel grow up to three times towards the outline, as on a cheek.
    uv = np.stack([0.004 * (COLUMNS + 0.03 * COLUMNS**2), 0.004 * ROWS], axis=-1)
    assert _share(uv)[:, 1:-1].max() < 0.5


def test_nothing_covered_has_no_edges():
    assert (_share(_slope(0.004), ~ALL) == 0.0).all()


def test_the_average_of_one_value_is_that_value_and_weights_fall_to_the_border():
    weight = (COLUMNS >= 5).astype(np.float32)
    values = np.where(COLUMNS[..., None] >= 5, 0.3, 9.0).astype(np.float32)
    mean, covered = tent_average(jnp.asarray(values), jnp.asarray(weight))
    np.testing.assert_allclose(mean[1:-1, 5:], 0.3, atol=1e-6)
    np.testing.assert_allclose(covered[8, 4:8], [0.25, 0.75, 1.0, 1.0], atol=1e-6)


@pytest.mark.parametrize("slope", [0.05, 0.3, 0.7, 2.0])
def test_averaged_edges_are_nearer_to_those_of_a_camera(slope):
    def side(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return (columns - 15.3 > slope * (rows - 15.0)).astype(np.float32)

    fine = [(k + 0.5) / 8 - 1.0 for k in range(16)]  # a camera's sees two pixels wide
    wide = np.mean([side(ROWS + r, COLUMNS + c) for r in fine for c in fine], axis=0)
    hard = side(ROWS, COLUMNS)
    share = _share(_slope(0.004) + 0.2 * hard[..., None])
    mean, _ = tent_average(jnp.asarray(hard[..., None]), jnp.ones((SIDE, SIDE)))
    soft = hard + share * (np.asarray(mean)[..., 0] - hard)
    inner = np.s_[2:-2, 2:-2]
    misses = [np.sqrt(np.mean((x - wide)[inner] ** 2)) for x in (hard, soft)]
    assert misses[1] < 0.5 * misses[0]
