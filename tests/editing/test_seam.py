"""A drawn face takes the photo's colours at its mask's edge, whatever the photo's size."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.blending.composite import BlendConfig
from uvface.editing.apply import _blend_drawn, _compared, _Drawn
from uvface.editing.windows import Window

TONE, OFFSET = 0.5, 0.08


def test_what_a_soft_mask_lets_change_is_compared_and_what_it_leaves_out_is_not():
    """Below one half nothing was, so that faces kept a sharpness that was not the photo's."""
    size = 16
    drawn = _Drawn(
        colors=jnp.zeros((size, size, 3)),
        before=jnp.zeros((size, size)),
        mask=jnp.ones((size, size)),
        keep=jnp.zeros((size, size)),
        is_comparable=jnp.ones((size, size), bool),
        is_covered=jnp.ones((size, size), bool),
    )
    window = Window(
        image=jnp.zeros((size, size, 3)),
        origin=jnp.zeros(2, jnp.int32),
        photo_size=jnp.full(2, size, jnp.int32),
        allowed=jnp.zeros((size, size)).at[:8].set(0.4),
    )
    _, is_face = _compared(drawn, window)
    assert is_face[:8].all() and not is_face[8:].any()


def _blended(size, *, gap, held=0.5, peak=1.0, config=None):
    """Blend a disc that is lighter than the photo; skin to compare lies a gap away from it."""
    rows, columns = np.indices((size, size)).astype(np.float32)
    outside = np.hypot(rows - size / 2, columns - size / 2) - 0.3 * size  # pixels off the disc
    mask = jnp.asarray(peak * np.clip(-outside / (0.02 * size), 0.0, 1.0))
    is_comparable = (outside > gap * size) & (outside < 0.1 * size)
    drawn = _Drawn(
        colors=jnp.full((size, size, 3), TONE + OFFSET),
        before=jnp.full((size, size), TONE),
        mask=mask,
        keep=jnp.zeros((size, size)),
        is_comparable=jnp.asarray(is_comparable),
        is_covered=jnp.ones((size, size), bool),
    )
    window = Window(
        image=jnp.full((size, size, 3), TONE),
        origin=jnp.zeros(2, jnp.int32),
        photo_size=jnp.full(2, size, jnp.int32),
        allowed=jnp.ones((size, size)),
    )
    reach = jnp.float32(0.1 * size)
    result = _blend_drawn(drawn, window, jnp.float32(1.0), jnp.float32(held), reach, config=config)
    just_inside = (outside < -0.02 * size) & (outside > -0.03 * size)
    return np.asarray(result), just_inside, outside


@pytest.mark.parametrize("size", [240, 480, 960])
@pytest.mark.parametrize("gap", [-0.01, 0.0, 0.01])
@pytest.mark.parametrize("method", ["poisson", "mixed"])
def test_the_edge_joins_the_photo_across_a_narrow_gap(size, gap, method):
    config = BlendConfig(method=method)
    result, just_inside, outside = _blended(size, gap=gap, config=config)
    assert np.abs(result - TONE)[just_inside].max() < 0.65 * OFFSET  # it decays over gap and ramp
    assert np.abs(result[size // 2, size // 2] - TONE).max() > 0.7 * OFFSET  # not the whole face
    assert np.array_equal(result[outside > 0.0], np.full_like(result[outside > 0.0], TONE))


def test_skin_far_from_the_edge_is_not_joined():
    result, just_inside, _ = _blended(480, gap=0.05)
    np.testing.assert_allclose(result[just_inside], TONE + OFFSET, atol=1e-3)


@pytest.mark.parametrize("method", ["feather", "laplacian"])
def test_other_methods_mix_over_the_whole_ramp(method):
    config = BlendConfig(method=method)
    alike, apart = (_blended(240, gap=gap, config=config)[0] for gap in (-0.02, 0.05))
    assert np.array_equal(alike, apart)  # nothing of the ramp is held back
    assert np.ptp(alike) > 0.5 * OFFSET


def test_a_soft_mask_that_holds_nothing_changes_the_face_everywhere():
    """Of a small region with a wide border the mask may stay below one half."""
    result, _, outside = _blended(240, gap=-0.3, held=0.0, peak=0.4)
    is_inner = outside < -0.1 * 240
    assert np.isfinite(result).all()
    np.testing.assert_allclose(result[is_inner], TONE + 0.4 * OFFSET, atol=0.3 * OFFSET)
    assert (np.abs(result - TONE)[is_inner] > 0.1 * OFFSET).all()
