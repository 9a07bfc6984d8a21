"""A layout at fewer texels is the same face; masks interpolated between blocks stay inside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toy_faces import layout as toy_layout

from uvface.core.geometry import visibility as visibility_module
from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.rasterize import interpolate, rasterize
from uvface.core.geometry.scales import enlarge, pool, pool_inside
from uvface.core.geometry.visibility import visibility

LAYOUT = load_layout("uvface")
coarse = jax.jit(coarse_layout, static_argnames="texels")


def test_a_layout_that_is_no_finer_is_returned():
    assert coarse_layout(toy_layout(), 64) is toy_layout()
    assert coarse_layout(toy_layout(), 128) is toy_layout()


@pytest.mark.parametrize("texels", [128, 64])
def test_blocks_are_averages_of_their_texels(texels):
    small, step = coarse(LAYOUT, texels=texels), 256 // texels
    blocks = np.asarray(LAYOUT.canonical).reshape(texels, step, texels, step, 3)
    np.testing.assert_allclose(small.canonical, blocks.mean(axis=(1, 3)), atol=1e-4)
    inside = np.asarray(LAYOUT.mask).reshape(texels, step, texels, step).min(axis=(1, 3))
    np.testing.assert_array_equal(small.mask, inside)
    lips = small.region("lips")
    assert float(lips.sum()) * step**2 == pytest.approx(float(LAYOUT.region("lips").sum()), 1e-4)


def test_mirroring_blocks_is_mirroring_texels():
    small = coarse(LAYOUT, texels=128)
    image = LAYOUT.canonical
    np.testing.assert_allclose(
        small.mirror(pool(image, 128)), pool(LAYOUT.mirror(image), 128), atol=1e-5
    )


def test_the_coarse_surface_is_the_fine_one():
    """Drawn frontally, both cover the same pixels and say the same of them, up to the rim."""
    camera = mean_face(LAYOUT, centre=(64.0, 64.0), scale=5.0, pose=(20.0, 0.0, 0.0)).camera
    drawn = []
    for layout in (LAYOUT, coarse(LAYOUT, texels=128)):
        vertices = camera.project(layout.canonical).reshape(-1, 3)
        fragments = rasterize(vertices, layout.triangles, height=128, width=128)
        values = interpolate(fragments, layout.triangles, layout.canonical.reshape(-1, 3))
        drawn.append((np.asarray(fragments.is_covered), np.asarray(values)))
    (fine, fine_values), (rough, rough_values) = drawn
    assert (fine & ~rough).sum() < 0.02 * fine.sum()
    assert not (rough & ~fine).any()
    off = np.linalg.norm(fine_values - rough_values, axis=-1)[rough]
    assert np.quantile(off, 0.99) < 0.1  # cm: half a pixel, where the surface is seen from the side


@pytest.mark.parametrize("yaw", [0.0, 40.0, 75.0])
def test_what_hides_may_be_coarse(yaw, monkeypatch):
    """Visibility is as if every texel could hide others."""
    face = mean_face(LAYOUT, centre=(128.0, 128.0), scale=10.0, pose=(yaw, 10.0, 0.0))
    found = np.asarray(visibility(face.position_map, LAYOUT))
    monkeypatch.setattr(visibility_module, "_HIDING_TEXELS", 256)
    exact = np.asarray(visibility(face.position_map, LAYOUT))
    off = np.abs(found - exact)[np.asarray(LAYOUT.region("face")) > 0.5]
    assert 0.0 < off.mean() < 0.002
    assert (off > 0.5).mean() < 0.001


def test_a_mask_pooled_inside_is_zero_wherever_the_mask_is():
    rng = np.random.default_rng(3)
    for _ in range(20):
        x, y, radius = rng.uniform((40, 40, 6), (90, 90, 30))
        rows, columns = np.mgrid[:128, :128]
        distance = np.hypot(columns - x, rows - y)
        mask = np.clip((radius - distance) / rng.uniform(0.5, 6), 0, 1).astype(np.float32)
        small = pool_inside(jnp.asarray(mask), 64)
        back = np.asarray(enlarge(small[..., None], 128))[..., 0]
        assert back[mask == 0].max() == 0
        assert back.max() > 0.9 * mask.max()
        assert back.sum() > 0.5 * mask.sum()
