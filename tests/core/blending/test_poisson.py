"""The Poisson solver against a sparse direct solve, and what blending must never do."""

from functools import partial
from pathlib import Path
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from uvface.core.blending import multigrid
from uvface.core.blending.composite import BlendConfig, BlendMethod, composite
from uvface.core.blending.multigrid import padded_size
from uvface.core.blending.poisson import poisson_blend
from uvface.core.io.images import read_photo

HEIGHT, WIDTH = 45, 45  # no multiple of a power of two; square, to share compiled code
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@pytest.fixture(scope="module")
def blend():
    compiled = jax.jit(lambda t, s, m, v: poisson_blend(t, s, m, valid=v))
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    return lambda t, s, m, v=everywhere: np.asarray(compiled(t, s, m, v))


def _random_masks(count):
    random = np.random.default_rng(7)
    for index in range(count):
        noise = random.standard_normal((HEIGHT, WIDTH))
        smooth = ndimage.gaussian_filter(noise, (0.0, 0.6, 2.0, 6.0)[index % 4])
        yield smooth > np.quantile(smooth, random.uniform(0.05, 0.9))


def _direct(target, source, region, *, mixed=False, valid=None, screening=0.0):
    """Solve equations 7 and 12 of Perez et al. with a sparse direct solver in float64."""
    target, source = target.astype(np.float64), source.astype(np.float64)
    number = np.cumsum(region).reshape(region.shape) - 1
    rows, columns, degree = [], [], np.zeros(region.sum())
    b = np.zeros((region.sum(), 3))
    for i, j in np.argwhere(region):
        for di, dj in NEIGHBOURS:
            k, m = i + di, j + dj
            if not (0 <= k < HEIGHT and 0 <= m < WIDTH) or (valid is not None and not valid[k, m]):
                continue
            step = source[i, j] - source[k, m]
            own = target[i, j] - target[k, m]
            if mixed and (own**2).sum() > (step**2).sum():
                step = own
            degree[number[i, j]] += 1.0
            b[number[i, j]] += step
            if region[k, m]:
                rows.append(number[i, j])
                columns.append(number[k, m])
            else:
                b[number[i, j]] += target[k, m]
    degree += screening
    b += screening * source[region]
    off = sparse.coo_array((-np.ones(len(rows)), (rows, columns)), shape=(len(b), len(b)))
    matrix = (off + sparse.diags_array(degree)).tocsc()
    result = target.copy()
    result[region] = spsolve(matrix, b)
    return result


def _pictures(seed, smoothness=(0.0, 3.0)):
    random = np.random.default_rng(seed)
    pictures = []
    for sigma in smoothness:
        picture = ndimage.gaussian_filter(random.random((HEIGHT, WIDTH, 3)), (sigma, sigma, 0))
        low, high = picture.min(), picture.max()
        pictures.append(((picture - low) / (high - low)).astype(np.float32))
    return pictures


def test_agrees_with_a_direct_solve_on_random_masks(blend):
    for index, region in enumerate(_random_masks(16)):
        target, source = _pictures(index, (2.0, 3.0) if index % 2 else (0.0, 1.0))
        result = blend(target, source, region.astype(np.float32))
        reference = _direct(target, source, region)
        assert np.abs(result - reference).max() < 1.0 / 255, index


def test_agrees_where_few_pixels_around_the_mask_are_known():
    # As for faces: hair and the background say nothing about the skin's colour.
    blend = jax.jit(lambda t, s, m, v, r: poisson_blend(t, s, m, valid=v, reach=r))
    for index, region in enumerate(_random_masks(32)):
        known = np.random.default_rng(index).random(region.shape) < 0.1
        region = _touching(region, known)
        if index % 4 < 2 or not region.any():
            continue  # smooth masks
        valid, mask = region | known, region.astype(np.float32)
        target, source = _pictures(index, (6.0, 6.0))
        result = np.asarray(blend(target, source, mask, valid, jnp.float32(30.0)))
        reference = _direct(target, source, region, valid=valid, screening=1 / 900)
        assert np.abs(result - reference).max() < 1.0 / 255, index


def _touching(region, known):
    """Return the parts of a region that lie beside a known pixel."""
    part, _ = ndimage.label(region)
    beside = region & ndimage.binary_dilation(known & ~region)
    return np.isin(part, np.unique(part[beside]))


def test_mixed_gradients_agree_with_a_direct_solve():
    blend = jax.jit(partial(composite, config=BlendConfig(method="mixed")))
    for index, region in enumerate(_random_masks(4)):
        target, source = _pictures(index, (1.0, 2.0))
        result = blend(target, source, region.astype(np.float32))
        reference = np.clip(_direct(target, source, region, mixed=True), 0.0, 1.0)
        assert np.abs(result - reference).max() < 1.0 / 255, index


@pytest.mark.parametrize(("method", "left"), [("poisson", 0.0), ("mixed", 0.3)])
def test_a_spot_of_the_target_stays_under_a_plain_source_by_mixed_gradients(method, left):
    target = np.full((HEIGHT, WIDTH, 3), 0.7, np.float32)
    target[20:23, 30:33] = 0.4
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[10:35, 20:45] = 1.0
    run = jax.jit(partial(composite, config=BlendConfig(method=method)))
    result = np.asarray(run(target, np.full_like(target, 0.5), mask))
    np.testing.assert_allclose(result[21, 31], 0.7 - left, atol=0.01)
    np.testing.assert_allclose(result[15, 25], 0.7, atol=0.01)


def test_outside_is_bit_identical_for_hard_and_soft_masks(blend):
    target, source = _pictures(1)
    for region in _random_masks(4):
        soft = np.where(region, np.random.default_rng(0).random(region.shape), 0.0)
        for mask in (region.astype(np.float32), soft.astype(np.float32)):
            result = blend(target, source, mask)
            outside = mask == 0.0
            assert (result[outside] == target[outside]).all()


def test_blending_a_picture_into_itself_changes_nothing(blend):
    target, _ = _pictures(2)
    for region in _random_masks(4):
        result = blend(target, target, region.astype(np.float32))
        np.testing.assert_allclose(result, target, atol=1e-6)


def test_an_offset_of_the_source_has_no_effect(blend):
    target, source = _pictures(3)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[:, 10:35] = 1.0
    shifted = blend(target, source + np.float32(0.3), mask)
    np.testing.assert_allclose(shifted, blend(target, source, mask), atol=2e-3)


@pytest.mark.parametrize("border", ["left", "right", "top", "bottom"])
def test_region_at_the_border_ends_with_slope_zero(blend, border):
    target = np.full((HEIGHT, WIDTH, 3), 0.25, np.float32)
    target[:, : WIDTH // 2] = 0.75
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[{"left": np.s_[:, :15], "right": np.s_[:, -15:]}.get(border, np.s_[:0])] = 1.0
    mask[{"top": np.s_[:15], "bottom": np.s_[-15:]}.get(border, np.s_[:0])] = 1.0
    result = blend(target, np.zeros_like(target), mask)
    reference = _direct(target, np.zeros_like(target), mask > 0)
    np.testing.assert_allclose(result, reference, atol=1 / 255)


def test_region_of_the_whole_picture_takes_the_source(blend):
    target, source = _pictures(4)
    result = blend(target, source, np.ones((HEIGHT, WIDTH), np.float32))
    np.testing.assert_allclose(result, source, atol=1e-6)


def test_pixels_beyond_the_photo_do_not_matter(blend):
    target, source = _pictures(5, (2.0, 2.0))
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[5:40, :30] = 1.0
    mask[20:25, 15:20] = 0.0
    valid = np.zeros((HEIGHT, WIDTH), bool)
    valid[3:38, 8:40] = True
    noise = np.random.default_rng(0).random(target.shape).astype(np.float32)
    around = np.where(valid[..., None], target, noise)
    first = blend(target, source, mask, valid)[valid]
    np.testing.assert_allclose(blend(around, source, mask, valid)[valid], first, atol=2e-3)
    reference = _direct(target, source, (mask > 0) & valid, valid=valid)[valid]
    np.testing.assert_allclose(first, reference, atol=1 / 255)


def test_mirrored_and_turned_inputs_give_the_mirrored_and_turned_result(blend):
    target, source = _pictures(6, (1.0, 2.0))
    mask = next(_random_masks(3)).astype(np.float32)
    plain = blend(target, source, mask)
    for turn in (lambda a: a[:, ::-1], lambda a: a[::-1], lambda a: np.swapaxes(a, 0, 1)):
        turned = blend(*(np.ascontiguousarray(turn(a)) for a in (target, source, mask)))
        np.testing.assert_allclose(turned, turn(plain), atol=2e-3)


def test_soft_mask_mixes_the_blend_and_the_target(blend):
    target, source = _pictures(8)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[10:30, 10:40] = 1.0
    full, half = blend(target, source, mask), blend(target, source, 0.5 * mask)
    np.testing.assert_allclose(half, 0.5 * (full + target), atol=1e-6)


def test_values_are_neither_clipped_nor_rounded(blend):
    target, source = (5.0 * picture - 2.0 for picture in _pictures(9))
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[10:30, 10:40] = 1.0
    result = blend(target, source, mask)
    reference = _direct(target, source, mask > 0)
    np.testing.assert_allclose(result, reference, atol=1 / 255)


def test_batches_by_vmap_agree_with_one_by_one(blend):
    masks = np.stack([m.astype(np.float32) for m in _random_masks(2)])
    targets, sources = np.stack([_pictures(0)[0]] * 2), np.stack([_pictures(1)[1]] * 2)
    together = jax.jit(jax.vmap(poisson_blend))(targets, sources, masks)
    for index in range(2):
        alone = blend(targets[index], sources[index], masks[index])
        np.testing.assert_allclose(together[index], alone, atol=2e-3)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (3, 14)])
def test_any_size_is_accepted(shape):
    rows, columns = padded_size(*shape)
    assert rows >= shape[0] and columns >= shape[1]
    target = jnp.zeros((*shape, 1))
    result = jax.jit(poisson_blend)(target, target + 1.0, jnp.ones(shape).at[0, 0].set(0.0))
    np.testing.assert_allclose(result, target, atol=2e-3)


@pytest.mark.parametrize("method", get_args(BlendMethod))
def test_composite_leaves_the_outside_alone(method):
    target, source = _pictures(11, (3.0, 0.0))
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[10:30, 20:40] = 1.0
    run = jax.jit(partial(composite, config=BlendConfig(method=method)))
    result = run(target, source, mask)
    assert (np.asarray(result)[mask == 0] == target[mask == 0]).all()
    assert np.abs(np.asarray(result) - target)[mask == 1].max() > 0.05
    if method in ("feather", "none"):
        np.testing.assert_allclose(np.asarray(result)[mask == 1], source[mask == 1], atol=1e-6)


def test_a_screened_correction_agrees_with_a_direct_solve_and_decays():
    region = np.zeros((HEIGHT, WIDTH), bool)
    region[4:40, 5:41] = True
    target, source = _pictures(3, (2.0, 3.0))
    compiled = jax.jit(lambda t, s, m, r: poisson_blend(t, s, m, reach=r))
    result = np.asarray(compiled(target, source, region.astype(np.float32), jnp.float32(3.0)))
    reference = _direct(target, source, region, screening=1.0 / 9.0)
    assert np.abs(result - reference).max() < 1.0 / 255
    assert np.abs(result - source)[18:26, 18:26].max() < 0.02


def _ragged_oval(size):
    """Return a soft mask of a face's shape, with strands of hair at its edge."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((size, size)), 3.0)
    y, x = (np.mgrid[:size, :size] / size - 0.5).astype(np.float32)
    reach = np.hypot(x / 0.31, y / 0.42) + 0.05 * noise / noise.std()
    return np.clip(8.0 * (1.1 - reach), 0.0, 1.0).astype(np.float32)


@pytest.mark.parametrize(("tolerance", "most"), [(1e-3, 6), (1e-5, 10)])
def test_few_cycles_put_one_face_into_another(tolerance, most, monkeypatch):
    """Cycles are nearly all of the solver's time; the results would not show that it takes more."""
    photos = Path(__file__).resolve().parents[3] / "examples" / "photos"
    target, source = (read_photo(photos / f"{k}.jpg").image for k in ("target", "reference"))
    cycle, counted = multigrid._cycle, []

    def counting(levels, residual):
        if levels[0].across is None:  # the finest grid
            jax.debug.callback(lambda: counted.append(1))
        return cycle(levels, residual)

    monkeypatch.setattr(multigrid, "_cycle", counting)
    jax.jit(partial(poisson_blend, tolerance=tolerance))(target, source, _ragged_oval(len(target)))
    jax.effects_barrier()
    assert 1 < len(counted) <= most
