"""Region masks: union, softening, and the part of the face that a swap may change."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from toys import toy_layout

from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.sampling import sample_bilinear
from uvface.editing.regions import combine_regions, soften, swap_region
from uvface.faceswap.swap import SwapConfig


@pytest.fixture(scope="module")
def layout():
    return toy_layout()


def test_union_is_the_largest_mask(layout):
    both = combine_regions(layout, ["lips", "nose"])
    assert (both >= layout.region("lips")).all() and (both >= layout.region("nose")).all()
    np.testing.assert_array_equal(combine_regions(layout, ["nose"]), layout.region("nose"))


def test_unknown_or_missing_names_are_input_errors(layout):
    with pytest.raises(InputError, match="unknown region 'beak'"):
        combine_regions(layout, ["nose", "beak"])
    with pytest.raises(InputError, match="no region given"):
        combine_regions(layout, [])


@pytest.mark.parametrize("sigma", [3.0, 12.0, jnp.float32(3.0)])
def test_softening_is_the_same_along_both_axes_of_any_shape(sigma):
    noise = jnp.asarray(np.random.default_rng(4).random((96, 64, 2)), jnp.float32)
    soft = soften(noise, sigma)
    turned = soften(noise.swapaxes(0, 1), sigma).swapaxes(0, 1)
    np.testing.assert_allclose(soft, turned, atol=1e-5)
    exact = ndimage.gaussian_filter(noise, (float(sigma), float(sigma), 0.0), truncate=6.0)
    middle = np.s_[30:-30, 20:-20] if sigma < 4.0 else np.s_[45:-45, 30:-30]
    np.testing.assert_allclose(soft[middle], exact[middle], atol=2e-3)


def test_softening_keeps_constants_and_sigma_zero_keeps_everything():
    noise = jnp.asarray(np.random.default_rng(0).random((32, 32, 2)), jnp.float32)
    np.testing.assert_allclose(soften(jnp.ones((32, 32, 1)), 4.0), 1.0, atol=1e-6)
    np.testing.assert_allclose(soften(noise, 0.0), noise, atol=1e-6)
    assert soften(noise, 3.0).std() < 0.3 * noise.std()


def test_swap_region_is_inside_the_face_and_symmetric(layout):
    mask = swap_region(layout, feather=SwapConfig.feather)
    assert (mask <= layout.region("face") + 1e-6).all()
    np.testing.assert_allclose(mask, mask[:, ::-1], atol=1e-5)
    assert mask[32, 32] == 1.0


def test_swap_region_ends_where_hair_begins():
    layout = load_layout()
    brows = layout.landmark_uv[17:27] * layout.size - 0.5
    above = sample_bilinear(layout.canonical, brows)[:, 1].min() - layout.canonical[..., 1]
    mask = swap_region(layout, feather=SwapConfig.feather)
    middle = (jnp.abs(layout.canonical[..., 0]) < 3.0) & (above > 0.0) & (above < 2.5)
    assert mask[middle].min() > 0.95
    top = (layout.region("face") > 0.9) & (above > 4.1)  # cm: the lowest hairlines
    assert top.any() and mask[top].max() < 0.5


@pytest.mark.parametrize("sigma", [1.0, 4.0, 8.0, 28.0])
def test_a_wide_blur_is_the_exact_one_but_for_its_interpolation(sigma):
    """Found at every few texels and interpolated; a traced width takes the whole kernel."""
    row = jnp.arange(128)
    steps = ((row[:, None] // 16 + row // 16) % 2).astype(jnp.float32)[..., None]
    exact = soften(steps, jnp.float32(sigma))
    np.testing.assert_allclose(soften(steps, sigma), exact, atol=0.02)
    np.testing.assert_allclose(soften(jnp.ones((128, 128, 1)), sigma), 1.0, atol=1e-5)
